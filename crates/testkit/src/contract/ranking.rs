//! Promises of [`RankingRepository`](guildhall_repository::RankingRepository).

mod boards;
mod reports;

pub use boards::*;
pub use reports::*;

#[doc(hidden)]
#[macro_export]
macro_rules! ranking_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, ranking as ranking on MultiThread:
            // boards
            the_board_ranks_by_value
            equals_share_a_rank
            each_metric_has_its_board
            achievements_have_their_board
            an_unlock_shows_on_the_board_at_once
            board_rows_say_who_it_is
            the_board_hides_the_inactive_and_the_poor
            an_offset_cuts_the_board
            ranks_agree_with_the_board
            who_is_not_listed_has_no_rank
            accounts_above_include_the_threshold
            accounts_below_exclude_it
            account_lists_page_over_ties
            a_cursor_of_another_board_is_refused
            // reports
            nothing_adds_up_to_nothing
            totals_count_each_balance_once
            transfers_and_holds_circulate
            a_day_is_half_open
            a_day_is_the_communitys
            a_summary_looks_back
            a_summary_needs_its_account
            a_summary_looks_back_1_to_365_days
        }
    };
}
#[doc(hidden)]
pub use crate::ranking_promises as promises;
