//! Who has which achievements, compiled once per backend: `super::Conn` is what differs.

use std::time::Duration;

use crate::run::RunQueryDsl;
use diesel::dsl::exists;
use diesel::prelude::*;
use guildhall_domain::{
    Achievement, AchievementStats, AchievementSummary, BasisPoints, CommunityZone, DomainEvent,
    HeldAchievement, Metric, MetricSnapshot, Outcome, PendingAchievement, Points, RecentUnlock,
    Rule, Slug, Tier, TierCounts, Timestamp, Unlock, UserAchievement, UserId, Violation,
};
use guildhall_repository::{
    ACHIEVEMENTS_MAX, Earned, HeldFilter, Keyset, Page, PageRequest, StorageError,
    UserAchievementRepository,
};

use super::achievement::by_ids_on;
use super::achievement_report::rank_on;
use super::earned::{self, defined_on, open_to};
use super::lease::{Lease, Mode};
use super::metric::metrics_on;
use super::together::together;
use super::user_lookup::member_on;
use super::{Backend, Conn};
use crate::fault::{Worked, broken_reference};
use crate::kept::Keep;
use crate::queries::queries;
use crate::rows::{ShownRow, UserAchievementRow, count};
use crate::schema::{achievements, user_achievements, users};
use crate::types::DbTime;

const LIST: Keyset<(DbTime, String)> = Keyset::new("achievements.held");
const PENDING: Keyset<(i64, Slug)> = Keyset::new("achievements.pending");
/// Achievements of one member looked at together, at most.
const HELD_MAX: i64 = ACHIEVEMENTS_MAX as i64;
/// Achievements in a summary.
const LATEST: i64 = 5;

queries! {
    impl UserAchievementRepository by user_achievements, |lease| {
        Snapshot metrics(user: UserId, now: Timestamp) -> MetricSnapshot => metrics_on;
        Bare candidates(metrics: &MetricSnapshot) -> Vec<Achievement> => earned::candidates_on;
        Snapshot earned(user: UserId, now: Timestamp) -> Earned => earned::earned_on;
        Snapshot qualifying(user: UserId, metric: &Metric, value: i64, now: Timestamp)
            -> Vec<Achievement> => earned::qualifying_on;
        Transaction unlock(unlock: &Unlock, now: Timestamp) -> Outcome<UserAchievement> {
            if unlock.points < Points::ZERO {
                let rule = Rule::OutOfRange { min: 0, max: Points::MAX.minor() };
                return Err(StorageError::invalid("points", rule));
            }
        } => unlock_on;
        Bare has(user: UserId, achievement: &Slug) -> bool => has_on;
        Bare list(user: UserId, filter: &HeldFilter, page: &PageRequest) -> Page<HeldAchievement> {
            let (filter, after, limit) = (filter.clone(), LIST.after(page)?, page.limit());
        } => list_on(user, filter, after, limit);
        Snapshot pending(user: UserId, now: Timestamp, page: &PageRequest)
            -> Page<PendingAchievement> {
            let (after, limit) = (PENDING.after(page)?, page.limit());
        } => pending_on(user, now, after, limit);
        Bare recent(days: u32, limit: u32, now: Timestamp) -> Vec<RecentUnlock> {
            recent_within(days, limit)?;
        } => recent_on;
        Snapshot summary(user: UserId) -> AchievementSummary => summary_on;
        Snapshot stats(user: UserId, zone: &CommunityZone, now: Timestamp) -> AchievementStats
            => stats_on;
    }
}

/// Refuses what looks back too far, or would list too much.
pub(super) fn recent_within(days: u32, limit: u32) -> Result<(), Violation> {
    let within = |field, value, max| {
        let rule = Rule::OutOfRange { min: 1, max: i64::from(max) };
        if (1..=max).contains(&value) { Ok(()) } else { Err(Violation::new(field, rule)) }
    };
    within("days", days, 90)?;
    within("limit", limit, 50)
}

