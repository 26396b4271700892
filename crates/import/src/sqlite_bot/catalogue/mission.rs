//! Missions.

use diesel::QueryableByName;
use diesel::sql_types::{Nullable, Text};
use guildhall_domain::{
    Amount, Mission, MissionCadence, NewMission, Objective, Points, Reward, Slug, Timestamp, Title,
};

use super::{CatalogueRow, Reading, days_later, legacy_key, slug};
use crate::catalogue::Definition;
use crate::error::ImportError;
use crate::fields::Fields;
use crate::value::Value;

macro_rules! mission_row {
    ($($column:ident),+ $(,)?) => {
        #[derive(QueryableByName)]
        pub(in crate::sqlite_bot) struct MissionRow {
            $(#[diesel(sql_type = Nullable<Text>)] $column: Value,)+
            #[diesel(sql_type = Nullable<Text>, column_name = "type")]
            kind: Value,
        }

        impl CatalogueRow for MissionRow {
            const TABLE: &'static str = "missions";
            const COLUMNS: &'static [&'static str] = &[$(stringify!($column),)+ "type"];
            fn key(&self) -> Option<String> {
                self.id.key().filter(|key| !key.trim().is_empty())
            }
        }
    };
}

mission_row! {
    id, name, description, reward_points, target_value, duration_days, is_active, requires_action,
    action_data, unlocks_lore_piece_code, created_at,
}

/// No community lasts longer, and no time is beyond its range.
const DAYS_MAX: u64 = 36_525;

pub(super) fn read(reading: &mut Reading<'_>) -> Result<Vec<Definition<NewMission>>, ImportError> {
    reading.define(mission, |row: &MissionRow| &row.created_at, |new: &NewMission| new.id.clone())
}

fn mission(
    row: &MissionRow,
    key: &str,
    created_at: Option<Timestamp>,
    fields: &mut Fields<'_>,
) -> Result<NewMission, String> {
    let id = Slug::from_legacy(key);
    let title = fields.text("name", &row.name).or_else(|| Title::parse(key).ok());
    let title = title.ok_or("it has no usable name")?;
    let (cadence, objective) = asked(row, fields);
    let action_data = fields.json("action_data", &row.action_data);
    let in_data = action_data.as_ref().and_then(|data| {
        let code = data.value().get("unlocks_lore_piece_code")?.as_str()?;
        Some(Slug::from_legacy(code))
    });
    let mut rewards: Vec<Reward> = points(row, fields).map(Reward::Points).into_iter().collect();
    rewards.extend(slug(&row.unlocks_lore_piece_code).or(in_data).map(Reward::Lore));
    let new = NewMission {
        description: fields.text("description", &row.description),
        ends_at: end(row, created_at, fields),
        requires_action: fields.flag("requires_action", &row.requires_action, false),
        action_data,
        is_active: fields.flag("is_active", &row.is_active, true),
        legacy_key: legacy_key(&id, key),
        objectives: vec![objective],
        rewards,
        ..NewMission::new(id, title, cadence)
    };
    new.clone().created(Timestamp::EPOCH).map(|_: Mission| new).map_err(|error| error.to_string())
}

/// One objective, the action of which has the name of the type.
fn asked(row: &MissionRow, fields: &mut Fields<'_>) -> (MissionCadence, Objective) {
    let target = match &row.target_value {
        absent if absent.is_blank() => 1,
        value => value.whole().and_then(|target| u64::try_from(target).ok()).unwrap_or(0),
    };
    let target = if (1..=Objective::VALUE_MAX).contains(&target) {
        target
    } else {
        fields.warn("target_value", "is not a whole number of at least 1; taken as 1");
        1
    };
    let name = row.kind.key().filter(|name| !name.trim().is_empty());
    let name = name.map_or_else(|| Slug::from_legacy("one_time"), |name| Slug::from_legacy(&name));
    match name.as_str() {
        "daily" => (MissionCadence::Daily, Objective::action(name, target)),
        "weekly" => (MissionCadence::Weekly, Objective::action(name, target)),
        "login_streak" => (MissionCadence::OneTime, Objective::reaching(name, target)),
        // The action that a message counts as here.
        "messages" => {
            (MissionCadence::OneTime, Objective::action(Slug::from_legacy("message"), target))
        }
        _ => (MissionCadence::OneTime, Objective::action(name, target)),
    }
}

fn points(row: &MissionRow, fields: &mut Fields<'_>) -> Option<Amount> {
    let points = fields.points("reward_points", &row.reward_points)?;
    if points < Points::ZERO {
        fields.warn("reward_points", "is less than 0; taken as 0");
    }
    Amount::new(points).ok()
}

/// So many days after it was made; without end when nobody knows when that was.
fn end(
    row: &MissionRow,
    created_at: Option<Timestamp>,
    fields: &mut Fields<'_>,
) -> Option<Timestamp> {
    let days = fields.count("duration_days", &row.duration_days);
    if days == 0 {
        return None;
    }
    let end = created_at.filter(|_| days <= DAYS_MAX).map(|from| days_later(from, days));
    if end.is_none() {
        fields.warn("duration_days", "has no time to begin at, or is too long; without end");
    }
    end
}
