//! Reading the story, compiled once per backend: `super::Conn` is what differs.

use std::collections::{HashMap, HashSet};

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{
    Fragment, FragmentConnections, NewFragment, Slug, StoryNode, StoryWay, Timestamp, Violation,
};
use guildhall_repository::{
    FragmentFilter, FragmentImport, Keyset, NarrativeRepository, Page, PageRequest, StorageError,
};

use super::lease::{Lease, Mode};
use super::narrative_batch::{
    create_fragments_on, delete_fragment_on, delete_fragments_on, fragment_exists_on,
    update_fragments_on,
};
use super::narrative_write::{create_fragment_on, import_fragments_on, update_fragment_on};
use super::user::at_most;
use super::{Backend, Conn};
use crate::batch::fits;
use crate::fault::Worked;
use crate::queries::queries;
use crate::rows::{ChoiceRow, EffectRow, FragmentRow, RequirementRow, corrupt, count};
use crate::schema::{fragment_choices, fragment_effects, fragments, requirements};
use crate::search::Searched;
use crate::types::DbTime;

/// The most fragments named or written at once.
const FRAGMENTS_MAX: usize = 500;
/// The most fragments of a story that is looked at as a whole.
const GRAPH_MAX: i64 = 20_000;
/// Owners of requirements asked for by one statement: SQLite binds at most 32 766 values.
const OWNERS_MAX: usize = 10_000;
/// Names the list of fragments in its cursors.
const FRAGMENTS: Keyset<(DbTime, String)> = Keyset::new("narrative.fragments");

/// How owners of requirements are stored.
pub(super) const OF_FRAGMENT: &str = "fragment";
pub(super) const OF_CHOICE: &str = "choice";

queries! {
    impl NarrativeRepository by narrative, |lease| {
        Snapshot fragment(id: &Slug) -> Option<Fragment> {
            let id = id.to_string();
        } => fragment_on(id);
        Snapshot fragments_by_ids(ids: &[Slug]) -> Vec<Fragment> {
            at_most("ids", ids.len(), FRAGMENTS_MAX)?;
        } => fragments_by_ids_on;
        Snapshot start() -> Option<Fragment> => start_on;
        Snapshot fragments(filter: &FragmentFilter, page: &PageRequest) -> Page<Fragment> {
            let wanted = Wanted::of(filter, page)?;
        } => fragments_on(wanted);
        Bare count_fragments(filter: &FragmentFilter) -> u64 {
            let wanted = Wanted::of(filter, &PageRequest::default())?;
        } => count_fragments_on(wanted);
        Transaction create_fragment(new: &NewFragment, now: Timestamp) -> Fragment {
            new.check()?;
        } => create_fragment_on;
        Transaction update_fragment(new: &NewFragment, expected_version: i64, now: Timestamp)
            -> Fragment {
            new.check()?;
        } => update_fragment_on;
        Transaction delete_fragment(id: &Slug, force: bool, now: Timestamp) -> bool
            => delete_fragment_on;
        Transaction create_fragments(new: &[NewFragment], now: Timestamp) -> Vec<Fragment> {
            fits("new", new.len())?;
        } => create_fragments_on;
        Transaction update_fragments(changes: &[(NewFragment, i64)], now: Timestamp) -> u64 {
            fits("changes", changes.len())?;
        } => update_fragments_on;
        Transaction delete_fragments(ids: &[Slug], force: bool, now: Timestamp) -> u64 {
            fits("ids", ids.len())?;
        } => delete_fragments_on;
        Bare fragment_exists(id: &Slug) -> bool => fragment_exists_on;
        Transaction import_fragments(new: &[NewFragment], dry_run: bool, now: Timestamp)
            -> FragmentImport {
            at_most("fragments", new.len(), FRAGMENTS_MAX)?;
        } => import_fragments_on;
        Snapshot connections(id: &Slug) -> FragmentConnections => connections_on;
        Snapshot story_graph() -> Vec<StoryNode> => story_graph_on;
    }
}

