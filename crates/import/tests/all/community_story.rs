//! The part of the community that tells a story.

use std::collections::BTreeSet;

use guildhall_domain::{
    Choice, ChoiceId, Decision, DecisionId, Fragment, LoreId, LorePiece, NewChoice, NewFragment,
    NewLorePiece, Outcome, Slug, StoryState, Timestamp, UserFragment, UserId, UserLore,
};
use guildhall_repository::{
    FragmentChange, FragmentImport, MockUnitOfWork, NewDecision, StorageError,
};

use crate::community::{Shared, absent, of, once};

pub(crate) fn lore(mocks: &mut MockUnitOfWork, shared: &Shared) {
    let s = shared.clone();
    mocks.lore.expect_pieces_by_codes().returning(move |codes| {
        let all = of(&s);
        let piece = |code: &Slug| all.lore.iter().find(|piece| piece.code == *code).cloned();
        Ok(codes.iter().filter_map(piece).collect())
    });
    let s = shared.clone();
    mocks.lore.expect_create_piece().returning(move |new: &NewLorePiece, now| {
        let mut all = of(&s);
        let piece = LorePiece {
            id: LoreId(all.lore.len() as i64 + 1),
            code: new.code.clone(),
            title: new.title.clone(),
            description: new.description.clone(),
            content_type: new.content_type,
            content: new.content.clone(),
            category: new.category.clone(),
            is_main_story: new.is_main_story,
            is_active: new.is_active,
            requirements: new.requirements.clone(),
            legacy_key: new.legacy_key.clone(),
            created_at: now,
            updated_at: now,
            version: 1,
        };
        all.writes += 1;
        all.lore.push(piece.clone());
        Ok(piece)
    });
    let s = shared.clone();
    mocks.lore.expect_set_active().returning(move |code, is_active, _| {
        let mut all = of(&s);
        all.writes += 1;
        let piece = all.lore.iter_mut().find(|piece| piece.code == *code).unwrap();
        piece.is_active = is_active;
        Ok(piece.clone())
    });
    let s = shared.clone();
    mocks.lore.expect_unlock().returning(move |new, now| {
        let mut all = of(&s);
        let piece = all.lore.iter().find(|piece| piece.id == new.lore).unwrap().clone();
        if let Some(there) = all.found.get(&(new.user, new.lore)) {
            return once(there.clone(), true);
        }
        if !piece.is_active {
            return absent("lore piece", piece.code);
        }
        let found = UserLore {
            user: new.user,
            lore: new.lore,
            code: piece.code,
            unlocked_at: now,
            source: new.source.clone(),
            context: new.context.clone(),
        };
        all.writes += 1;
        all.found.insert((new.user, new.lore), found.clone());
        once(found, false)
    });
}

