//! What a statement asks of each table it reaches: the conditions, orders and columns that an index
//! could serve.

mod condition;
mod facts;
mod kept;
mod query;
mod scope;
mod values;
mod wrap;

use std::collections::BTreeSet;

pub(crate) use kept::kept_by;
pub(crate) use query::shape_of;
pub(crate) use values::Operand;

use super::rewrite::Rewrite;
use crate::catalog::{Direction, Kept, Nulls, TableName};

/// What a condition is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    /// A column.
    Column(String),
    /// An expression over columns, spelled canonically, that may stand in an index.
    Expression(String),
}

impl Target {
    pub(crate) fn column(&self) -> Option<&str> {
        match self {
            Self::Column(name) => Some(name),
            Self::Expression(_) => None,
        }
    }
}

/// A pattern of `LIKE` and its kin.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TextMatch {
    /// What it is compared with.
    pub(crate) pattern: Operand,
    /// Which language the pattern is in, and whether case counts.
    pub(crate) kind: TextKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextKind {
    Like,
    LikeNoCase,
    Glob,
    Regex,
}

/// What a condition says of its target.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    /// `= value`.
    Equal(Operand),
    /// `IN (...)`, `= ANY (...)`: any of several.
    AnyOf(Vec<Operand>),
    /// `<> value`.
    NotEqual(Operand),
    /// Between bounds, open or closed.
    Range { low: Option<Operand>, high: Option<Operand> },
    /// The first of the columns of a row that is compared with a row.
    RowRange(Vec<String>),
    /// `IS NULL`, or not.
    Null(bool),
    /// A boolean column by itself, or negated.
    Truth(bool),
    /// `LIKE`, `GLOB`, `~`.
    Text(TextMatch),
    /// An operator that only an inverted or spatial index has, such as `@>`.
    Operator(String),
}

/// One condition on one target.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    pub(crate) target: Target,
    pub(crate) test: Test,
    /// The collation asked for, if the statement names one.
    pub(crate) collation: Option<String>,
    /// The condition as it could stand in a partial index: only if it holds no bound value.
    pub(crate) sql: Option<String>,
    /// What it keeps of the table.
    pub(crate) kept: Kept,
}

/// A sort key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SortKey {
    pub(crate) target: Target,
    pub(crate) direction: Direction,
    pub(crate) nulls: Nulls,
    pub(crate) collation: Option<String>,
}

/// An equality with a column of something else.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Join {
    /// This table's side.
    pub(crate) target: Target,
    /// The scan it is joined with; `None`: something computed, which comes first.
    pub(crate) with: Option<usize>,
    /// Whether the other side may come first, so that an index here would be used.
    pub(crate) driven: bool,
}

/// Which columns a statement needs of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reads {
    pub(crate) columns: BTreeSet<String>,
    /// All of them, or more than could be followed.
    pub(crate) all: bool,
}

/// One table reached once by a statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scan {
    pub(crate) table: TableName,
    pub(crate) conditions: Vec<Condition>,
    /// Each a set of alternatives, each a list of conditions that hold together.
    pub(crate) alternatives: Vec<Vec<Vec<Condition>>>,
    pub(crate) joins: Vec<Join>,
    /// Complete only if all keys of the statement's order belong to this table.
    pub(crate) order: Vec<SortKey>,
    /// Rows wanted, if the order or the lack of one lets the scan stop there.
    pub(crate) limit: Option<f64>,
    /// Rows passed over first.
    pub(crate) offset: f64,
    pub(crate) group: Vec<Target>,
    pub(crate) reads: Reads,
    /// The share of rows that conditions without any use for an index keep.
    pub(crate) residual: Kept,
    /// Whether there are such conditions, apart from plain inequality.
    pub(crate) has_residual: bool,
}

impl Scan {
    pub(crate) fn new(table: TableName) -> Self {
        Self {
            table,
            conditions: Vec::new(),
            alternatives: Vec::new(),
            joins: Vec::new(),
            order: Vec::new(),
            limit: None,
            offset: 0.0,
            group: Vec::new(),
            reads: Reads::default(),
            residual: Kept::known(1.0),
            has_residual: false,
        }
    }

    /// Whether anything but joins narrows it.
    pub(crate) fn is_restricted(&self) -> bool {
        !self.conditions.is_empty()
            || !self.alternatives.is_empty()
            || self.limit.is_some() && !self.order.is_empty()
            || self.has_residual
    }
}

/// How a statement writes a table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Write {
    Insert,
    /// With the columns set.
    Update(BTreeSet<String>),
    Delete,
}

/// All that a statement asks of tables.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shape {
    pub(crate) scans: Vec<Scan>,
    pub(crate) writes: Vec<(TableName, Write)>,
    /// What would be better written otherwise, each with its scan.
    pub(crate) rewrites: Vec<(usize, Rewrite)>,
    /// Tables that the catalogue does not have.
    pub(crate) unknown: BTreeSet<String>,
}
