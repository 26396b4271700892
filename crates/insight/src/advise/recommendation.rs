//! What is handed to a person: one record per index proposed.

use serde::{Deserialize, Serialize};

use super::evidence::{Figure, Rung};
use crate::catalog::IndexShape;

/// Names a recommendation across runs: the same index gets the same id, so that a refusal, an
/// adoption and an outcome stay with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecommendationId(pub u64);

impl RecommendationId {
    /// From table, method, keys, carried columns and predicate; the index's name counts for
    /// nothing.
    #[must_use]
    pub fn of(shape: &IndexShape) -> Self {
        let mut text = format!("{}\u{1}{}", shape.table, shape.method.as_sql());
        for key in &shape.keys {
            text.push_str(&format!("\u{1}{key:?}"));
        }
        text.push_str(&format!("\u{2}{:?}\u{2}{:?}", shape.include, shape.predicate));
        Self(xxhash_rust::xxh3::xxh3_64(text.as_bytes()))
    }
}

impl std::fmt::Display for RecommendationId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:016x}", self.0)
    }
}

/// A statement that a recommendation helps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Helped {
    /// The statement's place in the workload.
    pub statement: usize,
    /// Its fingerprint, if the workload had one.
    pub fingerprint: Option<u64>,
    /// Labels of the operations that run it.
    pub operations: Vec<String>,
    /// Calls seen.
    pub calls: u64,
    /// Time of all calls, if measured.
    pub total_time: Option<Figure>,
    /// Before, in the unit of its rung. `None` on the lowest rung.
    pub before: Option<Figure>,
    /// After, in the same unit.
    pub after: Option<Figure>,
}

/// An index proposed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    /// The same for the same index in every run.
    pub id: RecommendationId,
    /// What it is.
    pub shape: IndexShape,
    /// The name proposed for it.
    pub name: String,
    /// The statement that makes it, without locking writers out where the database can do that.
    pub ddl: String,
    /// What it helps.
    pub helped: Vec<Helped>,
    /// The firmest evidence there is for it.
    pub rung: Rung,
    /// Its size.
    pub bytes: Option<Figure>,
    /// What each write pays.
    pub write_charge: Option<Figure>,
    /// Indexes it makes redundant, by name. Nobody drops them but a person.
    pub makes_redundant: Vec<String>,
    /// What its build locks and how long it may take.
    pub build: String,
    /// What would change this verdict, and what it depends on: one sentence each.
    pub caveats: Vec<String>,
}
