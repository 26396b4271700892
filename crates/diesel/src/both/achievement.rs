//! The catalogue of achievements, compiled once per backend: `super::Conn` is what differs.

use std::collections::{HashMap, HashSet};

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{
    Achievement, AchievementPatch, Metric, NewAchievement, Rule, Slug, Timestamp,
};
use guildhall_repository::{
    ACHIEVEMENTS_MAX, AchievementFilter, AchievementRepository, Change, Keyset, ListLimit, Page,
    PageRequest, SeedReport, StorageError,
};

use super::achievement_batch;
use super::lease::{Lease, Mode};
use super::member::batch;
use super::user::at_most;
use super::{Backend, Conn};
use crate::batch::fits;
use crate::fault::{Worked, broken_reference};
use crate::kept::Keep;
use crate::queries::queries;
use crate::rows::{AchievementRow, CriterionRow, count};
use crate::schema::{achievement_criteria, achievements, user_achievements};

const LIST: Keyset<Place> = Keyset::new("achievements.list");
/// Achievements fetched, or defined, at once at most.
const MANY_MAX: usize = 500;
/// Rows of one statement: PostgreSQL binds at most 65 535 values.
const ROWS: usize = 2000;

queries! {
    impl AchievementRepository by achievements, |lease| {
        Bare by_id(id: &Slug) -> Option<Achievement> => by_id_on;
        Bare by_ids(ids: &[Slug]) -> Vec<Achievement> {
            at_most("ids", ids.len(), MANY_MAX)?;
        } => by_ids_on;
        Bare list(filter: &AchievementFilter, page: &PageRequest) -> Page<Achievement> {
            let (filter, after, limit) = (filter.clone(), LIST.after(page)?, page.limit());
        } => list_on(filter, after, limit);
        Bare count(filter: &AchievementFilter) -> u64 => count_on;
        Bare exists(id: &Slug) -> bool => exists_on;
        Bare by_metric(metric: &Metric, limit: ListLimit) -> Vec<Achievement> => by_metric_on;
        Transaction create(new: &NewAchievement, now: Timestamp) -> Achievement {
            new.check()?;
        } => create_on;
        Transaction update(id: &Slug, patch: &AchievementPatch, expected_version: i64)
            -> Achievement => update_on;
        Transaction delete(id: &Slug, hard: bool) -> bool => delete_on;
        Transaction create_batch(new: &[NewAchievement], now: Timestamp) -> Vec<Achievement> {
            fits("new", new.len())?;
            new.iter().try_for_each(NewAchievement::check)?;
        } => achievement_batch::create_batch_on;
        Transaction update_batch(changes: &[Change<Slug, AchievementPatch>]) -> u64 {
            fits("changes", changes.len())?;
        } => achievement_batch::update_batch_on;
        Transaction delete_batch(ids: &[Slug], hard: bool) -> u64 {
            fits("ids", ids.len())?;
        } => achievement_batch::delete_batch_on;
        Transaction seed(definitions: &[NewAchievement], now: Timestamp) -> SeedReport {
            at_most("definitions", definitions.len(), MANY_MAX)?;
            definitions.iter().try_for_each(NewAchievement::check)?;
            let mut seen = HashSet::new();
            if !definitions.iter().all(|new| seen.insert(&new.id)) {
                return Err(StorageError::invalid("definitions", Rule::Duplicate));
            }
        } => seed_on;
    }
}

/// Joins achievements to their criteria, in the order of the definition: one statement for all.
#[diesel::dsl::auto_type(no_type_alias)]
fn defined() -> _ {
    achievements::table.left_join(achievement_criteria::table)
}

/// A row of [`defined`].
type Defined = (AchievementRow, Option<CriterionRow>);

