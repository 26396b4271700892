//! What rules look at, and which rules hold. Compiled once per backend.

use crate::run::RunQueryDsl;
use diesel::dsl::sql;
use diesel::expression::{AsExpression, SqlLiteral, UncheckedBind};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use guildhall_domain::{
    MemberFigures, MetricSnapshot, Points, Slug, Timestamp, UserId, Violation, Xp,
};
use guildhall_repository::StorageError;

use super::together::together;
use super::{Conn, MEASURED};
use crate::fault::Worked;
use crate::kept::Keep;
use crate::rows::{corrupt, count, vip};
use crate::schema::{point_accounts, user_counters, user_stats, users};
use crate::types::DbTime;

/// Missions of the member that are completed, once for each period. A count within a row is beyond
/// the query builder where the row is made of several tables.
const MISSIONS: &str = "(SELECT COUNT(*) FROM user_missions \
                        WHERE user_missions.user_id = users.id AND user_missions.status = 'completed')";

/// Counters of one member looked at, at most.
const COUNTERS_MAX: i64 = 5000;

/// The columns that figures are made of.
#[derive(Queryable)]
struct FigureRow {
    vip_kind: String,
    vip_expires_at: Option<DbTime>,
    created_at: DbTime,
    points: i64,
    points_earned: i64,
    xp: i64,
    level: i64,
    messages: i64,
    checkin_streak: i64,
    missions: i64,
}

/// Two statements and one round trip, however much the member did.
pub(super) async fn metrics_on(
    conn: &mut Conn,
    user: UserId,
    now: Timestamp,
) -> Worked<MetricSnapshot> {
    let figures = users::table
        .inner_join(point_accounts::table)
        .inner_join(user_stats::table)
        .filter(users::id.eq(user.0))
        .filter(users::deleted_at.is_null())
        .select((
            users::vip_kind,
            users::vip_expires_at,
            users::created_at,
            point_accounts::balance,
            point_accounts::lifetime_earned,
            point_accounts::xp,
            point_accounts::level,
            user_stats::messages_sent,
            user_stats::checkin_streak,
            sql::<BigInt>(MISSIONS),
        ));
    let counters = user_counters::table
        .filter(user_counters::user_id.eq(user.0))
        .order(user_counters::counter)
        .limit(COUNTERS_MAX)
        .select((user_counters::counter, user_counters::value));
    let (row, counters) = together!(
        conn,
        on => figures.kept().load::<FigureRow>(on),
        on => counters.load::<(String, i64)>(on),
    );
    let row = row?.pop().ok_or_else(|| StorageError::not_found("user", user))?;
    let figures = row.figures().map_err(corrupt("user", user))?;
    let counters = counters?;
    let counters = counters.into_iter().map(|(name, value)| Ok((Slug::try_from(name)?, value)));
    let counters: Vec<_> = counters.collect::<Result<_, Violation>>()?;
    Ok(MetricSnapshot::new(user, &figures, counters, now))
}

impl FigureRow {
    fn figures(self) -> Result<MemberFigures, Box<dyn std::error::Error>> {
        Ok(MemberFigures {
            points: Points::from_minor(self.points)?,
            points_earned: Points::from_minor(self.points_earned)?,
            xp: Xp::from_minor(self.xp)?,
            level: u32::try_from(self.level)?,
            messages: count(self.messages),
            checkin_streak: u32::try_from(self.checkin_streak)?,
            missions: count(self.missions),
            vip: vip(&self.vip_kind, self.vip_expires_at.map(|end| end.0))?,
            registered_at: self.created_at.0,
        })
    }
}

/// A condition around one bind.
type Around =
    SqlLiteral<Bool, UncheckedBind<SqlLiteral<Bool>, <String as AsExpression<Text>>::Expression>>;

/// That all criteria of `achievements.id` hold, of which there are some.
///
/// The values are a table of their own in the statement, which the query builder cannot say. They
/// come as one JSON object and so as one bind, whatever was measured: one prepared statement
/// serves all members. Neither set looks at the achievement: each is found once and looked up for
/// every achievement, whatever statistics there are. Counting the criteria that an achievement
/// meets, or looking for one that it misses, PostgreSQL has done for each anew. `NOT IN` is sound
/// because `achievement_id` is never null.
pub(super) fn all_criteria_hold(metrics: &MetricSnapshot) -> Around {
    let (before, after) = MEASURED;
    sql::<Bool>(&format!(
        "achievements.id IN (SELECT a.achievement_id FROM achievement_criteria AS a) \
         AND achievements.id NOT IN \
         (SELECT c.achievement_id FROM achievement_criteria AS c LEFT JOIN {before}"
    ))
    .bind::<Text, _>(values_of(metrics))
    .sql(&format!(
        "{after} ON measured.metric = c.metric WHERE measured.value IS NULL \
         OR CASE c.comparison WHEN 'gte' THEN c.threshold > measured.value \
         ELSE c.threshold < measured.value END)",
    ))
}

/// That the rule of `badges` holds, of which there is one.
pub(super) fn rule_holds(metrics: &MetricSnapshot) -> Around {
    let (before, after) = MEASURED;
    let meets = "WHERE measured.metric = badges.metric AND measured.value >= badges.threshold)";
    sql::<Bool>(&format!("EXISTS (SELECT 1 FROM {before}"))
        .bind::<Text, _>(values_of(metrics))
        .sql(&format!("{after} {meets}"))
}

fn values_of(metrics: &MetricSnapshot) -> String {
    let values = metrics.iter().map(|(metric, value)| (metric.to_string(), value.into()));
    serde_json::Value::Object(values.collect()).to_string()
}
