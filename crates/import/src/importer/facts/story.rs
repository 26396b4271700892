//! A member's way through the story.

use std::time::Duration;

use guildhall_domain::{Choice, Fragment, Slug, UserId};
use guildhall_repository::{LentUnit, NewDecision, StorageError};

use super::{Fate, refusal};
use crate::facts::{PastDecision, StoryFacts};
use crate::importer::catalogue::Known;

/// What was seen and completed is added to what the member has seen here. Where the member stands,
/// and the decisions, are written only for who has no place in the story here: two ways through it
/// cannot be made one.
pub(super) async fn write(
    work: &LentUnit,
    known: &Known,
    user: UserId,
    facts: &StoryFacts,
) -> Result<Fate, StorageError> {
    let story = work.story();
    let mut fate = Fate::new(false);
    let is_new = story.state_locked(user).await?.is_none();
    for (index, raw) in facts.visited.iter().enumerate() {
        let fragment = Slug::from_legacy(raw);
        // The list is in order, and has no times.
        let at = known.began.plus(Duration::from_micros(index as u64));
        let there = story.user_fragment(user, &fragment).await?;
        let completes = facts.completed.contains(raw)
            && there.as_ref().is_none_or(|seen| seen.completed_at.is_none());
        if there.is_some() && !completes {
            continue;
        }
        let written = match (there.is_none(), completes) {
            // A completion counts as the first visit, too.
            (_, true) => story.complete(user, &fragment, at).await.map(|_| ()),
            (_, false) => story.visit(user, &fragment, at).await.map(|_| ()),
        };
        match written {
            Ok(()) => fate.written = true,
            Err(error) => {
                fate.warnings.push(format!("visit left out: {}", refusal(error)?));
            }
        }
    }
    if is_new {
        let began = facts.started_at.unwrap_or(known.began);
        story.ensure_state(user, began).await?;
        fate.written = true;
        for decision in &facts.decisions {
            if let Err(reason) = decide(work, known, user, decision).await? {
                fate.warnings.push(format!("decision left out: {reason}"));
            }
        }
        if let Some(current) = &facts.current {
            let at = facts.last_activity_at.unwrap_or(began);
            let moved = story.move_to(user, &Slug::from_legacy(current), at).await;
            if let Err(error) = moved {
                fate.warnings.push(format!("place left out: {}", refusal(error)?));
            }
        }
    }
    Ok(fate)
}

/// Writes a decision, if the choice still exists.
async fn decide(
    work: &LentUnit,
    known: &Known,
    user: UserId,
    decision: &PastDecision,
) -> Result<Result<(), String>, StorageError> {
    let id = Slug::from_legacy(&decision.fragment);
    let Some(fragment) = work.narrative().fragment(&id).await? else {
        return Ok(Err(format!("fragment {id} is not here")));
    };
    let Some(choice) = choice(&fragment, decision) else {
        return Ok(Err(format!("its choice is no longer one of {id}")));
    };
    let at = decision.at.unwrap_or(known.began);
    let new = NewDecision { user, fragment: id.clone(), choice: choice.id, karma_delta: 0 };
    let made = match work.story().move_to(user, &id, at).await {
        Ok(state) => work.story().record_decision(&new, state.version, at).await.map(|_| ()),
        Err(error) => Err(error),
    };
    match made {
        Ok(()) => Ok(Ok(())),
        Err(error) => Ok(Err(refusal(error)?)),
    }
}

/// The choice with the same text, which must be at the same place if several have it; by its place
/// alone when no text was kept.
fn choice<'f>(fragment: &'f Fragment, decision: &PastDecision) -> Option<&'f Choice> {
    let by_place = decision.index.and_then(|idx| fragment.choice_at(idx));
    let Some(text) = decision.text.as_deref().map(str::trim) else { return by_place };
    let same = |choice: &&Choice| choice.is_active && choice.text.as_str() == text;
    by_place.filter(same).or_else(|| fragment.choices.iter().find(same))
}
