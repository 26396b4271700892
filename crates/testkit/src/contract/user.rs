//! Promises of [`UserRepository`](guildhall_repository::UserRepository).

mod batch;
mod changing;
mod deleting;
mod finding;
mod linking;
mod listing;
mod registering;
mod searching;

pub use batch::*;
pub use changing::*;
pub use deleting::*;
pub use finding::*;
pub use linking::*;
pub use listing::*;
pub use registering::*;
pub use searching::*;

#[doc(hidden)]
#[macro_export]
macro_rules! user_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, user as user on MultiThread:
            // registering
            a_new_member_has_everything_given
            a_bare_member_has_the_defaults
            a_new_member_has_an_account_and_statistics
            ids_ascend_in_the_order_of_registration
            a_taken_username_is_refused_whatever_its_case
            a_taken_address_is_refused_whatever_its_case
            a_taken_number_is_refused
            a_taken_account_elsewhere_is_refused_and_leaves_nothing
            two_accounts_of_one_provider_are_refused
            members_without_names_do_not_meet
            text_comes_back_as_it_went_in
            instants_come_back_to_the_microsecond
            a_batch_registers_everybody_in_order
            a_batch_with_a_taken_name_registers_nobody
            a_batch_with_one_name_twice_registers_nobody
            a_batch_has_at_most_1000_members
            fifty_creators_of_one_name_make_one_member
            ensure_registers_once
            ensure_fills_empty_fields_only
            ensure_leaves_out_what_somebody_else_has
            ensure_ignores_the_externals_of_its_seed
            fifty_ensures_make_one_member
            // finding
            absence_is_an_answer
            who_was_absent_is_found_once_registered
            ids_are_answered_once_each_in_the_order_asked
            at_most_500_ids_are_looked_up
            names_are_found_without_regard_to_case
            accounts_elsewhere_are_found_exactly
            nicknames_find_those_linked_last_first
            nicknames_find_at_most_20
            the_overview_holds_everything
            the_overview_of_nobody_is_absent
            // searching
            a_search_looks_anywhere_and_ignores_case
            a_search_looks_only_where_told
            a_search_puts_exact_before_prefix_before_the_rest
            a_search_puts_the_last_active_first
            a_search_takes_wildcards_literally
            a_search_finds_active_members_only
            a_search_finds_at_most_50
            a_search_needs_two_to_200_characters
            // changing
            an_update_changes_what_its_patch_says
            an_update_can_clear
            an_empty_patch_changes_nothing
            an_update_of_an_old_version_is_a_conflict
            an_update_of_nobody_finds_nothing
            an_update_to_a_taken_name_is_refused
            a_member_may_change_the_case_of_its_own_name
            a_takeover_frees_the_name_first
            a_changed_address_is_no_longer_proved
            fifty_updates_of_one_version_let_one_win
            admins_are_made_and_unmade
            the_menu_state_is_kept
            the_last_match_is_kept
            a_login_never_moves_back
            // batch
            many_members_are_changed_at_once_or_none
            many_members_are_deleted_at_once
            many_members_are_deleted_wholly_or_not
            // deleting
            deletion_empties_what_is_personal
            deletion_frees_names_and_accounts
            deletion_hides_the_member
            deletion_happens_once
            deletion_waits_for_active_holds
            the_ledger_outlives_its_member
            // linking
            accounts_are_listed_by_provider
            linking_again_refreshes
            an_account_of_somebody_else_is_refused
            a_second_account_of_one_provider_is_refused
            nobody_links_nothing
            fifty_links_of_one_account_let_one_win
            unlinking_frees_the_account
            the_last_account_stays_without_an_address
            unlinking_faceit_forgets_the_last_match
            // listing
            lists_hold_active_members_unless_asked
            a_list_filters_by_each_field
            a_list_filters_by_role_and_standing
            filters_combine
            every_order_pages_without_loss
            the_last_active_come_first_and_the_never_active_last
            standings_that_end_sooner_come_first
            a_cursor_of_another_list_is_refused
            an_exact_last_page_ends_the_list
            admins_and_vips_have_lists_of_their_own
            the_most_active_come_first
        }
    };
}
#[doc(hidden)]
pub use crate::user_promises as promises;
