//! Rows of VIP grants.

use std::error::Error;

use diesel::prelude::*;
use guildhall_domain::{UserId, VipGrant, VipGrantId};
use guildhall_repository::StorageError;

use super::{corrupt, optional};
use crate::schema::vip_grants;
use crate::types::DbTime;

/// A row of `vip_grants`.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = vip_grants)]
pub(crate) struct VipGrantRow {
    pub(crate) id: i64,
    user_id: i64,
    source: String,
    source_ref: Option<String>,
    granted_at: DbTime,
    expires_at: Option<DbTime>,
    revoked_at: Option<DbTime>,
    revoked_reason: Option<String>,
    notes: Option<String>,
}

impl VipGrantRow {
    /// The grant of a row.
    pub(crate) fn into_grant(self) -> Result<VipGrant, StorageError> {
        let key = self.id;
        let restored = || -> Result<VipGrant, Box<dyn Error>> {
            Ok(VipGrant {
                id: VipGrantId(self.id),
                user: UserId(self.user_id),
                source: self.source.parse()?,
                source_ref: optional(self.source_ref)?,
                granted_at: self.granted_at.0,
                expires_at: self.expires_at.map(|time| time.0),
                revoked_at: self.revoked_at.map(|time| time.0),
                revoked_reason: optional(self.revoked_reason)?,
                notes: optional(self.notes)?,
            })
        };
        restored().map_err(corrupt("VIP grant", key))
    }
}
