//! What writers pay for an index.
//!
//! Every insert and delete touches one entry of every index. An update does so only if no room is
//! left on its page, or if it sets a column that some index holds: PostgreSQL's heap-only updates
//! (HOT) end for the whole row then, and every index of the table gets an entry.

use std::collections::BTreeMap;

use crate::advise::asked::shape_of_statement;
use crate::advise::shape::Write;
use crate::advise::{Candidate, Figure, Rung, Unit, columns_of};
use crate::catalog::{Catalog, TableName, WriteCounters};
use crate::workload::{Statement, Workload};

/// What one more entry takes, log included, in milliseconds. Fifty thousand updates took 0.10 s more
/// with an index on the updated column than with none.
pub const ENTRY_MS: f64 = 0.002;

/// Counters of a shorter span tell no daily rate: it may hold the one night in which the table was
/// filled, and would make a habit of it.
const RATE_SECONDS_MIN: u64 = 86_400;

/// The charge of one candidate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Charge {
    /// Index entries more, a day.
    pub entries_per_day: f64,
    /// Updates a day that touch no index now and would touch all.
    pub hot_lost_per_day: f64,
}

impl Charge {
    /// As it stands in a report.
    #[must_use]
    pub fn figure(&self) -> Figure {
        Figure::exact(self.entries_per_day, Unit::EntriesPerDay, Rung::StatisticsEstimate)
    }

    /// Milliseconds in a span of so many seconds.
    #[must_use]
    pub fn ms_in(&self, seconds: u64) -> f64 {
        self.entries_per_day * ENTRY_MS * seconds as f64 / 86_400.0
    }
}

/// Rows written a day.
#[derive(Clone, Copy, Debug, Default)]
struct Rows {
    inserted: f64,
    deleted: f64,
    updated: f64,
    hot: f64,
}

/// The writes of a workload by table. Read once and asked for each candidate: the workload is parsed
/// for it, and that takes longest of all.
#[derive(Clone, Debug)]
pub struct ObservedWrites {
    by_table: BTreeMap<TableName, Vec<(Write, f64)>>,
    window_seconds: Option<u64>,
}

impl ObservedWrites {
    /// Parses every statement.
    #[must_use]
    pub fn of(catalog: &Catalog, workload: &Workload) -> Self {
        let mut by_table: BTreeMap<TableName, Vec<(Write, f64)>> = BTreeMap::new();
        for statement in &workload.statements {
            let Some(shape) = shape_of_statement(catalog, statement) else { continue };
            let rows = rows_written(statement);
            for (table, write) in shape.writes {
                by_table.entry(table).or_default().push((write, rows));
            }
        }
        let window_seconds = workload.window_seconds.filter(|seconds| *seconds > 0);
        Self { by_table, window_seconds }
    }
}

fn rows_written(statement: &Statement) -> f64 {
    statement.rows.unwrap_or(statement.calls).max(statement.calls) as f64
}

/// What a candidate would cost its table's writers; `None` if no writes were counted over a known
/// span.
#[must_use]
pub fn charge(catalog: &Catalog, writes: &ObservedWrites, candidate: &Candidate) -> Option<Charge> {
    let table = catalog.table(&candidate.shape.table)?;
    let (share_set, seen) = observed(catalog, writes, candidate);
    let known = catalog.counters_age_seconds.filter(|seconds| *seconds >= 600);
    let counted = known.zip(table.writes).map(|(seconds, writes)| per_day(seconds, writes));
    let rows = counted.or(seen)?;
    let part = match (candidate.entries, table.rows) {
        (Some(entries), Some(rows)) if rows > 0.0 => (entries / rows).clamp(0.0, 1.0),
        _ => 1.0,
    };
    let hot_lost = if candidate.ends_hot { rows.hot * share_set } else { 0.0 };
    let others = table.indexes.iter().filter(|index| index.valid).count() as f64;
    let moved = rows.updated - rows.hot;
    let entries = (rows.inserted + rows.deleted + moved) * part + hot_lost * (others + part);
    Some(Charge { entries_per_day: entries, hot_lost_per_day: hot_lost })
}

/// By the table's own counters, which see every client. What a span shorter than a day holds is
/// taken for a day's.
fn per_day(seconds: u64, writes: WriteCounters) -> Rows {
    let days = seconds.max(RATE_SECONDS_MIN) as f64 / 86_400.0;
    let daily = |count: u64| count as f64 / days;
    Rows {
        inserted: daily(writes.inserted),
        deleted: daily(writes.deleted),
        updated: daily(writes.updated),
        hot: daily(writes.hot_updated.min(writes.updated)),
    }
}

