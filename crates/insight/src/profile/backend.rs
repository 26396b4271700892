//! What differs between the databases.

use std::fmt::Debug;
use std::pin::Pin;

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::query_builder::{QueryBuilder, QueryFragment};
use diesel_async::AsyncConnection;

use crate::fingerprint::System;

/// A connection that [`Profiled`](super::Profiled) can wrap: those of diesel-async.
pub trait Profilable:
    AsyncConnection<Backend: Backend<QueryBuilder: Default> + Default> + 'static
{
    /// Which database it speaks with.
    const SYSTEM: System;

    /// Whether a statement is sent when its future is built, not when that is polled.
    const BEGINS_WHEN_BUILT: bool;

    /// Whether `execute` tells the rows of a statement that only reads. SQLite tells what the last
    /// write changed instead.
    const COUNTS_READS: bool;

    /// The binds of a query as they are sent, in a form that is equal when they are. `None` when
    /// they cannot be read without asking the database.
    #[doc(hidden)]
    fn binds(query: &dyn QueryFragment<Self::Backend>) -> Option<Box<dyn Debug + '_>>;

    /// Begins a transaction by a statement of one's own.
    #[doc(hidden)]
    fn begin_with<'c>(
        &'c mut self,
        sql: &'c str,
    ) -> Pin<Box<dyn Future<Output = QueryResult<()>> + Send + 'c>>;
}

/// The text of a query, without its binds.
pub(crate) fn text_of<DB>(query: &dyn QueryFragment<DB>) -> Option<String>
where
    DB: Backend<QueryBuilder: Default> + Default,
{
    let mut text = DB::QueryBuilder::default();
    query.to_sql(&mut text, &DB::default()).ok()?;
    Some(text.finish())
}

#[cfg(feature = "postgres")]
mod postgres {
    use diesel::pg::{Pg, PgMetadataLookup, PgTypeMetadata};
    use diesel::query_builder::bind_collector::RawBytesBindCollector;
    use diesel_async::{AnsiTransactionManager, AsyncPgConnection};

    use super::{Debug, Pin, Profilable, QueryFragment, QueryResult, System};

    /// Types that only the server knows have no number here: their values tell them apart.
    struct Unasked;

    impl PgMetadataLookup for Unasked {
        fn lookup_type(&mut self, _name: &str, _schema: Option<&str>) -> PgTypeMetadata {
            PgTypeMetadata::new(0, 0)
        }
    }

    impl Profilable for AsyncPgConnection {
        const SYSTEM: System = System::Postgres;
        const BEGINS_WHEN_BUILT: bool = false;
        const COUNTS_READS: bool = true;

        fn binds(query: &dyn QueryFragment<Pg>) -> Option<Box<dyn Debug + '_>> {
            let mut binds = RawBytesBindCollector::<Pg>::new();
            query.collect_binds(&mut binds, &mut Unasked, &Pg).ok()?;
            Some(Box::new(binds))
        }

        fn begin_with<'c>(
            &'c mut self,
            sql: &'c str,
        ) -> Pin<Box<dyn Future<Output = QueryResult<()>> + Send + 'c>> {
            Box::pin(AnsiTransactionManager::begin_transaction_sql(self, sql))
        }
    }
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use diesel::SqliteConnection;
    use diesel::connection::AnsiTransactionManager;
    use diesel::sqlite::Sqlite;
    use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;

    use super::{Backend, Debug, Pin, Profilable, QueryFragment, QueryResult, System};

    impl Profilable for SyncConnectionWrapper<SqliteConnection> {
        const SYSTEM: System = System::Sqlite;
        const BEGINS_WHEN_BUILT: bool = true;
        const COUNTS_READS: bool = false;

        fn binds(query: &dyn QueryFragment<Sqlite>) -> Option<Box<dyn Debug + '_>> {
            let mut binds = <Sqlite as Backend>::BindCollector::<'_>::default();
            query.collect_binds(&mut binds, &mut (), &Sqlite).ok()?;
            Some(Box::new(binds))
        }

        fn begin_with<'c>(
            &'c mut self,
            sql: &'c str,
        ) -> Pin<Box<dyn Future<Output = QueryResult<()>> + Send + 'c>> {
            let sql = sql.to_owned();
            self.spawn_blocking(move |inner| {
                AnsiTransactionManager::begin_transaction_sql(inner, &sql)
            })
        }
    }
}
