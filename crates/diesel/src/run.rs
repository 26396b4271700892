//! How statements are run: to their end, always.
//!
//! Diesel's own `get_result` and `first` answer with the first row that arrives and leave the rest
//! of the response unread. PostgreSQL sends the rows of a statement before it commits it, so with
//! them a write outside a transaction could be acknowledged, and then fail: on a deferred
//! constraint, or because the connection was cut between the row and the commit. The methods here
//! have the same names and read up to the server's last word.

use std::future::Future;

use diesel::QueryResult;
use diesel::dsl::Limit;
use diesel::query_dsl::methods::LimitDsl;
use diesel_async::AsyncConnectionCore;
use diesel_async::RunQueryDsl as Unread;
use diesel_async::methods::{ExecuteDsl, LoadQuery};

/// Runs a statement to its end.
pub(crate) trait RunQueryDsl<C: AsyncConnectionCore + Send>: Sized {
    /// All rows.
    fn load<'query, 'conn, U>(
        self,
        conn: &'conn mut C,
    ) -> impl Future<Output = QueryResult<Vec<U>>> + Send
    where
        U: Send + 'conn,
        Self: LoadQuery<'query, C, U> + Send + 'query,
    {
        Unread::load(self, conn)
    }

    /// All rows.
    fn get_results<'query, 'conn, U>(
        self,
        conn: &'conn mut C,
    ) -> impl Future<Output = QueryResult<Vec<U>>> + Send
    where
        U: Send + 'conn,
        Self: LoadQuery<'query, C, U> + Send + 'query,
    {
        Unread::load(self, conn)
    }

    /// The first of the rows; `NotFound` when there is none.
    fn get_result<'query, 'conn, U>(
        self,
        conn: &'conn mut C,
    ) -> impl Future<Output = QueryResult<U>> + Send
    where
        U: Send + 'conn,
        Self: LoadQuery<'query, C, U> + Send + 'query,
    {
        let rows = Unread::load(self, conn);
        async move { rows.await?.into_iter().next().ok_or(diesel::NotFound) }
    }

    /// The same for a query that is to give one row at most.
    fn first<'query, 'conn, U>(
        self,
        conn: &'conn mut C,
    ) -> impl Future<Output = QueryResult<U>> + Send
    where
        U: Send + 'conn,
        Self: LimitDsl,
        Limit<Self>: LoadQuery<'query, C, U> + Send + 'query,
    {
        RunQueryDsl::get_result(self.limit(1), conn)
    }

    /// How many rows the statement touched.
    fn execute<'conn, 'query>(self, conn: &'conn mut C) -> C::ExecuteFuture<'conn, 'query>
    where
        Self: ExecuteDsl<C> + 'query,
    {
        Unread::execute(self, conn)
    }
}

impl<T, C: AsyncConnectionCore + Send> RunQueryDsl<C> for T {}
