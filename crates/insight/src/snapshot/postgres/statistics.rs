//! What PostgreSQL knows of values: `pg_stats` and extended statistics.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Double, Nullable, SmallInt, Text};
use diesel_async::AsyncPgConnection;

use super::rows;
use crate::catalog::{ColumnStats, Common, ExtendedStatistics, StatisticsSource, Table};
use crate::snapshot::SnapshotError;

#[derive(QueryableByName)]
struct StatsRow {
    #[diesel(sql_type = Text)]
    schema: String,
    #[diesel(sql_type = Text)]
    table: String,
    #[diesel(sql_type = Text)]
    column: String,
    #[diesel(sql_type = Double)]
    n_distinct: f64,
    #[diesel(sql_type = Double)]
    null_frac: f64,
    #[diesel(sql_type = Double)]
    avg_width: f64,
    #[diesel(sql_type = Nullable<Array<Nullable<Text>>>)]
    common: Option<Vec<Option<String>>>,
    #[diesel(sql_type = Nullable<Array<Double>>)]
    common_shares: Option<Vec<f64>>,
    #[diesel(sql_type = Nullable<Array<Nullable<Text>>>)]
    histogram: Option<Vec<Option<String>>>,
    #[diesel(sql_type = Nullable<Double>)]
    correlation: Option<f64>,
    #[diesel(sql_type = Nullable<Array<Nullable<Text>>>)]
    elements: Option<Vec<Option<String>>>,
    #[diesel(sql_type = Nullable<Array<Double>>)]
    element_shares: Option<Vec<f64>>,
}

/// Adds the statistics of columns. Of long values, which nobody binds, only the width is read.
pub(super) async fn read(
    conn: &mut AsyncPgConnection,
    oids: &str,
    tables: &mut [(i64, Table)],
) -> Result<(), SnapshotError> {
    // The view is asked by name, so it does the privilege check that the table behind it lacks.
    let sql = format!(
        "SELECT s.schemaname::text AS schema, s.tablename::text AS \"table\", \
                s.attname::text AS \"column\", s.n_distinct::float8 AS n_distinct, \
                s.null_frac::float8 AS null_frac, s.avg_width::float8 AS avg_width, \
                CASE WHEN s.avg_width <= 200 THEN s.most_common_vals::text::text[] END AS common, \
                s.most_common_freqs::float8[] AS common_shares, \
                CASE WHEN s.avg_width <= 200 THEN s.histogram_bounds::text::text[] END AS histogram, \
                s.correlation::float8 AS correlation, \
                s.most_common_elems::text::text[] AS elements, \
                s.most_common_elem_freqs::float8[] AS element_shares \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname \
         WHERE c.oid IN ({oids}) \
         ORDER BY c.oid, s.attname, s.inherited" // The whole tree of a parent comes last and counts.
    );
    let found: Vec<StatsRow> = rows(conn, "pg_stats", &sql).await?;
    for row in found {
        let named = |table: &Table| {
            table.name.name == row.table && table.name.schema.as_deref() == Some(&row.schema)
        };
        let table = tables.iter_mut().map(|(_, table)| table).find(|table| named(table));
        if let Some(column) = table.and_then(|table| table.column_mut(&row.column)) {
            column.stats = Some(stats_of(row));
        }
    }
    Ok(())
}

fn stats_of(row: StatsRow) -> ColumnStats {
    ColumnStats {
        n_distinct: row.n_distinct,
        null_frac: row.null_frac,
        avg_width: row.avg_width,
        common: pairs(row.common, row.common_shares),
        histogram: row.histogram.into_iter().flatten().flatten().collect(),
        correlation: row.correlation,
        common_elements: pairs(row.elements, row.element_shares),
        source: StatisticsSource::Database,
    }
}

fn pairs(values: Option<Vec<Option<String>>>, shares: Option<Vec<f64>>) -> Vec<Common> {
    let pairs = values.into_iter().flatten().zip(shares.into_iter().flatten());
    pairs.filter_map(|(value, share)| Some(Common { value: value?, share })).collect()
}

#[derive(QueryableByName)]
struct ExtendedRow {
    #[diesel(sql_type = BigInt)]
    oid: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Array<Text>)]
    columns: Vec<String>,
    #[diesel(sql_type = Array<SmallInt>)]
    numbers: Vec<i16>,
    #[diesel(sql_type = Nullable<Text>)]
    n_distinct: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    dependencies: Option<String>,
}

