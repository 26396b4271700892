//! Leaderboards, ranks and lists of accounts. Compiled once per backend.

use std::collections::HashMap;

use crate::run::RunQueryDsl;
use diesel::dsl::{count_star, max, sql};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use guildhall_domain::{
    ActivitySummary, CommunityZone, DailyActivity, Day, ExternalAccount, LeaderboardMetric,
    LeaderboardRow, PointAccount, PointTotals, Points, RankInfo, Rule, Timestamp, UserId,
};
use guildhall_repository::{
    Keyset, OffsetRequest, Page, PageRequest, Ranked, RankingRepository, StorageError,
};

use super::achievement_report::{holders_above_on, rank_on as unlock_rank_on};
use super::lease::{Lease, Mode};
use super::report::{activity_on, circulation_on, day_on, totals_on};
use super::{Backend, Conn, columns};
use crate::fault::Worked;
use crate::queries::queries;
use crate::rows::{AccountRow, ExternalRow, ShownRow, count};
use crate::schema::{external_accounts, point_accounts, user_achievements, users};

/// By balance, then by member.
type Place = (i64, i64);

const ABOVE: Keyset<Place> = Keyset::new("accounts.above");
const BELOW: Keyset<Place> = Keyset::new("accounts.below");

queries! {
    impl RankingRepository by rankings, |lease| {
        Snapshot leaderboard(metric: LeaderboardMetric, rows: OffsetRequest, now: Timestamp)
            -> Ranked<LeaderboardRow> => leaderboard_on;
        Snapshot rank_of(user: UserId, metric: LeaderboardMetric) -> Option<RankInfo> => rank_on;
        Bare accounts_above(threshold: Points, page: &PageRequest) -> Page<PointAccount> {
            let (threshold, after, limit) = (threshold.minor(), ABOVE.after(page)?, page.limit());
        } => above_on(threshold, after, limit);
        Bare accounts_below(threshold: Points, page: &PageRequest) -> Page<PointAccount> {
            let (threshold, after, limit) = (threshold.minor(), BELOW.after(page)?, page.limit());
        } => below_on(threshold, after, limit);
        Bare points_in_circulation() -> Points => circulation_on;
        Snapshot totals() -> PointTotals => totals_on;
        Bare daily_activity(day: Day, zone: &CommunityZone) -> DailyActivity => day_on;
        Snapshot activity_summary(user: UserId, days: u32, zone: &CommunityZone, now: Timestamp)
            -> ActivitySummary {
            if !(1..=365).contains(&days) {
                return Err(StorageError::invalid("days", Rule::OutOfRange { min: 1, max: 365 }));
            }
        } => activity_on;
    }
}

/// A metric that is a column of accounts.
#[derive(Clone, Copy)]
enum Column {
    Balance,
    LifetimeEarned,
    Xp,
}

impl Column {
    /// `None` for achievements, which are counted.
    const fn of(metric: LeaderboardMetric) -> Option<Self> {
        match metric {
            LeaderboardMetric::Balance => Some(Self::Balance),
            LeaderboardMetric::LifetimeEarned => Some(Self::LifetimeEarned),
            LeaderboardMetric::Xp => Some(Self::Xp),
            LeaderboardMetric::Achievements => None,
        }
    }
}

/// Runs the same query over the column of a metric.
macro_rules! by_column {
    ($metric:expr, $column:ident => $query:expr) => {
        match $metric {
            Column::Balance => {
                use point_accounts::balance as $column;
                $query
            }
            Column::LifetimeEarned => {
                use point_accounts::lifetime_earned as $column;
                $query
            }
            Column::Xp => {
                use point_accounts::xp as $column;
                $query
            }
        }
    };
}

/// A row of the board before it has a rank.
#[derive(Queryable)]
struct BoardRow {
    value: i64,
    level: i64,
    member: ShownRow,
}

/// Rows with their ranks, and how many are ranked at all.
type Board = (Vec<(u64, BoardRow)>, u64);

