//! Plans of PostgreSQL.

use std::pin::Pin;

use diesel::sql_types::Text;
use diesel::{ConnectionResult, QueryResult, QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::{Plan, PlanError, PlanRequest, Planner, Planning};
use crate::fingerprint::System;
use crate::profile::outcome::ErrorClass;

/// How a planner gets its connection.
type Connect<C> =
    Box<dyn Fn() -> Pin<Box<dyn Future<Output = ConnectionResult<C>> + Send>> + Send + Sync>;

/// Asks PostgreSQL for plans, each on a connection that is opened for it and closed after it: in a
/// transaction that may not write, for two seconds at most.
///
/// A statement with binds is planned as the server plans it after some runs, for unknown values.
/// Where their types cannot be told from the statement there is no plan.
pub struct PostgresPlanner {
    connect: Connect<AsyncPgConnection>,
}

impl std::fmt::Debug for PostgresPlanner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PostgresPlanner")
    }
}

impl PostgresPlanner {
    /// Plans on the connections that the function opens.
    pub fn new<F>(connect: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ConnectionResult<AsyncPgConnection>> + Send + 'static,
    {
        Self { connect: Box::new(move || Box::pin(connect())) }
    }
}

impl Planner for PostgresPlanner {
    fn plan<'p>(&'p self, request: &'p PlanRequest) -> Planning<'p> {
        Box::pin(async move {
            if request.system() != System::Postgres {
                return Err(PlanError::OtherDatabase);
            }
            let conn = (self.connect)().await;
            let mut conn = conn.map_err(|_| PlanError::NoConnection)?;
            let lines = explain(&mut conn, request).await;
            let lines = lines.map_err(|error| PlanError::Refused(ErrorClass::of(&error)))?;
            Ok(Plan::new(&lines, request.placeholders() > 0, System::Postgres))
        })
    }
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

/// Everything is sent as a prepared statement: the server then refuses several in one text.
async fn explain(conn: &mut AsyncPgConnection, request: &PlanRequest) -> QueryResult<String> {
    for set_up in [
        "BEGIN READ ONLY",
        "SET LOCAL statement_timeout = 2000",
        "SET LOCAL lock_timeout = 200",
        "SET LOCAL plan_cache_mode = force_generic_plan",
    ] {
        sql_query(set_up).execute(conn).await?;
    }
    let statement = request.statement();
    let explain = if request.placeholders() == 0 {
        format!("EXPLAIN {statement}")
    } else {
        sql_query(format!("PREPARE insight_statement AS {statement}")).execute(conn).await?;
        let unknown = vec!["NULL"; usize::from(request.placeholders())].join(", ");
        format!("EXPLAIN EXECUTE insight_statement({unknown})")
    };
    let lines: Vec<Line> = sql_query(explain).load(conn).await?;
    let lines: Vec<String> = lines.into_iter().map(|line| line.line).collect();
    Ok(lines.join("\n"))
}
