//! What rules give members, compiled once per backend: `super::Conn` is what differs.

use crate::run::RunQueryDsl;
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use guildhall_domain::{Achievement, BadgeEventKind, Metric, MetricSnapshot, Timestamp, UserId};
use guildhall_repository::Earned;

use super::achievement::assembled;
use super::badge_award::earned_badges;
use super::metric::{all_criteria_hold, metrics_on, rule_holds};
use super::together::together;
use super::{Backend, Conn};
use crate::fault::Worked;
use crate::kept::Keep;
use crate::rows::{AchievementRow, BadgeRow, CriterionRow};
use crate::schema::{
    achievement_criteria, achievements, badge_events, badges, user_achievements, user_badges,
};

/// Achievements unlocked by one evaluation, at most.
const CANDIDATES_MAX: i64 = Earned::COUNT_MAX as i64;

/// The active achievements that `user` does not have.
pub(super) fn open_to(user: UserId) -> achievements::BoxedQuery<'static, Backend> {
    let held = user_achievements::table
        .filter(user_achievements::user_id.eq(user.0))
        .filter(user_achievements::achievement_id.eq(achievements::id));
    achievements::table.filter(achievements::is_active).filter(not(exists(held))).into_boxed()
}

/// Those of a query with their criteria, by id; at most so many.
macro_rules! defined {
    ($query:expr, $limit:expr) => {
        achievements::table
            .left_join(achievement_criteria::table)
            .filter(
                achievements::id
                    .eq_any($query.order(achievements::id).limit($limit).select(achievements::id)),
            )
            .order((achievements::id, achievement_criteria::idx))
    };
}

pub(super) async fn defined_on(
    conn: &mut Conn,
    query: achievements::BoxedQuery<'static, Backend>,
    limit: i64,
) -> Worked<Vec<Achievement>> {
    let columns = (AchievementRow::as_select(), Option::<CriterionRow>::as_select());
    assembled(defined!(query, limit).select(columns).load(conn).await?)
}

/// Metrics that a credit changes.
const OF_CREDITS: [&str; 4] = ["points", "points_earned", "xp", "level"];

/// That there is an active rule of this kind whose gift the member does not have. Nothing of it
/// depends on the row that it is selected with: databases look once, and only when there is a row.
macro_rules! more_by_points {
    ($user:expr) => {{
        let unlocked = user_achievements::table
            .filter(user_achievements::user_id.eq($user.0))
            .filter(user_achievements::achievement_id.eq(achievement_criteria::achievement_id));
        let held = user_badges::table
            .filter(user_badges::user_id.eq($user.0))
            .filter(user_badges::badge_id.eq(badges::id));
        let achievement = achievement_criteria::table
            .inner_join(achievements::table)
            .filter(achievements::is_active)
            .filter(achievement_criteria::metric.eq_any(OF_CREDITS))
            .filter(not(exists(unlocked)))
            .select(achievements::id)
            .into_boxed::<Backend>();
        let badge = badges::table
            .filter(badges::is_active)
            .filter(badges::metric.eq_any(OF_CREDITS))
            .filter(not(exists(held)))
            .select(badges::id)
            .into_boxed::<Backend>();
        exists(achievement).or(exists(badge))
    }};
}

/// An achievement with one of its criteria, and whether points may earn more.
type EarnedRow = (AchievementRow, Option<CriterionRow>, bool);

/// Four statements and two round trips, however much is defined and however much the member has.
pub(super) async fn earned_on(conn: &mut Conn, user: UserId, now: Timestamp) -> Worked<Earned> {
    let metrics = metrics_on(conn, user, now).await?;
    let earned = open_to(user).filter(all_criteria_hold(&metrics));
    let earned = defined!(earned, CANDIDATES_MAX).select((
        AchievementRow::as_select(),
        Option::<CriterionRow>::as_select(),
        more_by_points!(user),
    ));
    let (achievements, badges) = together!(
        conn,
        on => earned.kept().load::<EarnedRow>(on),
        on => earned_badges!(&metrics).kept().load::<BadgeRow>(on),
    );
    let rows = achievements?;
    let points_may_earn_more = rows.iter().any(|(.., more)| *more);
    let rows = rows.into_iter().map(|(achievement, criterion, _)| (achievement, criterion));
    let achievements = assembled(rows.collect())?;
    let badges = badges?.into_iter().map(BadgeRow::into_badge).collect::<Result<_, _>>()?;
    Ok(Earned { achievements, badges, points_may_earn_more })
}

pub(super) async fn candidates_on(
    conn: &mut Conn,
    metrics: &MetricSnapshot,
) -> Worked<Vec<Achievement>> {
    let earned = open_to(metrics.user()).filter(all_criteria_hold(metrics));
    defined_on(conn, earned, CANDIDATES_MAX).await
}

pub(super) async fn qualifying_on(
    conn: &mut Conn,
    user: UserId,
    metric: &Metric,
    value: i64,
    now: Timestamp,
) -> Worked<Vec<Achievement>> {
    let metrics = metrics_on(conn, user, now).await?.with(metric.clone(), value);
    let looking = achievement_criteria::table
        .filter(achievement_criteria::metric.eq(metric.as_str().to_owned()))
        .select(achievement_criteria::achievement_id);
    let earned =
        open_to(user).filter(achievements::id.eq_any(looking)).filter(all_criteria_hold(&metrics));
    let mut earned = defined_on(conn, earned, CANDIDATES_MAX).await?;
    let threshold = |one: &Achievement| {
        one.criteria.iter().filter(|c| c.metric == *metric).map(|c| c.threshold).min()
    };
    earned.sort_by_key(threshold); // Stable: equals stay by id.
    Ok(earned)
}
