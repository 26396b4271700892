//! The catalogue of missions: what each asks for and what it gives.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::json::Json;
use crate::ledger::text_enum;
use crate::mission::MissionCadence;
use crate::reward::Reward;
use crate::text::{LegacyKey, Slug, Summary, Title};
use crate::time::Timestamp;
use crate::user::Patch;
use crate::violation::{Rule, Violation};

text_enum! {
    /// Where a mission is shown.
    MissionCategory("category") {
        /// Of the main line.
        Main = "main",
        /// Beside it.
        Side = "side",
        /// Of an event.
        Event = "event",
        /// None of these.
        Standard = "standard",
    }
}

text_enum! {
    /// What kind of thing an objective counts.
    ObjectiveKind("kind") {
        /// Something a member does, by the name the application gives it: `message`, `checkin`.
        Action = "action",
        /// A fragment of the story that is completed.
        Fragment = "fragment",
        /// A piece of lore that is found.
        Lore = "lore",
        /// Another mission that is completed.
        Mission = "mission",
    }
}

text_enum! {
    /// How what a member does combines with what was done before.
    ObjectiveMode("mode") {
        /// Amounts add up.
        Add = "add",
        /// The greatest stays: for a streak, which is told as a whole each time.
        Max = "max",
    }
}

/// One thing that a mission asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Objective {
    /// What kind of thing.
    pub kind: ObjectiveKind,
    /// Which: the name of the action, or the key of the fragment, the lore or the mission.
    pub key: Slug,
    /// How much of it: 1 to [`Self::VALUE_MAX`], and 1 for anything but an action.
    pub target: u64,
    /// How amounts combine.
    pub mode: ObjectiveMode,
    /// In words.
    pub description: Option<Summary>,
}

impl Objective {
    /// The greatest target, and the greatest value that progress reaches: progress beyond stays
    /// there.
    pub const VALUE_MAX: u64 = 1_000_000_000_000;

    /// An action, so many times.
    #[must_use]
    pub const fn action(name: Slug, target: u64) -> Self {
        Self::new(ObjectiveKind::Action, name, target, ObjectiveMode::Add)
    }

    /// An action whose amount has to reach the target at once, such as a streak.
    #[must_use]
    pub const fn reaching(name: Slug, target: u64) -> Self {
        Self::new(ObjectiveKind::Action, name, target, ObjectiveMode::Max)
    }

    /// Something that happens once: a fragment, a piece of lore or a mission.
    #[must_use]
    pub const fn once(kind: ObjectiveKind, key: Slug) -> Self {
        Self::new(kind, key, 1, ObjectiveMode::Add)
    }

    const fn new(kind: ObjectiveKind, key: Slug, target: u64, mode: ObjectiveMode) -> Self {
        Self { kind, key, target, mode, description: None }
    }

    /// Refuses a target out of range.
    pub fn check(&self) -> Result<(), Violation> {
        let max = if self.kind == ObjectiveKind::Action { Self::VALUE_MAX } else { 1 };
        if (1..=max).contains(&self.target) {
            return Ok(());
        }
        let max = i64::try_from(max).unwrap_or(i64::MAX);
        Err(Violation::new("target", Rule::OutOfRange { min: 1, max }))
    }
}

/// A mission as an application defines it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NewMission {
    /// Its key.
    pub id: Slug,
    /// What it is called.
    pub title: Title,
    /// What it is about.
    pub description: Option<Summary>,
    /// Where it is shown.
    pub category: MissionCategory,
    /// How often it can be completed.
    pub cadence: MissionCadence,
    /// Seconds from one completion of a repeatable mission to the next period; 0 for any other.
    pub cooldown_s: u32,
    /// Nothing counts before.
    pub starts_at: Option<Timestamp>,
    /// Nothing counts from then on; later than the start.
    pub ends_at: Option<Timestamp>,
    /// Whether the application wants something done that no objective says.
    pub requires_action: bool,
    /// What it wants done, for the application alone.
    pub action_data: Option<Json>,
    /// Lists begin with the least.
    pub sort_order: i32,
    /// Whether anything counts at all.
    pub is_active: bool,
    /// Its key in the system it was imported from.
    pub legacy_key: Option<LegacyKey>,
    /// What it asks for; progress belongs to the place in this list. A mission without any is
    /// completed by hand alone. At most [`Mission::OBJECTIVES_MAX`].
    pub objectives: Vec<Objective>,
    /// What it gives. At most [`Mission::REWARDS_MAX`].
    pub rewards: Vec<Reward>,
}

