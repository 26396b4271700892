//! A copy of the database in a temporary folder, on which statements are timed.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::deserialize::{self, QueryableByName};
use diesel::prelude::*;
use diesel::row::NamedRow;
use diesel::sql_types::BigInt;
use diesel::sqlite::Sqlite;
use tempfile::TempDir;

use super::foresight::ends_in_time;
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
    run_max: Duration,
    /// Texts that ran too long, or would.
    too_long: HashSet<String>,
    /// Texts of which it is known that they are likely to end.
    foreseen: HashSet<String>,
}

/// Why a run told no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NotTimed {
    Failed,
    TooLong,
}

/// A row of which nothing is read.
struct Passed;

impl QueryableByName<Sqlite> for Passed {
    fn build<'a>(_row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        Ok(Self)
    }
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
        Ok(Some(Self {
            conn,
            _folder: folder,
            runs: options.runs.clamp(1, RUNS_MAX),
            run_max: options.run_max,
            too_long: HashSet::new(),
            foreseen: HashSet::new(),
        }))
    }

    /// Whether one of the texts was left out because it runs too long.
    pub(super) fn gave_up(&self, texts: &[(VariantKind, String)]) -> bool {
        texts.iter().any(|(_, text)| self.too_long.contains(text))
    }

    /// Milliseconds without and with a set. A text that fails on the copy is left out, and one that
    /// runs too long without the set; one that does so with it takes for ever.
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
            if let Some(ms) = self.first_ms(catalog, text) {
                timed.push(text);
                costs.before.push((*kind, ms));
                costs.after.push(f64::INFINITY);
            }
        }
        if timed.is_empty() {
            return Ok(costs);
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

    /// Times a text before there is any set. What runs too long is run for that once, whatever sets
    /// are tried for it.
    fn first_ms(&mut self, catalog: &Catalog, text: &str) -> Option<f64> {
        if self.too_long.contains(text) {
            return None;
        }
        if !self.foreseen.contains(text) {
            if !ends_in_time(&mut self.conn, catalog, text, self.run_max) {
                self.too_long.insert(text.to_owned());
                return None;
            }
            self.foreseen.insert(text.to_owned());
        }
        let timed = self.best_ms(text);
        if timed == Err(NotTimed::TooLong) {
            self.too_long.insert(text.to_owned());
        }
        timed.ok()
    }

    /// The shortest of some runs, every row read.
    fn best_ms(&mut self, text: &str) -> Result<f64, NotTimed> {
        let (mut best, mut sum) = (f64::INFINITY, 0.0);
        for run in 1..=RUNS_MAX {
            let work = Work::begin();
            self.run(text)?;
            let ms = work.ms();
            best = best.min(ms);
            sum += ms;
            if sum > RUNS_MS_MAX || run >= self.runs && sum > RUNS_MS_MIN {
                break;
            }
        }
        Ok(best.max(SHORTEST_MS))
    }

    /// Runs a text to its end, or until its time is over. That is only seen where a row comes.
    fn run(&mut self, text: &str) -> Result<(), NotTimed> {
        let begun = Instant::now();
        let rows = diesel::sql_query(text);
        let rows = rows.load_iter::<Passed, DefaultLoadingMode>(&mut self.conn);
        for row in rows.map_err(|_| NotTimed::Failed)? {
            row.map_err(|_| NotTimed::Failed)?;
            if begun.elapsed() >= self.run_max {
                return Err(NotTimed::TooLong);
            }
        }
        if begun.elapsed() >= self.run_max { Err(NotTimed::TooLong) } else { Ok(()) }
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

    fn copy(run_max: Duration) -> Copy {
        let mut real = SqliteConnection::establish(":memory:").unwrap();
        let schema = "CREATE TABLE digits (d INTEGER); \
                      INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);";
        real.batch_execute(schema).unwrap();
        let options = CostOptions { run_max, ..CostOptions::default() };
        Copy::of(&mut real, &options).unwrap().unwrap()
    }

    fn timed(copy: &mut Copy, text: &str) -> (usize, bool) {
        let texts = [(VariantKind::AsWritten, text.to_owned())];
        let (catalog, advice) = (Catalog::default(), Advice::default());
        let costs = copy.time_both(&catalog, &advice, &[], &texts).unwrap();
        (costs.before.len(), copy.gave_up(&texts))
    }

    #[test]
    fn a_text_is_timed_left_out_or_given_up() {
        let mut patient = copy(Duration::from_secs(60));
        assert_eq!(timed(&mut patient, "SELECT d FROM digits"), (1, false));
        assert_eq!(timed(&mut patient, "SELECT nothing FROM digits"), (0, false));
        let endless = "SELECT max(i) FROM (WITH RECURSIVE n(i) AS \
                       (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 'x') SELECT i FROM n)";
        assert_eq!(timed(&mut patient, endless), (0, true));
        let mut hasty = copy(Duration::ZERO);
        assert_eq!(timed(&mut hasty, "SELECT d FROM digits"), (0, true));
    }

    #[test]
    fn a_text_that_gives_rows_without_end_in_sight_is_left() {
        // The catalogue does not know the table, so its rows are not foreseen.
        let tables: Vec<String> = (0..18).map(|n| format!("digits d{n}")).collect();
        let text = format!("SELECT 1 FROM {}", tables.join(", "));
        let mut copy = copy(Duration::from_millis(5));
        assert_eq!(copy.run(&text), Err(NotTimed::TooLong));
        assert_eq!(timed(&mut copy, &text), (0, true));
        // What was left holds nothing open.
        copy.conn.batch_execute("DROP TABLE digits").unwrap();
    }

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