/// Achievements of rows in which each one's come together, its criteria in order.
pub(super) fn assembled(rows: Vec<Defined>) -> Worked<Vec<Achievement>> {
    let mut parts: Vec<(AchievementRow, Vec<CriterionRow>)> = Vec::new();
    for (row, criterion) in rows {
        match parts.last_mut() {
            Some((last, criteria)) if last.id == row.id => criteria.extend(criterion),
            _ => parts.push((row, criterion.into_iter().collect())),
        }
    }
    let assembled = parts.into_iter().map(|(row, criteria)| Ok(row.into_achievement(criteria)?));
    assembled.collect()
}

async fn by_id_on(conn: &mut Conn, id: &Slug) -> Worked<Option<Achievement>> {
    let rows = defined()
        .filter(achievements::id.eq(id.as_str()))
        .order(achievement_criteria::idx)
        .select((AchievementRow::as_select(), Option::<CriterionRow>::as_select()))
        .load(conn)
        .await?;
    Ok(assembled(rows)?.pop())
}

/// In the order of `ids`, each once.
pub(super) async fn by_ids_on(conn: &mut Conn, ids: &[Slug]) -> Worked<Vec<Achievement>> {
    let wanted: Vec<String> = ids.iter().map(|id| id.as_str().to_owned()).collect();
    let found = among_on(conn, wanted).await?;
    let mut found: HashMap<Slug, Achievement> =
        found.into_iter().map(|found| (found.id.clone(), found)).collect();
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

async fn among_on(conn: &mut Conn, ids: Vec<String>) -> Worked<Vec<Achievement>> {
    let rows = defined()
        .filter(achievements::id.eq_any(ids))
        .order((achievements::id, achievement_criteria::idx))
        .select((AchievementRow::as_select(), Option::<CriterionRow>::as_select()))
        .load(conn)
        .await?;
    assembled(rows)
}

fn filtered(filter: &AchievementFilter) -> achievements::BoxedQuery<'static, Backend> {
    let mut query = achievements::table.into_boxed::<Backend>();
    if let Some(is_active) = filter.is_active {
        query = query.filter(achievements::is_active.eq(is_active));
    }
    if let Some(category) = &filter.category {
        query = query.filter(achievements::category.eq(category.as_str().to_owned()));
    }
    query
}

/// What a page of the catalogue goes on from: category, place in the category, id.
type Place = (String, i32, String);

async fn list_on(
    conn: &mut Conn,
    filter: &AchievementFilter,
    after: &Option<Place>,
    limit: u16,
) -> Worked<Page<Achievement>> {
    let mut places = filtered(filter);
    if let Some((category, place, id)) = after {
        // The first half lets the index jump to the place, the rest cuts the ties.
        let within = achievements::category
            .gt(category.clone())
            .or(achievements::sort_order.gt(*place))
            .or(achievements::sort_order.eq(*place).and(achievements::id.gt(id.clone())));
        places = places.filter(achievements::category.ge(category.clone())).filter(within);
    }
    // The page is cut before the criteria multiply its rows.
    let places = places
        .order((achievements::category, achievements::sort_order, achievements::id))
        .limit(i64::from(limit) + 1)
        .select(achievements::id);
    let rows = defined()
        .filter(achievements::id.eq_any(places))
        .order((
            achievements::category,
            achievements::sort_order,
            achievements::id,
            achievement_criteria::idx,
        ))
        .select((AchievementRow::as_select(), Option::<CriterionRow>::as_select()))
        .load(conn)
        .await?;
    Ok(LIST.page(assembled(rows)?, limit, |last| {
        (last.category.to_string(), last.sort_order, last.id.to_string())
    }))
}

async fn count_on(conn: &mut Conn, filter: &AchievementFilter) -> Worked<u64> {
    Ok(count(filtered(filter).count().get_result(conn).await?))
}

async fn exists_on(conn: &mut Conn, id: &Slug) -> Worked<bool> {
    Ok(diesel::select(diesel::dsl::exists(achievements::table.find(id.as_str())))
        .get_result(conn)
        .await?)
}

