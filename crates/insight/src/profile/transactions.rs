//! Transactions, passed through to the manager of the connection inside and recorded.

use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::connection::TransactionManagerStatus;
use diesel_async::TransactionManager;

use super::backend::Profilable;
use super::connection::Profiled;

/// The transaction manager of [`Profiled`]: that of the connection inside, recorded.
#[derive(Clone, Copy, Debug)]
pub struct ProfiledTransactions<T>(PhantomData<fn(T)>);

impl<C, T> TransactionManager<Profiled<C>> for ProfiledTransactions<T>
where
    C: Profilable<TransactionManager = T>,
    T: TransactionManager<C>,
{
    type TransactionStateData = T::TransactionStateData;

    async fn begin_transaction(conn: &mut Profiled<C>) -> QueryResult<()> {
        let sql = if conn.depth() == 0 { "BEGIN" } else { "SAVEPOINT s" };
        let (inner, call) = conn.split(sql);
        let outcome = call.watch(T::begin_transaction(inner)).await;
        conn.measure_depth();
        outcome
    }

    async fn rollback_transaction(conn: &mut Profiled<C>) -> QueryResult<()> {
        let sql = if conn.depth() <= 1 { "ROLLBACK" } else { "ROLLBACK TO SAVEPOINT s" };
        let (inner, call) = conn.split(sql);
        let outcome = call.watch(T::rollback_transaction(inner)).await;
        conn.measure_depth();
        outcome
    }

    async fn commit_transaction(conn: &mut Profiled<C>) -> QueryResult<()> {
        let sql = if conn.depth() <= 1 { "COMMIT" } else { "RELEASE SAVEPOINT s" };
        let (inner, call) = conn.split(sql);
        let outcome = call.watch(T::commit_transaction(inner)).await;
        conn.measure_depth();
        outcome
    }

    fn transaction_manager_status_mut(conn: &mut Profiled<C>) -> &mut TransactionManagerStatus {
        T::transaction_manager_status_mut(conn.inner_mut())
    }

    fn is_broken_transaction_manager(conn: &mut Profiled<C>) -> bool {
        T::is_broken_transaction_manager(conn.inner_mut())
    }
}
