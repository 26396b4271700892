//! Promises of [`StoryRepository`](guildhall_repository::StoryRepository).

mod access;
mod deciding;
mod honours;
mod reading;
mod steps;

pub use access::*;
pub use deciding::*;
pub use honours::*;
pub use reading::*;
pub use steps::*;

#[doc(hidden)]
#[macro_export]
macro_rules! story_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, story as story on MultiThread:
            // access
            a_standing_holds_what_requirements_look_at
            nobody_has_no_standing
            access_names_what_is_missing
            absent_and_inactive_fragments_are_closed
            // honours
            a_completed_mission_opens_a_branch
            a_held_badge_opens_a_branch
            an_unlocked_achievement_opens_a_branch
            // steps
            a_state_begins_once
            fifty_beginnings_make_one_state
            a_state_is_set_right
            an_update_of_an_old_state_is_a_conflict
            moving_begins_the_story
            visits_are_counted
            fifty_visits_at_once_have_one_first
            a_fragment_is_completed_once
            fifty_completions_at_once_complete_once
            nobody_goes_nowhere
            the_current_fragment_falls_back_to_the_start
            a_reset_forgets_the_way_but_no_decision
            a_rolled_back_step_was_not_taken
            // deciding
            a_decision_is_written_with_its_karma
            fifty_clicks_make_one_decision
            nobody_decides_elsewhere
            only_offered_choices_are_taken
            a_choice_that_is_removed_while_it_is_taken_stays_readable
            decisions_are_listed_newest_first
            // reading
            visited_fragments_page_without_loss
            completed_fragments_page_without_loss
            cursors_of_other_lists_of_steps_are_refused
            progress_counts_active_fragments
            a_journey_tells_titles_and_progress
            totals_count_the_story_and_its_readers
            the_most_visited_fragments_come_first
            the_way_is_fresh_after_every_step
        }
    };
}
#[doc(hidden)]
pub use crate::story_promises as promises;