async fn unlock_on(
    conn: &mut Conn,
    unlock: &Unlock,
    now: Timestamp,
) -> Worked<Outcome<UserAchievement>> {
    let key = unlock.achievement.as_str();
    let asked = diesel::select((
        exists(users::table.find(unlock.user.0).filter(users::deleted_at.is_null())),
        exists(achievements::table.find(key).filter(achievements::is_active)),
    ));
    let new = diesel::insert_into(user_achievements::table)
        .values(UserAchievementRow::of(unlock, DbTime(now)))
        .on_conflict_do_nothing();
    let (asked, inserted) = together!(
        conn,
        on => asked.get_result::<(bool, bool)>(on),
        on => new.kept().execute(on),
    );
    let (member, is_active) = asked?;
    if !member {
        return Err(StorageError::not_found("user", unlock.user).into());
    }
    let absent = || StorageError::not_found("achievement", &unlock.achievement);
    let inserted = match inserted {
        // There is none, or it was removed after the look.
        Err(error) if broken_reference(&error) => return Err(absent().into()),
        inserted => inserted?,
    };
    match (inserted > 0, is_active) {
        (true, true) => {
            let held = UserAchievementRow::of(unlock, DbTime(now)).into_held()?;
            let (user, achievement) = (unlock.user, unlock.achievement.clone());
            let event = DomainEvent::AchievementUnlocked { user, achievement };
            return Ok(Outcome::new(held, vec![event]));
        }
        (true, false) => return Err(absent().into()), // Which takes it back.
        (false, _) => {}
    }
    // Who has it has it, active or not.
    let held: Option<UserAchievementRow> = user_achievements::table
        .find((unlock.user.0, key))
        .select(UserAchievementRow::as_select())
        .first(conn)
        .await
        .optional()?;
    Ok(Outcome::replayed(held.ok_or_else(absent)?.into_held()?))
}

async fn has_on(conn: &mut Conn, user: UserId, id: &Slug) -> Worked<bool> {
    let held = user_achievements::table.find((user.0, id.as_str()));
    Ok(diesel::select(exists(held)).get_result(conn).await?)
}

async fn list_on(
    conn: &mut Conn,
    user: UserId,
    filter: &HeldFilter,
    after: &Option<(DbTime, String)>,
    limit: u16,
) -> Worked<Page<HeldAchievement>> {
    let mut query = user_achievements::table
        .inner_join(achievements::table)
        .filter(user_achievements::user_id.eq(user.0))
        .order((user_achievements::unlocked_at.desc(), user_achievements::achievement_id))
        .limit(i64::from(limit) + 1)
        .select(UserAchievementRow::as_select())
        .into_boxed::<Backend>();
    if let Some(category) = &filter.category {
        query = query.filter(achievements::category.eq(category.as_str().to_owned()));
    }
    if let Some(tier) = filter.tier {
        query = query.filter(achievements::tier.eq(tier.as_str()));
    }
    if let Some((time, id)) = after {
        let later = user_achievements::achievement_id.gt(id.clone());
        let past = user_achievements::unlocked_at.lt(*time).or(later);
        query = query.filter(user_achievements::unlocked_at.le(*time)).filter(past);
    }
    let rows: Vec<UserAchievementRow> = query.load(conn).await?;
    let page = LIST.page(rows, limit, |last| (last.unlocked_at, last.achievement_id.clone()));
    let items = held_of_on(conn, page.items).await?;
    Ok(Page { items, next_cursor: page.next_cursor })
}

/// The rows with what they are of, by one more statement.
async fn held_of_on(
    conn: &mut Conn,
    rows: Vec<UserAchievementRow>,
) -> Worked<Vec<HeldAchievement>> {
    let unlocked: Result<Vec<UserAchievement>, _> =
        rows.into_iter().map(UserAchievementRow::into_held).collect();
    let unlocked = unlocked?;
    let ids: Vec<Slug> = unlocked.iter().map(|one| one.achievement.clone()).collect();
    // Of one member: each id once, and each in its place.
    let achievements = by_ids_on(conn, &ids).await?;
    if achievements.len() != unlocked.len() {
        let detail = "refers to an achievement that does not exist";
        return Err(StorageError::integrity("user achievement", "of a list", detail).into());
    }
    let pairs = achievements.into_iter().zip(unlocked);
    Ok(pairs.map(|(achievement, unlocked)| HeldAchievement { achievement, unlocked }).collect())
}

/// Progress is a mean of quotients: the whole catalogue, which is bounded, is weighed here.
async fn pending_on(
    conn: &mut Conn,
    user: UserId,
    now: Timestamp,
    after: &Option<(i64, Slug)>,
    limit: u16,
) -> Worked<Page<PendingAchievement>> {
    let metrics = metrics_on(conn, user, now).await?;
    let open = defined_on(conn, open_to(user), i64::from(ACHIEVEMENTS_MAX)).await?;
    let mut open: Vec<PendingAchievement> =
        open.into_iter().map(|one| PendingAchievement::of(one, &metrics)).collect();
    let progress = |one: &PendingAchievement| i64::from(one.progress.get());
    if let Some((reached, id)) = after {
        let past = |one: &PendingAchievement| {
            progress(one) < *reached || progress(one) == *reached && one.id > *id
        };
        open.retain(past);
    }
    open.sort_by_key(|one| std::cmp::Reverse(progress(one))); // Stable: equals stay by id.
    Ok(PENDING.page(open, limit, |last| (progress(last), last.id.clone())))
}

