//! Promises of [`ImportRepository`](guildhall_repository::ImportRepository).

mod leases;
mod members;
mod undoing;

pub use leases::*;
pub use members::*;
pub use undoing::*;

#[doc(hidden)]
#[macro_export]
macro_rules! import_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, import as import on MultiThread:
            // leases
            an_import_begins_once_and_goes_on
            an_import_keeps_others_out
            an_abandoned_import_is_taken_over
            a_finished_import_lets_go
            twenty_owners_let_one_begin
            levels_are_written_where_they_differ
            // members
            a_member_comes_with_everything
            a_second_run_changes_nothing
            a_member_known_here_is_joined
            taken_names_are_left_out_and_reported
            what_the_entries_do_not_explain_is_entered
            an_overdrawn_ledger_is_compensated
            a_bad_member_stops_nobody
            the_checkpoint_is_kept_with_the_batch
            at_most_1000_members_are_written
            a_batch_without_the_lease_is_refused
            // undoing
            rows_carry_their_tag
            undoing_deletes_what_was_created
            undoing_deletes_what_was_won_since
            undoing_keeps_who_moved_or_was_here_before
            undoing_goes_page_by_page
        }
    };
}
#[doc(hidden)]
pub use crate::import_promises as promises;
