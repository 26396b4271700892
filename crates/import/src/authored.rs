//! Files that authors write: stories in JSON, and catalogues of achievements in scripts.

use std::io::Read;

use guildhall_domain::{LegacyKey, Slug, Timestamp};

use crate::achievement_catalogue::{CatalogueError, read_achievement_catalogue};
use crate::catalogue::{Catalogue, Definition};
use crate::detect::{SourceFile, SourceKind, open};
use crate::error::ImportError;
use crate::findings::Findings;
use crate::narrative_json::{NARRATIVE_BYTES_MAX, NarrativeJsonError, parse_narrative};
use crate::report::{Skipped, Warning};

const FRAGMENTS: &str = "fragments";
const ACHIEVEMENTS: &str = "achievements";

/// Reads the whole file. One bad definition costs no other.
pub(crate) fn catalogue(
    file: &SourceFile,
    now: Timestamp,
    findings: &mut Findings,
) -> Result<Catalogue, ImportError> {
    let text = text(file)?;
    let mut catalogue = Catalogue { replaces: true, ..Catalogue::default() };
    if file.kind == SourceKind::NarrativeJson {
        let found = parse_narrative(&text).map_err(|error| narrative_error(file, &text, &error))?;
        let listed = found.skipped.len() as u64;
        note(findings, FRAGMENTS, found.fragments.len(), found.skipped, found.warnings);
        findings.table(FRAGMENTS).skipped_total += found.skipped_total - listed;
        findings.table(FRAGMENTS).read += found.skipped_total - listed;
        for column in found.fields_not_read {
            findings.column_not_read(FRAGMENTS, &column.column, column.rows);
        }
        catalogue.fragments = found
            .fragments
            .into_iter()
            .map(|new| {
                let key = key(new.legacy_key.as_ref(), &new.id);
                Definition { table: FRAGMENTS, key, new, created_at: now }
            })
            .collect();
    } else {
        let found =
            read_achievement_catalogue(&text).map_err(|error| script_error(file, &error))?;
        note(findings, ACHIEVEMENTS, found.definitions.len(), found.skipped, found.warnings);
        catalogue.achievements = found
            .definitions
            .into_iter()
            .map(|new| {
                let key = key(new.legacy_key.as_ref(), &new.id);
                Definition { table: ACHIEVEMENTS, key, new, created_at: now }
            })
            .collect();
    }
    Ok(catalogue)
}

/// The key that the author gave.
fn key(legacy: Option<&LegacyKey>, id: &Slug) -> String {
    legacy.map_or_else(|| id.to_string(), ToString::to_string)
}

fn note(
    findings: &mut Findings,
    table: &'static str,
    defined: usize,
    skipped: Vec<Skipped>,
    warnings: Vec<Warning>,
) {
    findings.table(table).read += (defined + skipped.len()) as u64;
    for skipped in skipped {
        findings.skip(table, &skipped.key, skipped.reason);
    }
    for warning in warnings {
        findings.warn(table, &warning.key, warning.field.as_deref(), warning.message);
    }
}

/// The text of the file, at most as much as one byte more than the reader takes.
fn text(file: &SourceFile) -> Result<String, ImportError> {
    let mut bytes = Vec::new();
    open(&file.path)?
        .take(NARRATIVE_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| ImportError::Unreadable { path: file.path.clone(), source })?;
    String::from_utf8(bytes).map_err(|_| ImportError::UnknownKind { path: file.path.clone() })
}

fn narrative_error(file: &SourceFile, text: &str, error: &NarrativeJsonError) -> ImportError {
    let path = file.path.clone();
    match error {
        NarrativeJsonError::Invalid { line, column } => {
            let before = text.split_inclusive('\n').take(line.saturating_sub(1));
            let offset = before.map(str::len).sum::<usize>() + column;
            ImportError::InvalidJson {
                path,
                offset: offset as u64,
                line: *line as u64,
                column: *column as u64,
                truncated: offset >= text.trim_end().len(),
                detail: error.to_string(),
            }
        }
        NarrativeJsonError::TooLong { bytes_max } => {
            ImportError::FileTooLong { path, bytes_max: *bytes_max as u64 }
        }
        NarrativeJsonError::Foreign => {
            let detail = "its `fragments` are not a list";
            ImportError::ForeignJson { path, detail }
        }
    }
}

fn script_error(file: &SourceFile, error: &CatalogueError) -> ImportError {
    let path = file.path.clone();
    match error {
        CatalogueError::TooLong { max } => {
            ImportError::FileTooLong { path, bytes_max: *max as u64 }
        }
        CatalogueError::Malformed(found) => {
            ImportError::InvalidScript { path, line: found.line as u64, expected: found.expected }
        }
    }
}
