//! The level table.

use diesel::sql_types::{Nullable, Text};
use diesel::sqlite::SqliteConnection;
use diesel::{QueryableByName, RunQueryDsl};
use guildhall_domain::{CommunityZone, DisplayName, Level, LevelTable, Slug, Xp};

use super::open::broken;
use super::schema::Schema;
use crate::detect::SourceFile;
use crate::error::ImportError;
use crate::fields::Fields;
use crate::findings::Findings;
use crate::value::{self, Value};

/// More levels than this are no table of levels.
const LEVELS_MAX: usize = 10_000;

#[derive(QueryableByName)]
pub(super) struct LevelRow {
    #[diesel(sql_type = Nullable<Text>)]
    level_id: Value,
    #[diesel(sql_type = Nullable<Text>)]
    name: Value,
    #[diesel(sql_type = Nullable<Text>)]
    min_points: Value,
    #[diesel(sql_type = Nullable<Text>)]
    reward: Value,
    #[diesel(sql_type = Nullable<Text>)]
    unlocks_lore_piece_code: Value,
}

impl LevelRow {
    pub(super) const COLUMNS: &'static [&'static str] =
        &["level_id", "name", "min_points", "reward", "unlocks_lore_piece_code"];
}

/// The levels, ascending; none, with a warning, when they do not rise from 0.
pub(super) fn read(
    conn: &mut SqliteConnection,
    file: &SourceFile,
    schema: &Schema,
    findings: &mut Findings,
) -> Result<Vec<Level>, ImportError> {
    if !schema.has("levels") {
        return Ok(Vec::new());
    }
    let query = format!(
        "SELECT {} FROM levels ORDER BY level_id LIMIT {LEVELS_MAX}",
        schema.select_list("levels", LevelRow::COLUMNS)
    );
    let rows: Vec<LevelRow> = diesel::sql_query(query)
        .load(conn)
        .map_err(|error| broken(file, "table levels", &error))?;
    findings.table("levels").read = rows.len() as u64;
    let levels: Vec<Level> = rows.iter().filter_map(|row| level(row, findings)).collect();
    if levels.is_empty() {
        return Ok(levels);
    }
    match LevelTable::new(levels) {
        Ok(table) => Ok(table.levels().to_vec()),
        Err(_) => {
            let message = "does not rise from level 1 at 0 points; the levels here are kept";
            findings.warn("levels", "-", None, message);
            Ok(Vec::new())
        }
    }
}

fn level(row: &LevelRow, findings: &mut Findings) -> Option<Level> {
    let key = row.level_id.key().unwrap_or_else(|| "-".to_owned());
    let number = row.level_id.whole().and_then(|id| u32::try_from(id).ok()).filter(|id| *id > 0);
    let min_xp = value::points(&row.min_points).and_then(|(at, _)| Xp::from_minor(at.minor()).ok());
    let (Some(level), Some(min_xp)) = (number, min_xp) else {
        findings.skip("levels", &key, "it has no number from 1 up, or no points to begin at");
        return None;
    };
    let zone = CommunityZone::utc();
    let mut fields = Fields { table: "levels", key: &key, zone: &zone, findings };
    let name = fields.text::<DisplayName>("name", &row.name);
    let name = name.or_else(|| DisplayName::parse(&format!("Level {level}")).ok())?;
    let reward_text = fields.text("reward", &row.reward);
    let lore = row.unlocks_lore_piece_code.key().filter(|code| !code.trim().is_empty());
    let unlocks_lore_code = lore.map(|code| Slug::from_legacy(&code));
    Some(Level { level, name, min_xp, reward_text, unlocks_lore_code })
}
