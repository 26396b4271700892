//! How a repository method runs: on a pooled connection of its own, or on an open unit's one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use diesel_async::{AsyncConnection, TransactionManager};
use futures_util::future::BoxFuture;
use guildhall_repository::{ErrorKind, InvalidationNote, StorageError, retry_contention};
use tracing::Instrument;

use super::invalidation::insert_note_on;
use super::pool::{Manager, PoolCore, Turn};
use super::{Conn, SYSTEM, begin_snapshot, begin_write};
use crate::fault::{Fault, Worked, broken_uniqueness};

/// The body of a method: borrows the connection and its arguments, captures nothing, and can
/// therefore be run again from the start.
pub(super) type Body<A, T> = for<'c> fn(&'c mut Conn, &'c A) -> BoxFuture<'c, Worked<T>>;

/// What a body needs around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Nothing: one read, or several that need not agree.
    Bare,
    /// One statement that writes: nothing, but a transaction with the note where there is one.
    Statement,
    /// One statement that may fail on a constraint: a savepoint inside a unit, nothing outside. It
    /// writes the note by itself, see [`Lease::woven`].
    #[allow(dead_code, reason = "PostgreSQL's movements are one statement, SQLite's are not")]
    Guarded,
    /// Several reads that must agree: a read-only snapshot outside a unit, nothing inside.
    Snapshot,
    /// Several writes: a transaction outside a unit, a savepoint inside.
    Transaction,
}

/// Where a repository gets its connection from.
#[derive(Clone)]
pub(super) enum Lease {
    /// Each call from the pool.
    Pool(Arc<PoolCore>),
    /// Each call from the pool, and every write stores this note in its own transaction.
    Noting(Arc<PoolCore>, Arc<InvalidationNote>),
    /// All calls from one open unit.
    Unit(Arc<UnitCore>),
}

/// The one connection of an open unit.
pub(super) struct UnitCore {
    pub(super) slot: tokio::sync::Mutex<Option<bb8::PooledConnection<'static, Manager>>>,
    pub(super) shared: Arc<PoolCore>,
    /// A call inside was dropped midway.
    pub(super) interrupted: AtomicBool,
    /// The turn to write, where writers queue. Given back with the unit.
    pub(super) _turn: Turn,
}

impl UnitCore {
    /// Why nothing more can be done in this unit.
    pub(super) fn spent(attempted: &'static str) -> StorageError {
        StorageError::InvalidState {
            entity: "unit of work",
            key: SYSTEM.to_owned(),
            state: "spent: a call inside it was dropped, or it was concluded".to_owned(),
            attempted,
        }
    }
}

impl Lease {
    /// Where chance comes from.
    pub(super) fn random(&self) -> &dyn guildhall_domain::Random {
        match self {
            Self::Pool(core) | Self::Noting(core, _) => &*core.random,
            Self::Unit(unit) => &*unit.shared.random,
        }
    }

    /// The note that a single statement of this mode has to write by itself; `None` when there is
    /// none, or when the call around the statement does it.
    pub(super) fn woven(&self, mode: Mode) -> Option<Arc<InvalidationNote>> {
        match self {
            Self::Noting(_, note) if mode == Mode::Guarded => Some(Arc::clone(note)),
            _ => None,
        }
    }

    /// Runs one method. `operation` names it in spans and errors: `users.by_id`.
    pub(super) async fn run<A, T>(
        &self,
        operation: &'static str,
        mode: Mode,
        args: A,
        body: Body<A, T>,
    ) -> Result<T, StorageError>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let span = tracing::debug_span!("db", db.system = SYSTEM, db.operation.name = operation);
        match self {
            Self::Pool(core) => {
                let args = Arc::new(args);
                run_pooled(core, operation, mode, None, &args, body).instrument(span).await
            }
            Self::Noting(core, note) => {
                let args = Arc::new(args);
                run_pooled(core, operation, mode, Some(note), &args, body).instrument(span).await
            }
            Self::Unit(unit) => {
                run_in_unit(unit, operation, mode, args, body).instrument(span).await
            }
        }
    }
}

/// Marks the unit as spent unless the call came to its end.
struct Interruption<'a> {
    interrupted: Option<&'a AtomicBool>,
}

impl Interruption<'_> {
    fn disarm(mut self) {
        self.interrupted = None;
    }
}

impl Drop for Interruption<'_> {
    fn drop(&mut self) {
        if let Some(interrupted) = self.interrupted {
            interrupted.store(true, Ordering::SeqCst);
        }
    }
}