/// `new` as a store would keep it.
fn kept(new: &NewFragment, now: Timestamp) -> Fragment {
    let choice = |(idx, choice): (usize, &NewChoice)| Choice {
        id: choice.id.unwrap_or(ChoiceId(idx as i64 + 1)),
        idx: idx as u32,
        text: choice.text.clone(),
        destination: choice.destination.clone(),
        cost: choice.cost,
        reward: choice.reward,
        karma_delta: choice.karma_delta,
        is_active: choice.is_active,
        requirements: choice.requirements.clone(),
    };
    Fragment {
        id: new.id.clone(),
        title: new.title.clone(),
        content: new.content.clone(),
        kind: new.kind,
        character: new.character.clone(),
        chapter_level: new.chapter_level,
        auto_next: new.auto_next.clone(),
        is_milestone: new.is_milestone,
        is_start: new.is_start,
        is_active: new.is_active,
        requirements: new.requirements.clone(),
        effects: new.effects.clone(),
        choices: new.choices.iter().enumerate().map(choice).collect(),
        legacy_key: new.legacy_key.clone(),
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

pub(crate) fn narrative(mocks: &mut MockUnitOfWork, shared: &Shared) {
    let s = shared.clone();
    mocks.narrative.expect_fragment().returning(move |id| Ok(of(&s).fragments.get(id).cloned()));
    let s = shared.clone();
    mocks.narrative.expect_fragments_by_ids().returning(move |ids| {
        Ok(ids.iter().filter_map(|id| of(&s).fragments.get(id).cloned()).collect())
    });
    let s = shared.clone();
    mocks.narrative.expect_start().returning(move || {
        Ok(of(&s).fragments.values().find(|fragment| fragment.is_start).cloned())
    });
    let s = shared.clone();
    mocks.narrative.expect_import_fragments().returning(move |new, dry_run, now| {
        assert!(new.len() <= 500 && !dry_run);
        let mut all = of(&s);
        let coming: BTreeSet<&Slug> = new.iter().map(|fragment| &fragment.id).collect();
        let one = |new: &NewFragment| {
            new.check()?;
            if new.title.as_str() == "unwelcome" {
                return absent("nobody", "wants it");
            }
            let mut ways = new.destinations();
            if let Some(way) =
                ways.find(|way| !coming.contains(way) && !all.fragments.contains_key(*way))
            {
                return absent("fragment", way);
            }
            Ok(match all.fragments.get(&new.id) {
                None => FragmentChange::Inserted,
                Some(there) if kept(new, there.created_at) == *there => FragmentChange::Unchanged,
                Some(_) => FragmentChange::Updated,
            })
        };
        let items: Vec<_> = new.iter().map(one).collect();
        let written = items.iter().all(Result::is_ok);
        for (new, item) in new.iter().zip(&items).filter(|_| written) {
            if !matches!(item, Ok(FragmentChange::Unchanged)) {
                all.writes += 1;
                all.fragments.insert(new.id.clone(), kept(new, now));
            }
        }
        Ok(FragmentImport { items, written })
    });
}

pub(crate) fn story(mocks: &mut MockUnitOfWork, shared: &Shared) {
    let story = &mut mocks.story;
    let s = shared.clone();
    story.expect_state_locked().returning(move |user| Ok(of(&s).states.get(&user).cloned()));
    let s = shared.clone();
    story.expect_ensure_state().returning(move |user, now| {
        let mut all = of(&s);
        all.writes += 1;
        let state = all.states.entry(user).or_insert_with(|| state(user, now));
        once(state.clone(), false)
    });
    let s = shared.clone();
    story
        .expect_user_fragment()
        .returning(move |user, fragment| Ok(of(&s).visits.get(&(user, fragment.clone())).cloned()));
    let s = shared.clone();
    story.expect_visit().returning(move |user, fragment, now| see(&s, user, fragment, now, None));
    let s = shared.clone();
    story
        .expect_complete()
        .returning(move |user, fragment, now| see(&s, user, fragment, now, Some(now)));
    let s = shared.clone();
    story.expect_move_to().returning(move |user, fragment, now| {
        let mut all = of(&s);
        if !all.fragments.contains_key(fragment) {
            return absent("fragment", fragment);
        }
        all.writes += 1;
        let state = all.states.entry(user).or_insert_with(|| state(user, now));
        state.current_fragment = Some(fragment.clone());
        state.last_activity_at = now;
        state.version += 1;
        Ok(state.clone())
    });
    let s = shared.clone();
    story.expect_record_decision().returning(move |new: &NewDecision, version, now| {
        let mut all = of(&s);
        all.writes += 1;
        let state = all.states.get_mut(&new.user).unwrap();
        assert_eq!(
            (state.version, state.current_fragment.as_ref()),
            (version, Some(&new.fragment))
        );
        state.version += 1;
        let decision = Decision {
            id: DecisionId(all.decisions.len() as i64 + 1),
            user: new.user,
            fragment: new.fragment.clone(),
            choice: new.choice,
            made_at: now,
        };
        all.decisions.push(decision.clone());
        Ok(decision)
    });
}

fn state(user: UserId, now: Timestamp) -> StoryState {
    StoryState {
        user,
        current_fragment: None,
        karma: 0,
        started_at: now,
        last_activity_at: now,
        version: 1,
    }
}

fn see(
    shared: &Shared,
    user: UserId,
    fragment: &Slug,
    now: Timestamp,
    completed_at: Option<Timestamp>,
) -> Result<Outcome<UserFragment>, StorageError> {
    let mut all = of(shared);
    if !all.fragments.contains_key(fragment) {
        return absent("fragment", fragment);
    }
    all.writes += 1;
    let seen = all.visits.entry((user, fragment.clone())).or_insert_with(|| UserFragment {
        user,
        fragment: fragment.clone(),
        first_visited_at: now,
        last_visited_at: now,
        visits: 0,
        completed_at: None,
    });
    seen.visits += 1;
    seen.completed_at = seen.completed_at.or(completed_at);
    once(seen.clone(), false)
}
