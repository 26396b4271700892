//! A member's way through the story, of which two tables tell.

use serde_json::Value as Json;

use super::super::side::SideRow;
use super::{OlderStateRow, StateRow, fields};
use crate::facts::{Deed, Fact, LoreKey, PastDecision, StoryFacts};
use crate::findings::Findings;
use crate::record::ReadOptions;
use crate::value::Value;

pub(super) fn facts(
    member: &str,
    states: &[StateRow],
    older: &[OlderStateRow],
    options: &ReadOptions,
    findings: &mut Findings,
) -> Vec<Fact> {
    let mut story = StoryFacts::default();
    let mut facts = Vec::new();
    for row in states {
        let mut fields = fields(StateRow::TABLE, member, options, findings);
        for seen in texts(fields.list("visited_fragments", &row.visited_fragments)) {
            story.saw(&seen);
        }
        for done in texts(fields.list("completed_fragments", &row.completed_fragments)) {
            story.saw(&done);
            if !story.completed.contains(&done) {
                story.completed.push(done);
            }
        }
        for code in texts(fields.list("unlocked_clues", &row.unlocked_clues)) {
            let what = Deed::FoundLore { lore: LoreKey::Code(code.clone()), context: None };
            facts.push(Fact { table: CLUES, key: code, what, at: None });
        }
        story.current = key(&row.current_fragment_id);
    }
    for row in older {
        let mut fields = fields(OlderStateRow::TABLE, member, options, findings);
        story.started_at = fields.time("narrative_started_at", &row.narrative_started_at);
        story.last_activity_at = fields.time("last_activity_at", &row.last_activity_at);
        for (index, made) in fields.list("choices_made", &row.choices_made).iter().enumerate() {
            let Some(fragment) = made.get("fragment_key").and_then(Json::as_str) else {
                let place = format!("choices_made[{index}]");
                fields.warn(&place, "does not name its fragment; left out");
                continue;
            };
            let at = made.get("timestamp").and_then(Json::as_str);
            let at = at.map_or(Value::Null, |at| Value::Text(at.to_owned()));
            story.saw(fragment);
            story.decisions.push(PastDecision {
                fragment: fragment.to_owned(),
                index: made
                    .get("choice_index")
                    .and_then(Json::as_u64)
                    .and_then(|index| u32::try_from(index).ok()),
                text: made.get("choice_text").and_then(Json::as_str).map(str::to_owned),
                at: fields.time(&format!("choices_made[{index}].timestamp"), &at),
            });
        }
        story.current = story.current.or_else(|| key(&row.current_fragment_key));
    }
    for _ in &facts {
        findings.read(CLUES);
    }
    let table = match (states.is_empty(), older.is_empty()) {
        (true, true) => return facts,
        (false, _) => StateRow::TABLE,
        (true, false) => OlderStateRow::TABLE,
    };
    if !states.is_empty() && !older.is_empty() {
        story.also_in.push(OlderStateRow::TABLE);
    }
    if let Some(current) = story.current.clone() {
        story.saw(&current);
    }
    let what = Deed::Story(Box::new(story));
    facts.push(Fact { table, key: member.to_owned(), what, at: None });
    facts
}

/// A list in a column, whose items are pieces of lore.
const CLUES: &str = "user_narrative_states_unified.unlocked_clues";

fn key(value: &Value) -> Option<String> {
    value.key().filter(|key| !key.trim().is_empty())
}

fn texts(items: Vec<Json>) -> impl Iterator<Item = String> {
    items.into_iter().filter_map(|item| match item {
        Json::String(text) if !text.trim().is_empty() => Some(text),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    })
}
