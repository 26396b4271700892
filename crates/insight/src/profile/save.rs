//! `save_changes`, as the connections of diesel-async have it.

use std::pin::Pin;

use diesel::QueryResult;
use diesel::associations::HasTable;
use diesel::dsl::{Find, Update};
use diesel::prelude::{AsChangeset, Identifiable};
use diesel::query_builder::{AsQuery, IntoUpdateTarget, UpdateStatement};
use diesel::query_dsl::methods::FindDsl;
use diesel_async::methods::LoadQuery;
use diesel_async::{RunQueryDsl, UpdateAndFetchResults};

use super::{Profilable, Profiled};

impl<'q, C, Changes, Output, Table, Where> UpdateAndFetchResults<Changes, Output> for Profiled<C>
where
    C: Profilable,
    Output: Send + 'static,
    Changes: Copy + Send + AsChangeset<Target = Table> + Identifiable<Table = Table>,
    Changes: HasTable<Table = Table>,
    Changes::Changeset: Send + 'q,
    Table: diesel::Table + FindDsl<Changes::Id> + 'q,
    Table::FromClause: Send,
    Where: Send + 'q,
    Find<Table, Changes::Id>: IntoUpdateTarget<Table = Table, WhereClause = Where>,
    UpdateStatement<Table, Where, Changes::Changeset>: AsQuery,
    Update<Changes, Changes>: LoadQuery<'q, Self, Output>,
{
    fn update_and_fetch<'conn, 'changes>(
        &'conn mut self,
        changeset: Changes,
    ) -> Pin<Box<dyn Future<Output = QueryResult<Output>> + Send + 'changes>>
    where
        Changes: 'changes,
        'conn: 'changes,
        Self: 'changes,
    {
        Box::pin(async move { diesel::update(changeset).set(changeset).get_result(self).await })
    }
}
