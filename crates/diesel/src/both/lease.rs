//! How a repository method runs: on a pooled connection of its own, or on an open unit's one.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diesel_async::{AsyncConnection, TransactionManager};
use futures_util::future::BoxFuture;
use guildhall_repository::{ErrorKind, InvalidationNote, StorageError, retry_contention};
use tracing::Instrument;

use super::pool::{Manager, PoolCore, Turn};
use super::{Conn, SYSTEM, WEAVES, begin_noted, begin_snapshot, begin_write};
use crate::fault::{Fault, Worked, broken_uniqueness};
use crate::noted::Woven;

/// The body of a method: borrows the connection and its arguments, captures nothing, and can
/// therefore be run again from the start.
pub(super) type Body<A, T> = for<'c> fn(&'c mut Conn, &'c A) -> BoxFuture<'c, Worked<T>>;

/// A body with its arguments and a place for its answer. What runs it knows none of their types,
/// and is therefore compiled once instead of once a method: there are hundreds.
trait Call: Send + Sync {
    fn on<'c>(&'c self, conn: &'c mut Conn) -> BoxFuture<'c, Worked<()>>;
}

struct Typed<A, T> {
    args: A,
    body: Body<A, T>,
    /// Of the last run.
    answer: Mutex<Option<T>>,
}

impl<A: Send + Sync, T: Send> Typed<A, T> {
    fn answer(&self) -> MutexGuard<'_, Option<T>> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A: Send + Sync, T: Send> Call for Typed<A, T> {
    fn on<'c>(&'c self, conn: &'c mut Conn) -> BoxFuture<'c, Worked<()>> {
        let run = (self.body)(conn, &self.args);
        Box::pin(async move {
            let answer = run.await?;
            *self.answer() = Some(answer);
            Ok(())
        })
    }
}

/// What a body needs around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Nothing: one read, or several that need not agree.
    Bare,
    /// One statement that writes: nothing, but a transaction with the note where there is one.
    Statement,
    /// The same for a statement that writes the note by itself, see [`Lease::woven`]: without a
    /// transaction, where the database can do that. One that forgets to loses its notes.
    Woven,
    /// One statement that may fail on a constraint: a savepoint inside a unit, nothing outside. It
    /// writes the note by itself.
    #[allow(dead_code, reason = "PostgreSQL's movements are one statement, SQLite's are not")]
    Guarded,
    /// Several reads that must agree: a read-only snapshot outside a unit, nothing inside.
    Snapshot,
    /// Several writes: a transaction outside a unit, a savepoint inside.
    Transaction,
}

impl Mode {
    /// That of a movement of points on this database.
    pub(super) const MOVEMENT: Self = super::MOVEMENT;
    /// That of appending rows to a log on this database.
    pub(super) const APPEND: Self = super::append::APPEND;
}

/// Where calls get their connection from. It implements every repository, each in a file of its
/// own, by `queries!`.
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
    /// Whether a call that fails leaves the unit as it was before.
    pub(super) recovers: bool,
    /// A call inside was dropped midway.
    pub(super) interrupted: AtomicBool,
    /// A call inside failed, and the unit has no way back to before it.
    pub(super) failed: AtomicBool,
    /// The turn to write, where writers queue. Given back with the unit.
    pub(super) _turn: Turn,
}

impl UnitCore {
    /// Why nothing more can be done in this unit.
    pub(super) fn spent(attempted: &'static str) -> StorageError {
        StorageError::InvalidState {
            entity: "unit of work",
            key: SYSTEM.to_owned(),
            state: "spent: a call inside it failed or was dropped, or it was concluded".to_owned(),
            attempted,
        }
    }
}

impl Lease {
    /// Where chance comes from.
    pub(super) fn random(&self) -> &dyn guildhall_domain::Random {
        &*self.core().random
    }

