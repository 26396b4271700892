//! When not to begin a build.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Double, Integer, Nullable};
use diesel_async::AsyncPgConnection;

use super::{CreateError, load};

/// Signs of a server that has no room for a build now.
#[derive(Clone, Debug, PartialEq)]
pub struct Guard {
    /// Sessions at work, ours left out, at most.
    pub active_max: u32,
    /// Bytes that any standby may be behind, at most.
    pub replica_lag_bytes_max: u64,
    /// The age of the oldest open transaction, at most: a concurrent build waits for it.
    pub transaction_age_max: Duration,
    /// The hours in which to begin, by the server's clock in UTC, from the first on and before the
    /// second: `(22, 4)` is a night. `None`: any.
    pub hours_utc: Option<(u8, u8)>,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            active_max: 32,
            replica_lag_bytes_max: 256 << 20,
            transaction_age_max: Duration::from_secs(600),
            hours_utc: None,
        }
    }
}

#[derive(QueryableByName)]
struct LoadRow {
    #[diesel(sql_type = BigInt)]
    active: i64,
    #[diesel(sql_type = Nullable<Double>)]
    oldest_seconds: Option<f64>,
    #[diesel(sql_type = Nullable<Double>)]
    lag_bytes: Option<f64>,
    #[diesel(sql_type = Integer)]
    hour_utc: i32,
}

impl Guard {
    /// Why a build should not begin now, if it should not.
    ///
    /// A role without `pg_monitor` sees only its own sessions' ages and no standby.
    pub(super) async fn objection(
        &self,
        conn: &mut AsyncPgConnection,
    ) -> Result<Option<String>, CreateError> {
        let sql = "SELECT count(*) FILTER (WHERE a.state = 'active') AS active, \
                   max(extract(epoch FROM clock_timestamp() - a.xact_start))::float8 AS oldest_seconds, \
                   (SELECT CASE WHEN pg_is_in_recovery() THEN NULL \
                           ELSE max(pg_wal_lsn_diff(pg_current_wal_lsn(), r.replay_lsn)) END::float8 \
                    FROM pg_stat_replication r) AS lag_bytes, \
                   extract(hour FROM clock_timestamp() AT TIME ZONE 'UTC')::int4 AS hour_utc \
                   FROM pg_stat_activity a \
                   WHERE a.backend_type = 'client backend' AND a.pid <> pg_backend_pid() \
                     AND a.datname = current_database()";
        let found: Vec<LoadRow> = load(conn, "its load", sql).await?;
        Ok(found.into_iter().next().and_then(|row| self.judge(&row)))
    }

    fn judge(&self, row: &LoadRow) -> Option<String> {
        if let Some((from, until)) = self.hours_utc
            && !is_within(row.hour_utc, i32::from(from), i32::from(until))
        {
            return Some(format!(
                "it is {} o'clock UTC, the hours are {from} to {until}",
                row.hour_utc
            ));
        }
        if row.active > i64::from(self.active_max) {
            return Some(format!(
                "{} sessions are at work, {} are let be",
                row.active, self.active_max
            ));
        }
        if let Some(lag) = row.lag_bytes.filter(|lag| *lag > self.replica_lag_bytes_max as f64) {
            return Some(format!("a standby is {lag:.0} bytes behind"));
        }
        row.oldest_seconds
            .filter(|age| *age > self.transaction_age_max.as_secs_f64())
            .map(|age| format!("a transaction has been open for {age:.0} s"))
    }
}

/// From and until the same: all day.
fn is_within(hour: i32, from: i32, until: i32) -> bool {
    if from < until { (from..until).contains(&hour) } else { hour >= from || hour < until }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_or_lagging_server_is_let_be() {
        let guard = Guard { active_max: 4, ..Guard::default() };
        let row = |active, oldest_seconds, lag_bytes| LoadRow {
            active,
            oldest_seconds,
            lag_bytes,
            hour_utc: 12,
        };
        assert_eq!(guard.judge(&row(4, Some(5.0), None)), None);
        assert!(guard.judge(&row(5, None, None)).is_some());
        assert!(guard.judge(&row(0, Some(601.0), None)).is_some());
        assert!(guard.judge(&row(0, None, Some(1e9))).is_some());
    }

    #[test]
    fn hours_may_run_over_midnight() {
        let allowed = |hours, hour_utc| {
            let guard = Guard { hours_utc: Some(hours), ..Guard::default() };
            let row = LoadRow { active: 0, oldest_seconds: None, lag_bytes: None, hour_utc };
            guard.judge(&row).is_none()
        };
        assert!(allowed((2, 5), 2) && allowed((2, 5), 4) && !allowed((2, 5), 5));
        assert!(allowed((22, 4), 23) && allowed((22, 4), 0) && !allowed((22, 4), 12));
        assert!(allowed((7, 7), 12));
    }
}
