//! Which tables and columns a file has: shapes differ between versions of the bots.

use std::collections::BTreeMap;

use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::sqlite::SqliteConnection;
use diesel::{QueryableByName, RunQueryDsl};

use super::catalogue::{
    AchievementRow, BadgeRow, CatalogueRow, ChoiceRow, LoreRow, MissionRow, RewardRow, StoryRow,
    UnifiedRow,
};
use super::facts::{
    BadgeHeldRow, ClaimRow, EntryRow, LoreFoundRow, OlderStateRow, StateRow, UnlockRow,
};
use super::level::LevelRow;
use super::open::broken;
use super::side::SideRow;
use super::{AccessRow, LedgerRow, StatsRow, SubscriptionRow, UserRow, VipTransactionRow};
use crate::detect::SourceFile;
use crate::error::ImportError;
use crate::findings::Findings;

/// The tables that are imported, with the columns that are read and those that follow from others
/// and are computed anew.
const TABLES: [(&str, &[&str], &[&str]); 22] = [
    ("levels", LevelRow::COLUMNS, &[]),
    ("users", UserRow::COLUMNS, &USER_DERIVED),
    (StatsRow::TABLE, StatsRow::COLUMNS, &[]),
    (LedgerRow::TABLE, LedgerRow::COLUMNS, &["balance_after"]),
    (SubscriptionRow::TABLE, SubscriptionRow::COLUMNS, &[]),
    (VipTransactionRow::TABLE, VipTransactionRow::COLUMNS, &[]),
    (AccessRow::TABLE, AccessRow::COLUMNS, &[]),
    (MissionRow::TABLE, MissionRow::COLUMNS, &[]),
    (AchievementRow::TABLE, AchievementRow::COLUMNS, &[]),
    // Whether it is a VIP badge is told by `grants_vip_access`.
    (BadgeRow::TABLE, BadgeRow::COLUMNS, &["is_free_vip"]),
    (UnifiedRow::TABLE, UnifiedRow::COLUMNS, &["updated_at"]),
    (StoryRow::TABLE, StoryRow::COLUMNS, &["updated_at"]),
    (ChoiceRow::TABLE, ChoiceRow::COLUMNS, &["created_at"]),
    (LoreRow::TABLE, LoreRow::COLUMNS, &["updated_at"]),
    (RewardRow::TABLE, RewardRow::COLUMNS, &[]),
    (EntryRow::TABLE, EntryRow::COLUMNS, &["id"]),
    (UnlockRow::TABLE, UnlockRow::COLUMNS, &[]),
    (BadgeHeldRow::TABLE, BadgeHeldRow::COLUMNS, &[]),
    (LoreFoundRow::TABLE, LoreFoundRow::COLUMNS, &[]),
    (ClaimRow::TABLE, ClaimRow::COLUMNS, &[]),
    (StateRow::TABLE, StateRow::COLUMNS, &[]),
    (OlderStateRow::TABLE, OlderStateRow::COLUMNS, &STATE_DERIVED),
];

/// Periods here have no resets, and the level follows from the experience.
const USER_DERIVED: [&str; 4] =
    ["level", "updated_at", "last_daily_mission_reset", "last_weekly_mission_reset"];
/// Counts of what the lists say, and a mark of a running process.
const STATE_DERIVED: [&str; 3] = ["fragments_visited", "fragments_completed", "processing_reward"];

/// Tables that every shape of these databases has.
const USUAL: [&str; 3] = ["users", "user_stats", "levels"];

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    definition: Option<String>,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

#[derive(QueryableByName)]
struct Check {
    #[diesel(sql_type = Text)]
    quick_check: String,
}

/// The tables of a file with their columns.
pub(super) struct Schema {
    tables: BTreeMap<String, Vec<String>>,
    virtual_tables: Vec<String>,
}

impl Schema {
    pub(super) fn read(
        conn: &mut SqliteConnection,
        file: &SourceFile,
    ) -> Result<Self, ImportError> {
        let fail = |error: diesel::result::Error| broken(file, "the schema", &error);
        let found: Vec<Name> = diesel::sql_query(
            "SELECT name, sql AS definition FROM sqlite_master \
             WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
        )
        .load(conn)
        .map_err(fail)?;
        let mut schema = Self { tables: BTreeMap::new(), virtual_tables: Vec::new() };
        for Name { name, definition } in found {
            let definition = definition.unwrap_or_default().to_ascii_uppercase();
            if definition.starts_with("CREATE VIRTUAL") {
                schema.virtual_tables.push(name); // Its module may be missing here.
                continue;
            }
            let query = "SELECT name, NULL AS definition FROM pragma_table_info(?)";
            let query = diesel::sql_query(query).bind::<Text, _>(&name);
            let columns: Vec<Name> = query.load(conn).map_err(fail)?;
            let columns = columns.into_iter().map(|column| column.name.to_lowercase()).collect();
            schema.tables.insert(name, columns);
        }
        Ok(schema)
    }

    pub(super) fn has(&self, table: &str) -> bool {
        self.tables.contains_key(table)
    }

