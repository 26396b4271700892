//! Promises of [`MissionProgressRepository`](guildhall_repository::MissionProgressRepository).

mod asking;
mod listing;
mod resetting;
mod standing;
mod stepping;

pub use asking::*;
pub use listing::*;
pub use resetting::*;
pub use standing::*;
pub use stepping::*;

#[doc(hidden)]
#[macro_export]
macro_rules! mission_progress_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, mission_progress as mission_progress on MultiThread:
            // stepping
            a_period_is_opened_once
            fifty_openings_make_one_period
            a_period_needs_its_member_and_its_mission
            amounts_add_up_the_greatest_stays_and_what_is_set_is_set
            progress_beyond_the_greatest_value_stays_there
            an_advance_says_how_far_every_objective_is
            what_cannot_be_advanced_says_why
            a_completed_period_stays_as_it_is
            a_period_is_closed_once
            a_hundred_advances_complete_a_mission_once
            of_two_who_meet_the_last_objectives_the_second_sees_both
            a_rewarded_entry_is_noted_once
            steps_that_are_rolled_back_leave_nothing
            a_lowered_target_completes_nothing_by_itself
            an_imported_completion_was_paid_elsewhere
            an_imported_completion_changes_no_completed_period
            a_step_does_it_all
            a_step_that_completes_tells_whether_the_mission_is_asked_for
            a_step_that_cannot_be_taken_says_why
            fifty_steps_complete_a_mission_once
            // standing
            a_mission_begins_anew_each_day_and_week
            a_community_day_begins_at_its_own_midnight
            a_repeatable_mission_counts_its_times
            a_mission_starts_once_and_is_taken_up_again
            what_cannot_be_started_says_why
            a_mission_is_given_up_once
            where_a_member_stands_needs_a_mission
            // asking
            missions_that_ask_for_something_are_found_in_the_order_of_ids
            nothing_is_asked_outside_of_a_missions_time
            what_is_done_or_given_up_is_told_with_the_rest
            at_most_200_missions_ask_for_one_thing
            // resetting
            a_reset_takes_the_current_period_back
            a_reset_of_a_time_goes_back_to_the_one_before
            what_was_paid_elsewhere_stays_paid
            a_cadence_is_reset_for_one_member
            a_cadence_is_reset_page_by_page
            only_the_calendar_is_reset_at_once
            // listing
            a_members_missions_page_over_equal_times
            a_members_missions_filter_by_status
            completed_missions_come_last_first
            pending_missions_are_under_way_now
            available_missions_are_not_done_now
            standings_tell_of_every_mission_that_is_on
            cursors_of_members_lists_are_their_own
            every_read_of_a_member_is_fresh_after_each_step
        }
    };
}
#[doc(hidden)]
pub use crate::mission_progress_promises as promises;

use std::sync::Arc;

use guildhall_domain::{
    CommunityZone, MemberMission, MissionPeriod, MissionStanding, NewMission, Outcome, Timestamp,
    UserId, UserMission,
};
use guildhall_repository::{Repositories, Storage};

use crate::builder::{now, period, slug};

/// The period of a mission that is completed once.
fn once() -> MissionPeriod {
    period("once")
}

static UTC: CommunityZone = CommunityZone::utc();

async fn made(storage: &Arc<dyn Storage>, new: NewMission) {
    storage.missions().create(&new, now()).await.unwrap();
}

async fn opened<R: Repositories + ?Sized>(
    on: &R,
    user: UserId,
    mission: &str,
    of: MissionPeriod,
) -> Outcome<UserMission> {
    on.mission_progress().open_period(user, &slug(mission), of, now()).await.unwrap()
}

/// Opens a period and closes it.
async fn done<R: Repositories + ?Sized>(
    on: &R,
    user: UserId,
    mission: &str,
    of: MissionPeriod,
    at: Timestamp,
) {
    let steps = on.mission_progress();
    steps.open_period(user, &slug(mission), of, at).await.unwrap();
    assert!(steps.close_period(user, &slug(mission), of, at).await.unwrap());
}

async fn stands<R: Repositories + ?Sized>(
    on: &R,
    user: UserId,
    mission: &str,
    at: Timestamp,
) -> MissionStanding {
    on.mission_progress().standing(user, &slug(mission), &UTC, at).await.unwrap()
}

fn ids(found: &[MemberMission]) -> Vec<&str> {
    found.iter().map(|found| found.mission.id.as_str()).collect()
}
