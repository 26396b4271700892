//! How large an index would be, from statistics alone.
//!
//! PostgreSQL's btree keeps equal keys together: one key and a list of rows, 6 bytes each. What the
//! planner's extension for hypothetical indexes leaves out, and is up to five times off for, is
//! counted here.

use crate::advise::{Figure, Rung, Unit};
use crate::catalog::{Column, IndexKey, IndexShape, KeyPart, Method, Table, TypeClass};
use crate::fingerprint::System;

/// Share of a leaf page that a fresh btree fills.
const FILL: f64 = 0.9;
/// Bytes of a page, and of the largest list of rows that a build makes for one key.
const PAGE: f64 = 8192.0;
const POSTING_MAX: f64 = 812.0;
/// What we were off by on indexes we built: most within this share, few with two rows a key more.
const BAND_BTREE: f64 = 0.10;
/// Elements share much or little: nobody knows before.
const BAND_INVERTED: f64 = 0.6;

/// The size of `shape` with `entries` rows in it, `None` where nothing is known of the table.
///
/// `distinct` is the number of different keys if a sample told; otherwise it comes from the columns'
/// statistics.
#[must_use]
pub fn size_of(
    system: System,
    table: &Table,
    shape: &IndexShape,
    entries: Option<f64>,
    distinct: Option<f64>,
) -> Option<Figure> {
    let rows = table.rows?;
    let entries = entries.unwrap_or(rows).clamp(0.0, rows.max(0.0));
    let (bytes, band) = match (system, &shape.method) {
        (System::Sqlite, _) => (sqlite(table, shape, entries), BAND_BTREE * 2.0),
        (_, Method::BTree) => (btree(table, shape, entries, distinct), BAND_BTREE),
        (_, Method::Brin) => (brin(table, shape), BAND_BTREE),
        (_, Method::Gin) => (inverted(table, shape, entries), BAND_INVERTED),
        (_, Method::Hash) => (entries * 20.0 / 0.75 + 4.0 * PAGE, 0.3),
        _ => (entries * (width(table, &shape.keys[..1]) + 24.0) / 0.7, BAND_INVERTED),
    };
    let rung = Rung::StatisticsEstimate;
    Some(Figure::between(bytes * (1.0 - band), bytes * (1.0 + band), Unit::Bytes, rung))
}

/// The middle of a figure of bytes.
#[must_use]
pub fn middle(figure: &Figure) -> u64 {
    ((figure.low + figure.high) / 2.0).max(0.0).round() as u64
}

fn align8(bytes: f64) -> f64 {
    (bytes / 8.0).ceil() * 8.0
}

fn btree(table: &Table, shape: &IndexShape, entries: f64, distinct: Option<f64>) -> f64 {
    let mut parts: Vec<IndexKey> = shape.keys.clone();
    parts.extend(shape.include.iter().map(IndexKey::column));
    let has_nulls = parts.iter().any(|key| null_frac(table, shape, key) > 0.0);
    let header = if has_nulls { 16.0 } else { 8.0 };
    let tuple = align8(header + align8(width(table, &parts)));
    let distinct = distinct
        .or_else(|| different(table, shape, entries))
        .map_or(entries, |distinct| distinct.clamp(1.0, entries.max(1.0)));
    let leaf = if shape.include.is_empty() && can_share(table, &shape.keys) {
        distinct * bytes_per_key(tuple, entries / distinct)
    } else {
        entries * (tuple + 4.0)
    };
    let leaf_pages = (leaf / ((PAGE - 40.0) * FILL)).ceil().max(1.0);
    // Inner pages hold one key a leaf page; the first page of the file is the index's own.
    let inner = (leaf_pages * (tuple + 4.0) / (PAGE * 0.7)).ceil();
    (leaf_pages + inner + 1.0) * PAGE
}

/// Bytes that one key with `rows` rows on average takes. Rows fall on keys at random, so around few
/// rows a key some keys have one only: those of zero rows are not there.
fn bytes_per_key(tuple: f64, rows: f64) -> f64 {
    if rows > 40.0 {
        return bytes_for(tuple, rows);
    }
    if rows < 1.001 {
        return tuple + 4.0;
    }
    let rate = zero_truncated_rate(rows);
    let mut chance = rate * (-rate).exp() / (1.0 - (-rate).exp());
    let mut sum = 0.0;
    for count in 1..120_u32 {
        sum += chance * bytes_for(tuple, f64::from(count));
        chance *= rate / f64::from(count + 1);
    }
    sum
}

