//! A candidate in the making: with what the cover test and the merge ask of it.

use crate::advise::candidate::{Need, Rule};
use crate::catalog::{IndexKey, IndexShape, Kept, Method, TableName};

/// A candidate for one access.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Proposal {
    pub(crate) shape: IndexShape,
    pub(crate) rules: Vec<Rule>,
    pub(crate) needs: Vec<Need>,
    /// How many leading keys are compared for equality: their order is free.
    pub(crate) equalities: usize,
    /// What a call still reads of the table's rows, by key and predicate.
    pub(crate) kept: Kept,
    /// Whether the limit ends the scan, so that what the key keeps does not count.
    pub(crate) stops: bool,
    /// Rows read until the limit is reached, if it ends the scan and that can be told.
    pub(crate) reads: Option<f64>,
    /// Whether the table itself is not read.
    pub(crate) covering: bool,
    /// The share of the rows it holds.
    pub(crate) holds: Kept,
    /// 0 for the first choice of its access.
    pub(crate) rank: u8,
}

impl Proposal {
    pub(crate) fn btree(table: &TableName, keys: Vec<IndexKey>, equalities: usize) -> Self {
        Self {
            shape: IndexShape {
                table: table.clone(),
                method: Method::BTree,
                keys,
                include: Vec::new(),
                predicate: None,
            },
            rules: vec![Rule::Ordered],
            needs: Vec::new(),
            equalities,
            kept: Kept::known(1.0),
            stops: false,
            reads: None,
            covering: false,
            holds: Kept::known(1.0),
            rank: 0,
        }
    }

    pub(crate) fn by(mut self, rule: Rule) -> Self {
        if !self.rules.contains(&rule) {
            self.rules.push(rule);
        }
        self
    }

    pub(crate) fn ranked(mut self, rank: u8) -> Self {
        self.rank = rank;
        self
    }

    pub(crate) fn needing(mut self, need: Need) -> Self {
        if !self.needs.contains(&need) {
            self.needs.push(need);
        }
        self
    }
}
