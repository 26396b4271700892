//! The pool: connections, how they are opened, and when they are given up.

use std::future::Future;
use std::sync::{Arc, Mutex};

use bb8::ManageConnection;
use diesel_async::pooled_connection::PoolableConnection;
use guildhall_domain::Random;
use guildhall_insight::profile::timed_wait;
use guildhall_repository::{BoxError, StorageError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Conn, RESOURCE, Session, Target, WRITERS_MAX, classify, open, shield};
use crate::fault::{Worked, settle};
use crate::options::StoreOptions;

/// A connection and whether a call is under way on it.
pub(super) struct Slot {
    pub(super) conn: Conn,
    /// Set while a call runs. Still set when the slot comes back, the call was dropped midway:
    /// nobody knows what the connection is doing, so it is not used again.
    pub(super) busy: bool,
    session: Session,
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.busy {
            self.session.abandon();
        }
    }
}

/// Opens connections for bb8.
pub(super) struct Manager {
    target: Target,
    options: StoreOptions,
}

impl Manager {
    pub(super) fn new(target: Target, options: StoreOptions) -> Self {
        Self { target, options }
    }
}

impl ManageConnection for Manager {
    type Connection = Slot;
    type Error = StorageError;

    async fn connect(&self) -> Result<Slot, StorageError> {
        let (conn, session) = open(&self.target, &self.options).await?;
        Ok(Slot { conn, busy: false, session })
    }

    /// No round trip: only whether the connection is known to be closed, as all are after the
    /// server was restarted.
    async fn is_valid(&self, slot: &mut Slot) -> Result<(), StorageError> {
        if self.has_broken(slot) {
            return Err(StorageError::Unavailable { resource: RESOURCE, source: None });
        }
        Ok(())
    }

    fn has_broken(&self, slot: &mut Slot) -> bool {
        // While busy the inner connection may be shared with a call that still runs.
        slot.busy || PoolableConnection::is_broken(&mut slot.conn)
    }
}

/// What all repositories of a storage share.
pub(super) struct PoolCore {
    pub(super) pool: bb8::Pool<Manager>,
    pub(super) options: StoreOptions,
    pub(super) random: Arc<dyn Random>,
    pub(super) target: Target,
    last_error: LastError,
    writers: Arc<Semaphore>,
    #[cfg(feature = "faults")]
    pub(super) faults: std::sync::OnceLock<Arc<dyn crate::Faults>>,
}

/// The right to run a writing transaction; `None` for what does not need one.
pub(super) type Turn = Option<OwnedSemaphorePermit>;

impl PoolCore {
    /// Opens one connection to know that it works, and hands it to a pool that grows on demand.
    pub(super) async fn connect(
        target: Target,
        options: StoreOptions,
        random: Arc<dyn Random>,
    ) -> Result<Self, StorageError> {
        let manager = Manager::new(target.clone(), options.clone());
        let first = tokio::time::timeout(options.acquire_timeout, manager.connect()).await;
        let first = first.map_err(|_| StorageError::Timeout {
            resource: RESOURCE,
            after: options.acquire_timeout,
        })??;
        let last_error = LastError::default();
        let pool = bb8::Pool::builder()
            .max_size(options.pool_max.max(1))
            .connection_timeout(options.acquire_timeout)
            .test_on_check_out(true)
            .error_sink(Box::new(last_error.clone()))
            .build_unchecked(manager);
        // A fresh pool has room for one; if it had not, the connection would just be closed.
        drop(pool.add(first));
        let writers = Arc::new(Semaphore::new(WRITERS_MAX));
        Ok(Self {
            pool,
            options,
            random,
            target,
            last_error,
            writers,
            #[cfg(feature = "faults")]
            faults: std::sync::OnceLock::new(),
        })
    }

    /// Fails where a test wants an operation to fail before it runs.
    #[inline]
    pub(super) fn before(&self, operation: &'static str) -> Result<(), StorageError> {
        #[cfg(feature = "faults")]
        if let Some(faults) = self.faults.get() {
            return faults.before(operation);
        }
        let _ = operation;
        Ok(())
    }

    /// Fails where a test wants the answer of an operation to be lost.
    #[inline]
    pub(super) fn after(&self, operation: &'static str) -> Result<(), StorageError> {
        #[cfg(feature = "faults")]
        if let Some(faults) = self.faults.get() {
            return faults.after(operation);
        }
        let _ = operation;
        Ok(())
    }

    /// Waits for the turn to write, in order of arrival and before a connection is taken: where
    /// only one may write at a time, readers must find connections meanwhile.
    pub(super) async fn turn(&self, writes: bool) -> Result<Turn, StorageError> {
        if !writes {
            return Ok(None);
        }
        let waiting = Arc::clone(&self.writers).acquire_owned();
        match tokio::time::timeout(self.options.acquire_timeout, waiting).await {
            Ok(turn) => Ok(turn.ok()), // Never closed.
            Err(_) => Err(StorageError::Contention),
        }
    }

    /// A turn to write, for who is going to, and a connection of one's own, each within the acquire
    /// timeout. Both waits count as waiting for the connection: without the turn it is of no use.
    pub(super) async fn acquire(
        &self,
        writes: bool,
    ) -> Result<(Turn, bb8::PooledConnection<'static, Manager>), StorageError> {
        let acquired = async {
            let turn = self.turn(writes).await?;
            let slot = self.pool.get_owned().await.map_err(|error| self.refusal(error))?;
            Ok::<_, StorageError>((turn, slot))
        };
        let (acquired, waited) = timed_wait(acquired).await;
        let (turn, slot) = acquired?;
        slot.conn.waited(waited);
        Ok((turn, slot))
    }

    /// Runs work on a connection for no longer than the statement timeout, safe from callers that
    /// go away, and settles its fault.
    pub(super) async fn bounded<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Worked<T>> + Send + 'static,
    ) -> Result<T, StorageError> {
        let limit = self.options.statement_timeout;
        match tokio::time::timeout(limit, shield(work)).await {
            Ok(outcome) => {
                outcome.map_err(|fault| settle(fault, operation, RESOURCE, limit, classify))
            }
            Err(_) => Err(StorageError::Timeout { resource: RESOURCE, after: limit }),
        }
    }

    /// Explains why no connection was to be had.
    fn refusal(&self, error: bb8::RunError<StorageError>) -> StorageError {
        match error {
            bb8::RunError::User(error) => error,
            bb8::RunError::TimedOut => {
                let waited: BoxError = Arc::new(std::io::Error::new(
                    std::io::ErrorKind::TimedOut,
                    format!("no connection became free within {:?}", self.options.acquire_timeout),
                ));
                let source = self.last_error.take().map_or(waited, |error| Arc::new(error) as _);
                StorageError::Unavailable { resource: RESOURCE, source: Some(source) }
            }
        }
    }
}

/// Why the last attempt to open a connection in the background failed.
#[derive(Clone, Debug, Default)]
struct LastError(Arc<Mutex<Option<StorageError>>>);

impl LastError {
    fn take(&self) -> Option<StorageError> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }
}

impl bb8::ErrorSink<StorageError> for LastError {
    fn sink(&self, error: StorageError) {
        tracing::debug!(error = %error, "opening a connection failed");
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error);
    }

    fn boxed_clone(&self) -> Box<dyn bb8::ErrorSink<StorageError>> {
        Box::new(self.clone())
    }
}
