//! Plans of SQLite.

use std::pin::Pin;

use diesel::sql_types::{Integer, Text};
use diesel::{ConnectionResult, QueryResult, QueryableByName, SqliteConnection, sql_query};
use diesel_async::RunQueryDsl;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;

use super::{Plan, PlanError, PlanRequest, Planner, Planning};
use crate::fingerprint::System;
use crate::profile::outcome::ErrorClass;

type Conn = SyncConnectionWrapper<SqliteConnection>;

/// How a planner gets its connection.
type Connect =
    Box<dyn Fn() -> Pin<Box<dyn Future<Output = ConnectionResult<Conn>> + Send>> + Send + Sync>;

/// Asks SQLite for plans, each on a connection that is opened for it and closed after it.
pub struct SqlitePlanner {
    connect: Connect,
}

impl std::fmt::Debug for SqlitePlanner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlitePlanner")
    }
}

impl SqlitePlanner {
    /// Plans on the connections that the function opens.
    pub fn new<F>(connect: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ConnectionResult<Conn>> + Send + 'static,
    {
        Self { connect: Box::new(move || Box::pin(connect())) }
    }
}

impl Planner for SqlitePlanner {
    fn plan<'p>(&'p self, request: &'p PlanRequest) -> Planning<'p> {
        Box::pin(async move {
            if request.system() != System::Sqlite {
                return Err(PlanError::OtherDatabase);
            }
            let conn = (self.connect)().await;
            let mut conn = conn.map_err(|_| PlanError::NoConnection)?;
            let lines = explain(&mut conn, request).await;
            let lines = lines.map_err(|error| PlanError::Refused(ErrorClass::of(&error)))?;
            Ok(Plan::new(&lines, request.placeholders() > 0, System::Sqlite))
        })
    }
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Integer)]
    id: i32,
    #[diesel(sql_type = Integer)]
    parent: i32,
    #[diesel(sql_type = Text)]
    detail: String,
}

async fn explain(conn: &mut Conn, request: &PlanRequest) -> QueryResult<String> {
    let explain = format!("EXPLAIN QUERY PLAN {}", request.statement());
    let lines: Vec<Line> = sql_query(explain).load(conn).await?;
    let depth = |mut parent: i32| {
        let mut depth = 0;
        while let Some(line) = lines.iter().find(|line| line.id == parent && parent != 0) {
            parent = line.parent;
            depth += 1;
            if depth > lines.len() {
                break;
            }
        }
        depth
    };
    let shown =
        lines.iter().map(|line| format!("{}{}", "  ".repeat(depth(line.parent)), line.detail));
    Ok(shown.collect::<Vec<_>>().join("\n"))
}
