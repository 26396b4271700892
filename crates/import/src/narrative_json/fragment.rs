//! One fragment of a file.

use guildhall_domain::{
    Amount, CharacterName, CommunityZone, Content, Effect, EffectAction, EffectTrigger,
    FragmentKind, LegacyKey, NewChoice, NewFragment, Points, Requirement, Reward, Role, Slug,
    Title,
};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::fields::Fields;
use crate::findings::Findings;
use crate::value::Value;

/// What findings call the list of fragments.
pub(super) const TABLE: &str = "fragments";

/// Who speaks where nobody is named.
const CHARACTER: &str = "Lucien";
/// The key of the fragment that begins the story.
const START: &str = "start";

const KNOWN: [&str; 13] = [
    "fragment_id",
    "key",
    "title",
    "content",
    "text",
    "character",
    "level",
    "required_besitos",
    "required_role",
    "reward_besitos",
    "unlocks_achievement_id",
    "auto_next_fragment_key",
    "decisions",
];

/// The value of the first of these fields that says something.
fn first(fields: &Map<String, Json>, names: &[&str]) -> Value {
    let value = |name: &&str| Value::deserialize(fields.get(*name)?).ok();
    names.iter().filter_map(value).find(|value| !value.is_blank()).unwrap_or_default()
}

/// The fragment, or a note on why there is none.
pub(super) fn fragment(
    index: usize,
    item: &Json,
    zone: &CommunityZone,
    findings: &mut Findings,
) -> Option<NewFragment> {
    let place = format!("#{}", index + 1);
    let Json::Object(object) = item else {
        findings.skip(TABLE, &place, "is not an object");
        return None;
    };
    let Some(key) = first(object, &["fragment_id", "key"]).key() else {
        findings.skip(TABLE, &place, "has neither a `fragment_id` nor a `key`");
        return None;
    };
    for name in object.keys().filter(|name| !KNOWN.contains(&name.as_str())) {
        findings.column_not_read(TABLE, name, 1);
    }
    let mut fields = Fields { table: TABLE, key: &key, zone, findings };
    let id = Slug::from_legacy(&key);
    let title = fields.text("title", &first(object, &["title"]));
    let title = title.or_else(|| Title::parse(&key).ok());
    let content: Option<Content> = fields.text("content", &first(object, &["content", "text"]));
    let (Some(title), Some(content)) = (title, content) else {
        findings.skip(TABLE, &key, "has no valid content");
        return None;
    };
    let choices = choices(&mut fields, object);
    let kind = if choices.is_empty() { FragmentKind::Story } else { FragmentKind::Decision };
    let character = fields.text("character", &first(object, &["character"]));
    let new = NewFragment {
        character: character.or_else(|| CharacterName::parse(CHARACTER).ok()),
        chapter_level: level(&mut fields, &first(object, &["level"])),
        auto_next: slug(&first(object, &["auto_next_fragment_key"])),
        is_start: key == START,
        requirements: requirements(&mut fields, "", object),
        effects: effects(&mut fields, object),
        choices,
        legacy_key: (id.as_str() != key).then(|| LegacyKey::parse(&key).ok()).flatten(),
        ..NewFragment::new(id, title, content, kind)
    };
    if let Err(violation) = new.check() {
        findings.skip(TABLE, &key, violation.to_string());
        return None;
    }
    Some(new)
}

fn slug(value: &Value) -> Option<Slug> {
    value.key().filter(|key| !key.trim().is_empty()).map(|key| Slug::from_legacy(&key))
}

fn level(fields: &mut Fields<'_>, value: &Value) -> u32 {
    let level =
        value.whole().and_then(|level| u32::try_from(level).ok()).filter(|level| *level > 0);
    if level.is_none() && !value.is_blank() {
        fields.warn("level", "is not a whole number of at least 1; taken as 1");
    }
    level.unwrap_or(1)
}

/// Points above zero; none for zero, nothing and, with a warning, for less.
fn points(fields: &mut Fields<'_>, field: &str, value: &Value) -> Option<Amount> {
    let points = fields.points(field, value)?;
    if points < Points::ZERO {
        fields.warn(field, "is less than 0; taken as 0");
    }
    Amount::new(points).ok()
}

/// Points are looked at and not spent; everybody is `free`.
fn requirements(
    fields: &mut Fields<'_>,
    prefix: &str,
    object: &Map<String, Json>,
) -> Vec<Requirement> {
    let (besitos, role) = (format!("{prefix}required_besitos"), format!("{prefix}required_role"));
    let wanted = points(fields, &besitos, &first(object, &["required_besitos"]));
    let mut requirements: Vec<Requirement> = wanted.map(Requirement::Points).into_iter().collect();
    let named = match first(object, &["required_role"]) {
        blank if blank.is_blank() => return requirements,
        Value::Text(name) => name.trim().to_lowercase().parse().ok(),
        _ => None,
    };
    let named = named.unwrap_or_else(|| {
        // Open to all would be worse than closed to all but administrators.
        fields.warn(&role, "is not a role; taken as admin");
        Role::Admin
    });
    if named != Role::Free {
        requirements.push(Requirement::Role(named));
    }
    requirements
}

/// Given on the first visit.
fn effects(fields: &mut Fields<'_>, object: &Map<String, Json>) -> Vec<Effect> {
    let reward = points(fields, "reward_besitos", &first(object, &["reward_besitos"]));
    let achievement = slug(&first(object, &["unlocks_achievement_id"]));
    let rewards = [reward.map(Reward::Points), achievement.map(Reward::Achievement)];
    let effect =
        |reward| Effect { trigger: EffectTrigger::Visit, action: EffectAction::Reward(reward) };
    rewards.into_iter().flatten().map(effect).collect()
}

fn choices(fields: &mut Fields<'_>, object: &Map<String, Json>) -> Vec<NewChoice> {
    let items = match object.get("decisions") {
        None | Some(Json::Null) => return Vec::new(),
        Some(Json::Array(items)) => items,
        Some(_) => {
            fields.warn("decisions", "is not a list; left out");
            return Vec::new();
        }
    };
    let mut choices = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let place = format!("decisions[{index}]");
        let Json::Object(object) = item else {
            fields.warn(&place, "is not an object; left out");
            continue;
        };
        let text = fields.text(&format!("{place}.text"), &first(object, &["text"]));
        let destination = slug(&first(object, &["next_fragment", "destination_key"]));
        let (Some(text), Some(destination)) = (text, destination) else {
            fields.warn(&place, "lacks a text or where it leads; left out");
            continue;
        };
        let requirements = requirements(fields, &format!("{place}."), object);
        choices.push(NewChoice { requirements, ..NewChoice::new(text, destination) });
    }
    choices
}
