//! Promises of [`NarrativeRepository`](guildhall_repository::NarrativeRepository).

mod batch;
mod importing;
mod reading;
mod writing;

pub use batch::*;
pub use importing::*;
pub use reading::*;
pub use writing::*;

#[doc(hidden)]
#[macro_export]
macro_rules! narrative_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, narrative as narrative on MultiThread:
            // writing
            a_fragment_comes_back_as_it_was_written
            a_taken_id_is_refused
            a_way_to_nowhere_is_refused
            a_fragment_may_lead_to_itself
            a_fragment_that_breaks_a_rule_is_refused
            the_story_begins_once
            twenty_starts_at_once_let_one_win
            an_update_replaces_everything
            an_update_to_what_is_stored_writes_nothing
            an_update_of_an_old_fragment_is_a_conflict
            fifty_updates_of_one_fragment_let_one_win
            unchanged_choices_keep_their_ids
            a_choice_that_was_taken_stays_without_being_offered
            choices_of_other_fragments_are_refused
            a_deleted_fragment_is_inactive
            a_fragment_that_others_need_is_not_deleted
            a_refused_fragment_leaves_the_unit_usable
            // batch
            many_fragments_are_written_at_once
            a_batch_of_fragments_is_written_wholly_or_not
            many_fragments_are_changed_at_once_or_none
            many_fragments_are_deleted_at_once_or_none
            // importing
            a_story_is_imported_as_a_whole
            the_same_story_again_changes_nothing
            a_dry_run_only_says_what_it_would_do
            one_refused_fragment_keeps_the_others_out
            an_import_moves_the_start
            an_import_has_at_most_500_fragments
            // reading
            fragments_are_answered_once_each_in_the_order_asked
            fragments_are_filtered
            a_search_for_fragments_ignores_case_and_takes_wildcards_literally
            fragments_of_one_instant_page_without_loss
            a_cursor_of_another_list_of_fragments_is_refused
            connections_name_the_ways_in_and_out
            a_check_finds_what_is_wrong
            fragments_are_fresh_after_every_write
        }
    };
}
#[doc(hidden)]
pub use crate::narrative_promises as promises;
