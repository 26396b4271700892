//! Achievements and badges.

use diesel::RunQueryDsl;
use diesel::sql_types::{BigInt, Text};
use guildhall_domain::{
    BadgeRule, Criterion, Icon, Label, Metric, NewAchievement, NewBadge, Slug, Timestamp, VipTerm,
};

use super::{Reading, catalogue_row, legacy_key};
use crate::catalogue::Definition;
use crate::error::ImportError;
use crate::fields::Fields;
use crate::sqlite_bot::open::broken;
use crate::value::Value;

catalogue_row! {
    AchievementRow("achievements", id) {
        id, name, condition_type, condition_value, reward_text, created_at,
    }
}

catalogue_row! {
    BadgeRow("badges", id) {
        id, name, description, icon, emoji, requirement, condition_type, condition_value,
        is_active, created_at, grants_vip_access, vip_duration_days, auto_telegram_permissions,
        revocable,
    }
}

/// Achievements that the bots carry in their program: members have them without a row to say what
/// they are.
const PREDEFINED: [(&str, &str, i64); 5] = [
    ("first_message", "messages", 1),
    ("conversador", "messages", 100),
    ("invitador", "invites", 5),
    ("checkin_7dias", "checkins", 7),
    ("vip_supporter", "vip", 1),
];

pub(super) fn achievements(
    reading: &mut Reading<'_>,
) -> Result<Vec<Definition<NewAchievement>>, ImportError> {
    let mut defined = reading.define(
        achievement,
        |row: &AchievementRow| &row.created_at,
        |new: &NewAchievement| new.id.clone(),
    )?;
    for (id, condition, value) in PREDEFINED {
        let slug = Slug::from_legacy(id);
        if defined.iter().any(|one| one.new.id == slug) || !is_held(reading, id)? {
            continue;
        }
        let Ok(title) = Label::parse(id) else { continue };
        let criteria = Metric::from_legacy(condition, value);
        let criteria = criteria.map(|(metric, from)| Criterion::at_least(metric, from));
        let criteria = criteria.into_iter().collect();
        let new = NewAchievement { criteria, ..NewAchievement::new(slug, title) };
        let (key, created_at) = (id.to_owned(), reading.options.now);
        reading.findings.read("achievements");
        let message = "is defined by the bot's program, not in the file; its key is its title";
        reading.findings.warn("achievements", id, None, message);
        defined.push(Definition { table: "achievements", key, new, created_at });
    }
    Ok(defined)
}

#[derive(diesel::QueryableByName)]
struct Held {
    #[diesel(sql_type = BigInt)]
    held: i64,
}

