//! What a storage offers to those who look after it: how its pool is used, a connection beside the
//! pool, fresh statistics.

use std::sync::Arc;

use diesel::ConnectionError;
use guildhall_insight::profile::Planner;
use guildhall_insight::profile::server::{Absent, Reading, ServerStatements};
use guildhall_insight::workload::Workload;
use guildhall_insight::{Fingerprint, System};
use guildhall_repository::StorageError;

use super::lease::{Lease, Mode};
use super::storage::DieselStorage;
use super::upkeep_dialect::{
    OwnPlanner, find_statement, read_statements, refresh, run_own, server_on, workload_of,
};
use super::{INSIGHT, Inner, open};
use crate::options::{PoolState, ServerState, WriterTurn};

impl DieselStorage {
    /// How the database is called by the profiler and the index advisor.
    #[must_use]
    pub fn system(&self) -> System {
        INSIGHT
    }

    /// How the pool is used now. Asks nobody.
    #[must_use]
    pub fn pool(&self) -> PoolState {
        let state = self.core.pool.state();
        PoolState {
            open: state.connections,
            idle: state.idle_connections,
            max: self.core.options.pool_max,
        }
    }

    /// A connection of its own: not the pool's, and not recorded by the profiler. For what needs a
    /// session for itself, such as an index advisor.
    pub async fn connection(&self) -> Result<Inner, StorageError> {
        let (conn, _session) = open(&self.core.target, &self.core.options).await?;
        Ok(conn.into_inner())
    }

    /// Asks the database how it would run a statement, each time on a connection of its own.
    #[must_use]
    pub fn planner(&self) -> Arc<dyn Planner> {
        let core = Arc::clone(&self.core);
        Arc::new(OwnPlanner::new(move || {
            let core = Arc::clone(&core);
            async move {
                let opened = open(&core.target, &core.options).await;
                let opened =
                    opened.map_err(|error| ConnectionError::BadConnection(error.to_string()));
                Ok(opened?.0.into_inner())
            }
        }))
    }

    /// What the database tells of itself now.
    pub async fn server(&self) -> Result<ServerState, StorageError> {
        Lease::Pool(Arc::clone(&self.core))
            .run("server", Mode::Bare, (), |conn, ()| Box::pin(server_on(conn)))
            .await
    }

    /// What the server counted since `counted` was read last. `NotSupported` where nothing is.
    pub async fn server_statements(
        &self,
        counted: &mut ServerStatements,
    ) -> Result<Reading, StorageError> {
        read_statements(&self.core, counted).await
    }

    /// All that the server counted in this database since its counters began, or what keeps it from
    /// counting. `NotSupported` where there is no server that could.
    pub async fn server_workload(&self) -> Result<Result<Workload, Absent>, StorageError> {
        workload_of(&self.core).await
    }

    /// The statement with this fingerprint as the server keeps it, if it does.
    pub async fn server_statement(
        &self,
        fingerprint: Fingerprint,
    ) -> Result<Option<String>, StorageError> {
        find_statement(&self.core, fingerprint).await
    }

    /// Runs statements of your own, without values, on a connection of its own: for tables and
    /// indexes that you keep beside those of this storage. Several are divided by `;`: PostgreSQL
    /// runs all of them or none, SQLite each by itself up to the first that fails.
    pub async fn run_sql(&self, sql: &str) -> Result<(), StorageError> {
        run_own(&self.core, sql.to_owned()).await
    }

    /// The turn to write, for work beside the pool: where only one writes at a time, the writers of
    /// this storage queue until it is given back, in order and for no longer than they wait for a
    /// connection.
    pub async fn turn(&self) -> Result<WriterTurn, StorageError> {
        Ok(WriterTurn(self.core.turn(true).await?))
    }

    /// Has the database look at its tables again, so that it plans for what is in them now, and says
    /// how many tables those are. May take minutes on a large database; on SQLite writers wait
    /// meanwhile, for a sample is looked at.
    pub async fn refresh_statistics(&self) -> Result<u64, StorageError> {
        refresh(&self.core).await
    }
}