    /// The note that a single statement of this mode has to write by itself, or nobody does; `None`
    /// when there is none, or when the transaction around the statement does it.
    pub(super) fn woven(&self, mode: Mode) -> Woven {
        match (self, mode) {
            (Self::Noting(_, note), Mode::Guarded) => Some(Arc::clone(note)),
            (Self::Noting(_, note), Mode::Woven) if WEAVES => Some(Arc::clone(note)),
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
        let typed = Arc::new(Typed { args, body, answer: Mutex::new(None) });
        let call = Arc::clone(&typed) as Arc<dyn Call>;
        self.run_call(operation, mode, call).await?;
        let answer = typed.answer().take();
        answer.ok_or(StorageError::Internal { operation, source: None })
    }

    async fn run_call(
        &self,
        operation: &'static str,
        mode: Mode,
        call: Arc<dyn Call>,
    ) -> Result<(), StorageError> {
        let span = tracing::debug_span!("db", db.system = SYSTEM, db.operation.name = operation);
        let core = self.core();
        core.before(operation)?;
        let run = async {
            match self {
                Self::Pool(core) => run_pooled(core, operation, mode, None, &call).await,
                Self::Noting(core, note) => {
                    run_pooled(core, operation, mode, Some(note), &call).await
                }
                Self::Unit(unit) => run_in_unit(unit, operation, mode, call).await,
            }
        };
        core.options.profiler.operation(operation, run.instrument(span)).await?;
        core.after(operation)
    }

    fn core(&self) -> &PoolCore {
        match self {
            Self::Pool(core) | Self::Noting(core, _) => core,
            Self::Unit(unit) => &unit.shared,
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

async fn run_pooled(
    core: &Arc<PoolCore>,
    operation: &'static str,
    mode: Mode,
    note: Option<&Arc<InvalidationNote>>,
    call: &Arc<dyn Call>,
) -> Result<(), StorageError> {
    // What stores a note beside its own statement needs a transaction around both.
    let mode = match (mode, note) {
        (Mode::Statement, Some(_)) => Mode::Transaction,
        (Mode::Woven, Some(_)) if !WEAVES => Mode::Transaction,
        (mode, _) => mode,
    };
    let note = note.filter(|_| mode == Mode::Transaction);
    let attempts = AtomicU32::new(0);
    let attempts = &attempts;
    let attempt = || async move {
        guildhall_insight::attempt(1 + attempts.fetch_add(1, Ordering::Relaxed));
        let (turn, mut slot) = core.acquire(mode == Mode::Transaction).await?;
        let (call, note) = (Arc::clone(call), note.cloned());
        let work = async move {
            slot.busy = true;
            let outcome = run_alone(&mut slot.conn, mode, note.as_deref(), &*call).await;
            slot.busy = false;
            drop((slot, turn)); // In this order: who comes next finds a connection.
            outcome
        };
        core.bounded(operation, work).await
    };
    retry_contention(core.options.retry, &*core.random, attempt).await
}

async fn run_in_unit(
    unit: &Arc<UnitCore>,
    operation: &'static str,
    mode: Mode,
    call: Arc<dyn Call>,
) -> Result<(), StorageError> {
    // A call that is dropped, or whose time is over, leaves the unit in nobody knows what state.
    let watch = Interruption { interrupted: Some(&unit.interrupted) };
    let held = Arc::clone(unit);
    let work = async move {
        let mut held_slot = held.slot.lock().await;
        let spent = [&held.interrupted, &held.failed];
        if spent.into_iter().any(|spent| spent.load(Ordering::SeqCst)) {
            return Err(UnitCore::spent(operation).into());
        }
        let slot = held_slot.as_mut().ok_or_else(|| UnitCore::spent(operation))?;
        slot.busy = true;
        let outcome = if held.recovers {
            run_inside(&mut slot.conn, mode, &*call, &held.failed).await
        } else {
            run_as_part(&mut slot.conn, mode, &*call, &held.failed).await
        };
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
async fn run_alone(
    conn: &mut Conn,
    mode: Mode,
    note: Option<&InvalidationNote>,
    call: &dyn Call,
) -> Worked<()> {
    for _ in 1..LOOKS {
        match run_once(conn, mode, note, call).await {
            Err(Fault::Raced) => {}
            outcome => return outcome,
        }
    }
    run_once(conn, mode, note, call).await
}

async fn run_once(
    conn: &mut Conn,
    mode: Mode,
    note: Option<&InvalidationNote>,
    call: &dyn Call,
) -> Worked<()> {
    match mode {
        Mode::Bare | Mode::Statement | Mode::Woven | Mode::Guarded => {
            call.on(conn).await.map_err(raced)
        }
        Mode::Snapshot => {
            begin_snapshot(conn).await?;
            conclude(conn, call).await
        }
        Mode::Transaction => {
            match note {
                Some(note) => begin_noted(conn, note).await?,
                None => begin_write(conn).await?,
            }
            conclude(conn, call).await
        }
    }
}

/// Inside a unit.
async fn run_inside(
    conn: &mut Conn,
    mode: Mode,
    call: &dyn Call,
    failed: &AtomicBool,
) -> Worked<()> {
    if matches!(mode, Mode::Bare | Mode::Statement | Mode::Woven | Mode::Snapshot) {
        let outcome = call.on(conn).await;
        // Without a savepoint PostgreSQL has given the whole transaction up by now, and answers a
        // commit by rolling back without an error. SQLite has not, and must do the same.
        if matches!(outcome, Err(Fault::Database(diesel::result::Error::DatabaseError(..)))) {
            failed.store(true, Ordering::SeqCst);
        }
        return outcome;
    }
    for look in 1..=LOOKS {
        Transactions::begin_transaction(conn).await?; // A savepoint: the unit's own is open.
        match conclude(conn, call).await {
            Err(Fault::Raced) if look < LOOKS => {}
            outcome => return outcome,
        }
    }
    Err(Fault::Raced)
}

/// Inside a unit without a way back: no savepoint, and a call that may have left something behind
/// is the last one.
async fn run_as_part(
    conn: &mut Conn,
    mode: Mode,
    call: &dyn Call,
    failed: &AtomicBool,
) -> Worked<()> {
    let mut outcome = call.on(conn).await;
    for _ in 1..LOOKS {
        // A single statement that found nothing to write has written nothing.
        if mode != Mode::Guarded || !matches!(outcome, Err(Fault::Raced)) {
            break;
        }
        outcome = call.on(conn).await;
    }
    let outcome = outcome.map_err(raced);
    let is_over = match (&outcome, mode) {
        (Ok(()), _) => false,
        // The transaction is aborted, or will be given up: the unit as a whole is tried again.
        (Err(Fault::Database(_) | Fault::Raced), _) => true,
        (Err(Fault::Refused(_)), mode) => mode == Mode::Transaction,
    };
    if is_over {
        failed.store(true, Ordering::SeqCst);
    }
    outcome
}

type Transactions = <Conn as AsyncConnection>::TransactionManager;

/// Runs the body in the transaction or savepoint that was just begun, and ends it.
async fn conclude(conn: &mut Conn, call: &dyn Call) -> Worked<()> {
    match call.on(conn).await {
        Ok(()) => {
            Transactions::commit_transaction(conn).await?;
            Ok(())
        }
        Err(fault) => {
            roll_back(conn).await;
            Err(raced(fault))
        }
    }
}

/// Ends the transaction or savepoint without a trace.
pub(super) async fn roll_back(conn: &mut Conn) {
    if let Err(error) = Transactions::rollback_transaction(conn).await {
        // The pool sees the open transaction and closes the connection, which rolls back.
        tracing::debug!(%error, "roll-back failed");
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
