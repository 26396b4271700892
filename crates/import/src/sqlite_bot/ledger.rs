//! The ledger: `point_transactions`.

use diesel::QueryableByName;
use diesel::sql_types::{Nullable, Text};
use guildhall_domain::{Description, EntryReference, ImportedEntry, Source, Timestamp};

use super::side::SideRow;
use crate::fields::Fields;
use crate::findings::Findings;
use crate::record::ReadOptions;
use crate::value::{self, Value};

#[derive(QueryableByName)]
pub(super) struct LedgerRow {
    #[diesel(sql_type = Nullable<Text>)]
    id: Value,
    #[diesel(sql_type = Nullable<Text>)]
    user_id: Value,
    #[diesel(sql_type = Nullable<Text>)]
    amount: Value,
    #[diesel(sql_type = Nullable<Text>)]
    source: Value,
    #[diesel(sql_type = Nullable<Text>)]
    description: Value,
    #[diesel(sql_type = Nullable<Text>)]
    created_at: Value,
}

impl SideRow for LedgerRow {
    const TABLE: &'static str = "point_transactions";
    const COLUMNS: &'static [&'static str] =
        &["id", "user_id", "amount", "source", "description", "created_at"];
    const ORDER: &'static str = "id";
    fn owner(&self) -> &Value {
        &self.user_id
    }
    fn key(&self) -> String {
        self.id.key().unwrap_or_else(|| "-".to_owned())
    }
}

/// A member's ledger, in the order of the row ids. Rows without an amount are skipped; the
/// balance they leave unexplained becomes an `import` entry.
pub(super) fn entries(
    rows: &[LedgerRow],
    registered: Timestamp,
    options: &ReadOptions,
    findings: &mut Findings,
) -> Vec<ImportedEntry> {
    let mut entries = Vec::with_capacity(rows.len());
    let mut latest = registered;
    for row in rows {
        if let Some(entry) = entry(row, latest, options, findings) {
            latest = entry.created_at;
            entries.push(entry);
        }
    }
    entries
}

fn entry(
    row: &LedgerRow,
    before: Timestamp,
    options: &ReadOptions,
    findings: &mut Findings,
) -> Option<ImportedEntry> {
    let key = row.key();
    let Some((amount, lossy)) = value::points(&row.amount) else {
        findings.skip(LedgerRow::TABLE, &key, "its amount is not a number of points within bounds");
        return None;
    };
    if amount.minor() == 0 {
        let reason = if lossy { "its amount rounds to zero" } else { "its amount is zero" };
        findings.skip(LedgerRow::TABLE, &key, reason);
        return None;
    }
    let table = LedgerRow::TABLE;
    let mut fields = Fields { table, key: &key, zone: &options.zone, findings };
    if lossy {
        fields.warn("amount", format!("has more than two decimals; rounded to {amount}"));
    }
    let raw = row.source.key().unwrap_or_default();
    let source = Source::from_legacy(&raw);
    // What a source may not hold is kept in the reference: `reaction_💯_message_61`.
    let source_ref = if source.as_str() == raw || raw.trim().is_empty() {
        None
    } else {
        fields.text::<EntryReference>("source", &Value::Text(raw))
    };
    let description = fields.text::<Description>("description", &row.description);
    let created_at = fields.time("created_at", &row.created_at).unwrap_or_else(|| {
        fields.warn("created_at", "is missing; taken from the entry before it");
        before
    });
    Some(ImportedEntry { source_key: key, amount, source, source_ref, description, created_at })
}
