//! Loading into the cache what will be asked for, before anybody asks.

mod catalogues;
mod lists;
mod members;
mod run;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use guildhall_domain::{Rule, Violation};
use guildhall_repository::StorageError;

use crate::{CacheKind, Guildhall};
use run::Warming;

/// A part of what can be loaded, in the order in which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WarmPart {
    /// The level table.
    Levels,
    /// The active missions, one by one and as a list.
    Missions,
    /// The start of the story, its active fragments, and their first page.
    Story,
    /// The active pieces of lore, and their first page.
    Lore,
    /// The active achievements, and their first page.
    Achievements,
    /// The active badges, and their first page.
    Badges,
    /// What can be bought, and its first page.
    Store,
    /// The first pages of leaderboards and of lists of members, what was unlocked lately, totals.
    Lists,
    /// Members, those last active first: row, accounts elsewhere, profile, points, rank, and where
    /// they are with missions, story, achievements and badges.
    Members,
}

impl WarmPart {
    /// Every part.
    pub const ALL: [Self; 9] = [
        Self::Levels,
        Self::Missions,
        Self::Story,
        Self::Lore,
        Self::Achievements,
        Self::Badges,
        Self::Store,
        Self::Lists,
        Self::Members,
    ];

    /// The shown text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Levels => "levels",
            Self::Missions => "missions",
            Self::Story => "story",
            Self::Lore => "lore",
            Self::Achievements => "achievements",
            Self::Badges => "badges",
            Self::Store => "store",
            Self::Lists => "lists",
            Self::Members => "members",
        }
    }
}

impl fmt::Display for WarmPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for WarmPart {
    type Err = Violation;
    fn from_str(raw: &str) -> Result<Self, Violation> {
        let expected = "one of levels missions story lore achievements badges store lists members";
        let found = Self::ALL.into_iter().find(|part| part.as_str() == raw);
        found.ok_or(Violation::new("part", Rule::Malformed { expected }))
    }
}

/// What to load, and how fast. By default everything, with the 500 members last active,
/// for whom a cache in memory has room by default: a member is about 16 entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarmPlan {
    /// Which parts.
    pub parts: BTreeSet<WarmPart>,
    /// How many members, 0 to [`Self::MEMBERS_MAX`].
    pub members: u32,
    /// How many entries of each catalogue, 0 to [`Self::ENTRIES_MAX`].
    pub entries: u32,
    /// How many reads are under way at a time, 1 to [`Self::CONCURRENCY_MAX`]. What is above
    /// `pool.max` waits for a connection.
    pub concurrency: u32,
}

impl Default for WarmPlan {
    fn default() -> Self {
        Self {
            parts: WarmPart::ALL.into_iter().collect(),
            members: 500,
            entries: 2_000,
            concurrency: 8,
        }
    }
}

impl WarmPlan {
    /// The most members.
    pub const MEMBERS_MAX: u32 = 100_000;
    /// The most entries of one catalogue.
    pub const ENTRIES_MAX: u32 = 20_000;
    /// The most reads at a time.
    pub const CONCURRENCY_MAX: u32 = 256;

    /// The same plan with these parts alone.
    #[must_use]
    pub fn only(self, parts: impl IntoIterator<Item = WarmPart>) -> Self {
        Self { parts: parts.into_iter().collect(), ..self }
    }

    /// Names the field that is out of its range.
    pub fn check(&self) -> Result<(), Violation> {
        let range = |field, value: u32, min: u32, max: u32| {
            let rule = Rule::OutOfRange { min: i64::from(min), max: i64::from(max) };
            let is_valid = (min..=max).contains(&value);
            if is_valid { Ok(()) } else { Err(Violation::new(field, rule)) }
        };
        range("members", self.members, 0, Self::MEMBERS_MAX)?;
        range("entries", self.entries, 0, Self::ENTRIES_MAX)?;
        range("concurrency", self.concurrency, 1, Self::CONCURRENCY_MAX)
    }
}

/// How far the loading of one part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WarmStep {
    /// Which part.
    pub part: WarmPart,
    /// What was tried so far.
    pub done: u64,
    /// What there is to try, where that is known before.
    pub total: Option<u64>,
}

/// What became of one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WarmedPart {
    /// Which.
    pub part: WarmPart,
    /// What was loaded: entries of a catalogue, lists, or members.
    pub loaded: u64,
    /// What could not be loaded. A member counts when any of the reads failed.
    pub failed: u64,
    /// Whether it was left out: it is not in the plan, or nothing is cached at all.
    pub skipped: bool,
}

/// What could not be loaded, and why.
#[derive(Clone, Debug)]
pub struct WarmFailure {
    /// Which part it belongs to.
    pub part: WarmPart,
    /// What it is: a slug, an id, the name of a list.
    pub what: String,
    /// Why.
    pub error: StorageError,
}

/// What warming did.
#[derive(Clone, Debug)]
pub struct WarmReport {
    /// Every part, in the order of [`WarmPart::ALL`].
    pub parts: Vec<WarmedPart>,
    /// The first failures: at most [`Self::FAILURES_MAX`]. The rest is only counted.
    pub failures: Vec<WarmFailure>,
}

impl WarmReport {
    /// How many failures are listed.
    pub const FAILURES_MAX: usize = 100;

    /// What was loaded in all.
    #[must_use]
    pub fn loaded(&self) -> u64 {
        self.parts.iter().map(|part| part.loaded).sum()
    }

    /// What could not be loaded in all.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.parts.iter().map(|part| part.failed).sum()
    }
}

impl Guildhall {
    /// Loads what the plan names into the cache, so that the first who ask need not wait: after a
    /// start, or after the cache was cleared. What fails is reported and stops nothing else.
    /// `progress` hears of every step.
    ///
    /// It reads as any caller does, and so can be run beside them, and be dropped at any await:
    /// what was loaded by then stays. With the cache disabled it reads nothing. `Violation` names
    /// the field of the plan that is out of its range.
    pub async fn warm(
        &self,
        plan: &WarmPlan,
        progress: impl Fn(WarmStep) + Send + Sync,
    ) -> Result<WarmReport, Violation> {
        plan.check()?;
        let settings = self.config().settings();
        let is_pointless = settings.cache_kind() == CacheKind::Disabled;
        let zone = &settings.rules.earning.zone;
        let (storage, now) = (&**self.storage(), self.clock().now());
        let mut warming = Warming::new(storage, zone, now, plan, &progress);
        for part in WarmPart::ALL {
            if is_pointless || !plan.parts.contains(&part) {
                continue;
            }
            warming.begin(part);
            match part {
                WarmPart::Levels => warming.levels().await,
                WarmPart::Missions => warming.missions().await,
                WarmPart::Story => warming.story().await,
                WarmPart::Lore => warming.lore().await,
                WarmPart::Achievements => warming.achievements().await,
                WarmPart::Badges => warming.badges().await,
                WarmPart::Store => warming.store().await,
                WarmPart::Lists => warming.lists().await,
                WarmPart::Members => warming.members().await,
            }
        }
        Ok(warming.report())
    }
}
