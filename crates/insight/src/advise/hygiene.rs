//! What is wrong with the indexes that are there. Nothing is dropped by this: it is told to people.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::canon::canonical_text;
use super::limits::Limits;
use super::refusal::Refusal;
use super::rules::{foreign, gate};
use crate::catalog::{Catalog, Index, IndexKey, IndexShape, KeyPart, Method, Table, TableName};

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Problem {
    /// A build that failed left it behind: it is written and never read.
    Invalid,
    /// Another has the same keys.
    Duplicate {
        /// The one to keep.
        of: String,
    },
    /// Another begins with its keys.
    Redundant {
        /// The longer one.
        by: String,
    },
    /// No scan of it was counted.
    Unused {
        /// For how long, in seconds.
        seconds: u64,
    },
    /// Children are looked for by these columns when a parent goes, and no index begins with them.
    UnindexedForeignKey {
        /// The key's name.
        key: String,
        /// The child's columns.
        columns: Vec<String>,
    },
}

/// What may be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Dropping it loses nothing.
    Drop,
    /// A person should look at it.
    Report,
}

/// One thing wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The table.
    pub table: TableName,
    /// The index; `None` where one is missing.
    pub index: Option<String>,
    /// What is wrong.
    pub problem: Problem,
    /// What may be done.
    pub verdict: Verdict,
    /// What else to know: a sentence each.
    pub notes: Vec<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid => {
                write!(out, "a failed build left it behind: it is written, never read")
            }
            Self::Duplicate { of } => write!(out, "{of} has the same keys"),
            Self::Redundant { by } => write!(out, "{by} begins with its keys"),
            Self::Unused { seconds } => write!(out, "not used for {} days", seconds / 86_400),
            Self::UnindexedForeignKey { key, columns } => {
                write!(out, "no index begins with ({}) of {key}", columns.join(", "))
            }
        }
    }
}

/// Looks through the indexes of a catalogue.
#[must_use]
pub fn examine(catalog: &Catalog, limits: &Limits) -> Vec<Finding> {
    let mut findings = Vec::new();
    for table in &catalog.tables {
        let gate = gate::table(table, limits);
        let foreign = matches!(
            gate,
            Some(
                Refusal::SystemTable
                    | Refusal::OwnTable
                    | Refusal::TemporaryTable
                    | Refusal::ForeignTable
            )
        );
        if foreign {
            continue;
        }
        for index in &table.indexes {
            findings.extend(of_index(catalog, table, index, limits));
        }
        if gate.is_none() {
            findings.extend(unindexed(table));
        }
    }
    findings
}

/// Why an index must stay whatever its use: it enforces something, or others hold on to it.
#[must_use]
pub(crate) fn is_protected(index: &Index) -> bool {
    index.unique
        || index.constraint.is_some()
        || index.replica_identity
        || index.clustered
        || index.partition_of.is_some()
        || !index.understood
}

fn of_index(catalog: &Catalog, table: &Table, index: &Index, limits: &Limits) -> Option<Finding> {
    let finding = |problem, verdict, notes| {
        let (table, index) = (table.name.clone(), Some(index.name.clone()));
        Some(Finding { table, index, problem, verdict, notes })
    };
    if !index.valid {
        let ours = index.name.starts_with(&limits.own_prefix) && !limits.own_prefix.is_empty();
        let verdict = if ours && !is_protected(index) { Verdict::Drop } else { Verdict::Report };
        return finding(Problem::Invalid, verdict, Vec::new());
    }
    if is_protected(index) {
        return None;
    }
    let others = || table.indexes.iter().filter(|other| other.name != index.name && other.valid);
    let own = canonical_shape(catalog, table, index);
    let duplicate = others().find(|other| {
        canonical_shape(catalog, table, other) == own
            && (is_protected(other) || is_kept_before(other, index))
    });
    if let Some(other) = duplicate {
        let problem = Problem::Duplicate { of: other.name.clone() };
        return finding(problem, Verdict::Drop, statistics_note(index));
    }
    let longer = others()
        .filter(|other| other.understood)
        .find(|other| begins(&own, &canonical_shape(catalog, table, other)));
    if let Some(other) = longer {
        let mut notes = statistics_note(index);
        if let (Some(short), Some(long)) = (index.bytes, other.bytes) {
            notes.push(format!(
                "it has {short} bytes, {} has {long}: where only its keys are asked, the shorter \
                 one is read faster",
                other.name
            ));
        }
        return finding(Problem::Redundant { by: other.name.clone() }, Verdict::Report, notes);
    }
    unused(catalog, index, limits)
        .and_then(|problem| finding(problem, Verdict::Report, statistics_note(index)))
}

/// Unused where it can be told: counted long enough, and on the only server that reads.
fn unused(catalog: &Catalog, index: &Index, limits: &Limits) -> Option<Problem> {
    let usage = index.usage?;
    let seconds = catalog.counters_age_seconds?;
    let alone = catalog.server.standbys == 0 && !catalog.server.standby;
    (usage.scans == 0 && alone && seconds >= limits.unused_seconds_min)
        .then_some(Problem::Unused { seconds })
}

/// Of two alike, the one more used is kept, else the first by name.
fn is_kept_before(one: &Index, two: &Index) -> bool {
    let scans = |index: &Index| index.usage.map_or(0, |usage| usage.scans);
    (scans(two), &one.name) < (scans(one), &two.name)
}

fn statistics_note(index: &Index) -> Vec<String> {
    let holds = index.shape.keys.iter().any(|key| matches!(key.part, KeyPart::Expression(_)));
    let note = "the statistics of its expression go with it".to_owned();
    if holds { vec![note] } else { Vec::new() }
}

fn canonical_shape(catalog: &Catalog, table: &Table, index: &Index) -> IndexShape {
    let canon = |sql: &str| canonical_text(sql, table, catalog.system());
    let mut shape = index.shape.clone();
    shape.table = table.name.clone();
    shape.predicate = shape.predicate.as_deref().map(canon);
    shape.include.sort();
    for key in &mut shape.keys {
        if let KeyPart::Expression(sql) = &mut key.part {
            *sql = canon(sql);
        }
        // Naming a column's own collation changes nothing.
        let own = key.column_name().and_then(|name| table.column(name));
        if own.is_some_and(|column| column.collation.is_some() && column.collation == key.collation)
        {
            key.collation = None;
        }
    }
    shape
}

fn begins(short: &IndexShape, long: &IndexShape) -> bool {
    let head: &[IndexKey] = long.keys.get(..short.keys.len()).unwrap_or_default();
    short.method == Method::BTree
        && long.method == Method::BTree
        && short.predicate == long.predicate
        && short.keys.len() < long.keys.len()
        && short.include.iter().all(|name| {
            long.include.contains(name)
                || long.keys.iter().any(|key| key.column_name() == Some(name))
        })
        && head == short.keys
}

fn unindexed(table: &Table) -> Vec<Finding> {
    let keys = table.foreign_keys.iter();
    keys.filter(|key| foreign::child_index(key, table).is_none())
        .map(|key| Finding {
            table: table.name.clone(),
            index: None,
            problem: Problem::UnindexedForeignKey {
                key: key.name.clone(),
                columns: key.columns.clone(),
            },
            verdict: Verdict::Report,
            notes: vec![format!(
                "a delete from {} reads all of {}, and no plan shows it",
                key.parent, table.name
            )],
        })
        .collect()
}
