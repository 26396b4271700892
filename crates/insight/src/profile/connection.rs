//! A connection around a connection.

use std::any::TypeId;
use std::fmt;
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use diesel::connection::{CacheSize, Instrumentation, TransactionManagerStatus};
use diesel::query_builder::{AsQuery, QueryFragment, QueryId};
use diesel::{ConnectionResult, QueryResult};
use diesel_async::pooled_connection::PoolableConnection;
use diesel_async::{
    AsyncConnection, AsyncConnectionCore, SimpleAsyncConnection, TransactionManager,
};
use xxhash_rust::xxh3::Xxh3;

use super::Profiler;
use super::backend::{Profilable, text_of};
use super::call::{Call, Details, Manner, Plain};
use super::core::Core;
use super::record::{Place, Record};
use super::registry::Known;
use super::response::{Executing, Loading, Rows};
use super::sample::split_binds;
use super::transactions::ProfiledTransactions;

/// A connection whose calls are recorded by a [`Profiler`]. It is used as the connection inside is:
/// through Diesel's `RunQueryDsl`, its transactions, its pools.
///
/// What is sent through [`inner_mut`](Self::inner_mut) is not recorded.
pub struct Profiled<C> {
    inner: C,
    profiler: Profiler,
    depth: u32,
    /// How long the next call waited for this connection.
    waited_ns: AtomicU64,
    /// Of the call under way.
    record: Record,
}

impl<C> fmt::Debug for Profiled<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profiled").field("profiler", &self.profiler).finish_non_exhaustive()
    }
}

impl<C: Profilable> Profiled<C> {
    /// Records the calls of a connection.
    pub fn new(mut inner: C, profiler: Profiler) -> Self {
        let depth = depth_of(&mut inner);
        Self { inner, profiler, depth, waited_ns: AtomicU64::new(0), record: Record::default() }
    }

    /// The connection inside. What it is asked is not recorded.
    pub fn inner(&self) -> &C {
        &self.inner
    }

    /// The connection inside. What it is asked is not recorded; use [`run`](Self::run) for what is
    /// to be.
    pub fn inner_mut(&mut self) -> &mut C {
        &mut self.inner
    }

    /// The connection inside, no longer recorded.
    pub fn into_inner(self) -> C {
        self.inner
    }

    /// Who records.
    pub fn profiler(&self) -> &Profiler {
        &self.profiler
    }

    /// Says how long was waited for this connection. It is counted with the next call.
    pub fn waited(&self, duration: Duration) {
        if !duration.is_zero() && self.profiler.is_on() {
            let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
            self.waited_ns.fetch_add(ns, Relaxed);
        }
    }

    /// Runs something on the connection inside and records it as one call of the given statement:
    /// for what Diesel has no word for. The statement is not sent, it only says what was done; what
    /// it was bound to is not known.
    pub async fn run<R>(
        &mut self,
        sql: &str,
        work: impl for<'c> FnOnce(
            &'c mut C,
        ) -> Pin<Box<dyn Future<Output = QueryResult<R>> + Send + 'c>>,
    ) -> QueryResult<R> {
        self.run_batch(sql, 1, work).await
    }

    /// The same for work that does to so many rows what the statement says for one.
    pub async fn run_batch<R>(
        &mut self,
        sql: &str,
        rows: usize,
        work: impl for<'c> FnOnce(
            &'c mut C,
        ) -> Pin<Box<dyn Future<Output = QueryResult<R>> + Send + 'c>>,
    ) -> QueryResult<R> {
        let batch = u32::try_from(rows).unwrap_or(u32::MAX);
        let Self { inner, profiler, depth, waited_ns, record } = self;
        let unread = Unread { batch };
        let call =
            text_call::<C>(profiler, sql, &unread, *depth, waited_ns, || Place::Lent(record));
        let outcome = Watched(call).watch(work(inner)).await;
        self.measure_depth();
        outcome
    }

    /// Begins a transaction by a statement of one's own, such as `BEGIN IMMEDIATE` or `BEGIN
    /// ISOLATION LEVEL SERIALIZABLE`. `AlreadyInTransaction` inside another one.
    pub async fn begin_with(&mut self, sql: &str) -> QueryResult<()> {
        let (inner, call) = self.split(sql);
        let outcome = call.watch(inner.begin_with(sql)).await;
        self.measure_depth();
        outcome
    }
}

