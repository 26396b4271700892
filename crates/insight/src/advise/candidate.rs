//! An index that might help, before anyone has asked what it costs.

use serde::{Deserialize, Serialize};

use crate::catalog::IndexShape;

/// The rule that proposed a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Rule {
    /// Equality columns, then sort keys or one range.
    Ordered,
    /// Sort keys in their directions, to stop at a limit.
    SortLimit,
    /// The inner side of a join.
    Join,
    /// Only the rows of a constant condition.
    Partial,
    /// All columns read, so that the table need not be.
    Covering,
    /// An expression over columns.
    Expression,
    /// A text's beginning, under a collation that does not sort bytes.
    PatternOps,
    /// Pieces of texts.
    Trigram,
    /// Elements of documents, arrays or text vectors.
    Inverted,
    /// Overlap and containment of ranges and networks.
    Spatial,
    /// Ranges of a column that follows the order on disk.
    BlockRange,
    /// One branch of an `OR`; the set is taken whole or not at all.
    OrBranch,
    /// The child's side of a foreign key whose parent rows are deleted or renumbered.
    ForeignKey,
    /// Declared by the application.
    Declared,
    /// A shorter neighbour of a candidate, in case its last columns turn out to tell nothing new.
    Prefix,
}

/// What a statement must do, or the database have, for a candidate to be of use.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Need {
    /// The plan must be made with the bound value: a generic plan cannot use the index.
    CustomPlan,
    /// These columns may depend on each other: without statistics about them together the estimate
    /// is not to be trusted. Sample them.
    JointStatistics(Vec<String>),
    /// Statistics of this expression: run `ANALYZE` after the build, and sample before.
    ExpressionStatistics(String),
    /// The table must stay vacuumed, or the index alone cannot answer.
    Vacuum,
}

/// One table access of one statement that a candidate could serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Service {
    /// The statement's place in the workload, or, past its statements, a declared pattern's.
    pub statement: usize,
    /// Which access of that statement, first at 0.
    pub scan: usize,
    /// 0 if it is the rules' first choice for this access; greater for an alternative that only
    /// costs can tell from it.
    pub rank: u8,
}

/// An index that might help, and why it was thought of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// What it would be.
    pub shape: IndexShape,
    /// The rules that proposed it, each once, ascending.
    pub rules: Vec<Rule>,
    /// What it could serve, each once, ascending. Empty for one that only a foreign key asks for.
    pub serves: Vec<Service>,
    /// What it depends on.
    pub needs: Vec<Need>,
    /// How many leading keys are only compared for equality, so that their order is free.
    pub equalities: usize,
    /// Whether the workload itself writes one of its key or predicate columns by `UPDATE`, which
    /// makes every such update touch all indexes of the row.
    pub ends_hot: bool,
    /// Index entries that the workload's own statements would write, a call of each counted as one
    /// row. Updates count if they set a column that the index holds.
    pub entries_written: f64,
    /// Rows it would hold, estimated from statistics; `None` if there are none.
    pub entries: Option<f64>,
    /// Rows that one call of the most telling access would still read, estimated from statistics.
    pub rows_kept: Option<f64>,
}

/// The indexes that an `OR` needs, one for each branch that has none: all of them, or none is of use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrSet {
    /// The access it is for.
    pub access: Service,
    /// Shapes of candidates.
    pub members: Vec<IndexShape>,
}

impl Candidate {
    /// Adds what another of the same shape brings.
    pub(super) fn absorb(&mut self, other: Self) {
        merge_into(&mut self.rules, other.rules);
        merge_into(&mut self.serves, other.serves);
        merge_into(&mut self.needs, other.needs);
        self.equalities = self.equalities.min(other.equalities);
        self.ends_hot |= other.ends_hot;
        self.entries_written = self.entries_written.max(other.entries_written);
        self.entries = self.entries.or(other.entries);
        self.rows_kept = match (self.rows_kept, other.rows_kept) {
            (Some(own), Some(theirs)) => Some(own.max(theirs)),
            (own, theirs) => own.or(theirs),
        };
    }
}

fn merge_into<T: Ord>(own: &mut Vec<T>, theirs: Vec<T>) {
    own.extend(theirs);
    own.sort();
    own.dedup();
}
