//! How many rows a condition keeps, from the statistics alone.

use std::cmp::Ordering;

use super::{Column, ColumnStats, ordinal};

/// What an unknown equality keeps where nothing is known of the column.
const EQUALITY_DEFAULT: f64 = 0.005;
/// What an unknown range keeps. An application that asks for a range mostly asks for a narrow one.
const RANGE_DEFAULT: f64 = 0.1;

/// The share of rows that a condition keeps: 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kept {
    /// To be expected.
    pub share: f64,
    /// For the most common value the condition may be asked with.
    pub worst: f64,
    /// Whether statistics, and not a default, say so.
    pub known: bool,
}

impl Kept {
    /// A share that statistics tell.
    #[must_use]
    pub fn known(share: f64) -> Self {
        let share = share.clamp(0.0, 1.0);
        Self { share, worst: share, known: true }
    }

    /// A share that nobody told.
    #[must_use]
    pub fn guessed(share: f64) -> Self {
        Self { share, worst: 1.0, known: false }
    }

    /// Both conditions, taken as independent.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            share: self.share * other.share,
            worst: self.worst * other.worst,
            known: self.known && other.known,
        }
    }

    /// Either condition, taken as independent.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let either = |one: f64, two: f64| (one + two - one * two).clamp(0.0, 1.0);
        Self {
            share: either(self.share, other.share),
            worst: either(self.worst, other.worst),
            known: self.known && other.known,
        }
    }
}

/// What a condition keeps of a column without statistics.
#[must_use]
pub fn default_kept(equality: bool) -> Kept {
    Kept::guessed(if equality { EQUALITY_DEFAULT } else { RANGE_DEFAULT })
}

/// The bounds of a range, as printed; `None`: open on that side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RangeBounds<'a> {
    /// The least value.
    pub low: Option<&'a str>,
    /// The greatest.
    pub high: Option<&'a str>,
}

impl Column {
    /// What equality with this value keeps; `None`: with a value not known.
    ///
    /// An unknown value is expected to be an average one. Where one value is much more common than
    /// another, the average is neither: then it is the geometric mean of the extremes.
    #[must_use]
    pub fn kept_by_equality(&self, value: Option<&str>, rows: f64) -> Kept {
        let Some(stats) = &self.stats else { return default_kept(true) };
        let Some(distinct) = stats.distinct_of(rows) else { return default_kept(true) };
        if let Some(value) = value {
            return Kept::known(self.share_of(stats, value, distinct));
        }
        let average = (1.0 - stats.null_frac) / distinct;
        let top = stats.top_share(rows).unwrap_or(average);
        let all_listed = stats.common.len() as f64 >= distinct;
        let share = match stats.common.last() {
            Some(least) if all_listed && least.share < top / 5.0 => (least.share * top).sqrt(),
            _ => average,
        };
        Kept { share, worst: top, known: true }
    }

    fn share_of(&self, stats: &ColumnStats, value: &str, distinct: f64) -> f64 {
        let wanted = ordinal(&self.class, value);
        // Texts of a fixed length are printed with the blanks that fill them up.
        let is_padded = self.type_name.starts_with("character(") || self.type_name == "bpchar";
        let same = |printed: &str| {
            printed == value
                || is_padded && printed.trim_end_matches(' ') == value.trim_end_matches(' ')
                || wanted.is_some() && ordinal(&self.class, printed) == wanted
        };
        if let Some(common) = stats.common.iter().find(|common| same(&common.value)) {
            return common.share;
        }
        let listed: f64 = stats.common.iter().map(|common| common.share).sum();
        let others = (distinct - stats.common.len() as f64).max(1.0);
        let rest = (1.0 - stats.null_frac - listed).max(0.0) / others;
        // A value that is not listed is no more common than the least that is.
        stats.common.last().map_or(rest, |least| rest.min(least.share))
    }

    /// What a range keeps. A bound that does not parse, or no statistics: a guess.
    #[must_use]
    pub fn kept_by_range(&self, bounds: RangeBounds<'_>) -> Kept {
        let Some(stats) = &self.stats else { return default_kept(false) };
        if bounds == RangeBounds::default() {
            return Kept::known(1.0 - stats.null_frac);
        }
        let below = |bound: Option<&str>, open: f64| match bound {
            None => Some(open),
            Some(bound) => self.share_below(stats, bound),
        };
        let listed: f64 = stats.common.iter().map(|common| common.share).sum();
        let not_null = (1.0 - stats.null_frac).max(listed);
        match (below(bounds.low, 0.0), below(bounds.high, not_null)) {
            (Some(low), Some(high)) => Kept::known((high - low).max(0.0)),
            _ => default_kept(false),
        }
    }

