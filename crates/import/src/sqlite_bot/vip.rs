//! VIP standing: the longest that any of the tables gives.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{Nullable, Text};
use guildhall_domain::{ImportedVip, Vip};

use super::side::SideRow;
use super::user::{Belongings, UserRow};
use crate::fields::Fields;
use crate::findings::Findings;
use crate::record::ReadOptions;
use crate::value::Value;

macro_rules! side_row {
    ($name:ident($table:literal, $order:literal, $key:ident) { $($column:ident),+ $(,)? }) => {
        #[derive(QueryableByName)]
        pub(super) struct $name {
            $(#[diesel(sql_type = Nullable<Text>)] pub(super) $column: Value,)+
        }

        impl SideRow for $name {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[$(stringify!($column)),+];
            const ORDER: &'static str = $order;
            fn owner(&self) -> &Value {
                &self.user_id
            }
            fn key(&self) -> String {
                self.$key.key().unwrap_or_else(|| "-".to_owned())
            }
        }
    };
}
pub(super) use side_row;

side_row! {
    SubscriptionRow("vip_subscriptions", "expires_at", user_id) { user_id, expires_at }
}
side_row! {
    VipTransactionRow("vip_transactions", "id", id) {
        id, user_id, action, duration_days, expires_at, is_active, created_at,
    }
}
side_row! {
    AccessRow("vip_access", "id", id) { id, user_id, expires_at, revoked }
}

/// The union of all grants; the latest end wins, and none at all but the role is for ever.
pub(super) fn standing(
    user: &UserRow,
    role: &str,
    belongings: &Belongings,
    key: &str,
    options: &ReadOptions,
    findings: &mut Findings,
) -> ImportedVip {
    let zone = &options.zone;
    let mut standing = Vip::None;
    let mut fields = Fields { table: "users", key, zone, findings };
    for (field, value) in [("vip_expires_at", &user.vip_expires_at), ("vip_until", &user.vip_until)]
    {
        standing = standing.longest(fields.time(field, value).map_or(Vip::None, Vip::Until));
    }
    for row in &belongings.subscriptions {
        let key = row.key();
        let mut fields = Fields { table: SubscriptionRow::TABLE, key: &key, zone, findings };
        standing = standing.longest(end(&mut fields, &row.expires_at));
    }
    for row in &belongings.transactions {
        standing = standing.longest(transaction(row, options, findings));
    }
    for row in &belongings.access {
        let key = row.key();
        let mut fields = Fields { table: AccessRow::TABLE, key: &key, zone, findings };
        if !fields.flag("revoked", &row.revoked, false) {
            standing = standing.longest(end(&mut fields, &row.expires_at));
        }
    }
    if standing == Vip::None && role == "vip" {
        let message = "is vip without any date; taken as vip for ever";
        findings.warn("users", key, Some("role"), message);
        return ImportedVip { standing: Vip::Lifetime, role_only: true };
    }
    ImportedVip { standing, role_only: false }
}

/// Null is without end; what is no time is no grant.
fn end(fields: &mut Fields<'_>, expires_at: &Value) -> Vip {
    if expires_at.is_blank() {
        return Vip::Lifetime;
    }
    fields.time("expires_at", expires_at).map_or(Vip::None, Vip::Until)
}

fn transaction(row: &VipTransactionRow, options: &ReadOptions, findings: &mut Findings) -> Vip {
    let key = row.key();
    let table = VipTransactionRow::TABLE;
    let mut fields = Fields { table, key: &key, zone: &options.zone, findings };
    let action = row.action.key().unwrap_or_default().trim().to_lowercase();
    match action.as_str() {
        "grant" | "extend" if fields.flag("is_active", &row.is_active, true) => {}
        "grant" | "extend" | "revoke" | "expire" => return Vip::None,
        _ => {
            fields.warn("action", "is unknown; the row grants nothing");
            return Vip::None;
        }
    }
    if !row.expires_at.is_blank() || row.duration_days.is_blank() {
        return end(&mut fields, &row.expires_at);
    }
    let days = fields.count("duration_days", &row.duration_days);
    let granted = fields.time("created_at", &row.created_at);
    let lasting = Duration::from_secs(days.saturating_mul(86_400));
    granted.map_or(Vip::None, |granted| Vip::Until(granted.plus(lasting)))
}
