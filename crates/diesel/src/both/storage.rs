//! The storage on one database, and its unit of work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use async_trait::async_trait;
use diesel_async::{AsyncConnection, TransactionManager};
use guildhall_domain::Timestamp;
use guildhall_repository::{
    ActivityRepository, ImportRepository, InvalidationNote, InvalidationRepository,
    LedgerRepository, LevelRepository, PointRepository, RankingRepository, Repositories, Storage,
    StorageError, StorageHealth, UnitOfWork, UserRepository,
};

use super::activity::DieselActivity;
use super::import::DieselImports;
use super::invalidation::DieselInvalidations;
use super::lease::{Lease, Mode, UnitCore};
use super::ledger::DieselLedger;
use super::level::DieselLevels;
use super::point::DieselPoints;
use super::pool::PoolCore;
use super::ranking::DieselRankings;
use super::user::DieselUsers;
use super::{Conn, SYSTEM, begin_write, server_version};
use crate::fault::Worked;
use crate::schema::health_probe;
use crate::types::DbTime;

/// One of each repository, all on the same lease.
struct Lent {
    users: DieselUsers,
    activity: DieselActivity,
    points: DieselPoints,
    ledger: DieselLedger,
    rankings: DieselRankings,
    levels: DieselLevels,
    imports: DieselImports,
    invalidations: DieselInvalidations,
}

impl Lent {
    fn new(lease: &Lease) -> Self {
        Self {
            users: DieselUsers { lease: lease.clone() },
            activity: DieselActivity { lease: lease.clone() },
            points: DieselPoints { lease: lease.clone() },
            ledger: DieselLedger { lease: lease.clone() },
            rankings: DieselRankings { lease: lease.clone() },
            levels: DieselLevels { lease: lease.clone() },
            imports: DieselImports { lease: lease.clone() },
            invalidations: DieselInvalidations { lease: lease.clone() },
        }
    }
}

/// The storage on this database. Cheap to share behind an `Arc`; its pool opens connections on
/// demand and closes idle ones.
pub struct DieselStorage {
    pub(super) core: Arc<PoolCore>,
    lease: Lease,
    lent: Lent,
}

impl DieselStorage {
    pub(super) fn over(core: PoolCore) -> Self {
        let core = Arc::new(core);
        let lease = Lease::Pool(Arc::clone(&core));
        let lent = Lent::new(&lease);
        Self { core, lease, lent }
    }
}

impl std::fmt::Debug for DieselStorage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DieselStorage").field("system", &SYSTEM).finish_non_exhaustive()
    }
}

macro_rules! lend {
    ($storage:ident) => {
        impl Repositories for $storage {
            fn users(&self) -> &dyn UserRepository {
                &self.lent.users
            }
            fn activity(&self) -> &dyn ActivityRepository {
                &self.lent.activity
            }
            fn points(&self) -> &dyn PointRepository {
                &self.lent.points
            }
            fn ledger(&self) -> &dyn LedgerRepository {
                &self.lent.ledger
            }
            fn rankings(&self) -> &dyn RankingRepository {
                &self.lent.rankings
            }
            fn levels(&self) -> &dyn LevelRepository {
                &self.lent.levels
            }
            fn imports(&self) -> &dyn ImportRepository {
                &self.lent.imports
            }
            fn invalidations(&self) -> &dyn InvalidationRepository {
                &self.lent.invalidations
            }
        }
    };
}
lend!(DieselStorage);
lend!(DieselUnit);
lend!(DieselNoting);

#[async_trait]
impl Storage for DieselStorage {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StorageError> {
        let turn = self.core.turn(true).await?;
        let mut slot = self.core.acquire().await?;
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
            interrupted: AtomicBool::new(false),
            _turn: turn,
        });
        let lent = Lent::new(&Lease::Unit(Arc::clone(&unit)));
        Ok(Box::new(DieselUnit { unit, lent }))
    }

    fn noting(&self, note: &InvalidationNote) -> Box<dyn Repositories> {
        let lease = Lease::Noting(Arc::clone(&self.core), Arc::new(note.clone()));
        Box::new(DieselNoting { lent: Lent::new(&lease) })
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
    use diesel::ExpressionMethods as _;
    use diesel_async::RunQueryDsl as _;
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
    lent: Lent,
}

/// A unit of work on this database.
struct DieselUnit {
    unit: Arc<UnitCore>,
    lent: Lent,
}

impl DieselUnit {
    /// Takes the connection out and ends its transaction. What is left midway is closed by the
    /// pool, which rolls back.
    async fn end(self, commit: bool) -> Result<(), StorageError> {
        let operation = if commit { "commit" } else { "rollback" };
        let Self { unit, lent } = self;
        drop(lent);
        let shared = Arc::clone(&unit.shared);
        let work = async move {
            let taken = unit.slot.lock().await.take();
            let mut slot = taken.ok_or_else(|| UnitCore::spent(operation))?;
            if unit.interrupted.load(Ordering::SeqCst) {
                // The slot goes back with its transaction open, and is closed for it.
                return if commit { Err(UnitCore::spent(operation).into()) } else { Ok(()) };
            }
            slot.busy = true;
            let ended = if commit {
                Transactions::commit_transaction(&mut slot.conn).await
            } else {
                Transactions::rollback_transaction(&mut slot.conn).await
            };
            slot.busy = false;
            Ok(ended?)
        };
        shared.bounded(operation, work).await
    }
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