/// How many transactions are open, one in the other. Asked only between calls, when nobody else
/// holds the connection: Diesel panics otherwise.
fn depth_of<C: AsyncConnection>(inner: &mut C) -> u32 {
    match C::TransactionManager::transaction_manager_status_mut(inner) {
        TransactionManagerStatus::Valid(status) => {
            status.transaction_depth().map_or(0, std::num::NonZeroU32::get)
        }
        TransactionManagerStatus::InError => 0,
    }
}

const fn manner_of<C: Profilable>() -> Manner {
    Manner { begins_when_built: C::BEGINS_WHEN_BUILT, counts_reads: C::COUNTS_READS }
}

/// The record of a statement that is text and has no binds.
pub(crate) fn plain_call<'c, C: Profilable>(
    profiler: &'c Profiler,
    sql: &str,
    depth: u32,
    waited_ns: &AtomicU64,
    place: impl FnOnce() -> Place<'c>,
) -> Option<Call<'c>> {
    text_call::<C>(profiler, sql, &Plain, depth, waited_ns, place)
}

/// Nothing most of the time, and a look is cheaper than an exchange.
fn taken(waited_ns: &AtomicU64) -> u64 {
    if waited_ns.load(Relaxed) > 0 { waited_ns.swap(0, Relaxed) } else { 0 }
}

fn text_call<'c, C: Profilable>(
    profiler: &'c Profiler,
    sql: &str,
    details: &dyn Details,
    depth: u32,
    waited_ns: &AtomicU64,
    place: impl FnOnce() -> Place<'c>,
) -> Option<Call<'c>> {
    let core = profiler.core()?;
    let find = |core: &'c Core, _: &mut Record| {
        let known = core.registry.text(sql, C::SYSTEM);
        details.batch().map_or(known, |batch| Known { batch, ..known })
    };
    Call::new(core, place(), find, details, depth, taken(waited_ns), manner_of::<C>())
}

/// Of work that is only named by a statement.
struct Unread {
    batch: u32,
}

impl Details for Unread {
    fn hash(&self, _seed: u64) -> Option<u64> {
        None
    }

    fn shown(&self) -> Option<Vec<String>> {
        None
    }

    fn batch(&self) -> Option<u32> {
        Some(self.batch)
    }
}

/// The record of a query.
#[inline]
pub(crate) fn call<'c, C: Profilable, T>(
    profiler: &'c Profiler,
    query: &T,
    depth: u32,
    waited_ns: &AtomicU64,
    place: impl FnOnce() -> Place<'c>,
) -> Option<Call<'c>>
where
    T: QueryFragment<C::Backend> + QueryId,
{
    let core = profiler.core()?;
    call_of::<C>(core, T::query_id(), query, depth, waited_ns, place())
}

/// Knows the query by what it can do, not by its type: an application has hundreds of types, and
/// this is compiled once for each kind of connection.
fn call_of<'c, C: Profilable>(
    core: &'c Core,
    id: Option<TypeId>,
    query: &dyn QueryFragment<C::Backend>,
    depth: u32,
    waited_ns: &AtomicU64,
    place: Place<'c>,
) -> Option<Call<'c>> {
    let find = |core: &'c Core, record: &mut Record| {
        let text = || text_of::<C::Backend>(query);
        match id {
            Some(id) => record.typed(id, || core.registry.typed(id, C::SYSTEM, text)),
            None => text().map_or_else(Known::default, |sql| core.registry.text(&sql, C::SYSTEM)),
        }
    };
    // Only written to when there was a wait: most calls spare themselves the exchange.
    let waited = taken(waited_ns);
    let details = OfQuery::<C> { query };
    Call::new(core, place, find, &details, depth, waited, manner_of::<C>())
}

struct OfQuery<'q, C: Profilable> {
    query: &'q dyn QueryFragment<C::Backend>,
}

impl<C: Profilable> Details for OfQuery<'_, C> {
    fn hash(&self, seed: u64) -> Option<u64> {
        let binds = C::binds(self.query)?;
        let mut hash = Hashing(Xxh3::with_seed(seed));
        write!(hash, "{binds:?}").ok()?;
        Some(hash.0.digest())
    }

    fn shown(&self) -> Option<Vec<String>> {
        let text = text_of::<C::Backend>(self.query)?;
        let shown = diesel::debug_query::<C::Backend, _>(&self.query).to_string();
        split_binds(shown.strip_prefix(&text)?.strip_prefix(" -- binds: ")?)
    }
}