async fn run_pooled<A, T>(
    core: &Arc<PoolCore>,
    operation: &'static str,
    mode: Mode,
    note: Option<&Arc<InvalidationNote>>,
    args: &Arc<A>,
    body: Body<A, T>,
) -> Result<T, StorageError>
where
    A: Send + Sync + 'static,
    T: Send + 'static,
{
    // What stores a note beside its own statement needs a transaction around both.
    let mode = match (mode, note) {
        (Mode::Statement, Some(_)) => Mode::Transaction,
        (mode, _) => mode,
    };
    let note = note.filter(|_| mode == Mode::Transaction);
    let attempt = || async move {
        let turn = core.turn(mode == Mode::Transaction).await?;
        let mut slot = core.acquire().await?;
        let (args, note) = (Arc::clone(args), note.cloned());
        let work = async move {
            slot.busy = true;
            let outcome = run_alone(&mut slot.conn, mode, note.as_deref(), &*args, body).await;
            slot.busy = false;
            drop((slot, turn)); // In this order: who comes next finds a connection.
            outcome
        };
        core.bounded(operation, work).await
    };
    retry_contention(core.options.retry, &*core.random, attempt).await
}

async fn run_in_unit<A, T>(
    unit: &Arc<UnitCore>,
    operation: &'static str,
    mode: Mode,
    args: A,
    body: Body<A, T>,
) -> Result<T, StorageError>
where
    A: Send + Sync + 'static,
    T: Send + 'static,
{
    // A call that is dropped, or whose time is over, leaves the unit in nobody knows what state.
    let watch = Interruption { interrupted: Some(&unit.interrupted) };
    let held = Arc::clone(unit);
    let work = async move {
        let mut held_slot = held.slot.lock().await;
        if held.interrupted.load(Ordering::SeqCst) {
            return Err(UnitCore::spent(operation).into());
        }
        let slot = held_slot.as_mut().ok_or_else(|| UnitCore::spent(operation))?;
        slot.busy = true;
        let outcome = run_inside(&mut slot.conn, mode, &args, body).await;
        slot.busy = false;
        outcome
    };
    let outcome = unit.shared.bounded(operation, work).await;
    if !matches!(&outcome, Err(error) if error.kind() == ErrorKind::Timeout) {
        watch.disarm();
    }
    outcome
}

/// How often a body looks again after somebody used its once-only key at the same moment. The
/// second look finds the key; the third would need the first writer to have been rolled back.
const LOOKS: u32 = 3;

/// Outside a unit.
async fn run_alone<A: Sync, T: Send>(
    conn: &mut Conn,
    mode: Mode,
    note: Option<&InvalidationNote>,
    args: &A,
    body: Body<A, T>,
) -> Worked<T> {
    for _ in 1..LOOKS {
        match run_once(conn, mode, note, args, body).await {
            Err(Fault::Raced) => {}
            outcome => return outcome,
        }
    }
    run_once(conn, mode, note, args, body).await
}

async fn run_once<A: Sync, T: Send>(
    conn: &mut Conn,
    mode: Mode,
    note: Option<&InvalidationNote>,
    args: &A,
    body: Body<A, T>,
) -> Worked<T> {
    match mode {
        Mode::Bare | Mode::Statement | Mode::Guarded => body(conn, args).await.map_err(raced),
        Mode::Snapshot => {
            begin_snapshot(conn).await?;
            conclude(conn, None, args, body).await
        }
        Mode::Transaction => {
            begin_write(conn).await?;
            conclude(conn, note, args, body).await
        }
    }
}

/// Inside a unit.
async fn run_inside<A: Sync, T: Send>(
    conn: &mut Conn,
    mode: Mode,
    args: &A,
    body: Body<A, T>,
) -> Worked<T> {
    if matches!(mode, Mode::Bare | Mode::Statement | Mode::Snapshot) {
        return body(conn, args).await;
    }
    for look in 1..=LOOKS {
        Transactions::begin_transaction(conn).await?; // A savepoint: the unit's own is open.
        match conclude(conn, None, args, body).await {
            Err(Fault::Raced) if look < LOOKS => {}
            outcome => return outcome,
        }
    }
    Err(Fault::Raced)
}

type Transactions = <Conn as AsyncConnection>::TransactionManager;

/// Runs the body in the transaction or savepoint that was just begun, and ends it.
async fn conclude<A: Sync, T: Send>(
    conn: &mut Conn,
    note: Option<&InvalidationNote>,
    args: &A,
    body: Body<A, T>,
) -> Worked<T> {
    let outcome = async {
        // Before the body takes its locks: nobody waits for them longer than without the note.
        if let Some(note) = note {
            insert_note_on(conn, note).await?;
        }
        body(conn, args).await
    };
    match outcome.await {
        Ok(value) => {
            Transactions::commit_transaction(conn).await?;
            Ok(value)
        }
        Err(fault) => {
            if let Err(error) = Transactions::rollback_transaction(conn).await {
                // The pool sees the open transaction and closes the connection, which rolls back.
                tracing::debug!(%error, "roll-back failed");
            }
            Err(raced(fault))
        }
    }
}

/// Tells a lost race for a once-only key from any other broken uniqueness.
fn raced(fault: Fault) -> Fault {
    match &fault {
        Fault::Database(error)
            if broken_uniqueness(error).is_some_and(|name| name.contains("idem_key")) =>
        {
            Fault::Raced
        }
        _ => fault,
    }
}
