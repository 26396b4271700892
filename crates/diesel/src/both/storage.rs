//! The storage on one database, and its unit of work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use async_trait::async_trait;
use diesel_async::{AsyncConnection, TransactionManager};
use guildhall_domain::Timestamp;
use guildhall_repository::{
    InvalidationNote, Repositories, Storage, StorageError, StorageHealth, UnitOfWork,
};

use super::lease::{Lease, Mode, UnitCore};
use super::pool::PoolCore;
use super::{Conn, SAVEPOINTS_COST, SYSTEM, WRITERS_MAX, begin_write, server_version};
use crate::fault::Worked;
use crate::schema::health_probe;
use crate::types::DbTime;

/// The storage on this database. Cheap to share behind an `Arc`; its pool opens connections on
/// demand and closes idle ones.
pub struct DieselStorage {
    pub(super) core: Arc<PoolCore>,
    lease: Lease,
}

impl DieselStorage {
    pub(super) fn over(core: PoolCore) -> Self {
        let core = Arc::new(core);
        let lease = Lease::Pool(Arc::clone(&core));
        Self { core, lease }
    }

    /// Begins a unit, which has a way back to before each call in it or has none.
    async fn unit(&self, recovers: bool) -> Result<Box<dyn UnitOfWork>, StorageError> {
        self.core.options.profiler.operation("begin", self.begin_unit(recovers)).await
    }

    async fn begin_unit(&self, recovers: bool) -> Result<Box<dyn UnitOfWork>, StorageError> {
        let (turn, mut slot) = self.core.acquire(true).await?;
        let work = async move {
            slot.busy = true;
            let begun = begin_write(&mut slot.conn).await;
            slot.busy = false;
            begun?;
            Ok((slot, turn))
        };
        let (slot, turn) = self.core.bounded("begin", work).await?;
        let unit = Arc::new(UnitCore {
            slot: tokio::sync::Mutex::new(Some(slot)),
            shared: Arc::clone(&self.core),
            recovers,
            interrupted: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            _turn: turn,
        });
        let lease = Lease::Unit(Arc::clone(&unit));
        Ok(Box::new(DieselUnit { unit, lease }))
    }

    /// For tests: the storage with faults on cue. Those of an earlier call stay.
    #[cfg(feature = "faults")]
    #[must_use]
    pub fn with_faults(self, faults: Arc<dyn crate::Faults>) -> Self {
        self.core.faults.get_or_init(|| faults);
        self
    }
}

impl std::fmt::Debug for DieselStorage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DieselStorage").field("system", &SYSTEM).finish_non_exhaustive()
    }
}

guildhall_repository::lend!(lease of DieselStorage, DieselUnit, DieselNoting);

#[async_trait]
impl Storage for DieselStorage {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StorageError> {
        self.unit(true).await
    }

    async fn begin_act(&self) -> Result<Box<dyn UnitOfWork>, StorageError> {
        self.unit(!SAVEPOINTS_COST).await
    }

    fn noting(&self, note: &InvalidationNote) -> Box<dyn Repositories> {
        let lease = Lease::Noting(Arc::clone(&self.core), Arc::new(note.clone()));
        Box::new(DieselNoting { lease })
    }

    fn writes_concurrently(&self) -> bool {
        WRITERS_MAX > 1
    }

    async fn health(&self, now: Timestamp) -> Result<StorageHealth, StorageError> {
        let started = Instant::now();
        let version = self
            .lease
            .run("health", Mode::Transaction, now, |conn, now| Box::pin(probe_on(conn, *now)))
            .await?;
        let write_latency = started.elapsed();
        let state = self.core.pool.state();
        Ok(StorageHealth {
            system: SYSTEM,
            version,
            write_latency,
            connections: state.connections,
            idle: state.idle_connections,
            connections_max: self.core.options.pool_max,
        })
    }
}

async fn probe_on(conn: &mut Conn, now: Timestamp) -> Worked<String> {
    use crate::run::RunQueryDsl as _;
    use diesel::ExpressionMethods as _;
    let probed = || health_probe::probed_at.eq(DbTime(now));
    diesel::insert_into(health_probe::table)
        .values((health_probe::id.eq(1), probed()))
        .on_conflict(health_probe::id)
        .do_update()
        .set(probed())
        .execute(conn)
        .await?;
    Ok(server_version(conn).await?)
}

/// The repositories for one write that stores a note.
struct DieselNoting {
    lease: Lease,
}

/// A unit of work on this database.
struct DieselUnit {
    unit: Arc<UnitCore>,
    lease: Lease,
}

impl DieselUnit {
    /// Takes the connection out and ends its transaction. What is left midway is closed by the
    /// pool, which rolls back.
    async fn end(self, commit: bool) -> Result<(), StorageError> {
        let operation = if commit { "commit" } else { "rollback" };
        let Self { unit, lease } = self;
        drop(lease);
        let shared = Arc::clone(&unit.shared);
        let end = end_unit(unit, operation, commit);
        shared.options.profiler.operation(operation, end).await
    }
}

async fn end_unit(
    unit: Arc<UnitCore>,
    operation: &'static str,
    commit: bool,
) -> Result<(), StorageError> {
    let shared = Arc::clone(&unit.shared);
    shared.before(operation)?;
    let work = async move {
        let taken = unit.slot.lock().await.take();
        let mut slot = taken.ok_or_else(|| UnitCore::spent(operation))?;
        if unit.interrupted.load(Ordering::SeqCst) {
            // The slot goes back with its transaction open, and is closed for it.
            return if commit { Err(UnitCore::spent(operation).into()) } else { Ok(()) };
        }
        let failed = unit.failed.load(Ordering::SeqCst);
        slot.busy = true;
        let ended = if commit && !failed {
            Transactions::commit_transaction(&mut slot.conn).await
        } else {
            Transactions::rollback_transaction(&mut slot.conn).await
        };
        slot.busy = false;
        ended?;
        if commit && failed { Err(UnitCore::spent(operation).into()) } else { Ok(()) }
    };
    shared.bounded(operation, work).await?;
    shared.after(operation)
}

type Transactions = <Conn as AsyncConnection>::TransactionManager;

#[async_trait]
impl UnitOfWork for DieselUnit {
    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        self.end(true).await
    }

    async fn rollback(self: Box<Self>) -> Result<(), StorageError> {
        self.end(false).await
    }
}
