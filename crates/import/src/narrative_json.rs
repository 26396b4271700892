//! Stories in JSON files: one fragment, a list of them, or `{"fragments": [..]}`.

mod fragment;

use std::collections::HashMap;

use guildhall_domain::{CommunityZone, NewFragment, Slug};
use serde_json::Value as Json;

use self::fragment::{TABLE, fragment};
use crate::findings::Findings;
use crate::report::{ColumnNotRead, Skipped, Warning};

/// The longest file that is read, in bytes: 16 MiB.
pub const NARRATIVE_BYTES_MAX: usize = 16 << 20;

/// What was read from a file of fragments. Its fragments can be handed to
/// [`import_fragments`](guildhall_repository::NarrativeRepository::import_fragments), which sees to
/// it that all of them lead somewhere; it takes 500 at once.
#[derive(Debug)]
pub struct NarrativeFile {
    /// The fragments in the order of the file, each key once. The one called `start` begins the
    /// story.
    pub fragments: Vec<NewFragment>,
    /// How many were left out.
    pub skipped_total: u64,
    /// The first 1000 of them, by key, or by place as `#3` when they have none.
    pub skipped: Vec<Skipped>,
    /// How much was changed to make it fit, or is worth knowing.
    pub warnings_total: u64,
    /// The first 1000 of these.
    pub warnings: Vec<Warning>,
    /// Fields that nobody knows, and how many fragments have them.
    pub fields_not_read: Vec<ColumnNotRead>,
}

/// Why a file is not one of fragments.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NarrativeJsonError {
    /// Longer than [`NARRATIVE_BYTES_MAX`].
    #[error("longer than {bytes_max} bytes")]
    TooLong {
        /// The greatest number of bytes.
        bytes_max: usize,
    },
    /// Not JSON, or cut off.
    #[error("not valid JSON at line {line}, column {column}")]
    Invalid {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// JSON of something else.
    #[error("neither a fragment, nor a list of them, nor an object with a list called `fragments`")]
    Foreign,
}

/// Reads a file of fragments. Keys are made slugs; a fragment that cannot be made valid is left out
/// and the others are read all the same. Of a key that stands twice the last fragment counts.
pub fn parse_narrative(text: &str) -> Result<NarrativeFile, NarrativeJsonError> {
    if text.len() > NARRATIVE_BYTES_MAX {
        return Err(NarrativeJsonError::TooLong { bytes_max: NARRATIVE_BYTES_MAX });
    }
    // A byte order mark is no part of the text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let json: Json = serde_json::from_str(text).map_err(|error| NarrativeJsonError::Invalid {
        line: error.line(),
        column: error.column(),
    })?;
    let items = items(json).ok_or(NarrativeJsonError::Foreign)?;
    // No field of a fragment is a time.
    let (mut findings, zone) = (Findings::default(), CommunityZone::utc());
    let mut fragments: Vec<NewFragment> = Vec::with_capacity(items.len());
    let mut places: HashMap<Slug, usize> = HashMap::new();
    for (index, item) in items.iter().enumerate() {
        findings.read(TABLE);
        let Some(fragment) = fragment(index, item, &zone, &mut findings) else { continue };
        match places.get(&fragment.id) {
            Some(place) => {
                let message = "stands there more than once; the last one counts";
                findings.warn(TABLE, fragment.id.as_str(), None, message);
                fragments[*place] = fragment;
            }
            None => {
                places.insert(fragment.id.clone(), fragments.len());
                fragments.push(fragment);
            }
        }
    }
    let (skipped_total, _) = findings.skipped(TABLE);
    let skipped = std::mem::take(&mut findings.table(TABLE).skipped);
    let Findings { warnings_total, warnings, columns_not_read: fields_not_read, .. } = findings;
    Ok(NarrativeFile {
        fragments,
        skipped_total,
        skipped,
        warnings_total,
        warnings,
        fields_not_read,
    })
}

/// The fragments of the file, whichever of its three forms it has.
fn items(json: Json) -> Option<Vec<Json>> {
    match json {
        Json::Array(items) => Some(items),
        Json::Object(mut fields) => match fields.remove("fragments") {
            Some(Json::Array(items)) => Some(items),
            Some(_) => None,
            None if fields.contains_key("fragment_id") || fields.contains_key("key") => {
                Some(vec![Json::Object(fields)])
            }
            None => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests;
