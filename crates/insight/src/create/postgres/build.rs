//! One concurrent build: limits, tries, and what is left of a failed one.

use std::time::Duration;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};

use super::{CreateError, CreateOptions, Outcome, Step, flag, run, step, tidy};
use crate::advise::create_index;
use crate::catalog::{Catalog, IndexShape, TableName, quote_literal};
use crate::create::render::BUILD;

/// Sets the limits of all that follows. A pool's other borrowers have theirs back at the end.
pub(super) async fn set_limits(
    conn: &mut AsyncPgConnection,
    lock_timeout: Duration,
    options: &CreateOptions,
) -> Result<(), CreateError> {
    let lock = lock_timeout.as_millis();
    let statement = options.statement_timeout.as_millis();
    run(conn, "SET", &format!("SET lock_timeout = {lock}")).await?;
    run(conn, "SET", &format!("SET statement_timeout = {statement}")).await
}

/// Builds an index of an ordinary table or of a partition.
pub(super) async fn build(
    conn: &mut AsyncPgConnection,
    catalog: &Catalog,
    shape: &IndexShape,
    name: &str,
    options: &CreateOptions,
) -> Result<Outcome, CreateError> {
    let sql = match create_index(catalog, shape, name, BUILD) {
        Ok(sql) => sql,
        Err(refused) => return Ok(Outcome::Refused(refused)),
    };
    if options.dry_run {
        return Ok(Outcome::WouldRun(vec![sql]));
    }
    if let Some(reason) = options.guard.objection(conn).await? {
        return Ok(Outcome::Postponed(reason));
    }
    let mut wait = options.backoff;
    let attempts_max = options.attempts_max.clamp(1, 10);
    for attempt in 1..=attempts_max {
        step(options, Step::Limits)?;
        set_limits(conn, options.wait_timeout, options).await?;
        step(options, Step::Build)?;
        let built = conn.batch_execute(&sql).await;
        step(options, Step::Verify)?;
        let error = match built {
            Ok(()) if is_valid(conn, &shape.table, name).await? => return Ok(Outcome::Created),
            // `IF NOT EXISTS` is content with an invalid index, and with another table's.
            Ok(()) => "an index of that name was there, and not a valid one".to_owned(),
            Err(error) if is_gone(&error) => {
                return Err(CreateError::Database { what: "CREATE INDEX", source: error });
            }
            Err(error) if !is_contention(&error) => {
                let left = tidy::drop_invalid(conn, &shape.table, name, options).await?;
                return Ok(Outcome::Failed { error: error.to_string(), attempts: attempt, left });
            }
            Err(error) => error.to_string(),
        };
        let left = tidy::drop_invalid(conn, &shape.table, name, options).await?;
        if attempt == attempts_max || left.is_some() {
            return Ok(Outcome::Failed { error, attempts: attempt, left });
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
    // The loop returns in its last round, which there always is.
    Ok(Outcome::Failed { error: String::new(), attempts: attempts_max, left: None })
}

pub(super) async fn is_valid(
    conn: &mut AsyncPgConnection,
    table: &TableName,
    name: &str,
) -> Result<bool, CreateError> {
    let sql = format!(
        "SELECT x.indisvalid AS value FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid \
         WHERE c.relname = {} AND x.indrelid = {}::regclass",
        quote_literal(name),
        quote_literal(&table.quoted()),
    );
    flag(conn, "whether the index is valid", &sql).await
}

/// A lock that was not to be had, or a deadlock: another time it may work.
fn is_contention(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(_, info) => {
            let says = |part| info.message().contains(part);
            says("lock timeout") || says("deadlock detected")
        }
        _ => false,
    }
}

fn is_gone(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
            _,
        ) => true,
        DieselError::DatabaseError(_, info) => info.message().contains("terminating connection"),
        _ => false,
    }
}
