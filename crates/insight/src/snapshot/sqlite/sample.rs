//! Statistics of columns from rows spread over the table.

use std::collections::HashMap;

use diesel::prelude::*;

use super::{CountRow, TextRow, rows};
use crate::catalog::{
    ColumnStats, Common, StatisticsSource, Table, TableKind, TypeClass, quote_identifier,
};
use crate::snapshot::{SnapshotError, estimate_distinct};

/// Rows are counted one by one up to here; beyond, the span of row ids is taken for the count.
const COUNTED_MAX: u32 = 5_000_000;
/// Bytes of a value that are looked at.
const VALUE_BYTES_MAX: u32 = 200;
/// Common values kept of each column, and bounds of its histogram.
const COMMON_MAX: usize = 50;
const BOUNDS_MAX: usize = 51;

/// Neither stands in a value: see [`read_as_text`].
const SEPARATOR: char = '\u{1f}';
const NULL: &str = "\u{1e}";

/// Sets the table's rows and its columns' statistics.
pub(super) fn fill(
    conn: &mut SqliteConnection,
    table: &mut Table,
    count: Option<f64>,
    sample_max: u32,
) -> Result<(), SnapshotError> {
    let total = match count {
        Some(count) => count,
        None => count_rows(conn, table)?,
    };
    table.rows = Some(total);
    if total < 1.0 || table.columns.is_empty() {
        return Ok(());
    }
    let sampled = sample(conn, table, sample_max)?;
    let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    for (place, name) in names.iter().enumerate() {
        let values: Vec<&str> =
            sampled.iter().filter_map(|row| row.split(SEPARATOR).nth(place)).collect();
        if let Some(column) = table.column_mut(name).filter(|_| !values.is_empty()) {
            let mut stats = stats_of(&values, total, column.class.is_integer());
            if column.class == TypeClass::Bytes {
                // Two digits were read for each byte.
                stats.avg_width /= 2.0;
            }
            column.stats = Some(stats);
        }
    }
    Ok(())
}

fn count_rows(conn: &mut SqliteConnection, table: &Table) -> Result<f64, SnapshotError> {
    let name = quote_identifier(&table.name.name);
    let sql =
        format!("SELECT count(*) AS count FROM (SELECT 1 FROM {name} LIMIT {})", COUNTED_MAX + 1);
    let found: Vec<CountRow> = rows(conn, "a count of rows", &sql)?;
    let counted = found.as_slice().first().map_or(0, |row| row.count);
    if counted <= i64::from(COUNTED_MAX) || table.kind == TableKind::WithoutRowid {
        return Ok(counted as f64);
    }
    let sql = format!("SELECT max(rowid) - min(rowid) + 1 AS count FROM {name}");
    let found: Vec<CountRow> = rows(conn, "the span of row ids", &sql)?;
    Ok(found.as_slice().first().map_or(counted, |row| row.count) as f64)
}

/// Rows as text, their columns divided by [`SEPARATOR`].
fn sample(
    conn: &mut SqliteConnection,
    table: &Table,
    sample_max: u32,
) -> Result<Vec<String>, SnapshotError> {
    let name = quote_identifier(&table.name.name);
    let columns: Vec<String> =
        table.columns.iter().map(|column| read_as_text(&quote_identifier(&column.name))).collect();
    let row = columns.join(" || char(31) || ");
    let sql = if table.kind == TableKind::WithoutRowid {
        format!("SELECT {row} AS value FROM {name} LIMIT {sample_max}")
    } else {
        // Even steps alone would meet data of a like period always at the same place; the
        // multiplier (Knuth's) spreads each look-up over its step.
        format!(
            "WITH RECURSIVE span(low, step) AS ( \
                 SELECT min(rowid), (max(rowid) - min(rowid)) / {sample_max} + 1 FROM {name}), \
             place(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM place WHERE i + 1 < {sample_max}), \
             picked(id) AS (SELECT DISTINCT (SELECT min(rowid) FROM {name} \
                 WHERE rowid >= low + i * step + (i * 2654435761) % step) FROM place, span) \
             SELECT {row} AS value FROM {name} WHERE rowid IN (SELECT id FROM picked)"
        )
    };
    let found: Vec<TextRow> = rows(conn, "a sample", &sql)?;
    Ok(found.into_iter().map(|row| row.value).collect())
}

/// A value as text in which nothing divides columns: bytes may be any, and are spelled in hexadecimal.
fn read_as_text(column: &str) -> String {
    format!(
        "CASE typeof({column}) WHEN 'null' THEN char(30) \
         WHEN 'blob' THEN hex(substr({column}, 1, {VALUE_BYTES_MAX})) \
         ELSE replace(replace(substr(CAST({column} AS TEXT), 1, {VALUE_BYTES_MAX}), \
                              char(31), ''), char(30), '') END"
    )
}