impl NewMission {
    /// An active mission of the standard category, without end, that asks for nothing yet.
    #[must_use]
    pub const fn new(id: Slug, title: Title, cadence: MissionCadence) -> Self {
        Self {
            id,
            title,
            description: None,
            category: MissionCategory::Standard,
            cadence,
            cooldown_s: 0,
            starts_at: None,
            ends_at: None,
            requires_action: false,
            action_data: None,
            sort_order: 0,
            is_active: true,
            legacy_key: None,
            objectives: Vec::new(),
            rewards: Vec::new(),
        }
    }

    /// With one more objective.
    #[must_use]
    pub fn objective(mut self, objective: Objective) -> Self {
        self.objectives.push(objective);
        self
    }

    /// With one more reward.
    #[must_use]
    pub fn reward(mut self, reward: Reward) -> Self {
        self.rewards.push(reward);
        self
    }

    /// The mission as it is from `now` on, if it keeps the rules of missions.
    pub fn created(self, now: Timestamp) -> Result<Mission, Violation> {
        let mission = Mission {
            id: self.id,
            title: self.title,
            description: self.description,
            category: self.category,
            cadence: self.cadence,
            cooldown_s: self.cooldown_s,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            requires_action: self.requires_action,
            action_data: self.action_data,
            sort_order: self.sort_order,
            is_active: self.is_active,
            legacy_key: self.legacy_key,
            objectives: self.objectives,
            rewards: self.rewards,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        mission.check().map(|()| mission)
    }
}

/// A mission of the catalogue.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Mission {
    /// Its key.
    pub id: Slug,
    /// What it is called.
    pub title: Title,
    /// What it is about.
    pub description: Option<Summary>,
    /// Where it is shown.
    pub category: MissionCategory,
    /// How often it can be completed.
    pub cadence: MissionCadence,
    /// Seconds from one completion of a repeatable mission to the next period; 0 for any other.
    pub cooldown_s: u32,
    /// Nothing counts before.
    pub starts_at: Option<Timestamp>,
    /// Nothing counts from then on.
    pub ends_at: Option<Timestamp>,
    /// Whether the application wants something done that no objective says.
    pub requires_action: bool,
    /// What it wants done, for the application alone.
    pub action_data: Option<Json>,
    /// Lists begin with the least.
    pub sort_order: i32,
    /// Whether anything counts at all.
    pub is_active: bool,
    /// Its key in the system it was imported from.
    pub legacy_key: Option<LegacyKey>,
    /// What it asks for, in the order that progress refers to.
    pub objectives: Vec<Objective>,
    /// What it gives, in the order that ledger keys refer to.
    pub rewards: Vec<Reward>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Starts at 1, one more with each update.
    pub version: i64,
}

impl Mission {
    /// The most objectives of one mission.
    pub const OBJECTIVES_MAX: usize = 20;
    /// The most rewards of one mission.
    pub const REWARDS_MAX: usize = 20;

    /// Refuses an end that is not after the start, a cooldown of what is not repeatable, too many
    /// objectives or rewards, a target out of range, and a mission that asks for itself.
    pub fn check(&self) -> Result<(), Violation> {
        let refuse = |field, rule| Err(Violation::new(field, rule));
        if let (Some(start), Some(end)) = (self.starts_at, self.ends_at)
            && end <= start
        {
            return refuse("ends_at", Rule::Malformed { expected: "later than starts_at" });
        }
        if self.cooldown_s > 0 && self.cadence != MissionCadence::Repeatable {
            let expected = "zero for a mission that is not repeatable";
            return refuse("cooldown_s", Rule::Malformed { expected });
        }
        if self.objectives.len() > Self::OBJECTIVES_MAX {
            return refuse("objectives", Rule::TooLong { max: Self::OBJECTIVES_MAX });
        }
        if self.rewards.len() > Self::REWARDS_MAX {
            return refuse("rewards", Rule::TooLong { max: Self::REWARDS_MAX });
        }
        self.objectives.iter().try_for_each(Objective::check)?;
        if self.missions_asked_for().any(|asked| *asked == self.id) {
            return refuse("objectives", Rule::SelfTarget);
        }
        Ok(())
    }

