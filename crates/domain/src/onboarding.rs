//! A member's first steps in the application.

use std::fmt;
use std::str::FromStr;

use crate::amount::BasisPoints;
use crate::ledger::text_enum;
use crate::time::Timestamp;
use crate::user::UserId;
use crate::violation::{Rule, Violation};

text_enum! {
    /// A step on the way into the application.
    OnboardingStep("step") {
        /// Languages chosen.
        Language = "language",
        /// Interests chosen.
        Interests = "interests",
        /// Reading level chosen.
        ReadingLevel = "reading_level",
        /// Accessibility set.
        Accessibility = "accessibility",
        /// The tour taken.
        FeatureTour = "feature_tour",
        /// Welcomed.
        Celebration = "celebration",
    }
}

/// How far a member is on the way into the application. Steps are taken in any order, and for good.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Onboarding {
    /// Whose.
    pub user: UserId,
    /// One for each of [`OnboardingStep::ALL`], in that order.
    pub steps: [bool; 6],
    /// When the last missing step was taken; never changes after that.
    pub completed_at: Option<Timestamp>,
    /// When a step was last taken; `None` before the first.
    pub updated_at: Option<Timestamp>,
}

impl Onboarding {
    /// That of a member who has taken no step.
    #[must_use]
    pub const fn begun(user: UserId) -> Self {
        Self { user, steps: [false; 6], completed_at: None, updated_at: None }
    }

    /// Whether a step was taken.
    #[must_use]
    pub fn has(&self, step: OnboardingStep) -> bool {
        self.taken().any(|taken| taken == step)
    }

    /// The steps taken.
    pub fn taken(&self) -> impl Iterator<Item = OnboardingStep> {
        OnboardingStep::ALL.iter().zip(self.steps).filter(|(_, done)| *done).map(|(step, _)| *step)
    }

    /// How much of the way is done.
    #[must_use]
    pub fn progress(&self) -> BasisPoints {
        BasisPoints::share(self.taken().count() as u64, OnboardingStep::ALL.len() as u64)
    }

    /// Takes a step at `now`; `false` when it was taken before, and nothing changes.
    pub fn take(&mut self, step: OnboardingStep, now: Timestamp) -> bool {
        let place = OnboardingStep::ALL.iter().position(|known| *known == step);
        let Some(done) = place.and_then(|place| self.steps.get_mut(place)).filter(|done| !**done)
        else {
            return false;
        };
        *done = true;
        self.updated_at = Some(now);
        if self.completed_at.is_none() && self.steps.iter().all(|done| *done) {
            self.completed_at = Some(now);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_steps_in_any_order_complete_it_once() {
        let time = |micros| Timestamp::from_micros(micros).unwrap();
        let mut state = Onboarding::begun(UserId(1));
        assert_eq!(state.progress().get(), 0);
        for (at, step) in (1..).zip(OnboardingStep::ALL.iter().rev()) {
            assert_eq!(state.completed_at, None);
            assert!(!state.has(*step));
            assert!(state.take(*step, time(at)) && state.has(*step));
            assert!(!state.take(*step, time(99)), "taken once");
        }
        assert_eq!((state.completed_at, state.updated_at), (Some(time(6)), Some(time(6))));
        assert_eq!(state.progress(), BasisPoints::ONE);
    }
}
