//! The steps of members through the story, compiled once per backend: `super::Conn` is what differs.

use crate::run::RunQueryDsl;
use diesel::dsl::exists;
use diesel::prelude::*;
use guildhall_domain::{
    Access, Decision, DomainEvent, Fragment, FragmentPopularity, Outcome, Patch, Requirement, Rule,
    Slug, Standing, StoryProgress, StoryState, StoryStatePatch, StoryTotals, Timestamp,
    UserFragment, UserId,
};
use guildhall_repository::{
    Journey, ListLimit, NewDecision, Page, PageRequest, StorageError, StoryRepository,
};

use super::catalogue::lock_state;
use super::lease::{Lease, Mode};
use super::narrative::{fragment_on, start_on};
use super::narrative_children::raced_if_broken;
use super::standing::{can_access_on, standing_on};
use super::story_read::{
    DECISIONS, Seen, Wanted, decisions_on, journey_on, popularity_on, progress_on, seen_on,
    totals_on,
};
use super::user::at_most;
use super::user_lookup::member_on;
use super::{Conn, lock_accounts};
use crate::fault::{Fault, Worked};
use crate::kept::Keep;
use crate::queries::queries;
use crate::rows::{DecisionRow, StateRow, UserFragmentRow};
use crate::schema::{
    fragment_choices, fragments, user_decisions, user_fragments, user_lore, user_narrative, users,
};
use crate::types::DbTime;

/// Requirements looked at together at most: those of a fragment and of all its choices.
const REQUIREMENTS_MAX: usize = 5_000;

queries! {
    impl StoryRepository by story, |lease| {
        Snapshot standing(user: UserId, requirements: &[Requirement]) -> Standing {
            at_most("requirements", requirements.len(), REQUIREMENTS_MAX)?;
        } => standing_on;
        Snapshot can_access(user: UserId, fragment: &Slug, now: Timestamp) -> Access {
            let fragment = fragment.to_string();
        } => can_access_on(user, fragment, now);
        Bare state(user: UserId) -> Option<StoryState> => state_on;
        Statement ensure_state(user: UserId, now: Timestamp) -> Outcome<StoryState>
            => ensure_state_on;
        Bare state_locked(user: UserId) -> Option<StoryState> => state_locked_on;
        Statement update_state(
            user: UserId,
            patch: &StoryStatePatch,
            expected_version: i64,
            now: Timestamp,
        ) -> StoryState {
            let max = StoryStatePatch::KARMA_MAX;
            if patch.karma.is_some_and(|karma| !(-max..=max).contains(&karma)) {
                return Err(StorageError::invalid("karma", Rule::OutOfRange { min: -max, max }));
            }
        } => update_state_on;
        Statement move_to(user: UserId, fragment: &Slug, now: Timestamp) -> StoryState
            => move_to_on;
        Statement visit(user: UserId, fragment: &Slug, now: Timestamp) -> Outcome<UserFragment>
            => visit_on;
        Statement complete(user: UserId, fragment: &Slug, now: Timestamp)
            -> Outcome<UserFragment> => complete_on;
        Transaction record_decision(new: &NewDecision, expected_version: i64, now: Timestamp)
            -> Decision => record_decision_on;
        Snapshot current_fragment(user: UserId) -> Option<Fragment> => current_fragment_on;
        Bare user_fragment(user: UserId, fragment: &Slug) -> Option<UserFragment>
            => user_fragment_on;
        Bare visited(user: UserId, page: &PageRequest) -> Page<UserFragment> {
            let wanted = Wanted::of(user, Seen::Visited, page)?;
        } => seen_on(wanted);
        Bare completed(user: UserId, page: &PageRequest) -> Page<UserFragment> {
            let wanted = Wanted::of(user, Seen::Completed, page)?;
        } => seen_on(wanted);
        Bare decisions(user: UserId, page: &PageRequest) -> Page<Decision> {
            let (below, limit) = (DECISIONS.after(page)?, page.limit());
        } => decisions_on(user, below, limit);
        Snapshot progress(user: UserId) -> StoryProgress => progress_on;
        Snapshot journey(user: UserId, page: &PageRequest) -> Journey {
            let wanted = Wanted::of(user, Seen::Journey, page)?;
        } => journey_on(wanted);
        Transaction reset(user: UserId, keep_lore: bool) -> bool => reset_on;
        Snapshot totals() -> StoryTotals => totals_on;
        Bare popularity(limit: ListLimit) -> Vec<FragmentPopularity> => popularity_on;
    }
}

fn no_state(user: UserId) -> StorageError {
    StorageError::not_found("story of user", user)
}

/// That there are such a member and such a fragment, in one statement.
async fn present_on(conn: &mut Conn, user: UserId, fragment: &Slug) -> Worked<()> {
    let member = users::table.filter(users::id.eq(user.0)).filter(users::deleted_at.is_null());
    let known = fragments::table.filter(fragments::id.eq(fragment.as_str()));
    let present = diesel::select((exists(member), exists(known)));
    match present.get_result(conn).await? {
        (true, true) => Ok(()),
        (false, _) => Err(StorageError::not_found("user", user).into()),
        (true, false) => Err(StorageError::not_found("fragment", fragment).into()),
    }
}

