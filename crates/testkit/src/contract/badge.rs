//! Promises of [`BadgeRepository`](guildhall_repository::BadgeRepository).

mod batch;
mod catalogue;
mod giving;
mod listing;
mod standing;

pub use batch::*;
pub use catalogue::*;
pub use giving::*;
pub use listing::*;
pub use standing::*;

#[doc(hidden)]
#[macro_export]
macro_rules! badge_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, badge as badge on MultiThread:
            // catalogue
            a_badge_comes_back_as_it_was_defined
            a_taken_name_is_refused_whatever_its_case
            what_makes_no_badge_is_refused
            badges_are_answered_once_each_in_the_order_asked
            badges_are_listed_by_id
            an_update_changes_what_its_patch_says
            an_update_of_an_old_version_is_a_conflict
            a_badge_is_deactivated_once
            a_badge_is_removed_only_while_nobody_was_given_it
            // batch
            many_badges_are_defined_at_once
            a_batch_of_badges_is_defined_wholly_or_not
            many_badges_are_changed_at_once_or_none
            many_badges_are_removed_at_once_or_none
            // giving
            a_badge_is_given_once
            fifty_gifts_of_one_badge_make_one_row
            giving_needs_a_member_and_an_active_badge
            a_badge_is_taken_once
            what_cannot_be_taken_stays
            a_gift_that_rolls_back_leaves_nothing
            candidates_are_what_the_rules_allow
            what_was_taken_is_only_given_by_hand
            // standing
            a_badge_makes_a_vip
            a_badge_extends_a_standing
            twenty_badges_at_once_add_up
            taking_a_badge_takes_its_grant
            what_others_granted_stays
            a_standing_from_elsewhere_stays
            vip_holders_are_listed_while_it_lasts
            // listing
            badges_of_a_member_are_listed_newest_first
            holders_are_listed_in_order
            events_tell_the_story_backwards
            recent_badges_say_who_and_what
            statistics_tell_of_active_holders
            a_members_badges_are_counted
            reads_are_fresh_after_every_gift
        }
    };
}
#[doc(hidden)]
pub use crate::badge_promises as promises;

use std::sync::Arc;

use guildhall_domain::{BadgeId, NewBadge, UserId, Vip, VipTerm};
use guildhall_repository::Storage;

use crate::builder::{badge, badge_award, now};

/// A badge that was defined.
async fn defined(storage: &Arc<dyn Storage>, new: NewBadge) -> BadgeId {
    storage.badges().create(&new, now()).await.unwrap().id
}

/// A badge that makes a VIP.
fn vip_badge(name: &str, term: VipTerm) -> NewBadge {
    NewBadge { vip: Some(term), ..badge(name) }
}

async fn given_to(storage: &Arc<dyn Storage>, user: UserId, badge: BadgeId) {
    storage.badges().give(&badge_award(user, badge), now()).await.unwrap();
}

/// The member's standing, from the member's row.
async fn vip_of(storage: &Arc<dyn Storage>, user: UserId) -> Vip {
    storage.users().by_id(user).await.unwrap().unwrap().vip
}
