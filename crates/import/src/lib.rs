#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod achievement_catalogue;
mod authored;
mod catalogue;
mod detect;
mod error;
mod facts;
mod fields;
mod findings;
mod importer;
mod json_store;
mod narrative_json;
mod reader;
mod record;
mod relaxed;
mod report;
mod sqlite_bot;
mod total;
mod value;

pub use achievement_catalogue::{AchievementCatalogue, CatalogueError, read_achievement_catalogue};
pub use detect::{SourceKind, detect};
pub use error::ImportError;
pub use importer::{ImportOptions, Importer};
pub use narrative_json::{NARRATIVE_BYTES_MAX, NarrativeFile, NarrativeJsonError, parse_narrative};
pub use relaxed::RelaxedError;
pub use report::{
    ColumnNotRead, EarlierRun, ImportReport, Inspection, LISTED_MAX, LedgerAudit, NotRead, Phase,
    Progress, Skipped, TableReport, Totals, UndoReport, Warning,
};
pub use total::PointTotal;
