//! A copy of the database in a temporary folder, on which statements are timed.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tempfile::TempDir;

use super::work::Work;
use super::{CostError, CostOptions};
use crate::advise::{Advice, DdlOptions, create_index};
use crate::catalog::{Catalog, TableName, quote_identifier, quote_literal};
use crate::cost::{Costs, GAIN_MIN, VariantKind};

/// Whatever is shorter counts as this many milliseconds: less is noise, and needs no index.
const SHORTEST_MS: f64 = 0.02;
/// A statement that has run for so many milliseconds is not run again.
const RUNS_MS_MAX: f64 = 500.0;
/// However short it is, and however often it is asked to be run.
const RUNS_MAX: u32 = 200;
/// One that is over sooner is run more often than asked: the shortest of a few runs of some
/// microseconds is chance.
const RUNS_MS_MIN: f64 = 3.0;
/// What a statement may take longer with a set, in milliseconds, and be called as fast: part of it
/// is that SQLite has one index more to look at when it plans, which a prepared statement does once.
const SAME_MS: f64 = 0.01;

/// The copy; its file goes with it.
pub(super) struct Copy {
    // Closed before its folder is removed.
    conn: SqliteConnection,
    _folder: TempDir,
    runs: u32,
}

#[derive(QueryableByName)]
struct BytesRow {
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

fn failed(what: &'static str) -> impl Fn(diesel::result::Error) -> CostError {
    move |source| CostError::Database { what, source }
}

impl Copy {
    /// `None` if the database is larger than may be copied, or in a transaction, where it cannot be.
    pub(super) fn of(
        real: &mut SqliteConnection,
        options: &CostOptions,
    ) -> Result<Option<Self>, CostError> {
        let sql =
            "SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()";
        let sizes: Vec<BytesRow> =
            diesel::sql_query(sql).load(real).map_err(failed("the file's size"))?;
        let bytes = sizes.first().map_or(0, |row| row.bytes);
        if u64::try_from(bytes).unwrap_or(u64::MAX) > options.copy_bytes_max {
            return Ok(None);
        }
        // Nobody else may look into the folder, nor lay a file or a link there in advance.
        let folder = private_folder()?;
        let spelled = folder.path().join("copy.sqlite").to_string_lossy().into_owned();
        if let Err(error) = real.batch_execute(&format!("VACUUM INTO {}", quote_literal(&spelled)))
        {
            tracing::debug!(%error, "the database was not copied");
            return Ok(None);
        }
        let mut conn = SqliteConnection::establish(&spelled)?;
        conn.batch_execute("ANALYZE").map_err(failed("ANALYZE"))?;
        Ok(Some(Self { conn, _folder: folder, runs: options.runs.clamp(1, RUNS_MAX) }))
    }

    /// Milliseconds without and with a set. A text that fails on the copy is left out.
    ///
    /// Before, with the set, and before again: what slows the machine for a while slows no side
    /// alone. Where the set does not seem to help, all is done once more before that is believed.
    pub(super) fn time_both(
        &mut self,
        catalog: &Catalog,
        advice: &Advice,
        set: &[usize],
        texts: &[(VariantKind, String)],
    ) -> Result<Costs, CostError> {
        let mut timed = Vec::new();
        let mut costs = Costs::default();
        for (kind, text) in texts {
            if let Some(ms) = self.best_ms(text) {
                timed.push(text);
                costs.before.push((*kind, ms));
                costs.after.push(f64::INFINITY);
            }
        }
        for _ in 0..2 {
            let names = self.build(catalog, advice, set)?;
            self.again(&timed, costs.after.iter_mut());
            for (name, _) in names {
                let sql = format!("DROP INDEX {}", quote_identifier(&name));
                self.conn.batch_execute(&sql).map_err(failed("DROP INDEX"))?;
            }
            self.again(&timed, costs.before.iter_mut().map(|(_, ms)| ms));
            let pairs = || costs.before.iter().map(|(_, before)| *before).zip(&costs.after);
            let (before, after) = pairs().fold((0.0, 0.0), |sum, ms| (sum.0 + ms.0, sum.1 + ms.1));
            let is_worse = pairs().any(|(before, after)| *after > before + SAME_MS);
            if !is_worse && after < before * (1.0 - GAIN_MIN) {
                break;
            }
        }
        level(&mut costs);
        Ok(costs)
    }

    /// Builds a set, and analyses its tables: SQLite takes bad indexes before that.
    fn build(
        &mut self,
        catalog: &Catalog,
        advice: &Advice,
        set: &[usize],
    ) -> Result<Vec<(String, TableName)>, CostError> {
        let mut built: Vec<(String, TableName)> = Vec::new();
        for &place in set {
            let shape = &advice.candidates[place].shape;
            let name = format!("guildhall_insight_{place}");
            if let Ok(sql) = create_index(catalog, shape, &name, DdlOptions::default()) {
                self.conn.batch_execute(&sql).map_err(failed("CREATE INDEX"))?;
                built.push((name, shape.table.clone()));
            }
        }
        for (_, table) in &built {
            let sql = format!("ANALYZE {}", quote_identifier(&table.name));
            self.conn.batch_execute(&sql).map_err(failed("ANALYZE"))?;
        }
        Ok(built)
    }

    /// Times each text once more. What is faster than before counts.
    fn again<'m>(&mut self, texts: &[&String], known: impl Iterator<Item = &'m mut f64>) {
        for (text, ms) in texts.iter().zip(known) {
            // A text that ran once and fails now keeps what it had: infinite, with the set.
            *ms = self.best_ms(text).map_or(*ms, |now| ms.min(now));
        }
    }

    /// The shortest of some runs, every row read.
    fn best_ms(&mut self, text: &str) -> Option<f64> {
        let (mut best, mut sum) = (f64::INFINITY, 0.0);
        for run in 1..=RUNS_MAX {
            let work = Work::begin();
            self.conn.batch_execute(text).ok()?;
            let ms = work.ms();
            best = best.min(ms);
            sum += ms;
            if sum > RUNS_MS_MAX || run >= self.runs && sum > RUNS_MS_MIN {
                break;
            }
        }
        Some(best.max(SHORTEST_MS))
    }
}

/// What is as fast as before is written so.
fn level(costs: &mut Costs) {
    for ((_, before), after) in costs.before.iter().zip(&mut costs.after) {
        if *after > *before && *after <= *before + SAME_MS {
            *after = *before;
        }
    }
}

/// Only a plain query is run.
pub(super) fn is_query(sql: &str) -> bool {
    let lower = sql.trim_start().to_ascii_lowercase();
    lower.starts_with("select") && !lower.trim_end().trim_end_matches(';').contains(';')
}

fn private_folder() -> Result<TempDir, std::io::Error> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("guildhall-insight-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o700));
    }
    builder.tempdir()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advise::{Rung, Unit};
    use crate::cost::judge;

    #[test]
    fn some_microseconds_more_for_a_value_refuse_nothing() {
        let kinds = [VariantKind::Common, VariantKind::Absent];
        let costs = |after| {
            let before = kinds.into_iter().zip([0.327, 0.0204]).collect();
            Costs { before, after: vec![0.0232, after], ..Costs::default() }
        };
        let judged = |mut costs: Costs| {
            level(&mut costs);
            judge(0, vec![0], &costs, Unit::Milliseconds, Rung::MeasuredOnSample)
        };
        assert!(judged(costs(0.0290)).is_ok());
        assert!(judged(costs(0.0400)).is_err(), "twice as long is no chance");
    }
}