pub(super) async fn state_on(conn: &mut Conn, user: UserId) -> Worked<Option<StoryState>> {
    let row = user_narrative::table.find(user.0).select(StateRow::as_select());
    let row: Option<StateRow> = row.first(conn).await.optional()?;
    Ok(row.map(StateRow::into_state).transpose()?)
}

pub(super) async fn state_locked_on(conn: &mut Conn, user: UserId) -> Worked<Option<StoryState>> {
    Ok(lock_state(conn, user.0).await?.map(StateRow::into_state).transpose()?)
}

pub(super) async fn ensure_state_on(
    conn: &mut Conn,
    user: UserId,
    now: Timestamp,
) -> Worked<Outcome<StoryState>> {
    member_on(conn, user).await?;
    let begun: Option<StateRow> = diesel::insert_into(user_narrative::table)
        .values(StateRow::begun(user, None, now))
        .on_conflict_do_nothing()
        .returning(StateRow::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    if let Some(row) = begun {
        return Ok(Outcome::new(row.into_state()?, Vec::new()));
    }
    let state = state_on(conn, user).await?;
    state.map(Outcome::replayed).ok_or(Fault::Raced) // Reset since.
}

/// The columns of a patch; those it keeps are absent.
#[derive(AsChangeset)]
#[diesel(table_name = user_narrative)]
struct StateChange {
    current_fragment_id: Option<Option<String>>,
    karma: Option<i64>,
    last_activity_at: DbTime,
    version: i64,
}

pub(super) async fn update_state_on(
    conn: &mut Conn,
    user: UserId,
    patch: &StoryStatePatch,
    expected: i64,
    now: Timestamp,
) -> Worked<StoryState> {
    if !patch.is_empty() {
        if let Patch::Set(fragment) = &patch.current_fragment {
            present_on(conn, user, fragment).await?;
        }
        let change = StateChange {
            current_fragment_id: match &patch.current_fragment {
                Patch::Keep => None,
                Patch::Set(fragment) => Some(Some(fragment.to_string())),
                Patch::Clear => Some(None),
            },
            karma: patch.karma,
            last_activity_at: DbTime(now),
            version: expected.saturating_add(1),
        };
        let current = user_narrative::table.find(user.0);
        let changed: Option<StateRow> =
            diesel::update(current.filter(user_narrative::version.eq(expected)))
                .set(change)
                .returning(StateRow::as_returning())
                .get_result(conn)
                .await
                .optional()?;
        if let Some(row) = changed {
            return Ok(row.into_state()?);
        }
    }
    match state_on(conn, user).await? {
        None => Err(no_state(user).into()),
        Some(state) if patch.is_empty() => Ok(state),
        Some(state) => {
            Err(StorageError::conflict("story of user", user, expected, state.version).into())
        }
    }
}

pub(super) async fn move_to_on(
    conn: &mut Conn,
    user: UserId,
    fragment: &Slug,
    now: Timestamp,
) -> Worked<StoryState> {
    use user_narrative::dsl as n;
    present_on(conn, user, fragment).await?;
    let moved: StateRow = diesel::insert_into(n::user_narrative)
        .values(StateRow::begun(user, Some(fragment), now))
        .on_conflict(n::user_id)
        .do_update()
        .set((
            n::current_fragment_id.eq(fragment.as_str()),
            n::last_activity_at.eq(DbTime(now)),
            n::version.eq(n::version + 1),
        ))
        .returning(StateRow::as_returning())
        .get_result(conn)
        .await?;
    Ok(moved.into_state()?)
}

pub(super) async fn visit_on(
    conn: &mut Conn,
    user: UserId,
    fragment: &Slug,
    now: Timestamp,
) -> Worked<Outcome<UserFragment>> {
    use user_fragments::dsl as f;
    present_on(conn, user, fragment).await?;
    let visited: UserFragmentRow = diesel::insert_into(f::user_fragments)
        .values(UserFragmentRow::first(user, fragment, false, now))
        .on_conflict((f::user_id, f::fragment_id))
        .do_update()
        .set((f::visits.eq(f::visits + 1), f::last_visited_at.eq(DbTime(now))))
        .returning(UserFragmentRow::as_returning())
        .get_result(conn)
        .await?;
    let visited = visited.into_visited()?;
    let replayed = visited.visits > 1;
    Ok(Outcome { value: visited, replayed, events: Vec::new() })
}

pub(super) async fn complete_on(
    conn: &mut Conn,
    user: UserId,
    fragment: &Slug,
    now: Timestamp,
) -> Worked<Outcome<UserFragment>> {
    use user_fragments::dsl as f;
    present_on(conn, user, fragment).await?;
    let open = diesel::insert_into(f::user_fragments)
        .values(UserFragmentRow::first(user, fragment, true, now))
        .on_conflict((f::user_id, f::fragment_id))
        .do_update()
        .set(f::completed_at.eq(DbTime(now)));
    // The filter of the conflict: that of queries has the same name.
    let completed: Option<UserFragmentRow> =
        diesel::query_dsl::methods::FilterDsl::filter(open, f::completed_at.is_null())
            .returning(UserFragmentRow::as_returning())
            .get_result(conn)
            .await
            .optional()?;
    if let Some(row) = completed {
        let fragment = fragment.clone();
        let event = DomainEvent::FragmentCompleted { user, fragment };
        return Ok(Outcome::new(row.into_visited()?, vec![event]));
    }
    let earlier = user_fragment_on(conn, user, fragment).await?;
    earlier.map(Outcome::replayed).ok_or(Fault::Raced) // Reset since.
}

pub(super) async fn user_fragment_on(
    conn: &mut Conn,
    user: UserId,
    fragment: &Slug,
) -> Worked<Option<UserFragment>> {
    let row = user_fragments::table.find((user.0, fragment.as_str()));
    let row: Option<UserFragmentRow> =
        row.select(UserFragmentRow::as_select()).first(conn).await.optional()?;
    Ok(row.map(UserFragmentRow::into_visited).transpose()?)
}

pub(super) async fn record_decision_on(
    conn: &mut Conn,
    new: &NewDecision,
    expected: i64,
    now: Timestamp,
) -> Worked<Decision> {
    use user_narrative::dsl as n;
    let offered = fragment_choices::table
        .filter(fragment_choices::id.eq(new.choice.0))
        .filter(fragment_choices::fragment_id.eq(new.fragment.as_str()))
        .filter(fragment_choices::is_active);
    let here = n::user_narrative
        .find(new.user.0)
        .filter(n::version.eq(expected))
        .filter(n::current_fragment_id.eq(new.fragment.as_str()))
        .filter(exists(offered));
    let decided = diesel::update(here)
        .set((
            n::karma.eq(n::karma + i64::from(new.karma_delta)),
            n::last_activity_at.eq(DbTime(now)),
            n::version.eq(n::version + 1),
        ))
        .kept()
        .execute(conn)
        .await?;
    if decided == 0 {
        return Err(undecided_on(conn, new, expected).await?.into());
    }
    let row: DecisionRow = diesel::insert_into(user_decisions::table)
        .values((
            user_decisions::user_id.eq(new.user.0),
            user_decisions::fragment_id.eq(new.fragment.as_str()),
            user_decisions::choice_id.eq(new.choice.0),
            user_decisions::made_at.eq(DbTime(now)),
        ))
        .returning(DecisionRow::as_returning())
        .get_result(conn)
        .await
        .map_err(raced_if_broken)?;
    Ok(row.into_decision()?)
}

/// Why nothing was decided.
async fn undecided_on(conn: &mut Conn, new: &NewDecision, expected: i64) -> Worked<StorageError> {
    let state = state_on(conn, new.user).await?.ok_or_else(|| no_state(new.user))?;
    if state.version != expected {
        return Ok(StorageError::conflict("story of user", new.user, expected, state.version));
    }
    let place = state.current_fragment;
    if place.as_ref() == Some(&new.fragment) {
        return Ok(StorageError::InvalidState {
            entity: "choice",
            key: new.choice.to_string(),
            state: format!("not offered by fragment {}", new.fragment),
            attempted: "be taken",
        });
    }
    Ok(StorageError::InvalidState {
        entity: "fragment",
        key: new.fragment.to_string(),
        state: place.map_or("not where the member is".to_owned(), |place| {
            format!("not where the member is, who is at {place}")
        }),
        attempted: "be decided",
    })
}

pub(super) async fn current_fragment_on(conn: &mut Conn, user: UserId) -> Worked<Option<Fragment>> {
    let place = state_on(conn, user).await?.and_then(|state| state.current_fragment);
    if let Some(place) = place {
        let current = fragment_on(conn, place.as_str()).await?;
        if let Some(current) = current.filter(|current| current.is_active) {
            return Ok(Some(current));
        }
    }
    start_on(conn).await
}

pub(super) async fn reset_on(conn: &mut Conn, user: UserId, keep_lore: bool) -> Worked<bool> {
    // As every workflow of the member does: no step is taken while the way is being forgotten.
    lock_accounts(conn, &[user.0]).await?;
    let mut forgotten = diesel::delete(user_narrative::table.find(user.0)).execute(conn).await?;
    forgotten += diesel::delete(user_fragments::table.filter(user_fragments::user_id.eq(user.0)))
        .execute(conn)
        .await?;
    if !keep_lore {
        forgotten += diesel::delete(user_lore::table.filter(user_lore::user_id.eq(user.0)))
            .execute(conn)
            .await?;
    }
    Ok(forgotten > 0)
}