    /// How long after a completion the next period opens.
    #[must_use]
    pub const fn cooldown(&self) -> Duration {
        Duration::from_secs(self.cooldown_s as u64)
    }

    /// Whether it is switched on, has started and has not ended.
    #[must_use]
    pub fn is_running(&self, now: Timestamp) -> bool {
        let started = self.starts_at.is_none_or(|start| start <= now);
        self.is_active && started && self.ends_at.is_none_or(|end| now < end)
    }

    /// The places and the objectives that count `key`.
    pub fn asking<'m>(
        &'m self,
        kind: ObjectiveKind,
        key: &'m Slug,
    ) -> impl Iterator<Item = (u16, &'m Objective)> {
        let asks = move |o: &&Objective| o.kind == kind && o.key == *key;
        (0_u16..).zip(&self.objectives).filter(move |(_, objective)| asks(objective))
    }

    /// The missions that have to be completed for this one.
    pub fn missions_asked_for(&self) -> impl Iterator<Item = &Slug> {
        let missions = |o: &&Objective| o.kind == ObjectiveKind::Mission;
        self.objectives.iter().filter(missions).map(|objective| &objective.key)
    }

    /// Refuses objectives that lead back to this mission. `asked` holds what the other missions
    /// ask for: pairs of a mission and one that it needs.
    pub fn check_cycles(&self, asked: &[(Slug, Slug)]) -> Result<(), Violation> {
        let mut needs: HashMap<&Slug, Vec<&Slug>> = HashMap::new();
        for (mission, needed) in asked.iter().filter(|(mission, _)| *mission != self.id) {
            needs.entry(mission).or_default().push(needed);
        }
        let mut seen = HashSet::new();
        let mut ahead: Vec<&Slug> = self.missions_asked_for().collect();
        while let Some(mission) = ahead.pop() {
            if *mission == self.id {
                let expected =
                    "free of circles: a mission cannot need itself, even by way of others";
                return Err(Violation::new("objectives", Rule::Malformed { expected }));
            }
            if seen.insert(mission) {
                ahead.extend(needs.get(mission).into_iter().flatten());
            }
        }
        Ok(())
    }
}

/// Changes of a mission. The default changes nothing. Whether it is active is a matter of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MissionPatch {
    /// What it is called.
    pub title: Option<Title>,
    /// What it is about.
    pub description: Patch<Summary>,
    /// Where it is shown.
    pub category: Option<MissionCategory>,
    /// How often it can be completed. Periods of the old cadence stay as history.
    pub cadence: Option<MissionCadence>,
    /// Seconds between periods of a repeatable mission.
    pub cooldown_s: Option<u32>,
    /// Nothing counts before.
    pub starts_at: Patch<Timestamp>,
    /// Nothing counts from then on.
    pub ends_at: Patch<Timestamp>,
    /// Whether the application wants something done that no objective says.
    pub requires_action: Option<bool>,
    /// What it wants done.
    pub action_data: Patch<Json>,
    /// Lists begin with the least.
    pub sort_order: Option<i32>,
    /// All objectives. Progress stays with the place in the list, so append rather than insert.
    pub objectives: Option<Vec<Objective>>,
    /// All rewards.
    pub rewards: Option<Vec<Reward>>,
}

impl MissionPatch {
    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The mission after this change at `now`, one version on, if it still keeps the rules.
    pub fn applied_to(self, mut mission: Mission, now: Timestamp) -> Result<Mission, Violation> {
        mission.title = self.title.unwrap_or(mission.title);
        self.description.apply(&mut mission.description);
        mission.category = self.category.unwrap_or(mission.category);
        mission.cadence = self.cadence.unwrap_or(mission.cadence);
        mission.cooldown_s = self.cooldown_s.unwrap_or(mission.cooldown_s);
        self.starts_at.apply(&mut mission.starts_at);
        self.ends_at.apply(&mut mission.ends_at);
        mission.requires_action = self.requires_action.unwrap_or(mission.requires_action);
        self.action_data.apply(&mut mission.action_data);
        mission.sort_order = self.sort_order.unwrap_or(mission.sort_order);
        mission.objectives = self.objectives.unwrap_or(mission.objectives);
        mission.rewards = self.rewards.unwrap_or(mission.rewards);
        mission.updated_at = now;
        mission.version += 1;
        mission.check().map(|()| mission)
    }
}

#[cfg(test)]
#[path = "mission_catalogue_tests.rs"]
mod tests;
