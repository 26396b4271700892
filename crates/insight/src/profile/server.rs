//! What PostgreSQL itself counted: `pg_stat_statements`, as differences between readings.
//!
//! It knows what a client cannot: other clients' calls, blocks, WAL, temporary files.
//! Its entries meet ours by their text: Diesel's parameterised text is kept there as it was sent.

mod difference;
mod reading;

use diesel::sql_types::Text;
use diesel::{QueryResult, QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::Serialize;

use crate::fingerprint::Fingerprint;
use crate::workload::Workload;

pub use difference::{Difference, ServerStatement};

use difference::Baseline;

/// Reads `pg_stat_statements` and remembers the last reading.
#[derive(Debug, Default)]
pub struct ServerStatements {
    last: Option<Baseline>,
}

/// What a reading gave.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Reading {
    /// The server has no such counters, and why.
    Absent {
        /// What is missing.
        reason: Absent,
    },
    /// The first reading: there is nothing yet to take the difference from.
    First {
        /// How many statements the server keeps.
        statements: usize,
    },
    /// What happened since the last reading.
    Since(Difference),
}

/// Why the server has no counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Absent {
    /// `CREATE EXTENSION pg_stat_statements` was not run in this database.
    ExtensionNotCreated,
    /// The server was started without it in `shared_preload_libraries`.
    LibraryNotLoaded,
    /// Older than 1.9, the first version that tells of resets and evictions.
    ExtensionTooOld,
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    extversion: String,
    #[diesel(sql_type = Text)]
    schema: String,
}

impl ServerStatements {
    /// A reader that has read nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The statement with this fingerprint as the server keeps it: with placeholders for its values.
    /// `None` when it keeps none, or is not asked to keep any.
    pub async fn find(
        conn: &mut AsyncPgConnection,
        fingerprint: Fingerprint,
    ) -> QueryResult<Option<String>> {
        let Some(version) = extension(conn).await? else { return Ok(None) };
        match reading::find(conn, &version.schema, fingerprint).await {
            Err(error) if says_not_loaded(&error) => Ok(None),
            found => found,
        }
    }

    /// All that the server counted in this database since its counters began, as a workload; or why
    /// there is none. Texts are as the server keeps them: with placeholders for values.
    pub async fn workload(conn: &mut AsyncPgConnection) -> QueryResult<Result<Workload, Absent>> {
        let Some(version) = extension(conn).await? else {
            return Ok(Err(Absent::ExtensionNotCreated));
        };
        if !tells_of_resets(&version.extversion) {
            return Ok(Err(Absent::ExtensionTooOld));
        }
        match reading::workload(conn, &version.schema).await {
            Err(error) if says_not_loaded(&error) => Ok(Err(Absent::LibraryNotLoaded)),
            read => read.map(Ok),
        }
    }

    /// Reads the counters of this database. Use a connection that is not recorded, or these
    /// readings are among what is counted. Once a minute is often enough.
    pub async fn read(&mut self, conn: &mut AsyncPgConnection) -> QueryResult<Reading> {
        let Some(version) = extension(conn).await? else {
            return Ok(Reading::Absent { reason: Absent::ExtensionNotCreated });
        };
        if !tells_of_resets(&version.extversion) {
            return Ok(Reading::Absent { reason: Absent::ExtensionTooOld });
        }
        let now = match reading::read(conn, &version.schema).await {
            Ok(now) => now,
            Err(error) if says_not_loaded(&error) => {
                return Ok(Reading::Absent { reason: Absent::LibraryNotLoaded });
            }
            Err(error) => return Err(error),
        };
        Ok(match self.last.replace(now.clone()) {
            None => Reading::First { statements: now.len() },
            Some(last) => Reading::Since(difference::between(&last, &now)),
        })
    }
}

async fn extension(conn: &mut AsyncPgConnection) -> QueryResult<Option<Version>> {
    let version: Vec<Version> = sql_query(
        "SELECT extversion, quote_ident(nspname) AS schema FROM pg_extension e \
         JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'pg_stat_statements'",
    )
    .load(conn)
    .await?;
    Ok(version.into_iter().next())
}

fn tells_of_resets(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let (major, minor) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    (major, minor) >= (1, 9)
}

fn says_not_loaded(error: &diesel::result::Error) -> bool {
    let diesel::result::Error::DatabaseError(_, info) = error else { return false };
    info.message().contains("shared_preload_libraries")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers() {
        assert!(tells_of_resets("1.9") && tells_of_resets("1.10") && tells_of_resets("2.0"));
        assert!(!tells_of_resets("1.8") && !tells_of_resets(""));
    }
}