/// The rate of a Poisson distribution whose mean, zeros left out, is `mean`.
fn zero_truncated_rate(mean: f64) -> f64 {
    let mut rate = mean;
    for _ in 0..40 {
        rate = mean * (1.0 - (-rate).exp());
    }
    rate.max(1e-6)
}

fn bytes_for(tuple: f64, rows: f64) -> f64 {
    if rows < 2.0 {
        return tuple + 4.0;
    }
    let lists = (rows / ((POSTING_MAX - tuple) / 6.0).max(1.0).floor()).ceil();
    lists * (align8(tuple + 6.0 * rows / lists) + 4.0)
}

/// Whether equal keys may share an entry: not where equal values can look different.
fn can_share(table: &Table, keys: &[IndexKey]) -> bool {
    keys.iter().all(|key| {
        let class = key.column_name().and_then(|name| table.column(name)).map(|c| &c.class);
        !matches!(
            class,
            Some(
                TypeClass::Numeric
                    | TypeClass::Float
                    | TypeClass::Jsonb
                    | TypeClass::Array(_)
                    | TypeClass::Range
            )
        )
    })
}

/// How many different keys, columns taken as independent unless something is known of them together.
pub(crate) fn different(table: &Table, shape: &IndexShape, entries: f64) -> Option<f64> {
    let rows = table.rows?;
    let names: Vec<&str> = shape
        .keys
        .iter()
        .filter_map(|key| known_column(table, key))
        .map(|c| c.name.as_str())
        .collect();
    if names.len() > 1
        && let Some(count) = table.together(&names).and_then(|known| known.n_distinct)
    {
        let count = if count < 0.0 { -count * rows } else { count };
        return Some(count.min(entries));
    }
    let mut product = 1.0_f64;
    for key in &shape.keys {
        let stats = known_column(table, key)?.stats.as_ref()?;
        product *= stats.distinct_of(rows)?;
    }
    // Combinations that are possible are not all there: with as many as rows, each row hits one.
    Some(if shape.keys.len() > 1 {
        product * (1.0 - (-entries / product).exp())
    } else {
        product.min(entries)
    })
}

/// The column of a key, or the one column an expression mentions.
fn known_column<'a>(table: &'a Table, key: &IndexKey) -> Option<&'a Column> {
    match &key.part {
        KeyPart::Column(name) => table.column(name),
        KeyPart::Expression(text) => {
            let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
            words.find_map(|word| table.column(word))
        }
    }
}

fn null_frac(table: &Table, shape: &IndexShape, key: &IndexKey) -> f64 {
    let Some(column) = known_column(table, key) else { return 0.0 };
    let excluded = shape.predicate.as_deref().is_some_and(|predicate| {
        let predicate = predicate.to_ascii_lowercase();
        predicate.contains(&column.name.to_ascii_lowercase()) && predicate.contains("not null")
    });
    match &column.stats {
        Some(stats) if !excluded => stats.null_frac,
        _ => 0.0,
    }
}

/// Bytes of the keys' values one after the other, each where its type may stand.
fn width(table: &Table, keys: &[IndexKey]) -> f64 {
    let mut bytes = 0.0_f64;
    for key in keys {
        let column = known_column(table, key);
        let (align, fixed) = column.map_or((1.0, None), layout);
        let stats = column.and_then(|column| column.stats.as_ref());
        let own = fixed.or_else(|| stats.map(|stats| stats.avg_width)).unwrap_or(16.0);
        let present = 1.0 - stats.map_or(0.0, |stats| stats.null_frac);
        bytes = (bytes / align).ceil() * align + own * present.max(0.05);
    }
    bytes
}

