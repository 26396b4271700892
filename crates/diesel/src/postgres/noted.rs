//! Notes on PostgreSQL: part of the statement they are about, or of the one that begins its
//! transaction, so that none costs a round trip.

use std::fmt::Write as _;

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{BigInt, Text};
use diesel_async::TransactionManager;
use diesel_async::{AnsiTransactionManager as Ansi, AsyncConnection, SimpleAsyncConnection};
use guildhall_repository::InvalidationNote;

use super::{BEGIN_WRITE, Conn};
use crate::fault::Worked;
use crate::noted::Noted;

/// A statement stores its note by itself.
pub(super) const WEAVES: bool = true;

/// The part of a `WITH` that stores a note, if the part called `written` has a row.
pub(super) fn push_note<'b>(
    out: &mut AstPass<'_, 'b, Pg>,
    id: &'b i64,
    targets: &'b str,
    written: &str,
) -> QueryResult<()> {
    out.push_sql(", noted AS (INSERT INTO cache_invalidations (id, targets) SELECT ");
    out.push_bind_param::<BigInt, _>(id)?;
    out.push_sql(", ");
    out.push_bind_param::<Text, str>(targets)?;
    out.push_sql(" WHERE EXISTS (SELECT FROM ");
    out.push_sql(written);
    out.push_sql("))");
    Ok(())
}

impl<S: QueryFragment<Pg>, const ROWS: bool> QueryFragment<Pg> for Noted<S, ROWS> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let Some(note) = &self.note else {
            return self.statement.walk_ast(out);
        };
        out.push_sql("WITH changed AS (");
        self.statement.walk_ast(out.reborrow())?;
        // Without rows there would be nothing to look at, and nothing to count.
        out.push_sql(if ROWS { ")" } else { " RETURNING 1)" });
        push_note(&mut out, &note.id, &note.targets, "changed")?;
        out.push_sql(if ROWS { " SELECT * FROM changed" } else { " SELECT FROM changed" });
        Ok(())
    }

    fn is_safe_to_cache_prepared(&self, _backend: &Pg) -> QueryResult<bool> {
        Ok(true)
    }
}

/// What the profiler calls it: the note is part of the text that is sent.
const BEGIN_NOTED: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
                           INSERT INTO cache_invalidations (id, targets) VALUES ($1, $2)";

/// Opens a transaction that stores its note at once: before it takes any lock, so that nobody
/// waits for one longer than without the note.
pub(super) async fn begin_noted(conn: &mut Conn, note: &InvalidationNote) -> Worked<()> {
    // Several statements in one round trip cannot have binds. In hexadecimal no text is anything
    // else than text, whatever the server's settings.
    let mut targets = String::with_capacity(2 * note.targets.len());
    for byte in note.targets.bytes() {
        write!(targets, "{byte:02x}").ok(); // A `String` takes everything.
    }
    let sql = format!(
        "{BEGIN_WRITE}; INSERT INTO cache_invalidations (id, targets) \
         VALUES ({}, convert_from(decode('{targets}', 'hex'), 'UTF8'))",
        note.id
    );
    let begun = conn
        .run(BEGIN_NOTED, |inner| {
            Box::pin(async move { Ansi::begin_transaction_sql(inner, &sql).await })
        })
        .await;
    if begun.is_err() && conn.batch_execute("ROLLBACK").await.is_err() {
        // Nobody knows what it is in: the pool closes it.
        <Conn as AsyncConnection>::TransactionManager::transaction_manager_status_mut(conn)
            .set_in_error();
    }
    Ok(begun?)
}
