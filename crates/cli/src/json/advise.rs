//! What is told of index advice.

use std::path::PathBuf;

use guildhall_adapter::IndexResult;
use guildhall_adapter::insight::Report;
use serde::Serialize;

/// `advise`.
#[derive(Serialize)]
pub(crate) struct Advised<'r> {
    pub(crate) report: &'r Report,
    /// What became of each index with `--apply`.
    pub(crate) built: &'r [IndexResult],
    /// What `--script` or `--migration` wrote.
    pub(crate) files: &'r [PathBuf],
}
