//! What an import found and did: everything a person or a program wants to know afterwards.

use std::time::Duration;

use guildhall_repository::ImportPhase;
use serde::{Serialize, Serializer};

use crate::detect::SourceKind;
use crate::findings::Findings;
use crate::record::Survey;
use crate::total::PointTotal;

/// How many warnings, and skipped rows a table, are kept in full. All are counted.
pub const LISTED_MAX: usize = 1000;

/// A row that was not imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Its key, or its place as `#12` when it has none.
    pub key: String,
    /// Why.
    pub reason: String,
}

/// What became of a table's rows. `read` is the sum of the others, less what a broken-off or dry
/// run left, and for the ledger more what had to be added to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TableReport {
    /// The table of the source.
    pub table: String,
    /// Rows read.
    pub read: u64,
    /// Rows written by this run, new or merged. Of the ledger it counts the entries that were
    /// written, with those that the source lacked.
    pub written: u64,
    /// Rows that an earlier run had written.
    pub unchanged: u64,
    /// Of the written ones, those that joined a member who had registered before.
    pub merged: u64,
    /// Rows not imported.
    pub skipped_total: u64,
    /// The first [`LISTED_MAX`] of them.
    pub skipped: Vec<Skipped>,
}

/// Something about a row that an operator should know. The rest of the row was imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The table of the source.
    pub table: String,
    /// The row's key.
    pub key: String,
    /// The field, where it is about one.
    pub field: Option<String>,
    /// What was found and done. It never repeats the value.
    pub message: String,
}

/// A table that no importer reads yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotRead {
    /// The table of the source.
    pub table: String,
    /// How many rows it has.
    pub rows: u64,
}

/// A column of an imported table that no importer reads yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnNotRead {
    /// The table of the source.
    pub table: String,
    /// The column.
    pub column: String,
    /// In how many rows it holds something.
    pub rows: u64,
}

/// What the source holds against what carries the tag of the import afterwards.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// The sum of the members' balances in the source.
    pub source_balance: PointTotal,
    /// The sum of the balances that came with this import.
    pub target_balance: PointTotal,
    /// Ledger entries in the source.
    pub entries_source: u64,
    /// Ledger entries that came with this import.
    pub entries_target: u64,
    /// Of these, at most how many the source does not have: openings, differences, compensations.
    pub entries_added: u64,
    /// Members in the source.
    pub members_source: u64,
    /// Members that came with this import, new or merged.
    pub members_target: u64,
    /// Levels in the source.
    pub levels: u64,
}

/// The audit of the ledgers that were written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LedgerAudit {
    /// Members audited.
    pub members: u64,
    /// Entries audited.
    pub entries: u64,
    /// How many rules are broken.
    pub breaks_total: u64,
    /// The first [`LISTED_MAX`] of them, as sentences.
    pub breaks: Vec<String>,
}

/// How a run found what earlier runs had left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EarlierRun {
    /// Broken off, or running elsewhere.
    Running,
    /// Complete.
    Finished,
    /// Taken back.
    Undone,
}

impl From<ImportPhase> for EarlierRun {
    fn from(phase: ImportPhase) -> Self {
        match phase {
            ImportPhase::Running => Self::Running,
            ImportPhase::Finished => Self::Finished,
            ImportPhase::Undone => Self::Undone,
        }
    }
}

/// What an import found and did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImportReport {
    /// The kind of file.
    pub kind: SourceKind,
    /// The name under which it is remembered.
    pub source: String,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// The state in which an earlier run of the same source had left it.
    pub earlier_run: Option<EarlierRun>,
    /// Table by table.
    pub tables: Vec<TableReport>,
    /// How many warnings there are.
    pub warnings_total: u64,
    /// The first [`LISTED_MAX`] of them.
    pub warnings: Vec<Warning>,
    /// Every table that was left alone, with its row count.
    pub not_read: Vec<NotRead>,
    /// Columns with content that were left alone.
    pub columns_not_read: Vec<ColumnNotRead>,
    /// Source against target.
    pub totals: Totals,
    /// The audit; `None` after a dry run.
    pub ledger: Option<LedgerAudit>,
    /// Whether members, balances and entries are the same on both sides and the ledgers are clean.
    /// Of a dry run: whether nothing would be skipped.
    pub matches: bool,
    /// How long it took, in milliseconds.
    #[serde(rename = "duration_ms", serialize_with = "millis")]
    pub duration: Duration,
}

fn millis<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

impl ImportReport {
    /// What is known before anything is written.
    pub(crate) fn of_survey(
        kind: SourceKind,
        source: String,
        levels: usize,
        survey: Survey,
    ) -> Self {
        let Findings { tables, warnings_total, warnings, not_read, columns_not_read } =
            survey.findings;
        let totals = Totals {
            source_balance: survey.balance,
            entries_source: survey.entries,
            entries_added: survey.entries_added,
            members_source: survey.members,
            levels: levels as u64,
            ..Totals::default()
        };
        Self {
            kind,
            source,
            dry_run: false,
            earlier_run: None,
            tables,
            warnings_total,
            warnings,
            not_read,
            columns_not_read,
            totals,
            ledger: None,
            matches: false,
            duration: Duration::ZERO,
        }
    }

    /// What became of one table.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&TableReport> {
        self.tables.iter().find(|table| table.table == name)
    }

    /// Whether this run wrote nothing.
    #[must_use]
    pub fn nothing_written(&self) -> bool {
        self.tables.iter().all(|table| table.written == 0)
    }
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// The kind of file.
    pub kind: SourceKind,
    /// The name under which it would be remembered.
    pub source: String,
    /// The tables that are imported, with their row counts.
    pub tables: Vec<NotRead>,
    /// Every other table.
    pub not_read: Vec<NotRead>,
    /// Columns with content of the imported tables that are not.
    pub columns_not_read: Vec<ColumnNotRead>,
}

/// What taking an import back did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UndoReport {
    /// The name under which it was remembered.
    pub source: String,
    /// Members deleted.
    pub undone: u64,
    /// Members kept, because they were merged or have moved since.
    pub kept_total: u64,
    /// The ids of the first [`LISTED_MAX`] of them.
    pub kept: Vec<i64>,
    /// Whether nothing is left to be taken back.
    pub complete: bool,
    /// What imports define for everybody, which stays whatever is taken back.
    pub stays: &'static [&'static str],
}

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Looking at the file.
    Inspect,
    /// Reading all of it without writing.
    Validate,
    /// Waiting until another import is over.
    Wait,
    /// Writing in batches.
    Write,
    /// Comparing both sides and auditing ledgers.
    Verify,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What it is doing.
    pub phase: Phase,
    /// Members done in this phase.
    pub done: u64,
    /// Members in all, once known.
    pub total: Option<u64>,
}
