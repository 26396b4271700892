//! Leaderboards and totals of achievements. Compiled once per backend.
//!
//! Sums, ranks and months are beyond the query builder; PostgreSQL sums 64-bit integers to
//! `numeric`, hence the casts.

use crate::run::RunQueryDsl;
use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use guildhall_domain::{
    AchievementLeader, AchievementRanking, AchievementStatistics, AchievementTotals, BasisPoints,
    MonthCount, Points, Slug, TierCounts, Timestamp, UserId, Violation,
};
use guildhall_repository::{AchievementReportRepository, OffsetRequest, Ranked, StorageError};

use super::lease::{Lease, Mode};
use super::{Conn, UNLOCK_MONTH};
use crate::fault::Worked;
use crate::queries::queries;
use crate::rows::{ShownRow, count};
use crate::schema::{achievements, badges, user_achievements, user_badges, users};
use crate::types::{DbTime, UtcTime};

queries! {
    impl AchievementReportRepository by achievement_reports, |lease| {
        Snapshot leaderboard(by: AchievementRanking, rows: OffsetRequest, now: Timestamp)
            -> Ranked<AchievementLeader> => leaderboard_on;
        Snapshot statistics(id: &Slug) -> AchievementStatistics => statistics_on;
        Snapshot totals() -> AchievementTotals => totals_on;
    }
}

const COUNT: &str = "COUNT(*)";
const PAID: &str = "CAST(COALESCE(SUM(points_awarded), 0) AS BIGINT)";
const LAST: &str = "MAX(unlocked_at)";
const HOLDERS: &str = "COUNT(DISTINCT user_achievements.user_id)";
/// Months shown at most: the last twenty years.
const MONTHS_MAX: i64 = 240;

const fn value_of(by: AchievementRanking) -> &'static str {
    match by {
        AchievementRanking::Count => COUNT,
        AchievementRanking::Points => PAID,
    }
}

/// A row of the board.
#[derive(Queryable)]
struct LeaderRow {
    rank: i64,
    count: i64,
    points: i64,
    last: DbTime,
    member: ShownRow,
}

async fn leaderboard_on(
    conn: &mut Conn,
    by: AchievementRanking,
    request: OffsetRequest,
    now: Timestamp,
) -> Worked<Ranked<AchievementLeader>> {
    let value = value_of(by);
    let rows: Vec<LeaderRow> = user_achievements::table
        .inner_join(users::table)
        .filter(users::is_active)
        .group_by(users::id)
        .having(sql::<Bool>(&format!("{value} > 0")))
        .order((sql::<BigInt>(&format!("{value} DESC")), sql::<UtcTime>(LAST), users::id))
        .offset(i64::from(request.offset()))
        .limit(i64::from(request.limit()))
        .select((
            sql::<BigInt>(&format!("RANK() OVER (ORDER BY {value} DESC)")),
            sql::<BigInt>(COUNT),
            sql::<BigInt>(PAID),
            sql::<UtcTime>(LAST),
            ShownRow::as_select(),
        ))
        .load(conn)
        .await?;
    let items = rows.into_iter().map(LeaderRow::leader).collect::<Worked<_>>()?;
    Ok(Ranked { items, total: above_on(conn, by, 0).await?, computed_at: now })
}

impl LeaderRow {
    fn leader(self) -> Worked<AchievementLeader> {
        Ok(AchievementLeader {
            rank: count(self.rank),
            user: self.member.user(),
            name: self.member.name(),
            avatar_url: self.member.avatar_url()?,
            count: count(self.count),
            points: Points::from_minor(self.points)?,
            last_unlocked_at: self.last.0,
        })
    }
}

/// How many active members have more than this; above 0: how many are ranked at all.
async fn above_on(conn: &mut Conn, by: AchievementRanking, value: i64) -> QueryResult<u64> {
    let ranked = format!(
        "(SELECT COUNT(*) FROM (SELECT 1 AS one FROM user_achievements \
         INNER JOIN users ON users.id = user_achievements.user_id \
         WHERE users.is_active GROUP BY users.id HAVING {} > ",
        value_of(by)
    );
    let ranked = sql::<BigInt>(&ranked).bind::<BigInt, _>(value).sql(") AS ranked)");
    diesel::select(ranked).get_result(conn).await.map(count)
}

/// How many active members have unlocked more achievements than this.
pub(super) async fn holders_above_on(conn: &mut Conn, achievements: i64) -> QueryResult<u64> {
    above_on(conn, AchievementRanking::Count, achievements).await
}

