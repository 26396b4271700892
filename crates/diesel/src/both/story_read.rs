//! Lists of what members have seen and decided, and sums over them, compiled once per backend.

use crate::run::RunQueryDsl;
use diesel::dsl::{count as count_of, count_star};
use diesel::prelude::*;
use guildhall_domain::{
    Decision, FragmentKind, FragmentPopularity, Slug, StoryProgress, StoryTotals, UserFragment,
    UserId, Violation,
};
use guildhall_repository::{Journey, Keyset, ListLimit, Page, PageRequest};

use super::{Backend, Conn};
use crate::fault::Worked;
use crate::rows::{DecisionRow, JourneyRow, UserFragmentRow, count};
use crate::schema::{fragments, lore_pieces, user_decisions, user_fragments, user_narrative};
use crate::types::DbTime;

/// Categories of lore listed at most.
const CATEGORIES_MAX: i64 = 200;
/// Names the list of decisions in its cursors.
pub(super) const DECISIONS: Keyset<i64> = Keyset::new("story.decisions");

/// Which list of visited fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Visited,
    Completed,
    Journey,
}

impl Seen {
    const fn list(self) -> Keyset<(DbTime, String)> {
        Keyset::new(match self {
            Self::Visited => "story.visited",
            Self::Completed => "story.completed",
            Self::Journey => "story.journey",
        })
    }
}

/// A page of visited fragments that was asked for.
pub(super) struct Wanted {
    user: i64,
    seen: Seen,
    limit: u16,
    after: Option<(DbTime, String)>,
}

impl Wanted {
    /// Refuses cursors of other lists.
    pub(super) fn of(user: UserId, seen: Seen, page: &PageRequest) -> Result<Self, Violation> {
        Ok(Self { user: user.0, seen, limit: page.limit(), after: seen.list().after(page)? })
    }
}

/// The rows of a page, in its order, with one more than fits.
macro_rules! page_of {
    ($wanted:ident, $source:expr) => {{
        use user_fragments::dsl as f;
        let mut query = $source
            .filter(f::user_id.eq($wanted.user))
            .limit(i64::from($wanted.limit) + 1)
            .into_boxed::<Backend>();
        if $wanted.seen == Seen::Completed {
            query = query
                .filter(f::completed_at.is_not_null())
                .order_by((f::completed_at, f::fragment_id));
            if let Some((time, id)) = $wanted.after.clone() {
                let past = f::completed_at.gt(time).or(f::fragment_id.gt(id).nullable());
                query = query.filter(f::completed_at.ge(time)).filter(past);
            }
        } else {
            query = query.order_by((f::first_visited_at, f::fragment_id));
            if let Some((time, id)) = $wanted.after.clone() {
                let past = f::first_visited_at.gt(time).or(f::fragment_id.gt(id));
                query = query.filter(f::first_visited_at.ge(time)).filter(past);
            }
        }
        query
    }};
}

pub(super) async fn seen_on(conn: &mut Conn, wanted: &Wanted) -> Worked<Page<UserFragment>> {
    let query = page_of!(wanted, user_fragments::table);
    let rows: Vec<UserFragmentRow> = query.select(UserFragmentRow::as_select()).load(conn).await?;
    let page = wanted.seen.list().page(rows, wanted.limit, |row| {
        // All of those that are listed as completed have such a time.
        let completed_at = row.completed_at.filter(|_| wanted.seen == Seen::Completed);
        (completed_at.unwrap_or(row.first_visited_at), row.fragment_id.clone())
    });
    Ok(page.try_map(UserFragmentRow::into_visited)?)
}

pub(super) async fn journey_on(conn: &mut Conn, wanted: &Wanted) -> Worked<Journey> {
    let query = page_of!(wanted, user_fragments::table.inner_join(fragments::table));
    let rows: Vec<JourneyRow> = query.select(JourneyRow::as_select()).load(conn).await?;
    let page = wanted
        .seen
        .list()
        .page(rows, wanted.limit, |row| (row.first_visited_at, row.fragment_id.clone()));
    let steps = page.try_map(JourneyRow::into_step)?;
    Ok(Journey { progress: progress_on(conn, UserId(wanted.user)).await?, steps })
}