/// By the workload: the share of updates that set a column the candidate holds, and all writes.
fn observed(
    catalog: &Catalog,
    writes: &ObservedWrites,
    candidate: &Candidate,
) -> (f64, Option<Rows>) {
    let held = columns_of(&candidate.shape, catalog.system());
    let (mut setting, mut updating) = (0.0, 0.0);
    let mut rows = Rows::default();
    for (write, written) in writes.by_table.get(&candidate.shape.table).into_iter().flatten() {
        match write {
            Write::Insert => rows.inserted += written,
            Write::Delete => rows.deleted += written,
            Write::Update(columns) => {
                updating += written;
                if !columns.is_disjoint(&held) {
                    setting += written;
                }
            }
        }
    }
    let share = if updating > 0.0 { setting / updating } else { 0.0 };
    let daily = writes.window_seconds.map(|seconds| {
        let factor = 86_400.0 / seconds as f64;
        Rows {
            inserted: rows.inserted * factor,
            deleted: rows.deleted * factor,
            updated: updating * factor,
            // Those that set nothing indexed are taken to find room on their page.
            hot: updating * factor,
        }
    });
    (share, daily)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advise::{Limits, advise};
    use crate::catalog::{Column, ColumnStats, Table, TableName, WriteCounters};
    use crate::workload::Statement;

    fn catalog() -> Catalog {
        let columns = ["id", "hits", "updated_at"]
            .map(|name| Column::new(name, "bigint").with_stats(ColumnStats::distinct(-1.0)));
        let mut table =
            Table::new(TableName::new("public", "counters"), 5e4, 500, columns.to_vec());
        table.writes = Some(WriteCounters {
            updated: 50_000,
            hot_updated: 47_690,
            ..WriteCounters::default()
        });
        Catalog { tables: vec![table], counters_age_seconds: Some(86_400), ..Catalog::default() }
    }

    fn charged(set: &str) -> Charge {
        charged_on(&catalog(), set)
    }

    fn charged_on(catalog: &Catalog, set: &str) -> Charge {
        let workload = Workload {
            statements: vec![
                Statement::new("select * from counters where updated_at = $1").called(50_000),
                Statement::new(format!("update counters set {set} where id = $2")).called(50_000),
            ],
            ..Workload::default()
        };
        let advice = advise(catalog, &workload, &Limits::default());
        let on_time = |one: &&Candidate| one.shape.leading_columns() == ["updated_at"];
        let candidate = advice.candidates.iter().find(on_time).unwrap();
        charge(catalog, &ObservedWrites::of(catalog, &workload), candidate).unwrap()
    }

    #[test]
    fn an_index_on_a_column_that_is_set_ends_hot() {
        let charge = charged("updated_at = $1");
        assert_eq!(charge.hot_lost_per_day, 47_690.0);
        assert_eq!(charge.entries_per_day, 50_000.0);
    }

    #[test]
    fn an_index_on_another_column_pays_only_for_rows_that_move() {
        let charge = charged("hits = $1");
        assert_eq!(charge.hot_lost_per_day, 0.0);
        assert_eq!(charge.entries_per_day, 2_310.0);
    }

    #[test]
    fn a_fill_a_quarter_of_an_hour_ago_is_no_daily_habit() {
        let mut catalog = catalog();
        catalog.counters_age_seconds = Some(900);
        catalog.tables[0].writes =
            Some(WriteCounters { inserted: 60_000, ..WriteCounters::default() });
        let counted = charged_on(&catalog, "updated_at = $1");
        assert_eq!(counted.entries_per_day, 60_000.0);
    }

    #[test]
    fn writes_are_read_once_and_kept_by_table() {
        let mut catalog = catalog();
        catalog.counters_age_seconds = None;
        let mut workload = Workload::of([
            "select * from counters where updated_at = $1",
            "insert into counters values ($1, $2, $3)",
            "delete from counters where id = $1",
            "not a statement",
        ]);
        workload.window_seconds = Some(86_400);
        let writes = ObservedWrites::of(&catalog, &workload);
        let kept: Vec<usize> = writes.by_table.values().map(Vec::len).collect();
        assert_eq!(kept, [2]);
        let advice = advise(&catalog, &workload, &Limits::default());
        // The workload is no longer there to be parsed for each of them.
        drop(workload);
        assert!(!advice.candidates.is_empty());
        for candidate in &advice.candidates {
            assert_eq!(charge(&catalog, &writes, candidate).unwrap().entries_per_day, 2.0);
        }
    }
}
