//! The story: the unified table first, then the older ones where the key is new.

use std::collections::{BTreeMap, HashSet};

use guildhall_domain::{
    Amount, Effect, EffectAction, EffectTrigger, FragmentKind, NewChoice, NewFragment, Points,
    Requirement, Reward, Slug, Timestamp,
};
use serde_json::{Value as Json, json};

use super::{CatalogueRow, Reading, catalogue_row, legacy_key};
use crate::catalogue::Definition;
use crate::error::ImportError;
use crate::fields::Fields;
use crate::narrative_json::parse_narrative;
use crate::value::Value;

catalogue_row! {
    UnifiedRow("narrative_fragments_unified", id) {
        id, title, content, fragment_type, choices, triggers, required_clues, created_at,
        is_active,
    }
}

catalogue_row! {
    StoryRow("story_fragments", id) {
        id, key, text, character, level, min_besitos, required_role, reward_besitos,
        unlocks_achievement_id, auto_next_fragment_key, created_at,
    }
}

catalogue_row! {
    ChoiceRow("narrative_choices", id) {
        id, source_fragment_id, destination_fragment_key, text, required_besitos, required_role,
    }
}

/// The key of the fragment that begins the story.
const START: &str = "start";

pub(super) fn read(reading: &mut Reading<'_>) -> Result<Vec<Definition<NewFragment>>, ImportError> {
    let mut fragments = reading.define(
        unified,
        |row: &UnifiedRow| &row.created_at,
        |new: &NewFragment| new.id.clone(),
    )?;
    let mut known: HashSet<Slug> = fragments.iter().map(|one| one.new.id.clone()).collect();
    let mut choices = choices(reading)?;
    let rows: Vec<StoryRow> = reading.rows()?;
    for row in &rows {
        let id = CatalogueRow::key(row).unwrap_or_default();
        let own = choices.remove(&id).unwrap_or_default();
        let Some(key) = row.key.key().filter(|key| !key.trim().is_empty()) else {
            reading.findings.skip(StoryRow::TABLE, &id, "it has no key");
            continue;
        };
        if known.contains(&Slug::from_legacy(&key)) {
            let reason = "its key is taken by the unified table or an earlier row";
            reading.findings.skip(StoryRow::TABLE, &key, reason);
            continue;
        }
        let created_at = reading.fields(StoryRow::TABLE, &key).time("created_at", &row.created_at);
        let created_at = created_at.unwrap_or(reading.options.now);
        if let Some(new) = older(reading, row, &key, own) {
            known.insert(new.id.clone());
            fragments.push(Definition { table: StoryRow::TABLE, key, new, created_at });
        }
    }
    for (row, _) in choices.into_values().flatten() {
        reading.findings.skip(ChoiceRow::TABLE, &row, "its fragment is not in story_fragments");
    }
    Ok(fragments)
}

/// Choices, with the keys of their rows, by the id of the fragment they belong to.
fn choices(
    reading: &mut Reading<'_>,
) -> Result<BTreeMap<String, Vec<(String, Json)>>, ImportError> {
    let rows: Vec<ChoiceRow> = reading.rows()?;
    let mut choices: BTreeMap<String, Vec<(String, Json)>> = BTreeMap::new();
    for row in &rows {
        let key = CatalogueRow::key(row).unwrap_or_default();
        let choice = json!({
            "text": json(&row.text),
            "destination_key": json(&row.destination_fragment_key),
            "required_besitos": json(&row.required_besitos),
            "required_role": json(&row.required_role),
        });
        let source = row.source_fragment_id.key().unwrap_or_default();
        choices.entry(source).or_default().push((key, choice));
    }
    Ok(choices)
}

/// A row of the older table. It says what a fragment in a JSON file says, and is read as one.
fn older(
    reading: &mut Reading<'_>,
    row: &StoryRow,
    key: &str,
    choices: Vec<(String, Json)>,
) -> Option<NewFragment> {
    let decisions: Vec<Json> = choices.into_iter().map(|(_, choice)| choice).collect();
    let object = json!({
        "key": key,
        "text": json(&row.text),
        "character": json(&row.character),
        "level": json(&row.level),
        "required_besitos": json(&row.min_besitos),
        "required_role": json(&row.required_role),
        "reward_besitos": json(&row.reward_besitos),
        "unlocks_achievement_id": json(&row.unlocks_achievement_id),
        "auto_next_fragment_key": json(&row.auto_next_fragment_key),
        "decisions": decisions,
    });
    let file = match parse_narrative(&object.to_string()) {
        Ok(file) => file,
        Err(error) => {
            reading.findings.skip(StoryRow::TABLE, key, error.to_string());
            return None;
        }
    };
    for skipped in file.skipped {
        reading.findings.skip(StoryRow::TABLE, key, skipped.reason);
    }
    for warning in file.warnings {
        let field = warning.field.as_deref();
        reading.findings.warn(StoryRow::TABLE, key, field, warning.message);
    }
    file.fragments.into_iter().next()
}

