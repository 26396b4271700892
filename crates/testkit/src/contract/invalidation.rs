//! Promises of [`InvalidationRepository`](guildhall_repository::InvalidationRepository) and of
//! [`Storage::noting`](guildhall_repository::Storage::noting).

mod notes;
mod writes;

pub use notes::*;
pub use writes::*;

#[doc(hidden)]
#[macro_export]
macro_rules! invalidation_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, invalidation as invalidation on MultiThread:
            // notes
            a_note_comes_back_as_it_was
            young_notes_wait
            notes_go_once
            notes_come_in_bounded_batches
            a_note_of_a_unit_goes_with_it
            a_taken_id_is_refused
            // writes
            every_kind_of_write_stores_its_note
            a_refused_write_stores_no_note
            a_replay_does_nothing_twice
            a_write_whose_note_is_refused_writes_nothing
            a_dropped_write_has_its_note_or_neither
            reads_store_no_note
        }
    };
}
#[doc(hidden)]
pub use crate::invalidation_promises as promises;
