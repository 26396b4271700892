//! What a member did: missions, achievements, badges, lore, rewards, the way through the story.

mod story;

use diesel::QueryableByName;
use diesel::sql_types::{Nullable, Text};
use diesel::sqlite::SqliteConnection;
use guildhall_domain::{Json, Timestamp};

use super::schema::Schema;
use super::side::{Side, SideRow};
use super::user::UserRow;
use super::vip::side_row;
use crate::detect::SourceFile;
use crate::error::ImportError;
use crate::facts::{Deed, Fact, LoreKey};
use crate::fields::Fields;
use crate::findings::Findings;
use crate::record::ReadOptions;
use crate::value::Value;

side_row! {
    EntryRow("user_mission_entries", "mission_id", mission_id) {
        user_id, mission_id, progress_value, completed, completed_at,
    }
}
side_row! {
    UnlockRow("user_achievements", "achievement_id", achievement_id) {
        user_id, achievement_id, unlocked_at,
    }
}
side_row! {
    BadgeHeldRow("user_badges", "id", id) { id, user_id, badge_id, awarded_at }
}
side_row! {
    LoreFoundRow("user_lore_pieces", "lore_piece_id", lore_piece_id) {
        user_id, lore_piece_id, unlocked_at, context,
    }
}
side_row! {
    ClaimRow("user_rewards", "reward_id", reward_id) { user_id, reward_id, claimed_at }
}
side_row! {
    StateRow("user_narrative_states_unified", "user_id", user_id) {
        user_id, current_fragment_id, visited_fragments, completed_fragments, unlocked_clues,
    }
}
side_row! {
    OlderStateRow("user_narrative_states", "user_id", user_id) {
        user_id, current_fragment_key, choices_made, narrative_started_at, last_activity_at,
    }
}

/// Lists in a column of `users`, which are united with a table.
pub(super) const MISSIONS_COMPLETED: &str = "users.missions_completed";
pub(super) const ACHIEVEMENTS: &str = "users.achievements";

/// How many connections the tables of facts need.
pub(super) const CONNECTIONS: usize = 7;

/// The streams of all tables of facts.
pub(super) struct FactSides<'c> {
    entries: Side<'c, EntryRow>,
    unlocks: Side<'c, UnlockRow>,
    badges: Side<'c, BadgeHeldRow>,
    lore: Side<'c, LoreFoundRow>,
    claims: Side<'c, ClaimRow>,
    states: Side<'c, StateRow>,
    older: Side<'c, OlderStateRow>,
}

impl<'c> FactSides<'c> {
    pub(super) fn open(
        conns: &'c mut [SqliteConnection; CONNECTIONS],
        file: &'c SourceFile,
        schema: &Schema,
        after: Option<i64>,
    ) -> Result<Self, ImportError> {
        let [entries, unlocks, badges, lore, claims, states, older] = conns;
        Ok(Self {
            entries: Side::open(entries, file, schema, after)?,
            unlocks: Side::open(unlocks, file, schema, after)?,
            badges: Side::open(badges, file, schema, after)?,
            lore: Side::open(lore, file, schema, after)?,
            claims: Side::open(claims, file, schema, after)?,
            states: Side::open(states, file, schema, after)?,
            older: Side::open(older, file, schema, after)?,
        })
    }