/// Adds extended statistics, of columns only.
pub(super) async fn read_extended(
    conn: &mut AsyncPgConnection,
    oids: &str,
    tables: &mut [(i64, Table)],
) -> Result<(), SnapshotError> {
    let attributes = |what: &str| {
        format!(
            "ARRAY(SELECT {what} FROM unnest(e.stxkeys::int2[]) AS k(attnum) JOIN pg_attribute a \
             ON a.attrelid = e.stxrelid AND a.attnum = k.attnum ORDER BY k.attnum)"
        )
    };
    let sql = format!(
        "SELECT e.stxrelid::bigint AS oid, e.stxname::text AS name, {} AS columns, \
                {} AS numbers, v.n_distinct::text AS n_distinct, \
                v.dependencies::text AS dependencies \
         FROM pg_statistic_ext e JOIN pg_namespace n ON n.oid = e.stxnamespace \
         LEFT JOIN pg_stats_ext v \
                ON v.statistics_schemaname = n.nspname AND v.statistics_name = e.stxname \
         WHERE e.stxrelid IN ({oids}) ORDER BY e.stxrelid, e.stxname",
        attributes("a.attname::text"),
        attributes("a.attnum"),
    );
    let found: Vec<ExtendedRow> = rows(conn, "the extended statistics", &sql).await?;
    for row in found {
        let Some((_, table)) = tables.iter_mut().find(|(oid, _)| *oid == row.oid) else { continue };
        table.extended.extend(extended_of(&row));
    }
    Ok(())
}

/// One object tells of every combination of its columns.
fn extended_of(row: &ExtendedRow) -> Vec<ExtendedStatistics> {
    let name_of = |number: &str| {
        let number: i16 = number.trim().parse().ok()?;
        let place = row.numbers.iter().position(|own| *own == number)?;
        row.columns.get(place).cloned()
    };
    let mut dependencies = Vec::new();
    for (key, value) in entries(row.dependencies.as_deref()) {
        let Some((from, to)) = key.split_once("=>") else { continue };
        // Those of several columns say nothing that those of one do not say for our purpose.
        if let (Some(from), Some(to)) = (name_of(from), name_of(to)) {
            dependencies.push((from, to, value));
        }
    }
    let whole = ExtendedStatistics {
        name: row.name.clone(),
        columns: row.columns.clone(),
        n_distinct: None,
        dependencies: dependencies.clone(),
        source: StatisticsSource::Database,
    };
    let mut all = Vec::new();
    for (key, value) in entries(row.n_distinct.as_deref()) {
        let Some(columns) = key.split(',').map(name_of).collect::<Option<Vec<_>>>() else {
            continue;
        };
        all.push(ExtendedStatistics { columns, n_distinct: Some(value), ..whole.clone() });
    }
    if !all.iter().any(|one| one.columns.len() == row.columns.len()) {
        all.push(whole);
    }
    all
}

/// `{"2, 3": 400, ...}`: JSON objects of numbers, in the order given.
fn entries(text: Option<&str>) -> Vec<(String, f64)> {
    let Some(text) = text else { return Vec::new() };
    let Ok(serde_json::Value::Object(map)) = serde_json::from_str(text) else { return Vec::new() };
    map.into_iter().filter_map(|(key, value)| Some((key, value.as_f64()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extended_statistics_are_told_by_columns() {
        let row = ExtendedRow {
            oid: 1,
            name: "places".to_owned(),
            columns: vec!["city".to_owned(), "country".to_owned()],
            numbers: vec![4, 7],
            n_distinct: Some(r#"{"4, 7": 400}"#.to_owned()),
            dependencies: Some(r#"{"4 => 7": 1.000000, "7 => 4": 0.1}"#.to_owned()),
        };
        let read = extended_of(&row);
        assert_eq!(read.len(), 1);
        assert!(read[0].is_about(&["country", "city"]));
        assert_eq!(read[0].n_distinct, Some(400.0));
        assert_eq!(read[0].dependencies[0], ("city".to_owned(), "country".to_owned(), 1.0));
    }

    #[test]
    fn a_form_of_another_version_is_no_error() {
        assert_eq!(entries(Some("[1, 2]")), []);
        assert_eq!(entries(Some("not json")), []);
    }
}