pub(super) async fn fragment_on(conn: &mut Conn, id: &str) -> Worked<Option<Fragment>> {
    let row = fragments::table.find(id).select(FragmentRow::as_select());
    let row: Option<FragmentRow> = row.first(conn).await.optional()?;
    Ok(assembled_on(conn, row.into_iter().collect()).await?.pop())
}

/// The fragments that exist, in the order of `ids`, each once.
pub(super) async fn fragments_by_ids_on(conn: &mut Conn, ids: &[Slug]) -> Worked<Vec<Fragment>> {
    let mut seen = HashSet::new();
    let ids: Vec<&str> = ids.iter().map(Slug::as_str).filter(|id| seen.insert(*id)).collect();
    let wanted = fragments::table.filter(fragments::id.eq_any(ids.clone()));
    let rows: Vec<FragmentRow> = wanted.select(FragmentRow::as_select()).load(conn).await?;
    let mut rows: HashMap<String, FragmentRow> =
        rows.into_iter().map(|row| (row.id.clone(), row)).collect();
    assembled_on(conn, ids.iter().filter_map(|id| rows.remove(*id)).collect()).await
}

pub(super) async fn start_on(conn: &mut Conn) -> Worked<Option<Fragment>> {
    let start = fragments::table.filter(fragments::is_start).filter(fragments::is_active);
    let row: Option<FragmentRow> =
        start.select(FragmentRow::as_select()).first(conn).await.optional()?;
    Ok(assembled_on(conn, row.into_iter().collect()).await?.pop())
}

/// The fragments of rows, in the order of the rows: one statement for each table of children.
pub(super) async fn assembled_on(conn: &mut Conn, rows: Vec<FragmentRow>) -> Worked<Vec<Fragment>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let choices: Vec<ChoiceRow> = fragment_choices::table
        .filter(fragment_choices::fragment_id.eq_any(ids.clone()))
        .order((fragment_choices::fragment_id, fragment_choices::idx))
        .select(ChoiceRow::as_select())
        .load(conn)
        .await?;
    let effects: Vec<EffectRow> = fragment_effects::table
        .filter(fragment_effects::fragment_id.eq_any(ids.clone()))
        .order((fragment_effects::fragment_id, fragment_effects::idx))
        .select(EffectRow::as_select())
        .load(conn)
        .await?;
    let mut required = required_on(conn, &ids, &choices).await?;
    let mut taken = |kind, id| required.remove(&(kind, id)).unwrap_or_default();
    let mut choices_of: HashMap<String, Vec<(ChoiceRow, Vec<RequirementRow>)>> = HashMap::new();
    for choice in choices {
        let required = taken(OF_CHOICE, choice.id.to_string());
        choices_of.entry(choice.fragment_id.clone()).or_default().push((choice, required));
    }
    let mut effects_of: HashMap<String, Vec<EffectRow>> = HashMap::new();
    for effect in effects {
        effects_of.entry(effect.fragment_id.clone()).or_default().push(effect);
    }
    let fragment = |row: FragmentRow| {
        let choices = choices_of.remove(&row.id).unwrap_or_default();
        let effects = effects_of.remove(&row.id).unwrap_or_default();
        let required = taken(OF_FRAGMENT, row.id.clone());
        Ok(row.into_fragment(required, effects, choices)?)
    };
    rows.into_iter().map(fragment).collect()
}