    /// Everything that the member did, in the order in which it is to be written.
    pub(super) fn take(
        &mut self,
        id: i64,
        user: &UserRow,
        options: &ReadOptions,
        findings: &mut Findings,
    ) -> Result<Vec<Fact>, ImportError> {
        let mut facts = Vec::new();
        for row in self.entries.take(id, findings)? {
            facts.extend(mission(&row, options, findings));
        }
        let member = id.to_string();
        for (key, value) in listed(MISSIONS_COMPLETED, &member, &user.missions_completed, findings)
        {
            facts.push(Fact {
                table: MISSIONS_COMPLETED,
                what: Deed::Completed { mission: key.clone() },
                at: time(
                    MISSIONS_COMPLETED,
                    &key,
                    "completed_at",
                    &text(&value),
                    options,
                    findings,
                ),
                key,
            });
        }
        for row in self.unlocks.take(id, findings)? {
            let at = row_time(&row, "unlocked_at", &row.unlocked_at, options, findings);
            facts.extend(named(&row, &row.achievement_id, findings).map(|achievement| {
                let what = Deed::Achieved { achievement: achievement.clone(), context: None };
                Fact { table: UnlockRow::TABLE, key: achievement, what, at }
            }));
        }
        for (key, value) in listed(ACHIEVEMENTS, &member, &user.achievements, findings) {
            let when = value.get("unlocked_at").unwrap_or(&value);
            let at = time(ACHIEVEMENTS, &key, "unlocked_at", &text(when), options, findings);
            let context = value.get("context").filter(|found| found.is_object());
            let context = context.and_then(|context| Json::new(context.clone()).ok());
            let what = Deed::Achieved { achievement: key.clone(), context };
            facts.push(Fact { table: ACHIEVEMENTS, key, what, at });
        }
        for row in self.badges.take(id, findings)? {
            let at = row_time(&row, "awarded_at", &row.awarded_at, options, findings);
            facts.extend(named(&row, &row.badge_id, findings).map(|badge| {
                let what = Deed::Decorated { badge };
                Fact { table: BadgeHeldRow::TABLE, key: row.key(), what, at }
            }));
        }
        for row in self.lore.take(id, findings)? {
            let at = row_time(&row, "unlocked_at", &row.unlocked_at, options, findings);
            let key = row.key();
            let mut fields = fields(LoreFoundRow::TABLE, &key, options, findings);
            let context = fields.json("context", &row.context);
            facts.extend(named(&row, &row.lore_piece_id, findings).map(|piece| {
                let what = Deed::FoundLore { lore: LoreKey::Row(piece.clone()), context };
                Fact { table: LoreFoundRow::TABLE, key: piece, what, at }
            }));
        }
        for row in self.claims.take(id, findings)? {
            let at = row_time(&row, "claimed_at", &row.claimed_at, options, findings);
            facts.extend(named(&row, &row.reward_id, findings).map(|reward| {
                let what = Deed::Owns { reward: reward.clone() };
                Fact { table: ClaimRow::TABLE, key: reward, what, at }
            }));
        }
        let states = self.states.take(id, findings)?;
        let older = self.older.take(id, findings)?;
        facts.extend(story::facts(&member, &states, &older, options, findings));
        Ok(facts)
    }

    /// What is left belongs to nobody.
    pub(super) fn rest(&mut self, findings: &mut Findings) -> Result<(), ImportError> {
        self.entries.rest(findings)?;
        self.unlocks.rest(findings)?;
        self.badges.rest(findings)?;
        self.lore.rest(findings)?;
        self.claims.rest(findings)?;
        self.states.rest(findings)?;
        self.older.rest(findings)
    }
}

/// A completion, or progress. An entry without any is as good as none.
fn mission(row: &EntryRow, options: &ReadOptions, findings: &mut Findings) -> Option<Fact> {
    let mission = named(row, &row.mission_id, findings)?;
    let table = EntryRow::TABLE;
    let mut fields = fields(table, &mission, options, findings);
    let at = fields.time("completed_at", &row.completed_at);
    let value = fields.count("progress_value", &row.progress_value);
    let what = if fields.flag("completed", &row.completed, false) {
        Deed::Completed { mission: mission.clone() }
    } else {
        Deed::Progressed { mission: mission.clone(), value }
    };
    Some(Fact { table, key: mission, what, at })
}

/// The key of what a row is about; without one the row is skipped.
fn named<R: SideRow>(row: &R, value: &Value, findings: &mut Findings) -> Option<String> {
    let key = value.key().filter(|key| !key.trim().is_empty());
    if key.is_none() {
        findings.skip(R::TABLE, &row.key(), "it does not say what it is about");
    }
    key
}

fn fields<'f>(
    table: &'f str,
    key: &'f str,
    options: &'f ReadOptions,
    findings: &'f mut Findings,
) -> Fields<'f> {
    Fields { table, key, zone: &options.zone, findings }
}

fn time(
    table: &str,
    key: &str,
    field: &str,
    value: &Value,
    options: &ReadOptions,
    findings: &mut Findings,
) -> Option<Timestamp> {
    fields(table, key, options, findings).time(field, value)
}

fn row_time<R: SideRow>(
    row: &R,
    field: &str,
    value: &Value,
    options: &ReadOptions,
    findings: &mut Findings,
) -> Option<Timestamp> {
    time(R::TABLE, &row.key(), field, value, options, findings)
}

fn text(value: &serde_json::Value) -> Value {
    value.as_str().map_or(Value::Null, |text| Value::Text(text.to_owned()))
}

/// The fields of an object in a column of `users`.
fn listed(
    table: &'static str,
    member: &str,
    value: &Value,
    findings: &mut Findings,
) -> Vec<(String, serde_json::Value)> {
    let json = match value {
        blank if blank.is_blank() => return Vec::new(),
        Value::Text(text) => serde_json::from_str(text).ok(),
        _ => None,
    };
    let listed: Vec<(String, serde_json::Value)> = match json {
        Some(serde_json::Value::Object(fields)) => fields.into_iter().collect(),
        Some(serde_json::Value::Null) => Vec::new(),
        Some(serde_json::Value::Array(items)) if items.is_empty() => Vec::new(),
        _ => {
            let field = table.trim_start_matches("users.");
            findings.warn("users", member, Some(field), "is not a JSON object; left out");
            Vec::new()
        }
    };
    for _ in &listed {
        findings.read(table);
    }
    listed
}
