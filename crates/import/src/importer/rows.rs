//! What became of single rows: those of catalogues, and the facts about members.

use std::collections::BTreeMap;

use guildhall_repository::StorageError;

use crate::findings::Findings;
use crate::report::ImportReport;

/// Rows by table. What is neither written nor skipped is unchanged.
#[derive(Default)]
pub(super) struct Rows {
    written: BTreeMap<&'static str, u64>,
    noted: Findings,
}

impl Rows {
    pub(super) fn written(&mut self, table: &'static str, rows: u64) {
        *self.written.entry(table).or_default() += rows;
    }

    pub(super) fn skip(&mut self, table: &'static str, key: &str, reason: impl Into<String>) {
        self.noted.skip(table, key, reason);
        self.written(table, 0);
    }

    pub(super) fn warn(&mut self, table: &'static str, key: &str, message: impl Into<String>) {
        self.noted.warn(table, key, None, message);
    }

    /// What was looked at: its rows are accounted for in the report.
    pub(super) fn touch(&mut self, table: &'static str) {
        self.written(table, 0);
    }

    /// Adds it to the report.
    pub(super) fn report(self, report: &mut ImportReport) {
        let Self { written, noted } = self;
        let mut findings = Findings {
            tables: std::mem::take(&mut report.tables),
            warnings: std::mem::take(&mut report.warnings),
            warnings_total: report.warnings_total,
            ..Findings::default()
        };
        for table in &noted.tables {
            let listed = table.skipped.len() as u64;
            for skipped in &table.skipped {
                findings.skip(&table.table, &skipped.key, skipped.reason.clone());
            }
            findings.table(&table.table).skipped_total += table.skipped_total - listed;
        }
        for (name, rows) in written {
            let table = findings.table(name);
            table.written += rows;
            table.unchanged = table.read.saturating_sub(table.written + table.skipped_total);
        }
        findings.append_warnings(noted);
        report.tables = findings.tables;
        report.warnings = findings.warnings;
        report.warnings_total = findings.warnings_total;
    }
}

/// Why the storage refused this one thing, so that the next may go well; any other error is given
/// back.
pub(super) fn refusal(error: StorageError) -> Result<String, StorageError> {
    match error {
        StorageError::NotFound { .. }
        | StorageError::AlreadyExists { .. }
        | StorageError::Conflict { .. }
        | StorageError::InvalidState { .. }
        | StorageError::Validation(_)
        | StorageError::LimitExceeded { .. } => Ok(error.to_string()),
        error => Err(error),
    }
}
