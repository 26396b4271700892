//! Promises of [`UserAchievementRepository`](guildhall_repository::UserAchievementRepository).

mod earning;
mod listing;
mod telling;
mod unlocking;

pub use earning::*;
pub use listing::*;
pub use telling::*;
pub use unlocking::*;

#[doc(hidden)]
#[macro_export]
macro_rules! user_achievement_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, user_achievement as user_achievement on MultiThread:
            // earning
            metrics_hold_everything_that_is_known
            metrics_of_nobody_are_not_found
            candidates_are_what_the_rules_allow
            candidates_are_open_active_and_ruled
            five_hundred_definitions_are_weighed_at_once
            candidates_are_fresh_inside_a_unit
            what_is_earned_is_what_its_parts_say
            it_is_told_whether_points_may_earn_more
            qualifying_asks_what_would_be
            a_good_result_after_a_bad_one_is_a_redemption
            // unlocking
            an_unlock_comes_back_as_it_was_written
            an_unlock_is_written_once
            an_unlock_needs_a_member_and_an_active_achievement
            fifty_unlocks_of_one_achievement_make_one_row
            a_hundred_unlocks_of_a_hundred_achievements_keep_all
            an_unlock_that_rolls_back_leaves_nothing
            // listing
            achievements_are_listed_newest_first
            what_is_missing_is_listed_closest_first
            what_is_hidden_is_listed_without_text
            recent_unlocks_say_who_and_what
            a_look_back_is_bounded
            // telling
            a_summary_counts_the_active_catalogue
            statistics_count_community_days
            statistics_know_the_rank
            nobody_has_neither_summary_nor_statistics
            reads_are_fresh_after_every_unlock
        }
    };
}
#[doc(hidden)]
pub use crate::user_achievement_promises as promises;
