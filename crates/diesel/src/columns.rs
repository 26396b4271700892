//! The columns of a row as one piece of text.
//!
//! Diesel writes the text of a statement on every execution, also of one that is prepared, and most
//! of a short statement's text is the list of its columns: for a member's thirty, writing it costs
//! more than all the rest of a look-up that happens in this process. The list never changes, so it
//! is written once a program, by Diesel itself, and pushed whole.

use std::any::type_name;
use std::marker::PhantomData;
use std::sync::LazyLock;

use diesel::backend::Backend;
use diesel::dsl::SqlTypeOf;
use diesel::expression::ValidGrouping;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sqlite::Sqlite;
use diesel::{AppearsOnTable, Expression, QueryResult, Selectable, SelectableExpression};

use crate::rows::{AccountRow, EntryRow, ExternalRow, HoldRow, StatsRow, UserRow};

/// What `R::as_select()` selects, at the price of one copy of its text.
pub(crate) struct Columns<R, DB>(PhantomData<fn() -> (R, DB)>);

impl<R, DB> Columns<R, DB> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

/// Rows whose list of columns is kept.
pub(crate) trait ColumnText<DB> {
    fn column_text() -> &'static str;
}

type Selection<R, DB> = <R as Selectable<DB>>::SelectExpression;

impl<R: Selectable<DB>, DB: Backend> Expression for Columns<R, DB> {
    type SqlType = SqlTypeOf<Selection<R, DB>>;
}

impl<R, DB> ValidGrouping<()> for Columns<R, DB> {
    type IsAggregate = diesel::expression::is_aggregate::No;
}

impl<R, DB, From> AppearsOnTable<From> for Columns<R, DB>
where
    R: Selectable<DB>,
    DB: Backend,
    Selection<R, DB>: AppearsOnTable<From>,
{
}

impl<R, DB, From> SelectableExpression<From> for Columns<R, DB>
where
    R: Selectable<DB>,
    DB: Backend,
    Selection<R, DB>: SelectableExpression<From>,
{
}

impl<R: 'static, DB: 'static> QueryId for Columns<R, DB> {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<R: ColumnText<DB>, DB: Backend> QueryFragment<DB> for Columns<R, DB> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(R::column_text());
        Ok(())
    }
}

/// The text of the columns as Diesel writes it.
fn written<R, DB>() -> String
where
    R: Selectable<DB>,
    DB: Backend + Default,
    DB::QueryBuilder: Default,
    Selection<R, DB>: QueryFragment<DB>,
    for<'b> diesel::query_builder::DebugQuery<'b, Selection<R, DB>, DB>: std::fmt::Display,
{
    let columns = R::construct_selection();
    let text = diesel::debug_query::<DB, _>(&columns).to_string();
    let (columns, _binds) = text.rsplit_once(" -- binds: ").unwrap_or((&text, ""));
    debug_assert!(!columns.is_empty(), "no columns in {}", type_name::<R>());
    columns.to_owned()
}

macro_rules! keep_column_text {
    ($($row:ident),+ on $($backend:ident),+) => {
        keep_column_text!(@each [$($row),+] $($backend),+);
    };
    (@each $rows:tt $($backend:ident),+) => {
        $(keep_column_text!(@on $backend $rows);)+
    };
    (@on $backend:ident [$($row:ident),+]) => {$(
        impl ColumnText<$backend> for $row {
            fn column_text() -> &'static str {
                static TEXT: LazyLock<String> = LazyLock::new(written::<$row, $backend>);
                &TEXT
            }
        }
    )+};
}

keep_column_text!(AccountRow, EntryRow, ExternalRow, HoldRow, StatsRow, UserRow on Pg, Sqlite);