fn stats_of(values: &[&str], total: f64, is_number: bool) -> ColumnStats {
    let sampled = values.len() as f64;
    let mut counts: HashMap<&str, u32> = HashMap::new();
    for value in values.iter().filter(|value| **value != NULL) {
        *counts.entry(value).or_default() += 1;
    }
    let seen: u32 = counts.values().sum();
    let once = counts.values().filter(|count| **count == 1).count();
    let width: usize = values.iter().filter(|value| **value != NULL).map(|value| value.len()).sum();

    let mut common: Vec<(&str, u32)> =
        counts.iter().map(|(value, count)| (*value, *count)).collect();
    common.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    // What is not clearly above the average is no common value.
    let average = f64::from(seen) / counts.len().max(1) as f64;
    common.retain(|(_, count)| {
        *count > 1 && f64::from(*count) > average * 1.25 || counts.len() <= COMMON_MAX
    });
    common.truncate(COMMON_MAX);
    let is_common = |value: &&str| common.iter().any(|(held, _)| held == value);
    let mut rest: Vec<&str> =
        values.iter().copied().filter(|value| *value != NULL && !is_common(value)).collect();
    if is_number {
        rest.sort_by_key(|value| value.parse::<i64>().unwrap_or(i64::MAX));
    } else {
        rest.sort_unstable();
    }

    ColumnStats {
        n_distinct: estimate_distinct(
            f64::from(seen),
            counts.len() as f64,
            once as f64,
            sampled,
            total,
        ),
        null_frac: (sampled - f64::from(seen)) / sampled,
        avg_width: width as f64 / f64::from(seen.max(1)),
        common: common
            .iter()
            .map(|(value, count)| Common {
                value: (*value).to_owned(),
                share: f64::from(*count) / sampled,
            })
            .collect(),
        histogram: bounds(&rest),
        correlation: None,
        common_elements: Vec::new(),
        source: StatisticsSource::Sample,
    }
}

fn bounds(sorted: &[&str]) -> Vec<String> {
    let steps = BOUNDS_MAX.min(sorted.len()).saturating_sub(1);
    if steps < 1 {
        return Vec::new();
    }
    (0..=steps).map(|step| sorted[step * (sorted.len() - 1) / steps].to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;

    use super::*;
    use crate::catalog::TableName;
    use crate::snapshot::SnapshotOptions;
    use crate::snapshot::sqlite::snapshot_of;

    #[test]
    fn common_values_nulls_and_rare_ones_are_told_apart() {
        let mut values = vec!["1"; 600];
        values.extend([NULL; 100]);
        let rare: Vec<String> = (0..300).map(|n| format!("{}", 1_000 + n)).collect();
        values.extend(rare.iter().map(String::as_str));
        let stats = stats_of(&values, 100_000.0, true);
        assert_eq!(stats.common[0], Common { value: "1".to_owned(), share: 0.6 });
        assert!((stats.null_frac - 0.1).abs() < 1e-9);
        assert_eq!(stats.histogram.first().map(String::as_str), Some("1000"));
        assert!(stats.distinct_of(100_000.0).is_some_and(|distinct| distinct > 300.0));
    }

    #[test]
    fn bytes_of_every_kind_stay_in_their_column() {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        let script = "CREATE TABLE t (id INTEGER PRIMARY KEY, raw BLOB, note TEXT, kind TEXT);
            INSERT INTO t VALUES (1, x'1f411f1e', 'a' || char(31) || 'b', 'k'), (2, NULL, char(30), 'k'),
                (3, x'fffe1f00', 'c', 'k'), (4, x'1e', NULL, 'k')";
        conn.batch_execute(script).unwrap();
        let read = snapshot_of(&mut conn, &SnapshotOptions::default()).unwrap();
        let table = read.catalog.table(&TableName::bare("t")).unwrap();
        let stats = |name: &str| table.column(name).unwrap().stats.clone().unwrap();
        let kinds = stats("kind").common;
        assert_eq!(kinds, [Common { value: "k".to_owned(), share: 1.0 }]);
        assert_eq!((stats("raw").null_frac, stats("note").null_frac), (0.25, 0.25));
        assert!((stats("raw").avg_width - 3.0).abs() < 1e-9, "{:?}", stats("raw"));
    }

    #[test]
    fn a_column_of_unique_values_is_unique() {
        let values: Vec<String> = (0..1_000).map(|n| n.to_string()).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        assert_eq!(stats_of(&values, 50_000.0, true).n_distinct, -1.0);
    }
}