/// A row of what was unlocked lately.
#[derive(Queryable)]
struct RecentRow {
    unlocked: UserAchievementRow,
    title: String,
    tier: String,
    member: ShownRow,
}

async fn recent_on(
    conn: &mut Conn,
    days: u32,
    limit: u32,
    now: Timestamp,
) -> Worked<Vec<RecentUnlock>> {
    let since = now.minus(Duration::from_secs(u64::from(days) * 86_400));
    let rows: Vec<RecentRow> = user_achievements::table
        .inner_join(achievements::table)
        .inner_join(users::table)
        .filter(users::is_active)
        .filter(user_achievements::unlocked_at.gt(DbTime(since)))
        .filter(user_achievements::unlocked_at.le(DbTime(now)))
        .order((
            user_achievements::unlocked_at.desc(),
            user_achievements::user_id,
            user_achievements::achievement_id,
        ))
        .limit(i64::from(limit))
        .select((
            UserAchievementRow::as_select(),
            achievements::title,
            achievements::tier,
            ShownRow::as_select(),
        ))
        .load(conn)
        .await?;
    rows.into_iter().map(RecentRow::shown).collect()
}

impl RecentRow {
    fn shown(self) -> Worked<RecentUnlock> {
        Ok(RecentUnlock {
            unlocked: self.unlocked.into_held()?,
            user_name: self.member.name(),
            avatar_url: self.member.avatar_url()?,
            title: self.title.try_into()?,
            tier: self.tier.parse()?,
        })
    }
}

/// When, of which rank, whether still active, and paid what: all of one member's.
type HeldShort = (DbTime, String, bool, i64);

async fn short_on(conn: &mut Conn, user: UserId) -> Worked<Vec<HeldShort>> {
    let held = user_achievements::table
        .inner_join(achievements::table)
        .filter(user_achievements::user_id.eq(user.0))
        .order((user_achievements::unlocked_at.desc(), user_achievements::achievement_id))
        .limit(HELD_MAX)
        .select((
            user_achievements::unlocked_at,
            achievements::tier,
            achievements::is_active,
            user_achievements::points_awarded,
        ));
    Ok(held.load(conn).await?)
}

async fn summary_on(conn: &mut Conn, user: UserId) -> Worked<AchievementSummary> {
    member_on(conn, user).await?;
    let held = short_on(conn, user).await?;
    let active: i64 =
        achievements::table.filter(achievements::is_active).count().get_result(conn).await?;
    let latest = user_achievements::table
        .filter(user_achievements::user_id.eq(user.0))
        .order((user_achievements::unlocked_at.desc(), user_achievements::achievement_id))
        .limit(LATEST)
        .select(UserAchievementRow::as_select())
        .load(conn)
        .await?;
    let latest = held_of_on(conn, latest).await?;
    let (mut by_tier, mut points, mut completed) = (TierCounts::default(), Points::ZERO, 0);
    for (_, tier, is_active, paid) in &held {
        by_tier.add(tier.parse()?, 1);
        points = points.plus(Points::from_minor(*paid)?)?;
        completed += u64::from(*is_active);
    }
    Ok(AchievementSummary {
        user,
        total: held.len() as u64,
        by_tier,
        points,
        latest,
        completion: BasisPoints::share(completed, count(active)),
        last_unlocked_at: held.as_slice().first().map(|(at, ..)| at.0),
    })
}

async fn stats_on(
    conn: &mut Conn,
    user: UserId,
    zone: &CommunityZone,
    now: Timestamp,
) -> Worked<AchievementStats> {
    member_on(conn, user).await?;
    let held = short_on(conn, user).await?;
    let rank = rank_on(conn, user).await?;
    let unlocks = held.into_iter().map(|(at, tier, ..)| Ok((at.0, tier.parse()?)));
    let unlocks: Vec<(Timestamp, Tier)> = unlocks.collect::<Result<_, Violation>>()?;
    Ok(AchievementStats::of(user, &unlocks, rank, zone, now))
}
