//! Promises of [`MissionRepository`](guildhall_repository::MissionRepository).

mod batch;
mod changing;
mod circles;
mod finding;
mod making;

pub use batch::*;
pub use changing::*;
pub use circles::*;
pub use finding::*;
pub use making::*;

#[doc(hidden)]
#[macro_export]
macro_rules! mission_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, mission as mission on MultiThread:
            // making
            a_mission_comes_back_as_it_was_made
            a_bare_mission_has_the_defaults
            the_longest_texts_come_back
            a_taken_id_is_refused_and_the_unit_goes_on
            what_breaks_a_rule_of_missions_is_refused
            a_mission_that_was_rolled_back_never_was
            // circles
            missions_asked_for_must_exist
            missions_never_need_each_other_in_a_circle
            of_two_that_would_close_a_circle_one_wins
            // finding
            an_absent_mission_is_an_answer
            missions_are_answered_once_each_in_the_order_asked
            at_most_500_missions_are_looked_up
            the_catalogue_pages_over_equal_orders
            the_catalogue_filters_by_each_field
            a_cursor_of_another_list_is_foreign_here
            active_missions_have_begun_and_are_not_over
            active_missions_filter_and_end_at_the_limit
            a_search_finds_titles_and_descriptions
            a_search_takes_signs_as_they_are
            a_search_has_bounds
            // changing
            an_update_changes_what_the_patch_names
            an_update_can_empty_what_is_optional
            an_empty_patch_gives_what_is_stored
            a_stale_version_is_a_conflict
            fifty_updates_of_one_mission_let_one_win
            a_mission_is_switched_on_and_off
            a_soft_deletion_switches_off
            a_hard_deletion_leaves_nothing
            what_is_in_use_is_not_removed
            every_list_is_fresh_after_each_change
            // batch
            many_missions_are_made_at_once
            a_batch_of_missions_is_made_wholly_or_not
            missions_of_a_batch_may_ask_for_each_other
            many_missions_are_changed_at_once_or_none
            many_missions_are_removed_at_once_or_none
        }
    };
}
#[doc(hidden)]
pub use crate::mission_promises as promises;