    /// The share of rows whose value is below a bound.
    fn share_below(&self, stats: &ColumnStats, bound: &str) -> Option<f64> {
        let bound = ordinal(&self.class, bound)?;
        let is_below = |printed: &str| {
            let value = ordinal(&self.class, printed)?;
            Some(value.compare(&bound)? == Ordering::Less)
        };
        let mut share = 0.0;
        let mut listed = 0.0;
        for common in &stats.common {
            listed += common.share;
            if is_below(&common.value)? {
                share += common.share;
            }
        }
        let rest = (1.0 - stats.null_frac - listed).max(0.0);
        if stats.histogram.len() < 2 {
            return (!stats.common.is_empty() && rest < 0.01).then_some(share);
        }
        let steps: Option<Vec<_>> =
            stats.histogram.iter().map(|printed| ordinal(&self.class, printed)).collect();
        let steps = steps?;
        let buckets = (steps.len() - 1) as f64;
        let mut full = 0.0;
        for pair in steps.windows(2) {
            let [low, high] = pair else { continue };
            if high.compare(&bound)? != Ordering::Greater {
                full += 1.0;
            } else {
                if low.compare(&bound)? == Ordering::Less {
                    full += bound.between(low, high);
                }
                break;
            }
        }
        Some(share + rest * full / buckets)
    }

    /// What `IS NULL`, or `IS NOT NULL`, keeps.
    #[must_use]
    pub fn kept_by_null(&self, is_null: bool) -> Kept {
        match &self.stats {
            Some(stats) if is_null => Kept::known(stats.null_frac),
            Some(stats) => Kept::known(1.0 - stats.null_frac),
            None if !self.nullable => Kept::known(f64::from(u8::from(!is_null))),
            None => Kept::guessed(if is_null { 0.1 } else { 0.9 }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skewed() -> Column {
        let stats = ColumnStats::distinct(3.0).common(&[("0", 0.9), ("1", 0.09), ("2", 0.01)]);
        Column::new("state", "smallint").with_stats(stats)
    }

    fn dated() -> Column {
        let bounds = ["2025-01-01 00:00:00+00", "2025-01-06 00:00:00+00", "2025-01-11 00:00:00+00"];
        Column::new("at", "timestamptz").with_stats(ColumnStats::distinct(-1.0).histogram(bounds))
    }

    #[test]
    fn blanks_that_fill_a_text_up_do_not_count() {
        let common =
            ColumnStats::distinct(3.0).common(&[("IN PERSON   ", 0.6), ("NONE        ", 0.3)]);
        let column = Column::new("how", "character(12)").with_stats(common);
        assert_eq!(column.kept_by_equality(Some("IN PERSON"), 1e5).share, 0.6);
    }

    #[test]
    fn a_common_value_keeps_its_share_and_another_what_is_left() {
        assert_eq!(skewed().kept_by_equality(Some("2"), 1e6).share, 0.01);
        let partly = ColumnStats::distinct(11.0).common(&[("a", 0.5)]);
        let column = Column::new("name", "text").with_stats(partly);
        assert!((column.kept_by_equality(Some("b"), 1e6).share - 0.05).abs() < 1e-9);
    }

    #[test]
    fn an_unknown_value_of_a_skewed_column_lies_between_the_extremes() {
        let kept = skewed().kept_by_equality(None, 1e6);
        assert!(kept.share < 0.1 && kept.share > 0.01, "{kept:?}");
        assert_eq!(kept.worst, 0.9);
    }

    #[test]
    fn a_range_is_read_off_the_histogram() {
        let last_day = RangeBounds { low: Some("2025-01-10"), high: None };
        assert!((dated().kept_by_range(last_day).share - 0.1).abs() < 1e-9);
        let before = RangeBounds { low: None, high: Some("2024-01-01") };
        assert_eq!(dated().kept_by_range(before).share, 0.0);
    }

    #[test]
    fn what_cannot_be_read_is_a_guess_and_says_so() {
        let nonsense = RangeBounds { low: Some("soon"), high: None };
        assert!(!dated().kept_by_range(nonsense).known);
        assert!(!Column::new("x", "text").kept_by_equality(Some("a"), 10.0).known);
        assert!(!Column::new("x", "text").kept_by_range(RangeBounds::default()).known);
    }

    #[test]
    fn alternatives_add_up_and_conditions_multiply() {
        let half = Kept::known(0.5);
        assert_eq!(half.and(half).share, 0.25);
        assert_eq!(half.or(half).share, 0.75);
    }
}
