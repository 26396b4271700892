//! The log of rewards: never cached, because it is read seldom.

use guildhall_domain::{GrantedReward, UserId};
use guildhall_repository::{Page, PageRequest, RewardRepository};

use crate::decorate::decorate;

decorate! {
    impl RewardRepository by rewards, |link| {
        pass record(reward: &GrantedReward) -> bool;
        pass of_user(user: UserId, page: &PageRequest) -> Page<GrantedReward>;
    }
}
