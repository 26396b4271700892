//! Promises of [`PointRepository`](guildhall_repository::PointRepository).

mod bulk;
mod earning;
mod holds;
mod idempotency;
mod leveling;
mod locking;
mod movements;
mod races;
mod reversal;

pub use bulk::*;
pub use earning::*;
pub use holds::*;
pub use idempotency::*;
pub use leveling::*;
pub use locking::*;
pub use movements::*;
pub use races::*;
pub use reversal::*;

#[doc(hidden)]
#[macro_export]
macro_rules! point_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, point as point on MultiThread:
            // movements
            an_account_of_nobody_is_absent
            an_award_credits_and_writes_its_entry
            an_award_is_multiplied_and_truncated
            an_award_earns_experience
            nobody_is_awarded_nothing
            a_balance_has_an_end
            a_deduction_debits_and_counts_as_spent
            a_deduction_never_overdraws
            held_points_are_not_available
            a_transfer_moves_between_two
            a_transfer_is_both_or_neither
            a_transfer_earns_and_spends_nothing
            an_adjustment_goes_either_way
            an_adjustment_respects_holds
            an_adjustment_of_nothing_is_refused
            entries_keep_what_was_said_about_them
            // leveling
            passing_levels_tells_of_each
            a_level_is_reached_once
            spending_never_lowers_a_level
            experience_is_granted_without_points
            no_experience_is_no_grant
            // locking
            only_members_who_exist_are_locked
            who_locks_second_sees_what_the_first_did
            locks_named_in_opposite_orders_all_succeed
            // bulk
            a_bulk_takes_effect_in_order
            an_atomic_bulk_is_all_or_nothing
            a_best_effort_bulk_goes_on
            a_bulk_replays_by_key
            a_bulk_has_one_to_1000_requests
            bulks_in_opposite_order_do_not_stop_each_other
            // idempotency
            a_key_takes_effect_once
            a_transfer_key_gives_both_entries_again
            an_adjustment_key_takes_effect_once
            a_key_for_another_request_is_a_conflict
            a_key_serves_one_operation
            a_replay_needs_no_balance
            a_refused_request_leaves_its_key_free
            keys_are_told_apart_by_case
            an_unused_key_has_no_entry
            fifty_awards_with_one_key_take_effect_once
            fifty_deductions_with_one_key_take_effect_once
            fifty_transfers_with_one_key_take_effect_once
            fifty_requests_under_one_key_let_one_win
            // holds
            a_hold_keeps_points_back
            a_hold_needs_points
            one_thing_is_held_once_at_a_time
            a_capture_takes_for_good
            a_release_gives_back
            a_hold_is_settled_once
            unknown_holds_are_not_found
            holds_lapse_at_their_time
            holds_lapse_page_by_page
            active_holds_are_listed_oldest_first
            capture_release_and_expiry_race_for_one_win
            sixty_four_holds_never_exceed_the_balance
            // reversal
            a_reversal_takes_an_entry_back_once
            a_reversed_spend_comes_back
            a_refund_is_not_reversed
            half_a_transfer_is_not_reversed
            a_reversal_needs_the_points
            concurrent_reversals_take_effect_once
            // earning
            a_message_pays_after_its_interval
            messages_count_even_unpaid
            fifty_messages_at_once_pay_one
            participation_pays_once_a_thing
            a_check_in_pays_once_a_day
            a_streak_goes_on_and_breaks
            every_seventh_day_has_a_bonus
            a_check_in_follows_the_communitys_midnight
            a_clock_set_back_pays_no_second_time
            a_hundred_check_ins_let_one_win
            a_gift_waits_for_its_cooldown
            sixty_four_gifts_let_one_win
            nobody_earns_nothing
            // races
            two_hundred_awards_add_up
            a_hundred_deductions_stop_at_zero
            sixty_four_debits_never_overdraw
        }
    };
}
#[doc(hidden)]
pub use crate::point_promises as promises;
