//! Promises of [`RewardRepository`](guildhall_repository::RewardRepository).

use std::sync::Arc;

use guildhall_domain::{BadgeId, GrantedReward, Reward, RewardKey, UserId};
use guildhall_repository::{ErrorKind, Storage};

use super::expect::{invalid, refused, walk};
use super::given;
use crate::builder::{amount, now, page, seconds, slug, source, xp};

#[doc(hidden)]
#[macro_export]
macro_rules! reward_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, reward as reward on MultiThread:
            every_kind_of_reward_comes_back_newest_first
            pages_go_on_under_equal_times
            rewards_of_nobody_are_not_recorded
            a_roll_back_leaves_no_reward
            a_reward_is_recorded_once
        }
    };
}
#[doc(hidden)]
pub use crate::reward_promises as promises;

/// The n-th reward of a test.
fn granted(user: UserId, reward: Reward, n: usize) -> GrantedReward {
    let once_key = RewardKey::parse(&format!("mission:dig:{user}:{n}")).unwrap();
    GrantedReward { user, reward, source: source("mission"), once_key, granted_at: now() }
}

async fn record(storage: &Arc<dyn Storage>, rewards: &[GrantedReward]) {
    for reward in rewards {
        assert!(storage.rewards().record(reward).await.unwrap(), "{reward:?}");
    }
}

async fn log(storage: &Arc<dyn Storage>, user: UserId) -> Vec<GrantedReward> {
    storage.rewards().of_user(user, &page(200)).await.unwrap().items
}

/// To the member who was given it, and to nobody else.
pub async fn every_kind_of_reward_comes_back_newest_first(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let bob = given::member(&storage, "bob").await;
    let mut rewards: Vec<_> = [
        Reward::Points(amount(5)),
        Reward::Xp(xp(7)),
        Reward::Lore(slug("lore.1")),
        Reward::Badge(BadgeId(9)),
        Reward::Achievement(slug("first_steps")),
    ]
    .into_iter()
    .enumerate()
    .map(|(n, reward)| granted(ada, reward, n))
    .collect();
    rewards[4].granted_at = now().minus(seconds(9)); // The order is that of the log.
    rewards[4].source = source("achievement");
    record(&storage, &rewards).await;
    record(&storage, &[granted(bob, Reward::Xp(xp(1)), 0)]).await;
    rewards.reverse();
    assert_eq!(log(&storage, ada).await, rewards);
    assert_eq!(log(&storage, bob).await.len(), 1);
    assert_eq!(log(&storage, UserId(999_999)).await, []);
}

/// Without gaps and repeats.
pub async fn pages_go_on_under_equal_times(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let rewards: Vec<_> =
        (1..=7).map(|n| granted(ada, Reward::Points(amount(n as i64)), n)).collect();
    record(&storage, &rewards).await;
    for limit in [1, 3, 7, 50] {
        let listed = storage.rewards();
        let listed = walk(limit, async |page| listed.of_user(ada, &page).await).await;
        assert!(listed.iter().rev().eq(&rewards), "pages of {limit}");
    }
    let foreign = page(5).after("users.id~1".parse().unwrap());
    invalid(storage.rewards().of_user(ada, &foreign).await, "cursor");
}

/// The unit stays usable.
pub async fn rewards_of_nobody_are_not_recorded(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let gone = given::member(&storage, "gone").await;
    storage.users().delete(gone, now()).await.unwrap();
    for (n, absent) in [UserId(999_999), gone].into_iter().enumerate() {
        let work = storage.begin().await.unwrap();
        let nobodys = granted(absent, Reward::Xp(xp(1)), n);
        refused(work.rewards().record(&nobodys).await, ErrorKind::NotFound);
        assert!(work.rewards().record(&granted(ada, Reward::Xp(xp(1)), n)).await.unwrap());
        work.commit().await.unwrap();
    }
    assert_eq!(log(&storage, ada).await.len(), 2);
}

/// Of those in the unit; its key is free again.
pub async fn a_roll_back_leaves_no_reward(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let reward = granted(ada, Reward::Xp(xp(1)), 0);
    let work = storage.begin().await.unwrap();
    assert!(work.rewards().record(&reward).await.unwrap());
    assert_eq!(work.rewards().of_user(ada, &page(5)).await.unwrap().items.len(), 1);
    work.rollback().await.unwrap();
    assert_eq!(log(&storage, ada).await, []);
    record(&storage, &[reward]).await;
}

/// Whatever else the repeat says; and of many at once one.
pub async fn a_reward_is_recorded_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let reward = granted(ada, Reward::Xp(xp(1)), 0);
    let calls = (0..20).map(|n| {
        let storage = Arc::clone(&storage);
        let reward = GrantedReward { reward: Reward::Points(amount(n + 1)), ..reward.clone() };
        tokio::spawn(async move { storage.rewards().record(&reward).await.unwrap() })
    });
    let calls: Vec<_> = calls.collect();
    let mut recorded = 0;
    for call in calls {
        recorded += u32::from(call.await.unwrap());
    }
    assert_eq!(recorded, 1);
    assert!(!storage.rewards().record(&reward).await.unwrap());
    assert_eq!(log(&storage, ada).await.len(), 1);
}
