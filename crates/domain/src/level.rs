//! Levels: what experience is worth.

use crate::amount::Xp;
use crate::text::{Description, DisplayName, Slug};
use crate::violation::{Rule, Violation};

/// A level and the experience it begins at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Level {
    /// From 1 up.
    pub level: u32,
    /// What it is called.
    pub name: DisplayName,
    /// Where it begins. Level 1 begins at 0; each begins above its predecessor.
    pub min_xp: Xp,
    /// What reaching it brings, in words.
    pub reward_text: Option<Description>,
    /// The lore that reaching it unlocks.
    pub unlocks_lore_code: Option<Slug>,
}

impl Level {
    /// Refuses level 0, a first level that does not begin at 0 and one that begins below 0.
    pub fn check(&self) -> Result<(), Violation> {
        if self.level == 0 {
            let rule = Rule::OutOfRange { min: 1, max: i64::from(i32::MAX) };
            return Err(Violation::new("level", rule));
        }
        let begins_right =
            if self.level == 1 { self.min_xp == Xp::ZERO } else { self.min_xp > Xp::ZERO };
        if begins_right { Ok(()) } else { Err(Violation::new("min_xp", Rule::NotIncreasing)) }
    }
}

/// Where a member stands between two levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelProgress {
    /// The level reached.
    pub current: Level,
    /// The next one; `None` at the top.
    pub next: Option<Level>,
    /// Experience still missing to the next; zero at the top.
    pub missing: Xp,
    /// The way from this level to the next in basis points; 10 000 at the top.
    pub progress_bp: u32,
}

/// All levels, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelTable(Vec<Level>);

impl LevelTable {
    /// Sorts and checks: level 1 begins at 0 and every next one begins higher.
    pub fn new(mut levels: Vec<Level>) -> Result<Self, Violation> {
        levels.sort_by_key(|level| level.level);
        levels.iter().try_for_each(Level::check)?;
        let rising =
            levels.windows(2).all(|w| w[0].level < w[1].level && w[0].min_xp < w[1].min_xp);
        let based = levels.first().is_some_and(|first| first.level == 1);
        if rising && based {
            Ok(Self(levels))
        } else {
            Err(Violation::new("levels", Rule::NotIncreasing))
        }
    }

    /// The levels, ascending.
    #[must_use]
    pub fn levels(&self) -> &[Level] {
        &self.0
    }

    /// The greatest level that begins at or below `xp`; level 1 for less than nothing.
    #[must_use]
    pub fn level_for(&self, xp: Xp) -> &Level {
        let above = self.0.partition_point(|level| level.min_xp <= xp);
        &self.0[above.saturating_sub(1)] // Never empty: `new` demands level 1.
    }

    /// Where `xp` stands.
    #[must_use]
    pub fn progress(&self, xp: Xp) -> LevelProgress {
        let current = self.level_for(xp).clone();
        let next = self.0.iter().find(|level| level.min_xp > xp).cloned();
        let (missing, progress_bp) = match &next {
            None => (Xp::ZERO, 10_000),
            Some(next) => {
                let span = i128::from(next.min_xp.minor() - current.min_xp.minor());
                let done = i128::from(xp.minor() - current.min_xp.minor()).max(0);
                let bp = u32::try_from(done * 10_000 / span.max(1)).unwrap_or(0);
                (next.min_xp.minus(xp).unwrap_or(Xp::MAX), bp)
            }
        };
        LevelProgress { current, next, missing, progress_bp }
    }
}

/// The levels every new database begins with: 20, 500 xp apart up to level 10 and 1000 from there.
#[must_use]
pub fn bot_levels() -> Vec<(u32, i64)> {
    (1..=20)
        .map(|n| (n, if n <= 10 { 500 * (n - 1) } else { 4500 + 1000 * (n - 10) }))
        .map(|(n, xp)| (n, i64::from(xp)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> LevelTable {
        let level = |(level, xp): (u32, i64)| Level {
            level,
            name: DisplayName::parse(&format!("Level {level}")).unwrap(),
            min_xp: Xp::whole(xp).unwrap(),
            reward_text: None,
            unlocks_lore_code: None,
        };
        LevelTable::new(bot_levels().into_iter().map(level).collect()).unwrap()
    }

    #[test]
    fn the_level_is_the_greatest_that_begins_at_or_below() {
        let xp = |units| Xp::whole(units).unwrap();
        let at = |units| table().level_for(xp(units)).level;
        assert_eq!([at(0), at(499), at(500), at(4500), at(5499), at(5500)], [1, 1, 2, 10, 10, 11]);
        assert_eq!(at(1_000_000), 20);
        let progress = table().progress(xp(750));
        assert_eq!((progress.missing, progress.progress_bp), (xp(250), 5_000));
        assert_eq!(table().progress(xp(20_000)).progress_bp, 10_000);
    }

    #[test]
    fn a_table_that_does_not_rise_is_refused() {
        let mut levels = table().levels().to_vec();
        levels[3].min_xp = levels[2].min_xp;
        assert_eq!(LevelTable::new(levels).unwrap_err().rule, Rule::NotIncreasing);
        assert!(LevelTable::new(Vec::new()).is_err());
    }
}
