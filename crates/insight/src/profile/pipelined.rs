//! Several queries at once over one connection, as `&AsyncPgConnection` allows.

use diesel::QueryResult;
use diesel::query_builder::{AsQuery, QueryFragment, QueryId};
use diesel_async::{AsyncConnectionCore, AsyncPgConnection, SimpleAsyncConnection};

use super::connection::{Profiled, call, plain_call};
use super::record::Place;
use super::response::{Executing, Loading, Rows};

type Inner<'c> = &'c AsyncPgConnection;

/// Calls that share a connection cannot share its place for the call under way.
fn own_place<'c>() -> Place<'c> {
    Place::Own(Box::default())
}

impl SimpleAsyncConnection for &Profiled<AsyncPgConnection> {
    async fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        let (depth, waited) = (self.depth(), self.waited_ns());
        let call =
            plain_call::<AsyncPgConnection>(self.profiler(), query, depth, waited, own_place);
        let mut inner = self.inner();
        let future = async move { inner.batch_execute(query).await.map(|()| 0) };
        Executing::new(future, call).await.map(|_| ())
    }
}

impl<'a> AsyncConnectionCore for &'a Profiled<AsyncPgConnection> {
    type ExecuteFuture<'conn, 'query> =
        Executing<'a, <Inner<'a> as AsyncConnectionCore>::ExecuteFuture<'conn, 'query>>;
    type LoadFuture<'conn, 'query> =
        Loading<'a, <Inner<'a> as AsyncConnectionCore>::LoadFuture<'conn, 'query>>;
    type Stream<'conn, 'query> =
        Rows<'a, <Inner<'a> as AsyncConnectionCore>::Stream<'conn, 'query>>;
    type Row<'conn, 'query> = <Inner<'a> as AsyncConnectionCore>::Row<'conn, 'query>;
    type Backend = diesel::pg::Pg;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> Self::LoadFuture<'conn, 'query>
    where
        T: AsQuery + 'query,
        T::Query: QueryFragment<Self::Backend> + QueryId + 'query,
    {
        let own: &'a Profiled<AsyncPgConnection> = self;
        let query = source.as_query();
        let (depth, waited) = (own.depth(), own.waited_ns());
        let call = call::<AsyncPgConnection, _>(own.profiler(), &query, depth, waited, own_place);
        let mut inner: Inner<'a> = own.inner();
        Loading::new(AsyncConnectionCore::load(&mut inner, query), call)
    }

    fn execute_returning_count<'conn, 'query, T>(
        &'conn mut self,
        source: T,
    ) -> Self::ExecuteFuture<'conn, 'query>
    where
        T: QueryFragment<Self::Backend> + QueryId + 'query,
    {
        let own: &'a Profiled<AsyncPgConnection> = self;
        let (depth, waited) = (own.depth(), own.waited_ns());
        let call = call::<AsyncPgConnection, _>(own.profiler(), &source, depth, waited, own_place);
        let mut inner: Inner<'a> = own.inner();
        Executing::new(AsyncConnectionCore::execute_returning_count(&mut inner, source), call)
    }
}
