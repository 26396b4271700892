//! Promises of [`UnitOfWork`](guildhall_repository::UnitOfWork) and of
//! [`Storage::begin`](guildhall_repository::Storage::begin).

mod isolation;
mod refusals;

pub use isolation::*;
pub use refusals::*;

#[doc(hidden)]
#[macro_export]
macro_rules! unit_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, unit as unit on MultiThread:
            // isolation
            a_commit_makes_everything_permanent
            a_roll_back_leaves_nothing
            a_dropped_unit_leaves_nothing
            a_unit_reads_its_own_writes
            nobody_else_reads_them_before_the_commit
            every_repository_takes_part
            concluding_commits_or_keeps_the_error
            dropped_units_give_their_places_back
            units_of_different_members_all_succeed
            units_that_read_then_write_lose_nothing
            a_healthy_storage_says_so
            // refusals
            a_refused_registration_leaves_the_unit_usable
            a_refused_batch_leaves_the_unit_usable
            a_refused_movement_leaves_the_unit_usable
            a_refused_change_leaves_the_unit_usable
            a_failed_bulk_leaves_nothing_and_the_unit_usable
            a_replay_in_a_unit_finds_its_own_write
            a_call_dropped_midway_spends_the_unit
            an_act_is_committed_or_rolled_back
            an_act_that_failed_writes_all_the_rest_or_nothing
            a_refused_movement_leaves_an_act_usable
        }
    };
}
#[doc(hidden)]
pub use crate::unit_promises as promises;
