//! Tables, their keys and their counters.

use serde::{Deserialize, Serialize};

use super::{Column, ExtendedStatistics, Index, TableName};

/// What kind of relation it is, as far as advice depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TableKind {
    /// An ordinary table.
    #[default]
    Ordinary,
    /// The parent of partitions.
    Partitioned,
    /// A partition of the parent named.
    PartitionOf(TableName),
    /// A materialised view.
    MaterialisedView,
    /// A temporary table.
    Temporary,
    /// Of the database itself.
    System,
    /// Elsewhere: no index can be made here.
    Foreign,
    /// SQLite, `WITHOUT ROWID`: the primary key is the table.
    WithoutRowid,
}

/// What happens to children when the parent row goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReferentialAction {
    /// The parent stays.
    #[default]
    Refuse,
    /// The children go too.
    Cascade,
    /// The children forget it.
    SetNull,
    /// The children get the default.
    SetDefault,
}

/// A foreign key, seen from the child.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// Its name; on SQLite, made up.
    pub name: String,
    /// The child's columns, in order.
    pub columns: Vec<String>,
    /// The parent.
    pub parent: TableName,
    /// The parent's columns, in the same order.
    pub parent_columns: Vec<String>,
    /// What a delete of the parent does.
    pub on_delete: ReferentialAction,
}

/// Rows written since the counters began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteCounters {
    /// Rows inserted.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Of those, updated within their page without touching an index (PostgreSQL's HOT).
    pub hot_updated: u64,
    /// Rows deleted.
    pub deleted: u64,
    /// Scans of the whole table.
    pub sequential_scans: u64,
    /// Scans through an index.
    pub index_scans: u64,
}

impl WriteCounters {
    /// Rows written in any way.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.inserted.saturating_add(self.updated).saturating_add(self.deleted)
    }
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: TableName,
    /// What kind of relation it is.
    pub kind: TableKind,
    /// How many rows the statistics say it has. `None`: never analysed.
    pub rows: Option<f64>,
    /// Pages on disk.
    pub pages: u64,
    /// Bytes on disk, without indexes.
    pub bytes: u64,
    /// Share of pages whose rows are all visible to all, so that an index alone can answer: 0 to 1.
    pub all_visible: Option<f64>,
    /// Columns, in order.
    pub columns: Vec<Column>,
    /// Indexes, those of constraints included.
    pub indexes: Vec<Index>,
    /// Foreign keys of which this is the child.
    pub foreign_keys: Vec<ForeignKey>,
    /// What is known of columns together.
    pub extended: Vec<ExtendedStatistics>,
    /// What was written. `None`: not counted (SQLite).
    pub writes: Option<WriteCounters>,
    /// How long ago it was last analysed, if the server tells.
    pub analysed_seconds_ago: Option<u64>,
    /// SQLite: the column that is the row id (`INTEGER PRIMARY KEY`): found without an index.
    pub rowid_column: Option<String>,
    /// Whether it is the advisor's own, or a tool's (migrations): never advised on.
    pub internal: bool,
}

impl Table {
    /// A table of these columns, with as many rows and pages.
    #[must_use]
    pub fn new(name: TableName, rows: f64, pages: u64, columns: Vec<Column>) -> Self {
        let bytes = pages.saturating_mul(8192);
        Self { name, rows: Some(rows), pages, bytes, columns, ..Self::default() }
    }

    /// The column of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The same, to change.
    #[must_use]
    pub fn column_mut(&mut self, name: &str) -> Option<&mut Column> {
        self.columns.iter_mut().find(|column| column.name == name)
    }

    /// Columns of the primary key, in order; empty if there is none.
    #[must_use]
    pub fn primary_key(&self) -> Vec<&str> {
        let primary = self
            .indexes
            .iter()
            .find(|index| index.constraint == Some(super::ConstraintKind::Primary));
        match (primary, &self.rowid_column) {
            (Some(index), _) => index.shape.leading_columns(),
            (None, Some(column)) => vec![column.as_str()],
            (None, None) => Vec::new(),
        }
    }

    /// What is known of exactly these columns together.
    #[must_use]
    pub fn together(&self, columns: &[&str]) -> Option<&ExtendedStatistics> {
        self.extended.iter().find(|statistics| statistics.is_about(columns))
    }

    /// The same table with an index more.
    #[must_use]
    pub fn with_index(mut self, index: Index) -> Self {
        self.indexes.push(index);
        self
    }
}
