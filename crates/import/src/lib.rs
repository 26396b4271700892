#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod detect;
mod error;
mod fields;
mod findings;
mod importer;
mod json_store;
mod reader;
mod record;
mod report;
mod sqlite_bot;
mod total;
mod value;

pub use detect::{SourceKind, detect};
pub use error::ImportError;
pub use importer::{ImportOptions, Importer};
pub use report::{
    ColumnNotRead, EarlierRun, ImportReport, Inspection, LISTED_MAX, LedgerAudit, NotRead, Phase,
    Progress, Skipped, TableReport, Totals, UndoReport, Warning,
};
pub use total::PointTotal;