/// Alignment and, where all values have it, width.
fn layout(column: &Column) -> (f64, Option<f64>) {
    match (&column.class, column.type_name.as_str()) {
        (TypeClass::Boolean, _) => (1.0, Some(1.0)),
        (TypeClass::Integer, "smallint") => (2.0, Some(2.0)),
        (TypeClass::Integer, "integer" | "oid") | (TypeClass::Date | TypeClass::Enum, _) => {
            (4.0, Some(4.0))
        }
        (TypeClass::Float, "real") => (4.0, Some(4.0)),
        (TypeClass::Integer | TypeClass::Float, _)
        | (TypeClass::Timestamp | TypeClass::TimestampTz, _) => (8.0, Some(8.0)),
        (TypeClass::Uuid, _) => (1.0, Some(16.0)),
        _ => (1.0, None),
    }
}

fn brin(table: &Table, shape: &IndexShape) -> f64 {
    let ranges = (table.pages as f64 / 128.0).ceil();
    // Least and greatest value of each range, and the map from ranges to them.
    let summaries = (ranges * (2.0 * width(table, &shape.keys) + 16.0) / (PAGE * 0.9)).ceil();
    (summaries + (ranges / 1360.0).ceil() + 1.0) * PAGE
}

/// An entry for each element of each row; more of them the longer the value is.
fn inverted(table: &Table, shape: &IndexShape, entries: f64) -> f64 {
    let Some(key) = shape.keys.first() else { return PAGE };
    let column = known_column(table, key);
    let width = column.and_then(|c| c.stats.as_ref()).map_or(32.0, |stats| stats.avg_width);
    let is_trigram = key.opclass.as_deref().is_some_and(|class| class.contains("trgm"));
    let per_row = match column.map(|column| &column.class) {
        // A text has about a trigram a character; long lists take near 2 bytes a row, short 4.
        Some(TypeClass::Text) if is_trigram => (width + 2.0) * if width > 48.0 { 3.6 } else { 2.0 },
        Some(TypeClass::Jsonb) => (width / 24.0).max(1.0) * 9.0,
        _ => (width / 14.0).max(1.0) * 4.0,
    };
    entries * per_row + 2.0 * PAGE
}

fn sqlite(table: &Table, shape: &IndexShape, entries: f64) -> f64 {
    let mut bytes = 3.0 + 4.0; // Cell pointer and header, row id.
    for key in &shape.keys {
        let column = known_column(table, key);
        let text = column.and_then(|c| c.stats.as_ref()).map_or(12.0, |stats| stats.avg_width);
        let is_number =
            column.is_some_and(|c| c.class.is_integer() || c.class == TypeClass::Boolean);
        // A whole number takes as many bytes as it needs; the sample saw its decimal digits.
        bytes += 1.0 + if is_number { (text * 0.42).ceil().min(8.0) } else { text };
    }
    (entries * bytes / 0.97 / 4096.0).ceil().max(1.0) * 4096.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{ColumnStats, TableName};

    fn table(rows: f64, distinct: f64) -> (Table, IndexShape) {
        let column = Column::new("a", "bigint").with_stats(ColumnStats::distinct(distinct));
        let name = TableName::new("public", "t");
        let shape = IndexShape::btree(name.clone(), ["a"]);
        (Table::new(name, rows, 10_000, vec![column]), shape)
    }

    fn bytes(rows: f64, distinct: f64) -> u64 {
        let (table, shape) = table(rows, distinct);
        middle(&size_of(System::Postgres, &table, &shape, None, None).unwrap())
    }

    #[test]
    fn a_unique_key_takes_twenty_bytes_a_row() {
        // Built on PostgreSQL 15: 400,000 bigint keys take 8,994,816 bytes.
        let off = bytes(400_000.0, -1.0) as f64 / 8_994_816.0;
        assert!((0.97..1.03).contains(&off), "{off}");
    }

    #[test]
    fn equal_keys_share_their_entry() {
        assert!(bytes(400_000.0, 2_000.0) < 3_000_000);
        assert!(bytes(400_000.0, 200_000.0) < bytes(400_000.0, -1.0));
    }

    #[test]
    fn nothing_is_said_of_a_table_never_analysed() {
        let (mut table, shape) = table(1.0, 1.0);
        table.rows = None;
        assert_eq!(size_of(System::Postgres, &table, &shape, None, None), None);
    }
}