    pub(super) fn has_column(&self, table: &str, column: &str) -> bool {
        self.tables.get(table).is_some_and(|columns| columns.iter().any(|other| other == column))
    }

    pub(super) fn tables_read(&self) -> impl Iterator<Item = &'static str> {
        TABLES.iter().map(|(table, ..)| *table).filter(|table| self.has(table))
    }

    /// Refuses a file without members who have ids and points. Everything else may be absent.
    pub(super) fn check_required(&self, file: &SourceFile) -> Result<(), ImportError> {
        let columns = ["id", "points"].map(|column| ("users", column));
        let absent = columns.iter().filter(|(table, column)| !self.has_column(table, column));
        let mut missing: Vec<String> =
            absent.map(|(table, column)| format!("column {table}.{column}")).collect();
        if missing.is_empty() {
            return Ok(());
        }
        if !self.has("users") {
            missing.clear();
        }
        let tables = USUAL.iter().filter(|table| !self.has(table));
        missing.extend(tables.map(|table| format!("table {table}")));
        Err(ImportError::ForeignSqlite { path: file.path.clone(), missing })
    }

    /// Lets SQLite check the structure of every table that is imported.
    pub(super) fn check_health(
        &self,
        conn: &mut SqliteConnection,
        file: &SourceFile,
    ) -> Result<(), ImportError> {
        // What one row breaks of its table's promises is found, and reported, when it is read.
        let of_rows = ["NULL value in", "CHECK constraint", "non-unique", "NUMERIC value in"];
        for table in self.tables_read() {
            let part = format!("table {table}");
            let found: Vec<Check> = diesel::sql_query(format!("PRAGMA quick_check({table})"))
                .load(conn)
                .map_err(|error| broken(file, &part, &error))?;
            let damage = found.into_iter().map(|check| check.quick_check).find(|message| {
                message != "ok" && !of_rows.iter().any(|known| message.starts_with(known))
            });
            if let Some(detail) = damage {
                // SQLite begins with `*** in database main ***` and a new line.
                let detail = detail.lines().last().unwrap_or_default().to_owned();
                let path = file.path.clone();
                return Err(ImportError::CorruptSqlite { path, part, detail });
            }
        }
        Ok(())
    }

    /// Lists every table that is left alone and every column with content that is.
    pub(super) fn list_not_read(
        &self,
        conn: &mut SqliteConnection,
        file: &SourceFile,
        findings: &mut Findings,
    ) -> Result<(), ImportError> {
        for (table, columns) in &self.tables {
            let Some((_, read, derived)) = TABLES.iter().find(|(known, ..)| known == table) else {
                findings.not_read(table, count_rows(conn, file, table)?);
                continue;
            };
            for column in columns {
                let known = read.contains(&column.as_str()) || derived.contains(&column.as_str());
                let rows = if known { 0 } else { count_filled(conn, file, table, column)? };
                if rows > 0 {
                    findings.column_not_read(table, column, rows);
                }
            }
        }
        for table in &self.virtual_tables {
            findings.not_read(table, 0);
            findings.warn(table, "-", None, "is a virtual table; its rows are not counted");
        }
        for table in USUAL.iter().filter(|table| !self.has(table)) {
            findings.warn(table, "-", None, "is absent in this file");
        }
        if !self.has(LedgerRow::TABLE) {
            let message = "is absent in this file; every balance becomes one opening entry";
            findings.warn(LedgerRow::TABLE, "-", None, message);
        }
        Ok(())
    }

    /// `"a" AS "a", NULL AS "b"`: what this shape lacks is null.
    pub(super) fn select_list(&self, table: &str, columns: &[&str]) -> String {
        let one = |column: &&str| {
            if self.has_column(table, column) {
                format!("\"{column}\" AS \"{column}\"")
            } else {
                format!("NULL AS \"{column}\"")
            }
        };
        columns.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(super) fn count_rows(
    conn: &mut SqliteConnection,
    file: &SourceFile,
    table: &str,
) -> Result<u64, ImportError> {
    count(conn, file, table, "")
}

fn count_filled(
    conn: &mut SqliteConnection,
    file: &SourceFile,
    table: &str,
    column: &str,
) -> Result<u64, ImportError> {
    let column = quoted(column);
    let filled =
        format!(" WHERE {column} IS NOT NULL AND {column} NOT IN ('', '{{}}', '[]', 'null')");
    count(conn, file, table, &filled)
}

fn count(
    conn: &mut SqliteConnection,
    file: &SourceFile,
    table: &str,
    filter: &str,
) -> Result<u64, ImportError> {
    // Through an index alone, a damaged table would go unnoticed.
    let query = format!("SELECT count(*) AS \"rows\" FROM {} NOT INDEXED{filter}", quoted(table));
    let count: Count = diesel::sql_query(query)
        .get_result(conn)
        .map_err(|error| broken(file, &format!("table {table}"), &error))?;
    Ok(u64::try_from(count.rows).unwrap_or(0))
}