pub(super) async fn decisions_on(
    conn: &mut Conn,
    user: UserId,
    below: Option<i64>,
    limit: u16,
) -> Worked<Page<Decision>> {
    let mut query = user_decisions::table
        .filter(user_decisions::user_id.eq(user.0))
        .order(user_decisions::id.desc())
        .limit(i64::from(limit) + 1)
        .select(DecisionRow::as_select())
        .into_boxed::<Backend>();
    if let Some(below) = below {
        query = query.filter(user_decisions::id.lt(below));
    }
    let rows: Vec<DecisionRow> = query.load(conn).await?;
    Ok(DECISIONS.page(rows, limit, |row| row.id).try_map(DecisionRow::into_decision)?)
}

pub(super) async fn progress_on(conn: &mut Conn, user: UserId) -> Worked<StoryProgress> {
    let (visited, completed): (i64, i64) = user_fragments::table
        .inner_join(fragments::table)
        .filter(user_fragments::user_id.eq(user.0))
        .filter(fragments::is_active)
        .select((count_star(), count_of(user_fragments::completed_at)))
        .get_result(conn)
        .await?;
    let total = fragments::table.filter(fragments::is_active).count();
    let total: i64 = total.get_result(conn).await?;
    Ok(StoryProgress { visited: count(visited), completed: count(completed), total: count(total) })
}

pub(super) async fn totals_on(conn: &mut Conn) -> Worked<StoryTotals> {
    let kinds: Vec<(String, i64)> = fragments::table
        .filter(fragments::is_active)
        .group_by(fragments::kind)
        .select((fragments::kind, count_star()))
        .load(conn)
        .await?;
    let of_kind = |kind: &FragmentKind| {
        let found = kinds.iter().find(|(name, _)| name == kind.as_str());
        found.map(|(_, number)| (*kind, count(*number)))
    };
    let fragments = FragmentKind::ALL.iter().filter_map(of_kind).collect();
    let started: i64 = user_narrative::table.count().get_result(conn).await?;
    let completions: i64 = user_fragments::table
        .select(count_of(user_fragments::completed_at))
        .get_result(conn)
        .await?;
    let active = lore_pieces::table.filter(lore_pieces::is_active);
    let lore: i64 = active.count().get_result(conn).await?;
    let categories: Vec<(Option<String>, i64)> = lore_pieces::table
        .filter(lore_pieces::is_active)
        .filter(lore_pieces::category.is_not_null())
        .group_by(lore_pieces::category)
        .order(lore_pieces::category)
        .limit(CATEGORIES_MAX)
        .select((lore_pieces::category, count_star()))
        .load(conn)
        .await?;
    let named = |(name, number): (Option<String>, i64)| {
        name.map(|name| Ok((Slug::try_from(name)?, count(number))))
    };
    Ok(StoryTotals {
        fragments,
        started: count(started),
        completions: count(completions),
        lore: count(lore),
        categories: categories.into_iter().filter_map(named).collect::<Worked<_>>()?,
    })
}

pub(super) async fn popularity_on(
    conn: &mut Conn,
    limit: ListLimit,
) -> Worked<Vec<FragmentPopularity>> {
    let rows: Vec<(String, String, i64, i64)> = user_fragments::table
        .inner_join(fragments::table)
        .group_by((fragments::id, fragments::title))
        .order((count_star().desc(), fragments::id))
        .limit(i64::from(limit.get()))
        .select((
            fragments::id,
            fragments::title,
            count_star(),
            count_of(user_fragments::completed_at),
        ))
        .load(conn)
        .await?;
    let popular = |(fragment, title, visitors, completions): (String, String, i64, i64)| {
        Ok(FragmentPopularity {
            fragment: fragment.try_into()?,
            title: title.try_into()?,
            visitors: count(visitors),
            completions: count(completions),
        })
    };
    rows.into_iter().map(popular).collect()
}
