//! Rows of once-only keys.

use diesel::prelude::*;
use guildhall_domain::Timestamp;
use guildhall_repository::OnceRequest;

use crate::schema::once_keys;
use crate::types::{DbJson, DbTime};

/// A row of `once_keys`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = once_keys, treat_none_as_default_value = false)]
pub(crate) struct OnceRow {
    pub(crate) idem_key: String,
    pub(crate) operation: String,
    pub(crate) user_id: i64,
    pub(crate) request: String,
    pub(crate) result: Option<DbJson>,
    pub(crate) created_at: DbTime,
}

impl OnceRow {
    /// The row of a request that is claimed now.
    pub(crate) fn claimed(request: &OnceRequest, now: Timestamp) -> Self {
        Self {
            idem_key: request.key().as_str().to_owned(),
            operation: request.operation().to_owned(),
            user_id: request.user().0,
            request: request.request().to_owned(),
            result: None,
            created_at: DbTime(now),
        }
    }

    /// Whether both ask for the same.
    pub(crate) fn same_request(&self, other: &Self) -> bool {
        (&self.operation, self.user_id, &self.request)
            == (&other.operation, other.user_id, &other.request)
    }
}
