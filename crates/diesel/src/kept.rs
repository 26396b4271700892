//! Statements that are prepared once although Diesel would prepare them anew.
//!
//! Diesel never keeps an `UPDATE`, an `INSERT` that updates on a conflict or that has defaults or many
//! rows, nor any statement with SQL written out: it may be of another shape each time. Where it is
//! always of the same, preparing it again costs a round trip on PostgreSQL and, on SQLite, more
//! than running it.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::connection::Connection;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};

/// See [`Keep::kept`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept<S>(S);

/// Marks statements whose text is one of a few.
pub(crate) trait Keep: Sized {
    /// The same statement, whose prepared form a connection keeps, by its text. Not for one whose
    /// text grows with its binds, as that of `eq_any` does on SQLite: each would be kept.
    fn kept(self) -> Kept<Self> {
        Kept(self)
    }
}

impl<S> Keep for S {}

impl<S: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for Kept<S> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _backend: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

/// None of its own: the text tells statements apart.
impl<S> QueryId for Kept<S> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<S: Query> Query for Kept<S> {
    type SqlType = S::SqlType;
}

impl<S, C: Connection> diesel::RunQueryDsl<C> for Kept<S> {}