fn json(value: &Value) -> Json {
    match value {
        Value::Bool(flag) => json!(flag),
        Value::Int(number) => json!(number),
        Value::Real(number) => json!(number),
        Value::Text(text) => json!(text),
        _ => Json::Null,
    }
}

fn unified(
    row: &UnifiedRow,
    key: &str,
    _: Option<Timestamp>,
    fields: &mut Fields<'_>,
) -> Result<NewFragment, String> {
    let id = Slug::from_legacy(key);
    let title = fields.text("title", &row.title).ok_or("it has no usable title")?;
    let content = fields.text("content", &row.content).ok_or("it has no usable content")?;
    let choices = ways(row, fields);
    let kind = row.fragment_type.key().unwrap_or_default().trim().to_lowercase();
    let kind = kind.parse().unwrap_or_else(|_| {
        fields.warn("fragment_type", "is unknown; taken from the number of choices");
        if choices.is_empty() { FragmentKind::Story } else { FragmentKind::Decision }
    });
    let kind = if choices.len() > 1 && kind != FragmentKind::Decision {
        fields.warn("fragment_type", "has several choices; taken as a decision");
        FragmentKind::Decision
    } else {
        kind
    };
    let clues = fields.list("required_clues", &row.required_clues);
    let mut requirements: Vec<Requirement> = Vec::with_capacity(clues.len());
    for clue in clues.iter().filter_map(Json::as_str) {
        let wanted = Requirement::Lore(Slug::from_legacy(clue));
        if !requirements.contains(&wanted) {
            requirements.push(wanted);
        }
    }
    let new = NewFragment {
        is_start: key == START,
        is_active: fields.flag("is_active", &row.is_active, true),
        requirements,
        effects: effects(row, fields),
        choices,
        legacy_key: legacy_key(&id, key),
        ..NewFragment::new(id, title, content, kind)
    };
    new.check().map(|()| new).map_err(|error| error.to_string())
}

fn ways(row: &UnifiedRow, fields: &mut Fields<'_>) -> Vec<NewChoice> {
    let items = fields.list("choices", &row.choices);
    let mut choices = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let text = item.get("text").and_then(Json::as_str);
        let text = text.and_then(|text| text.parse().ok());
        let next = item.get("next_fragment_id").and_then(Json::as_str);
        let next = next.filter(|next| !next.trim().is_empty()).map(Slug::from_legacy);
        match (text, next) {
            (Some(text), Some(next)) => choices.push(NewChoice::new(text, next)),
            _ => {
                let place = format!("choices[{index}]");
                fields.warn(&place, "lacks a valid text or where it leads; left out");
            }
        }
    }
    choices
}

/// What it gives on the first visit.
fn effects(row: &UnifiedRow, fields: &mut Fields<'_>) -> Vec<Effect> {
    let Some(triggers) = fields.json("triggers", &row.triggers) else { return Vec::new() };
    let mut rewards = Vec::new();
    for (name, value) in triggers.value().as_object().into_iter().flatten() {
        let points = || {
            let value = serde_json::from_value::<Value>(value.clone()).unwrap_or_default();
            let (points, _) = crate::value::points(&value)?;
            Some(points)
        };
        let reward = match name.as_str() {
            "reward_points" => match points() {
                Some(Points::ZERO) => continue,
                points => points.and_then(|points| Amount::new(points).ok()).map(Reward::Points),
            },
            "unlock_lore" => value
                .as_str()
                .filter(|code| !code.trim().is_empty())
                .map(|code| Reward::Lore(Slug::from_legacy(code))),
            _ => None,
        };
        match reward {
            Some(reward) => rewards.push(reward),
            None if value.is_null() => {}
            None => fields.warn(&format!("triggers.{name}"), "has no counterpart; left out"),
        }
    }
    let effect =
        |reward| Effect { trigger: EffectTrigger::Visit, action: EffectAction::Reward(reward) };
    rewards.into_iter().map(effect).collect()
}
