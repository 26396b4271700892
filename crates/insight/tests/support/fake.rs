//! A connection without a database: it answers at once, without allocating, or as it is told to.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests are tests")]
#![allow(dead_code, reason = "each program that includes this uses a part of it")]

use std::collections::VecDeque;
use std::fmt::Debug;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::backend::Backend;
use diesel::connection::{CacheSize, Instrumentation};
use diesel::query_builder::{AsQuery, QueryFragment, QueryId};
use diesel::sqlite::Sqlite;
use diesel::{ConnectionResult, QueryResult, SqliteConnection};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{
    AnsiTransactionManager, AsyncConnection, AsyncConnectionCore, SimpleAsyncConnection,
};
use futures_util::stream::{Empty, empty};
use guildhall_insight::System;
use guildhall_insight::profile::{Clock, Profilable};

/// A clock that stands still until it is told to go on.
#[derive(Clone, Default)]
pub(crate) struct HandClock(Arc<AtomicU64>);

impl HandClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_nanos()).unwrap(), Relaxed);
    }
}

impl Clock for HandClock {
    fn monotonic_ns(&self) -> u64 {
        self.0.load(Relaxed)
    }

    fn unix_ms(&self) -> u64 {
        self.0.load(Relaxed) / 1_000_000
    }
}

/// What the next calls answer, and how long they take by the clock.
pub(crate) type Answers = Arc<Mutex<VecDeque<(Duration, QueryResult<usize>)>>>;

#[derive(Default)]
pub(crate) struct Fake {
    transactions: AnsiTransactionManager,
    clock: HandClock,
    answers: Option<Answers>,
    instrumentation: Option<Box<dyn Instrumentation>>,
}

impl Fake {
    pub(crate) fn answering(clock: HandClock, answers: Answers) -> Self {
        Self { clock, answers: Some(answers), ..Self::default() }
    }

    fn answer(&self) -> QueryResult<usize> {
        let Some(answers) = &self.answers else { return Ok(1) };
        let (took, answer) = answers.lock().unwrap().pop_front().expect("an answer is left");
        self.clock.advance(took);
        answer
    }
}

impl SimpleAsyncConnection for Fake {
    async fn batch_execute(&mut self, _query: &str) -> QueryResult<()> {
        self.answer().map(|_| ())
    }
}

/// An answer that is given, and its time passes, when it is polled.
pub(crate) enum Answering<'c> {
    Now(Ready<QueryResult<usize>>),
    When(&'c mut Fake),
}

impl Future for Answering<'_> {
    type Output = QueryResult<usize>;

    fn poll(
        self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        match self.get_mut() {
            Self::Now(now) => Pin::new(now).poll(context),
            Self::When(fake) => std::task::Poll::Ready(fake.answer()),
        }
    }
}

impl AsyncConnectionCore for Fake {
    type ExecuteFuture<'conn, 'query> = Answering<'conn>;
    type LoadFuture<'conn, 'query> = Ready<QueryResult<Self::Stream<'conn, 'query>>>;
    type Stream<'conn, 'query> = Empty<QueryResult<Self::Row<'conn, 'query>>>;
    type Row<'conn, 'query> =
        <SyncConnectionWrapper<SqliteConnection> as AsyncConnectionCore>::Row<'conn, 'query>;
    type Backend = Sqlite;

    fn load<'conn, 'query, T>(&'conn mut self, _source: T) -> Self::LoadFuture<'conn, 'query>
    where
        T: AsQuery + 'query,
        T::Query: QueryFragment<Self::Backend> + QueryId + 'query,
    {
        ready(Ok(empty()))
    }

    fn execute_returning_count<'conn, 'query, T>(
        &'conn mut self,
        _source: T,
    ) -> Self::ExecuteFuture<'conn, 'query>
    where
        T: QueryFragment<Self::Backend> + QueryId + 'query,
    {
        match self.answers {
            None => Answering::Now(ready(Ok(1))),
            Some(_) => Answering::When(self),
        }
    }
}

impl AsyncConnection for Fake {
    type TransactionManager = AnsiTransactionManager;

    async fn establish(_database_url: &str) -> ConnectionResult<Self> {
        Ok(Self::default())
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        &mut self.transactions
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        &mut self.instrumentation
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.instrumentation = Some(Box::new(instrumentation));
    }

    fn set_prepared_statement_cache_size(&mut self, _size: CacheSize) {}
}

impl Profilable for Fake {
    const SYSTEM: System = System::Sqlite;
    const BEGINS_WHEN_BUILT: bool = false;
    const COUNTS_READS: bool = true;

    fn binds(query: &dyn QueryFragment<Sqlite>) -> Option<Box<dyn Debug + '_>> {
        let mut binds = <Sqlite as Backend>::BindCollector::<'_>::default();
        query.collect_binds(&mut binds, &mut (), &Sqlite).ok()?;
        Some(Box::new(binds))
    }

    fn begin_with<'c>(
        &'c mut self,
        sql: &'c str,
    ) -> Pin<Box<dyn Future<Output = QueryResult<()>> + Send + 'c>> {
        Box::pin(AnsiTransactionManager::begin_transaction_sql(self, sql))
    }
}
