//! Promises of [`LoreRepository`](guildhall_repository::LoreRepository).

mod batch;
mod finding;
mod hints;
mod pieces;

pub use batch::*;
pub use finding::*;
pub use hints::*;
pub use pieces::*;

#[doc(hidden)]
#[macro_export]
macro_rules! lore_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, lore as lore on MultiThread:
            // pieces
            a_piece_comes_back_as_it_was_written
            a_taken_code_is_refused
            a_piece_that_requires_itself_is_refused
            an_update_replaces_a_piece
            an_update_of_an_old_piece_is_a_conflict
            a_piece_is_switched_off_and_on
            a_piece_in_use_is_not_deleted
            pieces_are_answered_once_each_in_the_order_asked
            pieces_are_filtered_and_page_without_loss
            pieces_are_fresh_after_every_write
            // batch
            many_pieces_are_written_at_once
            a_batch_of_pieces_is_written_wholly_or_not
            many_pieces_are_changed_at_once_or_none
            many_pieces_are_removed_at_once_or_none
            // finding
            a_piece_is_found_once
            fifty_finders_at_once_find_once
            an_inactive_piece_stays_with_who_has_it
            nobody_finds_nothing
            found_pieces_are_listed_last_found_first
            // hints
            a_combination_needs_exactly_its_pieces
            no_two_combinations_need_the_same
            a_combination_of_unknown_pieces_is_refused
            combinations_are_listed_by_their_codes
        }
    };
}
#[doc(hidden)]
pub use crate::lore_promises as promises;
