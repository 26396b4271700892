//! Leaderboards, ranks and lists of accounts. Compiled once per backend.

use std::collections::HashMap;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use guildhall_domain::{
    ActivitySummary, CommunityZone, DailyActivity, Day, ExternalAccount, LeaderboardMetric,
    LeaderboardRow, PointAccount, PointTotals, Points, RankInfo, Rule, Timestamp, UserId,
    Violation,
};
use guildhall_repository::{
    Cursor, OffsetRequest, Page, PageRequest, Ranked, RankingRepository, StorageError,
};

use super::lease::{Lease, Mode};
use super::report::{activity_on, circulation_on, day_on, totals_on};
use super::{Backend, Conn, columns};
use crate::fault::Worked;
use crate::rows::{AccountRow, ExternalRow, count};
use crate::schema::{external_accounts, point_accounts, users};

/// The ranking repository on this database.
pub(super) struct DieselRankings {
    pub(super) lease: Lease,
}

const ABOVE: &str = "accounts.above";
const BELOW: &str = "accounts.below";

#[async_trait]
impl RankingRepository for DieselRankings {
    async fn leaderboard(
        &self,
        metric: LeaderboardMetric,
        rows: OffsetRequest,
        now: Timestamp,
    ) -> Result<Ranked<LeaderboardRow>, StorageError> {
        self.lease
            .run("rankings.leaderboard", Mode::Snapshot, (metric, rows, now), |c, a| {
                Box::pin(leaderboard_on(c, a.0, a.1, a.2))
            })
            .await
    }

    async fn rank_of(
        &self,
        user: UserId,
        metric: LeaderboardMetric,
    ) -> Result<Option<RankInfo>, StorageError> {
        self.lease
            .run("rankings.rank_of", Mode::Snapshot, (user, metric), |c, a| {
                Box::pin(rank_on(c, a.0, a.1))
            })
            .await
    }

    async fn accounts_above(
        &self,
        threshold: Points,
        page: &PageRequest,
    ) -> Result<Page<PointAccount>, StorageError> {
        let args = (threshold.minor(), position(page, ABOVE)?, page.limit());
        self.lease
            .run("rankings.accounts_above", Mode::Bare, args, |c, a| {
                Box::pin(above_on(c, a.0, a.1, a.2))
            })
            .await
    }

    async fn accounts_below(
        &self,
        threshold: Points,
        page: &PageRequest,
    ) -> Result<Page<PointAccount>, StorageError> {
        let args = (threshold.minor(), position(page, BELOW)?, page.limit());
        self.lease
            .run("rankings.accounts_below", Mode::Bare, args, |c, a| {
                Box::pin(below_on(c, a.0, a.1, a.2))
            })
            .await
    }

    async fn points_in_circulation(&self) -> Result<Points, StorageError> {
        self.lease
            .run("rankings.points_in_circulation", Mode::Bare, (), |c, ()| {
                Box::pin(circulation_on(c))
            })
            .await
    }

    async fn totals(&self) -> Result<PointTotals, StorageError> {
        self.lease.run("rankings.totals", Mode::Snapshot, (), |c, ()| Box::pin(totals_on(c))).await
    }

    async fn daily_activity(
        &self,
        day: Day,
        zone: &CommunityZone,
    ) -> Result<DailyActivity, StorageError> {
        self.lease
            .run("rankings.daily_activity", Mode::Bare, (day, zone.clone()), |c, a| {
                Box::pin(day_on(c, a.0, &a.1))
            })
            .await
    }

    async fn activity_summary(
        &self,
        user: UserId,
        days: u32,
        zone: &CommunityZone,
        now: Timestamp,
    ) -> Result<ActivitySummary, StorageError> {
        if !(1..=365).contains(&days) {
            return Err(StorageError::invalid("days", Rule::OutOfRange { min: 1, max: 365 }));
        }
        let args = (user, days, zone.clone(), now);
        self.lease
            .run("rankings.activity_summary", Mode::Snapshot, args, |c, a| {
                Box::pin(activity_on(c, a.0, a.1, &a.2, a.3))
            })
            .await
    }
}

/// Runs the same query over the column of a metric.
macro_rules! by_metric {
    ($metric:expr, $column:ident => $query:expr) => {
        match $metric {
            LeaderboardMetric::Balance => {
                use point_accounts::balance as $column;
                $query
            }
            LeaderboardMetric::LifetimeEarned => {
                use point_accounts::lifetime_earned as $column;
                $query
            }
            LeaderboardMetric::Xp => {
                use point_accounts::xp as $column;
                $query
            }
        }
    };
}

/// A row of the board before it has a rank.
#[derive(Queryable)]
struct BoardRow {
    user: i64,
    value: i64,
    level: i64,
    display_name: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    username: Option<String>,
}

