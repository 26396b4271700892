//! What PostgreSQL itself counted: `pg_stat_statements`, as differences between readings.
//!
//! It knows what a client cannot: other clients' calls, blocks, WAL, temporary files.
//! Its entries meet ours by their text: Diesel's parameterised text is kept there as it was sent.

mod difference;
mod reading;

use std::fmt;

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

impl Absent {
    /// What to do about it, in a sentence.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ExtensionNotCreated => {
                "the server counts no statements: run CREATE EXTENSION pg_stat_statements in this \
                 database"
            }
            Self::LibraryNotLoaded => {
                "the server counts no statements: add pg_stat_statements to \
                 shared_preload_libraries and start it again"
            }
            Self::ExtensionTooOld => {
                "pg_stat_statements 1.9 or later is needed: run ALTER EXTENSION \
                 pg_stat_statements UPDATE"
            }
        }
    }
}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
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
        let found = unless_not_loaded(reading::find(conn, &version.schema, fingerprint).await)?;
        Ok(found.unwrap_or(None))
    }

    /// All that the server counted in this database since its counters began, as a workload; or why
    /// there is none. Texts are as the server keeps them: with placeholders for values.
    pub async fn workload(conn: &mut AsyncPgConnection) -> QueryResult<Result<Workload, Absent>> {
        match counting(conn).await? {
            Err(absent) => Ok(Err(absent)),
            Ok(schema) => unless_not_loaded(reading::workload(conn, &schema).await),
        }
    }

    /// Reads the counters of this database. Use a connection that is not recorded, or these
    /// readings are among what is counted. Once a minute is often enough.
    pub async fn read(&mut self, conn: &mut AsyncPgConnection) -> QueryResult<Reading> {
        let counted = match counting(conn).await? {
            Err(absent) => Err(absent),
            Ok(schema) => unless_not_loaded(reading::read(conn, &schema).await)?,
        };
        let now = match counted {
            Ok(now) => now,
            Err(reason) => return Ok(Reading::Absent { reason }),
        };
        Ok(match self.last.replace(now.clone()) {
            None => Reading::First { statements: now.len() },
            Some(last) => Reading::Since(difference::between(&last, &now)),
        })
    }
}

/// The schema, quoted, of an extension that counts as is needed here.
async fn counting(conn: &mut AsyncPgConnection) -> QueryResult<Result<String, Absent>> {
    Ok(match extension(conn).await? {
        None => Err(Absent::ExtensionNotCreated),
        Some(version) if !tells_of_resets(&version.extversion) => Err(Absent::ExtensionTooOld),
        Some(version) => Ok(version.schema),
    })
}

/// Only a look at the counters tells that the library is missing.
fn unless_not_loaded<T>(read: QueryResult<T>) -> QueryResult<Result<T, Absent>> {
    match read {
        Err(error) if says_not_loaded(&error) => Ok(Err(Absent::LibraryNotLoaded)),
        read => read.map(Ok),
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