async fn leaderboard_on(
    conn: &mut Conn,
    metric: LeaderboardMetric,
    request: OffsetRequest,
    now: Timestamp,
) -> Worked<Ranked<LeaderboardRow>> {
    let (rows, total) = match Column::of(metric) {
        Some(column) => board_on(conn, column, request).await?,
        None => unlock_board_on(conn, request).await?,
    };
    let mut externals = externals_on(conn, &rows).await?;
    let ranked = rows.into_iter().map(|(rank, row)| row.ranked(rank, &mut externals));
    Ok(Ranked { items: ranked.collect::<Result<_, _>>()?, total, computed_at: now })
}

async fn board_on(conn: &mut Conn, column: Column, request: OffsetRequest) -> Worked<Board> {
    use point_accounts::dsl as a;
    let rows: Vec<BoardRow> = by_column!(column, value => {
        a::point_accounts
            .inner_join(users::table)
            .filter(a::is_listed.eq(true).and(value.gt(0)))
            .order((value.desc(), a::user_id.asc()))
            .offset(i64::from(request.offset()))
            .limit(i64::from(request.limit()))
            .select((value, a::level, ShownRow::as_select()))
            .load(conn)
            .await?
    });
    let offset = u64::from(request.offset());
    let first = match rows.as_slice() {
        [first, ..] => 1 + offset - ties_before(conn, column, first).await?,
        [] => 1,
    };
    let mut ranked: Vec<(u64, BoardRow)> = Vec::with_capacity(rows.len());
    for (place, row) in (offset + 1..).zip(rows) {
        let rank = match ranked.last() {
            None => first,
            Some((rank, above)) if above.value == row.value => *rank,
            Some(_) => place,
        };
        ranked.push((rank, row));
    }
    Ok((ranked, ranked_on(conn, column, 0).await?))
}

/// Achievements are counted, so that everybody who has one is looked at.
async fn unlock_board_on(conn: &mut Conn, request: OffsetRequest) -> Worked<Board> {
    let account = point_accounts::user_id.eq(user_achievements::user_id);
    let rows: Vec<(i64, i64, Option<i64>, ShownRow)> = user_achievements::table
        .inner_join(users::table)
        .inner_join(point_accounts::table.on(account))
        .filter(users::is_active)
        .group_by(users::id)
        .order((count_star().desc(), users::id.asc()))
        .offset(i64::from(request.offset()))
        .limit(i64::from(request.limit()))
        .select((
            sql::<BigInt>("RANK() OVER (ORDER BY COUNT(*) DESC)"),
            count_star(),
            max(point_accounts::level), // There is one.
            ShownRow::as_select(),
        ))
        .load(conn)
        .await?;
    let mut ranked = Vec::with_capacity(rows.len());
    for (rank, unlocked, level, member) in rows {
        let value = Points::whole(unlocked)?.minor();
        ranked.push((count(rank), BoardRow { value, level: level.unwrap_or(1), member }));
    }
    Ok((ranked, holders_above_on(conn, 0).await?))
}

impl BoardRow {
    fn ranked(
        self,
        rank: u64,
        externals: &mut HashMap<i64, Vec<ExternalAccount>>,
    ) -> Result<LeaderboardRow, StorageError> {
        let id = self.member.user();
        let broken = |detail: String| StorageError::integrity("point account", id, detail);
        Ok(LeaderboardRow {
            rank,
            user: id,
            name: self.member.name(),
            externals: externals.remove(&id.0).unwrap_or_default(),
            value: Points::from_minor(self.value).map_err(|error| broken(error.to_string()))?,
            level: u32::try_from(self.level).map_err(|error| broken(error.to_string()))?,
        })
    }
}

/// How many rows of the same value stand above this one: they share its rank, which is therefore
/// known without counting everybody above. At most as many as the offset.
async fn ties_before(conn: &mut Conn, column: Column, row: &BoardRow) -> QueryResult<u64> {
    use point_accounts::dsl as a;
    let ties: i64 = by_column!(column, value => {
        a::point_accounts
            .filter(a::is_listed.eq(true).and(value.eq(row.value)))
            .filter(a::user_id.lt(row.member.user().0))
            .count()
            .get_result(conn)
            .await?
    });
    Ok(count(ties))
}