async fn leaderboard_on(
    conn: &mut Conn,
    metric: LeaderboardMetric,
    request: OffsetRequest,
    now: Timestamp,
) -> Worked<Ranked<LeaderboardRow>> {
    use point_accounts::dsl as a;
    let columns = (users::display_name, users::first_name, users::last_name, users::username);
    let rows: Vec<BoardRow> = by_metric!(metric, value => {
        a::point_accounts
            .inner_join(users::table)
            .filter(a::is_listed.eq(true).and(value.gt(0)))
            .order((value.desc(), a::user_id.asc()))
            .offset(i64::from(request.offset()))
            .limit(i64::from(request.limit()))
            .select((a::user_id, value, a::level, columns.0, columns.1, columns.2, columns.3))
            .load(conn)
            .await?
    });
    let offset = u64::from(request.offset());
    let first = match rows.as_slice() {
        [first, ..] => 1 + offset - ties_before(conn, metric, first).await?,
        [] => 1,
    };
    let mut externals = externals_on(conn, &rows).await?;
    let mut items: Vec<LeaderboardRow> = Vec::with_capacity(rows.len());
    for (place, row) in (offset + 1..).zip(rows) {
        let rank = match items.last() {
            None => first,
            Some(above) if above.value.minor() == row.value => above.rank,
            Some(_) => place,
        };
        items.push(row.ranked(rank, &mut externals)?);
    }
    let total = ranked_on(conn, metric, 0).await?;
    Ok(Ranked { items, total, computed_at: now })
}

impl BoardRow {
    fn ranked(
        self,
        rank: u64,
        externals: &mut HashMap<i64, Vec<ExternalAccount>>,
    ) -> Result<LeaderboardRow, StorageError> {
        let id = UserId(self.user);
        let broken = |detail: String| StorageError::integrity("point account", id, detail);
        Ok(LeaderboardRow {
            rank,
            user: id,
            name: LeaderboardRow::name_of(
                id,
                self.display_name.as_deref(),
                self.first_name.as_deref(),
                self.last_name.as_deref(),
                self.username.as_deref(),
            ),
            externals: externals.remove(&self.user).unwrap_or_default(),
            value: Points::from_minor(self.value).map_err(|error| broken(error.to_string()))?,
            level: u32::try_from(self.level).map_err(|error| broken(error.to_string()))?,
        })
    }
}

/// How many rows of the same value stand above this one: they share its rank, which is therefore
/// known without counting everybody above. At most as many as the offset.
async fn ties_before(
    conn: &mut Conn,
    metric: LeaderboardMetric,
    row: &BoardRow,
) -> QueryResult<u64> {
    use point_accounts::dsl as a;
    let ties: i64 = by_metric!(metric, value => {
        a::point_accounts
            .filter(a::is_listed.eq(true).and(value.eq(row.value)))
            .filter(a::user_id.lt(row.user))
            .count()
            .get_result(conn)
            .await?
    });
    Ok(count(ties))
}

/// Accounts elsewhere of everybody on the page, by provider.
async fn externals_on(
    conn: &mut Conn,
    rows: &[BoardRow],
) -> Worked<HashMap<i64, Vec<ExternalAccount>>> {
    let mut accounts: HashMap<i64, Vec<ExternalAccount>> = HashMap::new();
    if rows.is_empty() {
        return Ok(accounts);
    }
    let ids: Vec<i64> = rows.iter().map(|row| row.user).collect();
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
async fn ranked_on(conn: &mut Conn, metric: LeaderboardMetric, above: i64) -> QueryResult<u64> {
    use point_accounts::dsl as a;
    let ranked: i64 = by_metric!(metric, value => {
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
    let own: Option<i64> = by_metric!(metric, value => {
        a::point_accounts
            .find(user.0)
            .filter(a::is_listed.eq(true).and(value.gt(0)))
            .select(value)
            .first(conn)
            .await
            .optional()?
    });
    let Some(own) = own else { return Ok(None) };
    let rank = 1 + ranked_on(conn, metric, own).await?;
    Ok(Some(RankInfo::new(rank, ranked_on(conn, metric, 0).await?)))
}

/// Balance and member that a page of accounts goes on from.
type Position = Option<(i64, i64)>;

fn position(page: &PageRequest, list: &str) -> Result<Position, Violation> {
    let expected = Rule::Malformed { expected: "the `next_cursor` of the same list" };
    match page.cursor().map(|cursor| cursor.decode(list)).transpose()? {
        None => Ok(None),
        Some([Some(balance), Some(user)]) => Ok(Some((balance, user))),
        Some(_) => Err(Violation::new("cursor", expected)),
    }
}

async fn above_on(
    conn: &mut Conn,
    threshold: i64,
    after: Position,
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
    after: Position,
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

fn accounts_page(rows: Vec<AccountRow>, limit: u16, list: &str) -> Worked<Page<PointAccount>> {
    let cursor = |row: &AccountRow| Cursor::encode(list, &[Some(row.balance), Some(row.user_id)]);
    let page = Page::from_fetched(rows, limit, cursor);
    let items = page.items.into_iter().map(AccountRow::into_account).collect::<Result<_, _>>()?;
    Ok(Page { items, next_cursor: page.next_cursor })
}