/// Whether any member has the achievement of this id.
fn is_held(reading: &mut Reading<'_>, id: &str) -> Result<bool, ImportError> {
    for (table, column, wanted) in [
        ("users", "achievements", format!("\"{id}\"")),
        ("user_achievements", "achievement_id", id.to_owned()),
    ] {
        if !reading.schema.has_column(table, column) {
            continue;
        }
        let query =
            format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE instr({column}, ?) > 0) AS held");
        let found: Held = diesel::sql_query(query)
            .bind::<Text, _>(wanted)
            .get_result(reading.conn)
            .map_err(|error| broken(reading.file, &format!("table {table}"), &error))?;
        if found.held > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

fn achievement(
    row: &AchievementRow,
    key: &str,
    _: Option<Timestamp>,
    fields: &mut Fields<'_>,
) -> Result<NewAchievement, String> {
    let id = Slug::from_legacy(key);
    let title = fields.text("name", &row.name).or_else(|| Label::parse(key).ok());
    let title = title.ok_or("it has no usable name")?;
    let known = condition(&row.condition_type, &row.condition_value);
    if known.is_none() {
        fields.warn("condition_type", "has no counterpart; it is only given by hand");
    }
    let criteria = known.map(|(metric, from)| Criterion::at_least(metric, from));
    let new = NewAchievement {
        reward_text: fields.text("reward_text", &row.reward_text),
        criteria: criteria.into_iter().collect(),
        legacy_key: legacy_key(&id, key),
        ..NewAchievement::new(id, title)
    };
    new.check().map(|()| new).map_err(|error| error.to_string())
}

pub(super) fn badges(reading: &mut Reading<'_>) -> Result<Vec<Definition<NewBadge>>, ImportError> {
    reading.define(
        badge,
        |row: &BadgeRow| &row.created_at,
        |new: &NewBadge| new.name.as_str().to_lowercase(),
    )
}

fn badge(
    row: &BadgeRow,
    _: &str,
    _: Option<Timestamp>,
    fields: &mut Fields<'_>,
) -> Result<NewBadge, String> {
    let name: Option<Label> = fields.text("name", &row.name);
    let name = name.ok_or("it has no usable name")?;
    let grants = fields.flag("grants_vip_access", &row.grants_vip_access, false);
    let days = fields.count("vip_duration_days", &row.vip_duration_days);
    let term = match days {
        _ if !grants => None,
        0 => Some(VipTerm::Lifetime),
        days => VipTerm::of_days(u32::try_from(days).ok()).ok(),
    };
    if grants && term.is_none() {
        fields.warn("vip_duration_days", "is too long; it makes nobody a VIP");
    }
    let new = NewBadge {
        description: fields.text("description", &row.description),
        icon: fields.text::<Icon>("icon", &row.icon),
        emoji: fields.text::<Icon>("emoji", &row.emoji),
        rule: rule(row, fields),
        vip: term,
        auto_permissions: fields.flag(
            "auto_telegram_permissions",
            &row.auto_telegram_permissions,
            false,
        ),
        revocable: fields.flag("revocable", &row.revocable, true),
        is_active: fields.flag("is_active", &row.is_active, true),
        ..NewBadge::new(name)
    };
    new.check().map(|()| new).map_err(|error| error.to_string())
}

/// The condition where there is one, else what the words say; nothing is given by hand.
fn rule(row: &BadgeRow, fields: &mut Fields<'_>) -> Option<BadgeRule> {
    let made = |(metric, threshold)| BadgeRule { metric, threshold };
    if !row.condition_type.is_blank() {
        let known = condition(&row.condition_type, &row.condition_value);
        if known.is_none() {
            fields.warn("condition_type", "has no counterpart; it is only given by hand");
        }
        return known.map(made);
    }
    let Value::Text(words) = &row.requirement else { return None };
    let known = in_words(words);
    if known.is_none() && !words.trim().is_empty() {
        fields.warn("requirement", "is not understood; it is only given by hand");
    }
    known.map(made)
}

fn condition(kind: &Value, value: &Value) -> Option<(Metric, i64)> {
    let Value::Text(kind) = kind else { return None };
    Metric::from_legacy(kind.trim(), value.whole().filter(|value| *value > 0)?)
}

/// `nivel 5` and `100 mensajes`, wherever they stand.
fn in_words(text: &str) -> Option<(Metric, i64)> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let number = |word: &str| word.parse().ok().filter(|number: &i64| *number > 0);
    words.windows(2).find_map(|pair| match (pair[0].as_str(), pair[1].as_str()) {
        ("nivel", level) => Metric::from_legacy("level", number(level)?),
        (count, "mensajes") => Metric::from_legacy("messages", number(count)?),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_understood_where_it_is_plain() {
        let rule = |text: &str| in_words(text).map(|(metric, from)| (metric.to_string(), from));
        assert_eq!(rule("Alcanzar Nivel 5"), Some(("level".to_owned(), 5)));
        assert_eq!(rule("enviar 100 mensajes"), Some(("messages".to_owned(), 100)));
        for text in ["", "nivel", "nivel alto", "muchos mensajes", "0 mensajes", "ser amable"] {
            assert_eq!(rule(text), None, "{text}");
        }
    }
}