/// The member's place by the number of achievements; `None` without any, or for who is inactive.
pub(super) async fn rank_on(conn: &mut Conn, user: UserId) -> Worked<Option<u64>> {
    let own: i64 = user_achievements::table
        .inner_join(users::table)
        .filter(users::id.eq(user.0))
        .filter(users::is_active)
        .count()
        .get_result(conn)
        .await?;
    if own == 0 {
        return Ok(None);
    }
    Ok(Some(1 + holders_above_on(conn, own).await?))
}

pub(super) async fn active_members_on(conn: &mut Conn) -> QueryResult<u64> {
    users::table.filter(users::is_active).count().get_result(conn).await.map(count)
}

fn months(rows: Vec<(String, i64)>) -> Result<Vec<MonthCount>, Violation> {
    // The last months were asked for first.
    let months = rows.into_iter().rev();
    months.map(|(month, n)| Ok(MonthCount { month: month.parse()?, count: count(n) })).collect()
}

async fn statistics_on(conn: &mut Conn, id: &Slug) -> Worked<AchievementStatistics> {
    let unlocks = || {
        user_achievements::table
            .inner_join(users::table)
            .filter(user_achievements::achievement_id.eq(id.as_str()))
            .filter(users::is_active)
    };
    let known = achievements::table.find(id.as_str());
    if !diesel::select(diesel::dsl::exists(known)).get_result(conn).await? {
        return Err(StorageError::not_found("achievement", id).into());
    }
    let (holders, first, last): (i64, Option<DbTime>, Option<DbTime>) = unlocks()
        .select((
            count_star(),
            diesel::dsl::min(user_achievements::unlocked_at),
            diesel::dsl::max(user_achievements::unlocked_at),
        ))
        .get_result(conn)
        .await?;
    let by_month: Vec<(String, i64)> = unlocks()
        .group_by(sql::<Text>(UNLOCK_MONTH))
        .order(sql::<Text>(UNLOCK_MONTH).desc())
        .limit(MONTHS_MAX)
        .select((sql::<Text>(UNLOCK_MONTH), sql::<BigInt>(COUNT)))
        .load(conn)
        .await?;
    Ok(AchievementStatistics {
        achievement: id.clone(),
        holders: count(holders),
        rate: BasisPoints::share(count(holders), active_members_on(conn).await?),
        first_unlocked_at: first.map(|time| time.0),
        last_unlocked_at: last.map(|time| time.0),
        by_month: months(by_month)?,
    })
}

async fn totals_on(conn: &mut Conn) -> Worked<AchievementTotals> {
    let unlocks = || user_achievements::table.inner_join(users::table).filter(users::is_active);
    let (defined, active): (i64, i64) = achievements::table
        .select((count_star(), sql::<BigInt>("COUNT(CASE WHEN is_active THEN 1 END)")))
        .get_result(conn)
        .await?;
    let (unlocked, holders, paid): (i64, i64, i64) = unlocks()
        .select((count_star(), sql::<BigInt>(HOLDERS), sql::<BigInt>(PAID)))
        .get_result(conn)
        .await?;
    let tiers: Vec<(String, i64)> = user_achievements::table
        .inner_join(achievements::table)
        .inner_join(users::table)
        .filter(users::is_active)
        .group_by(achievements::tier)
        .select((achievements::tier, count_star()))
        .load(conn)
        .await?;
    let mut by_tier = TierCounts::default();
    for (tier, number) in tiers {
        by_tier.add(tier.parse()?, count(number));
    }
    let by_month: Vec<(String, i64)> = unlocks()
        .group_by(sql::<Text>(UNLOCK_MONTH))
        .order(sql::<Text>(UNLOCK_MONTH).desc())
        .limit(MONTHS_MAX)
        .select((sql::<Text>(UNLOCK_MONTH), sql::<BigInt>(COUNT)))
        .load(conn)
        .await?;
    let badges_held: i64 = user_badges::table
        .inner_join(users::table)
        .filter(users::is_active)
        .count()
        .get_result(conn)
        .await?;
    Ok(AchievementTotals {
        defined: count(defined),
        active: count(active),
        unlocks: count(unlocked),
        holders: count(holders),
        holder_rate: BasisPoints::share(count(holders), active_members_on(conn).await?),
        points: Points::from_minor(paid)?,
        by_tier,
        by_month: months(by_month)?,
        badges: count(badges::table.count().get_result(conn).await?),
        badges_held: count(badges_held),
    })
}