async fn by_metric_on(
    conn: &mut Conn,
    metric: &Metric,
    limit: ListLimit,
) -> Worked<Vec<Achievement>> {
    let looking = achievement_criteria::table
        .filter(achievement_criteria::metric.eq(metric.as_str().to_owned()))
        .group_by(achievement_criteria::achievement_id)
        .order((
            diesel::dsl::min(achievement_criteria::threshold),
            achievement_criteria::achievement_id,
        ))
        .limit(i64::from(limit.get()))
        .select(achievement_criteria::achievement_id);
    let ids: Vec<String> = looking.load(conn).await?;
    let ids: Result<Vec<Slug>, _> = ids.into_iter().map(Slug::try_from).collect();
    by_ids_on(conn, &ids?).await
}

async fn create_on(conn: &mut Conn, new: &NewAchievement, now: Timestamp) -> Worked<Achievement> {
    room_for_on(conn, 1).await?;
    let achievement = Achievement::defined(new.clone(), now);
    let inserted = diesel::insert_into(achievements::table)
        .values(AchievementRow::of(&achievement))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    if inserted == 0 {
        return Err(StorageError::already_exists("achievement", &new.id).into());
    }
    insert_criteria_on(conn, CriterionRow::all(&new.id, &new.criteria)).await?;
    Ok(achievement)
}

/// Refuses what would not fit into the catalogue.
pub(super) async fn room_for_on(conn: &mut Conn, more: usize) -> Worked<()> {
    let used = count(achievements::table.count().get_result(conn).await?);
    if used + more as u64 > u64::from(ACHIEVEMENTS_MAX) {
        let limit = u64::from(ACHIEVEMENTS_MAX);
        return Err(StorageError::LimitExceeded { limit, used, retry_at: None }.into());
    }
    Ok(())
}

pub(super) async fn insert_criteria_on(
    conn: &mut Conn,
    rows: Vec<CriterionRow>,
) -> QueryResult<()> {
    for rows in rows.chunks(ROWS) {
        let (rows, table) = (rows.to_vec(), achievement_criteria::table);
        batch!(conn, execute, rows, diesel::insert_into(table).values(rows))?;
    }
    Ok(())
}

pub(super) async fn update_on(
    conn: &mut Conn,
    id: &Slug,
    patch: &AchievementPatch,
    expected: i64,
) -> Worked<Achievement> {
    let stored = by_id_on(conn, id).await?;
    let stored = stored.ok_or_else(|| StorageError::not_found("achievement", id))?;
    if patch.is_empty() {
        return Ok(stored);
    }
    let moved = |actual| StorageError::conflict("achievement", id, expected, actual);
    if stored.version != expected {
        return Err(moved(stored.version).into());
    }
    let changed = patch.clone().applied_to(stored)?;
    let current = achievements::table.find(id.as_str()).filter(achievements::version.eq(expected));
    let written =
        diesel::update(current).set(AchievementRow::of(&changed)).kept().execute(conn).await?;
    if written == 0 {
        let version = achievements::table.find(id.as_str()).select(achievements::version);
        let actual: Option<i64> = version.first(conn).await.optional()?;
        let absent = || StorageError::not_found("achievement", id);
        return Err(actual.map_or_else(absent, moved).into());
    }
    if patch.criteria.is_some() {
        let old = achievement_criteria::achievement_id.eq(id.as_str());
        diesel::delete(achievement_criteria::table.filter(old)).execute(conn).await?;
        insert_criteria_on(conn, CriterionRow::all(id, &changed.criteria)).await?;
    }
    Ok(changed)
}

async fn delete_on(conn: &mut Conn, id: &Slug, hard: bool) -> Worked<bool> {
    if hard { remove_on(conn, id).await } else { deactivate_on(conn, id).await }
}

