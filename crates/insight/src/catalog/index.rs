//! Indexes that are there.

use serde::{Deserialize, Serialize};

use super::IndexShape;

/// The constraint an index enforces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ConstraintKind {
    /// Primary key.
    Primary,
    /// `UNIQUE`.
    Unique,
    /// `EXCLUDE`.
    Exclusion,
}

/// How an index was used since the counters began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Scans that the planner chose it for.
    pub scans: u64,
    /// How long ago the last one was, if the server keeps that (PostgreSQL 16).
    pub last_scan_seconds: Option<u64>,
}

/// An index that is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// What it is.
    pub shape: IndexShape,
    /// Whether it keeps values unique.
    pub unique: bool,
    /// The constraint it enforces, if one does.
    pub constraint: Option<ConstraintKind>,
    /// Whether it may be used: a failed concurrent build leaves one that may not.
    pub valid: bool,
    /// Whether it names the rows for logical replication.
    pub replica_identity: bool,
    /// Whether the table was clustered by it.
    pub clustered: bool,
    /// Whether it belongs to a partitioned parent's index.
    pub partition_of: Option<String>,
    /// Its size.
    pub bytes: Option<u64>,
    /// How it was used; `None`: not known.
    pub usage: Option<Usage>,
    /// Whether its keys could be read in full. If not, it covers nothing and is never called
    /// redundant.
    pub understood: bool,
}

impl Index {
    /// A valid index that enforces nothing.
    #[must_use]
    pub fn new(name: impl Into<String>, shape: IndexShape) -> Self {
        Self {
            name: name.into(),
            shape,
            unique: false,
            constraint: None,
            valid: true,
            replica_identity: false,
            clustered: false,
            partition_of: None,
            bytes: None,
            usage: None,
            understood: true,
        }
    }

    /// The index of a primary key.
    #[must_use]
    pub fn primary_key(name: impl Into<String>, shape: IndexShape) -> Self {
        Self { unique: true, constraint: Some(ConstraintKind::Primary), ..Self::new(name, shape) }
    }

    /// The index of a `UNIQUE` constraint.
    #[must_use]
    pub fn unique(name: impl Into<String>, shape: IndexShape) -> Self {
        Self { unique: true, constraint: Some(ConstraintKind::Unique), ..Self::new(name, shape) }
    }
}