/// Accounts elsewhere of everybody on the page, by provider.
async fn externals_on(
    conn: &mut Conn,
    rows: &[(u64, BoardRow)],
) -> Worked<HashMap<i64, Vec<ExternalAccount>>> {
    let mut accounts: HashMap<i64, Vec<ExternalAccount>> = HashMap::new();
    if rows.is_empty() {
        return Ok(accounts);
    }
    let ids: Vec<i64> = rows.iter().map(|(_, row)| row.member.user().0).collect();
    let linked: Vec<ExternalRow> = external_accounts::table
        .filter(external_accounts::user_id.eq_any(ids))
        .order((external_accounts::user_id, external_accounts::provider))
        .select(columns::<ExternalRow>())
        .load(conn)
        .await?;
    for row in linked {
        accounts.entry(row.user_id).or_default().push(row.into_account()?);
    }
    Ok(accounts)
}

/// How many are ranked above this value; above 0: how many are ranked at all.
async fn ranked_on(conn: &mut Conn, column: Column, above: i64) -> QueryResult<u64> {
    use point_accounts::dsl as a;
    let ranked: i64 = by_column!(column, value => {
        a::point_accounts
            .filter(a::is_listed.eq(true).and(value.gt(above)))
            .count()
            .get_result(conn)
            .await?
    });
    Ok(count(ranked))
}

pub(super) async fn rank_on(
    conn: &mut Conn,
    user: UserId,
    metric: LeaderboardMetric,
) -> Worked<Option<RankInfo>> {
    use point_accounts::dsl as a;
    let Some(column) = Column::of(metric) else {
        let Some(rank) = unlock_rank_on(conn, user).await? else { return Ok(None) };
        return Ok(Some(RankInfo::new(rank, holders_above_on(conn, 0).await?)));
    };
    let own: Option<i64> = by_column!(column, value => {
        a::point_accounts
            .find(user.0)
            .filter(a::is_listed.eq(true).and(value.gt(0)))
            .select(value)
            .first(conn)
            .await
            .optional()?
    });
    let Some(own) = own else { return Ok(None) };
    let rank = 1 + ranked_on(conn, column, own).await?;
    Ok(Some(RankInfo::new(rank, ranked_on(conn, column, 0).await?)))
}

async fn above_on(
    conn: &mut Conn,
    threshold: i64,
    after: Option<Place>,
    limit: u16,
) -> Worked<Page<PointAccount>> {
    use point_accounts::dsl as a;
    let mut query = a::point_accounts
        .filter(a::balance.ge(threshold))
        .order((a::balance.desc(), a::user_id.asc()))
        .limit(i64::from(limit) + 1)
        .select(columns::<AccountRow>())
        .into_boxed::<Backend>();
    if let Some((balance, user)) = after {
        // The first half lets the index jump to the place, the second cuts the ties.
        query = query
            .filter(a::balance.le(balance).and(a::balance.lt(balance).or(a::user_id.gt(user))));
    }
    accounts_page(query.load(conn).await?, limit, ABOVE)
}

async fn below_on(
    conn: &mut Conn,
    threshold: i64,
    after: Option<Place>,
    limit: u16,
) -> Worked<Page<PointAccount>> {
    use point_accounts::dsl as a;
    let mut query = a::point_accounts
        .filter(a::balance.lt(threshold))
        .order((a::balance.asc(), a::user_id.asc()))
        .limit(i64::from(limit) + 1)
        .select(columns::<AccountRow>())
        .into_boxed::<Backend>();
    if let Some((balance, user)) = after {
        query = query
            .filter(a::balance.ge(balance).and(a::balance.gt(balance).or(a::user_id.gt(user))));
    }
    accounts_page(query.load(conn).await?, limit, BELOW)
}

fn accounts_page(
    rows: Vec<AccountRow>,
    limit: u16,
    list: Keyset<Place>,
) -> Worked<Page<PointAccount>> {
    let page = list.page(rows, limit, |row| (row.balance, row.user_id));
    Ok(page.try_map(AccountRow::into_account)?)
}