async fn deactivate_on(conn: &mut Conn, id: &Slug) -> Worked<bool> {
    let active = achievements::table.find(id.as_str()).filter(achievements::is_active);
    let written = diesel::update(active)
        .set((
            achievements::is_active.eq(false),
            achievements::version.eq(achievements::version + 1),
        ))
        .kept()
        .execute(conn)
        .await?;
    Ok(written > 0)
}

pub(super) fn held(id: impl ToString) -> StorageError {
    StorageError::InvalidState {
        entity: "achievement",
        key: id.to_string(),
        state: "held by members".to_owned(),
        attempted: "remove it",
    }
}

async fn remove_on(conn: &mut Conn, id: &Slug) -> Worked<bool> {
    let key = id.as_str();
    let holders = user_achievements::table.filter(user_achievements::achievement_id.eq(key));
    if diesel::select(diesel::dsl::exists(holders)).get_result(conn).await? {
        return Err(held(id).into());
    }
    let criteria = achievement_criteria::table.filter(achievement_criteria::achievement_id.eq(key));
    diesel::delete(criteria).execute(conn).await?;
    match diesel::delete(achievements::table.find(key)).execute(conn).await {
        // Somebody unlocked it after the look.
        Err(error) if broken_reference(&error) => Err(held(id).into()),
        removed => Ok(removed? > 0),
    }
}

async fn seed_on(
    conn: &mut Conn,
    definitions: &[NewAchievement],
    now: Timestamp,
) -> Worked<SeedReport> {
    let ids = definitions.iter().map(|new| new.id.as_str().to_owned()).collect();
    let stored = among_on(conn, ids).await?;
    let stored: HashMap<&Slug, &Achievement> = stored.iter().map(|one| (&one.id, one)).collect();
    let mut report = SeedReport::default();
    let mut changed = Vec::new();
    for new in definitions {
        match stored.get(&new.id) {
            None => {
                report.inserted += 1;
                changed.push(Achievement::defined(new.clone(), now));
            }
            Some(old) => match old.redefined(new) {
                Some(redefined) => {
                    report.updated += 1;
                    changed.push(redefined);
                }
                None => report.unchanged += 1,
            },
        }
    }
    if changed.is_empty() {
        return Ok(report);
    }
    room_for_on(conn, usize::try_from(report.inserted).unwrap_or(usize::MAX)).await?;
    // Always the same order, so that two calls never wait for each other.
    changed.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    let rows: Vec<_> = changed.iter().map(AchievementRow::of).collect();
    write_on(conn, rows).await?;
    let ids: Vec<String> = changed.iter().map(|one| one.id.as_str().to_owned()).collect();
    let old = achievement_criteria::achievement_id.eq_any(ids);
    diesel::delete(achievement_criteria::table.filter(old)).execute(conn).await?;
    let criteria = changed.iter().flat_map(|one| CriterionRow::all(&one.id, &one.criteria));
    insert_criteria_on(conn, criteria.collect()).await?;
    Ok(report)
}

/// Inserts or replaces. What somebody else stored meanwhile loses nothing but its definition.
async fn write_on(conn: &mut Conn, rows: Vec<AchievementRow>) -> QueryResult<()> {
    use achievements::dsl as a;
    use diesel::upsert::excluded;
    batch!(
        conn,
        execute,
        rows,
        diesel::insert_into(a::achievements).values(rows).on_conflict(a::id).do_update().set((
            a::title.eq(excluded(a::title)),
            a::description.eq(excluded(a::description)),
            a::category.eq(excluded(a::category)),
            a::tier.eq(excluded(a::tier)),
            a::icon_url.eq(excluded(a::icon_url)),
            a::reward_text.eq(excluded(a::reward_text)),
            a::reward_points.eq(excluded(a::reward_points)),
            a::hidden.eq(excluded(a::hidden)),
            a::sort_order.eq(excluded(a::sort_order)),
            a::version.eq(a::version + 1),
        ))
    )?;
    Ok(())
}