/// Requirements by the kind and id of their owner, each owner's in their order.
type Required = HashMap<(&'static str, String), Vec<RequirementRow>>;

async fn required_on(
    conn: &mut Conn,
    fragments: &[&str],
    choices: &[ChoiceRow],
) -> Worked<Required> {
    let choices: Vec<String> = choices.iter().map(|choice| choice.id.to_string()).collect();
    let owned = |kind: &'static str, ids: Vec<String>| {
        requirements::owner_kind.eq(kind).and(requirements::owner_id.eq_any(ids))
    };
    let mut chunks = choices.chunks(OWNERS_MAX);
    let first = chunks.next().unwrap_or_default().to_vec();
    let ids = fragments.iter().map(|id| (*id).to_owned()).collect();
    let mut rows: Vec<RequirementRow> = requirements::table
        .filter(owned(OF_FRAGMENT, ids).or(owned(OF_CHOICE, first)))
        .select(RequirementRow::as_select())
        .load(conn)
        .await?;
    for chunk in chunks {
        let more = requirements::table.filter(owned(OF_CHOICE, chunk.to_vec()));
        let more: Vec<RequirementRow> = more.select(RequirementRow::as_select()).load(conn).await?;
        rows.extend(more);
    }
    rows.sort_unstable_by_key(|row| row.idx);
    let mut required = Required::new();
    for row in rows {
        let kind = if row.owner_kind == OF_CHOICE { OF_CHOICE } else { OF_FRAGMENT };
        required.entry((kind, row.owner_id.clone())).or_default().push(row);
    }
    Ok(required)
}

/// A page that was asked for, or a count.
#[derive(Clone)]
pub(super) struct Wanted {
    kind: Option<&'static str>,
    is_active: Option<bool>,
    chapter_level: Option<i64>,
    pattern: Option<String>,
    limit: u16,
    after: Option<(DbTime, String)>,
}

impl Wanted {
    /// Refuses cursors of other lists, and texts that are too short or too long.
    pub(super) fn of(filter: &FragmentFilter, page: &PageRequest) -> Result<Self, Violation> {
        let text = filter.text.as_deref().map(Searched::parse).transpose()?;
        Ok(Self {
            kind: filter.kind.map(|kind| kind.as_str()),
            is_active: filter.is_active,
            chapter_level: filter.chapter_level.map(i64::from),
            pattern: text.map(|text| text.anywhere()),
            limit: page.limit(),
            after: FRAGMENTS.after(page)?,
        })
    }

    fn filtered(&self) -> fragments::BoxedQuery<'static, Backend> {
        let mut query = fragments::table.into_boxed::<Backend>();
        if let Some(kind) = self.kind {
            query = query.filter(fragments::kind.eq(kind));
        }
        if let Some(is_active) = self.is_active {
            query = query.filter(fragments::is_active.eq(is_active));
        }
        if let Some(chapter_level) = self.chapter_level {
            query = query.filter(fragments::chapter_level.eq(chapter_level));
        }
        if let Some(pattern) = &self.pattern {
            query = query.filter(fragments::search_key.like(pattern.clone()).escape('\\'));
        }
        query
    }
}

pub(super) async fn fragments_on(conn: &mut Conn, wanted: &Wanted) -> Worked<Page<Fragment>> {
    let mut query = wanted
        .filtered()
        .order_by((fragments::created_at, fragments::id))
        .limit(i64::from(wanted.limit) + 1);
    if let Some((time, id)) = wanted.after.clone() {
        let past = fragments::created_at.gt(time).or(fragments::id.gt(id));
        query = query.filter(fragments::created_at.ge(time)).filter(past);
    }
    let rows: Vec<FragmentRow> = query.select(FragmentRow::as_select()).load(conn).await?;
    let page = FRAGMENTS.page(rows, wanted.limit, |row| (row.created_at, row.id.clone()));
    Ok(Page { items: assembled_on(conn, page.items).await?, next_cursor: page.next_cursor })
}

pub(super) async fn count_fragments_on(conn: &mut Conn, wanted: &Wanted) -> Worked<u64> {
    Ok(count(wanted.filtered().count().get_result(conn).await?))
}

pub(super) async fn connections_on(conn: &mut Conn, id: &Slug) -> Worked<FragmentConnections> {
    let automatic = fragments::table.find(id.as_str()).select(fragments::auto_next_id);
    let automatic: Option<Option<String>> = automatic.first(conn).await.optional()?;
    let automatic = automatic.ok_or_else(|| StorageError::not_found("fragment", id))?;
    let chosen: Vec<(i64, String)> = fragment_choices::table
        .filter(fragment_choices::fragment_id.eq(id.as_str()))
        .filter(fragment_choices::is_active)
        .order(fragment_choices::idx)
        .select((fragment_choices::idx, fragment_choices::destination_id))
        .load(conn)
        .await?;
    let mut outgoing = Vec::with_capacity(chosen.len() + 1);
    if let Some(to) = automatic {
        outgoing.push(way(id.as_str(), None, &to)?);
    }
    for (idx, to) in chosen {
        outgoing.push(way(id.as_str(), Some(idx), &to)?);
    }
    Ok(FragmentConnections { incoming: incoming_on(conn, id.as_str()).await?, outgoing })
}

