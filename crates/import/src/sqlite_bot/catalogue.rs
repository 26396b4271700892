//! What a bot defines for everybody: missions, achievements, badges, the story, lore, rewards.

mod badge;
mod lore;
mod mission;
mod reward;
mod story;

use std::collections::HashSet;
use std::fmt::Display;
use std::hash::Hash;

use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{QueryableByName, RunQueryDsl};
use guildhall_domain::{LegacyKey, Slug, Timestamp};

use super::open::{broken, connect};
use super::schema::Schema;
use crate::catalogue::{Catalogue, Definition};
use crate::detect::SourceFile;
use crate::error::ImportError;
use crate::fields::Fields;
use crate::findings::Findings;
use crate::record::ReadOptions;
use crate::value::Value;

/// More rows than this are no catalogue. The rest of a longer table is left alone, and said to be.
const ROWS_MAX: usize = 10_000;

/// A row of a catalogue.
pub(super) trait CatalogueRow: QueryableByName<Sqlite> + 'static {
    const TABLE: &'static str;
    /// The columns read, the first of which is the key and gives the order.
    const COLUMNS: &'static [&'static str];
    fn key(&self) -> Option<String>;
}

macro_rules! catalogue_row {
    ($name:ident($table:literal, $key:ident) { $($column:ident),+ $(,)? }) => {
        #[derive(diesel::QueryableByName)]
        pub(in crate::sqlite_bot) struct $name {
            $(#[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
            $column: crate::value::Value,)+
        }

        impl crate::sqlite_bot::catalogue::CatalogueRow for $name {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[$(stringify!($column)),+];
            fn key(&self) -> Option<String> {
                self.$key.key().filter(|key| !key.trim().is_empty())
            }
        }
    };
}
use catalogue_row;

pub(super) use self::badge::{AchievementRow, BadgeRow};
pub(super) use self::lore::LoreRow;
pub(super) use self::mission::MissionRow;
pub(super) use self::reward::RewardRow;
pub(super) use self::story::{ChoiceRow, StoryRow, UnifiedRow};

/// Reads all of it. One bad row costs no other.
pub(super) fn read(
    file: &SourceFile,
    options: &ReadOptions,
    findings: &mut Findings,
) -> Result<Catalogue, ImportError> {
    let mut conn = connect(file)?;
    let schema = Schema::read(&mut conn, file)?;
    let mut reading = Reading { conn: &mut conn, file, schema: &schema, options, findings };
    Ok(Catalogue {
        lore: lore::read(&mut reading)?,
        achievements: badge::achievements(&mut reading)?,
        badges: badge::badges(&mut reading)?,
        missions: mission::read(&mut reading)?,
        fragments: story::read(&mut reading)?,
        offers: reward::read(&mut reading)?,
        replaces: false,
    })
}

/// Where and how catalogues are read.
struct Reading<'r> {
    conn: &'r mut SqliteConnection,
    file: &'r SourceFile,
    schema: &'r Schema,
    options: &'r ReadOptions,
    findings: &'r mut Findings,
}

impl Reading<'_> {
    /// The rows of a table in the order of their keys; none when this shape lacks it.
    fn rows<R: CatalogueRow>(&mut self) -> Result<Vec<R>, ImportError> {
        let (table, key) = (R::TABLE, R::COLUMNS[0]);
        if !self.schema.has(table) {
            return Ok(Vec::new());
        }
        let query = format!(
            "SELECT {} FROM {table} ORDER BY {key} LIMIT {}",
            self.schema.select_list(table, R::COLUMNS),
            ROWS_MAX + 1,
        );
        let mut rows: Vec<R> = diesel::sql_query(query)
            .load(self.conn)
            .map_err(|error| broken(self.file, &format!("table {table}"), &error))?;
        if rows.len() > ROWS_MAX {
            let message = format!("has more than {ROWS_MAX} rows; the rest is left alone");
            self.findings.warn(table, "-", None, message);
            rows.truncate(ROWS_MAX);
        }
        self.findings.table(table).read += rows.len() as u64;
        Ok(rows)
    }

    /// The definitions that `define` makes of the rows of a table. Of two with the same identity
    /// the first counts; what has none, or is refused, is skipped with the reason.
    fn define<R: CatalogueRow, T, I: Eq + Hash + Display>(
        &mut self,
        define: impl Fn(&R, &str, Option<Timestamp>, &mut Fields<'_>) -> Result<T, String>,
        created: impl Fn(&R) -> &Value,
        identity: impl Fn(&T) -> I,
    ) -> Result<Vec<Definition<T>>, ImportError> {
        let rows: Vec<R> = self.rows()?;
        let mut definitions: Vec<Definition<T>> = Vec::with_capacity(rows.len());
        let mut seen = HashSet::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            let Some(key) = row.key() else {
                self.findings.skip(R::TABLE, &format!("#{}", index + 1), "it has no key");
                continue;
            };
            let mut fields = self.fields(R::TABLE, &key);
            let created_at = fields.time("created_at", created(row));
            match define(row, &key, created_at, &mut fields) {
                Ok(new) if !seen.insert(identity(&new)) => {
                    let reason = format!("{} is taken by an earlier row", identity(&new));
                    self.findings.skip(R::TABLE, &key, reason);
                }
                Ok(new) => {
                    let created_at = created_at.unwrap_or(self.options.now);
                    definitions.push(Definition { table: R::TABLE, key, new, created_at });
                }
                Err(reason) => self.findings.skip(R::TABLE, &key, reason),
            }
        }
        Ok(definitions)
    }

    fn fields<'f>(&'f mut self, table: &'f str, key: &'f str) -> Fields<'f> {
        Fields { table, key, zone: &self.options.zone, findings: self.findings }
    }
}

/// The key as it was, where the slug is another.
fn legacy_key(slug: &Slug, raw: &str) -> Option<LegacyKey> {
    if slug.as_str() == raw { None } else { LegacyKey::parse(raw).ok() }
}

/// A slug of a field that names something else.
fn slug(value: &Value) -> Option<Slug> {
    value.key().filter(|key| !key.trim().is_empty()).map(|key| Slug::from_legacy(&key))
}

/// The instant so many days later, if days are given.
fn days_later(from: Timestamp, days: u64) -> Timestamp {
    from.plus(std::time::Duration::from_secs(days.saturating_mul(24 * 60 * 60)))
}