/// Hashes what is written to it.
struct Hashing(Xxh3);

impl fmt::Write for Hashing {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.0.update(part.as_bytes());
        Ok(())
    }
}

impl<C: Profilable> SimpleAsyncConnection for Profiled<C> {
    async fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        let Self { inner, profiler, depth, waited_ns, record } = self;
        let call = plain_call::<C>(profiler, query, *depth, waited_ns, || Place::Lent(record));
        let future = async move { inner.batch_execute(query).await.map(|()| 0) };
        Executing::new(future, call).await.map(|_| ())
    }
}

impl<C: Profilable> AsyncConnectionCore for Profiled<C> {
    type ExecuteFuture<'conn, 'query> = Executing<'conn, C::ExecuteFuture<'conn, 'query>>;
    type LoadFuture<'conn, 'query> = Loading<'conn, C::LoadFuture<'conn, 'query>>;
    type Stream<'conn, 'query> = Rows<'conn, C::Stream<'conn, 'query>>;
    type Row<'conn, 'query> = C::Row<'conn, 'query>;
    type Backend = C::Backend;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> Self::LoadFuture<'conn, 'query>
    where
        T: AsQuery + 'query,
        T::Query: QueryFragment<Self::Backend> + QueryId + 'query,
    {
        let Self { inner, profiler, depth, waited_ns, record } = self;
        let query = source.as_query();
        let call = call::<C, _>(profiler, &query, *depth, waited_ns, || Place::Lent(record));
        Loading::new(inner.load(query), call)
    }

    fn execute_returning_count<'conn, 'query, T>(
        &'conn mut self,
        source: T,
    ) -> Self::ExecuteFuture<'conn, 'query>
    where
        T: QueryFragment<Self::Backend> + QueryId + 'query,
    {
        let Self { inner, profiler, depth, waited_ns, record } = self;
        let call = call::<C, _>(profiler, &source, *depth, waited_ns, || Place::Lent(record));
        Executing::new(inner.execute_returning_count(source), call)
    }
}

impl<C: Profilable> AsyncConnection for Profiled<C> {
    type TransactionManager = ProfiledTransactions<C::TransactionManager>;

    /// Connects without recording anything: nobody says who is to record. See
    /// [`manager`](super::manager) for pools.
    async fn establish(database_url: &str) -> ConnectionResult<Self> {
        Ok(Self::new(C::establish(database_url).await?, Profiler::off()))
    }

    fn transaction_state(
        &mut self,
    ) -> &mut <Self::TransactionManager as TransactionManager<Self>>::TransactionStateData {
        self.inner.transaction_state()
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        self.inner.instrumentation()
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.inner.set_instrumentation(instrumentation);
    }

    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        self.inner.set_prepared_statement_cache_size(size);
    }
}

impl<C: Profilable + PoolableConnection> PoolableConnection for Profiled<C> {
    /// What the connection inside says: one of PostgreSQL knows whether it was closed.
    fn is_broken(&mut self) -> bool {
        self.inner.is_broken()
    }
}

/// What the transaction manager needs of a connection.
impl<C: Profilable> Profiled<C> {
    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn waited_ns(&self) -> &AtomicU64 {
        &self.waited_ns
    }

    /// The connection inside, and the record of a statement that is about to run on it.
    pub(crate) fn split(&mut self, sql: &str) -> (&mut C, Watched<'_>) {
        let Self { inner, profiler, depth, waited_ns, record } = self;
        let call = plain_call::<C>(profiler, sql, *depth, waited_ns, || Place::Lent(record));
        (inner, Watched(call))
    }

    pub(crate) fn measure_depth(&mut self) {
        self.depth = depth_of(&mut self.inner);
    }
}

/// The record of a call that is about to run.
pub(crate) struct Watched<'c>(Option<Call<'c>>);

impl Watched<'_> {
    /// Runs it.
    pub(crate) async fn watch<R>(
        mut self,
        work: impl Future<Output = QueryResult<R>>,
    ) -> QueryResult<R> {
        if let Some(call) = &mut self.0 {
            call.polled();
        }
        let outcome = work.await;
        if let Some(call) = &mut self.0 {
            match &outcome {
                Ok(_) => call.returned(&Ok(0)),
                Err(error) => call.failed(error),
            }
        }
        outcome
    }
}