/// The ways of active fragments that lead to this one, ascending.
async fn incoming_on(conn: &mut Conn, id: &str) -> Worked<Vec<StoryWay>> {
    let automatic: Vec<String> = fragments::table
        .filter(fragments::auto_next_id.eq(id))
        .filter(fragments::is_active)
        .select(fragments::id)
        .load(conn)
        .await?;
    let chosen: Vec<(String, i64)> = fragment_choices::table
        .inner_join(fragments::table)
        .filter(fragment_choices::destination_id.eq(id))
        .filter(fragment_choices::is_active)
        .filter(fragments::is_active)
        .select((fragment_choices::fragment_id, fragment_choices::idx))
        .load(conn)
        .await?;
    let automatic = automatic.iter().map(|from| way(from, None, id));
    let chosen = chosen.iter().map(|(from, idx)| way(from, Some(*idx), id));
    let mut incoming = automatic.chain(chosen).collect::<Result<Vec<_>, _>>()?;
    incoming.sort_unstable();
    Ok(incoming)
}

fn way(from: &str, idx: Option<i64>, to: &str) -> Result<StoryWay, StorageError> {
    let restored = || -> Result<StoryWay, Box<dyn std::error::Error>> {
        let choice = idx.map(u32::try_from).transpose()?;
        Ok(StoryWay { from: Slug::parse(from)?, choice, to: Slug::parse(to)? })
    };
    restored().map_err(corrupt("fragment", from))
}

/// A fragment without its text.
#[derive(Queryable, Selectable)]
#[diesel(table_name = fragments)]
struct NodeRow {
    id: String,
    kind: String,
    auto_next_id: Option<String>,
    is_start: bool,
    is_active: bool,
    is_milestone: bool,
}

pub(super) async fn story_graph_on(conn: &mut Conn) -> Worked<Vec<StoryNode>> {
    let rows: Vec<NodeRow> = fragments::table
        .order(fragments::id)
        .limit(GRAPH_MAX + 1)
        .select(NodeRow::as_select())
        .load(conn)
        .await?;
    let found = rows.len() as u64;
    if found > count(GRAPH_MAX) {
        let limit = count(GRAPH_MAX);
        return Err(StorageError::LimitExceeded { limit, used: found, retry_at: None }.into());
    }
    let choices: Vec<(String, i64, String)> = fragment_choices::table
        .filter(fragment_choices::is_active)
        .order((fragment_choices::fragment_id, fragment_choices::idx))
        .select((
            fragment_choices::fragment_id,
            fragment_choices::idx,
            fragment_choices::destination_id,
        ))
        .load(conn)
        .await?;
    let mut ways: HashMap<String, Vec<StoryWay>> = HashMap::new();
    for (from, idx, to) in choices {
        let way = way(&from, Some(idx), &to)?;
        ways.entry(from).or_default().push(way);
    }
    let node = |row: NodeRow| -> Worked<StoryNode> {
        let automatic = row.auto_next_id.as_deref().map(|to| way(&row.id, None, to)).transpose()?;
        let chosen = ways.remove(&row.id).unwrap_or_default();
        let kind = row.kind.parse();
        Ok(StoryNode {
            kind: kind.map_err(|error: Violation| corrupt("fragment", &row.id)(error.into()))?,
            is_start: row.is_start,
            is_active: row.is_active,
            is_milestone: row.is_milestone,
            ways: automatic.into_iter().chain(chosen).collect(),
            id: row.id.try_into()?,
        })
    };
    rows.into_iter().map(node).collect()
}
