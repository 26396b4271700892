//! What is known of a column's values.

use serde::{Deserialize, Serialize};

/// A value that is common, and its share of the rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Common {
    /// As the database prints it.
    pub value: String,
    /// Share of all rows, nulls included: 0 to 1.
    pub share: f64,
}

/// Where a figure about values came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatisticsSource {
    /// The database's own statistics (`pg_stats`, `sqlite_stat1`).
    #[default]
    Database,
    /// A sample that the reader took.
    Sample,
}

/// What is known of one column's values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ColumnStats {
    /// How many different values: a count if positive; if negative, minus their share of the rows,
    /// as `pg_stats` has it. 0: unknown.
    pub n_distinct: f64,
    /// Share of the rows in which it is null: 0 to 1.
    pub null_frac: f64,
    /// Mean bytes of a value.
    pub avg_width: f64,
    /// Common values, most common first.
    pub common: Vec<Common>,
    /// Bounds of equally full buckets of the values that are not common, ascending.
    pub histogram: Vec<String>,
    /// How far the order of values follows the order on disk: -1 to 1. `None`: unknown.
    pub correlation: Option<f64>,
    /// For arrays and documents: common elements and the share of rows that hold each.
    pub common_elements: Vec<Common>,
    /// Where this came from.
    pub source: StatisticsSource,
}

impl ColumnStats {
    /// Statistics of evenly spread values.
    #[must_use]
    pub fn distinct(n_distinct: f64) -> Self {
        Self { n_distinct, avg_width: 8.0, ..Self::default() }
    }

    /// With these common values and their shares.
    #[must_use]
    pub fn common(mut self, common: &[(&str, f64)]) -> Self {
        self.common = common
            .iter()
            .map(|(value, share)| Common { value: (*value).to_owned(), share: *share })
            .collect();
        self
    }

    /// With this share of nulls.
    #[must_use]
    pub fn nulls(mut self, null_frac: f64) -> Self {
        self.null_frac = null_frac;
        self
    }

    /// With this agreement between values and places on disk.
    #[must_use]
    pub fn correlated(mut self, correlation: f64) -> Self {
        self.correlation = Some(correlation);
        self
    }

    /// With these bounds of equally full buckets.
    #[must_use]
    pub fn histogram<S: Into<String>>(mut self, bounds: impl IntoIterator<Item = S>) -> Self {
        self.histogram = bounds.into_iter().map(Into::into).collect();
        self
    }

    /// How many different values among `rows` rows; `None` if unknown.
    #[must_use]
    pub fn distinct_of(&self, rows: f64) -> Option<f64> {
        let count = if self.n_distinct < 0.0 { -self.n_distinct * rows } else { self.n_distinct };
        (count > 0.0).then(|| count.max(1.0))
    }

    /// The share of the most common value, or of an average one if none is listed.
    #[must_use]
    pub fn top_share(&self, rows: f64) -> Option<f64> {
        let average = self.distinct_of(rows).map(|distinct| (1.0 - self.null_frac) / distinct);
        let top = self.common.first().map(|common| common.share);
        match (top, average) {
            (Some(top), Some(average)) => Some(top.max(average)),
            (top, average) => top.or(average),
        }
    }
}

/// What is known of several columns together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExtendedStatistics {
    /// Name of the statistics object; empty for a sample.
    pub name: String,
    /// The columns, in any order.
    pub columns: Vec<String>,
    /// How many different combinations: as [`ColumnStats::n_distinct`]. `None`: not kept.
    pub n_distinct: Option<f64>,
    /// For each pair (from, to) how far the first determines the second: 0 to 1.
    pub dependencies: Vec<(String, String, f64)>,
    /// Where this came from.
    pub source: StatisticsSource,
}

impl ExtendedStatistics {
    /// Whether it tells about exactly these columns, in any order.
    #[must_use]
    pub fn is_about(&self, columns: &[&str]) -> bool {
        self.columns.len() == columns.len()
            && columns.iter().all(|column| self.columns.iter().any(|own| own == column))
    }
}
