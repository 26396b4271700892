//! Candidates of one shape are one; one that is the beginning of another is absorbed by it.

use std::collections::BTreeMap;

use crate::advise::candidate::{Candidate, Need, Rule};
use crate::catalog::{IndexKey, IndexShape, Method};

/// Puts candidates together. Gives those left, and for each absorbed one its shape and its heir's.
pub(crate) fn merge(found: Vec<Candidate>) -> (Vec<Candidate>, Vec<(IndexShape, IndexShape)>) {
    let mut by_shape: BTreeMap<IndexShape, Candidate> = BTreeMap::new();
    for candidate in found {
        match by_shape.get_mut(&candidate.shape) {
            Some(own) => own.absorb(candidate),
            None => {
                by_shape.insert(candidate.shape.clone(), candidate);
            }
        }
    }
    let mut unique: Vec<Candidate> = by_shape.into_values().collect();
    // The shortest first: what absorbs may be absorbed in turn.
    unique.sort_by(|one, two| {
        one.shape.keys.len().cmp(&two.shape.keys.len()).then(one.shape.cmp(&two.shape))
    });
    let mut left: Vec<Candidate> = Vec::new();
    let mut absorbed = Vec::new();
    let mut open = unique;
    while !open.is_empty() {
        let candidate = open.remove(0);
        let heir = open.iter().position(|longer| begins(&candidate, longer));
        match heir.and_then(|heir| open.get_mut(heir)) {
            Some(heir) => {
                absorbed.push((candidate.shape.clone(), heir.shape.clone()));
                let (rules, equalities) = (heir.rules.clone(), heir.equalities);
                heir.absorb(candidate);
                // What it serves it inherits, but not why the shorter one was thought of.
                heir.rules = rules;
                heir.equalities = equalities;
            }
            None => left.push(candidate),
        }
    }
    (left, absorbed)
}

/// Whether the longer one does all that the shorter one does.
fn begins(short: &Candidate, long: &Candidate) -> bool {
    let (one, two) = (&short.shape, &long.shape);
    let comparable = one.table == two.table
        && one.method == two.method
        && one.method == Method::BTree
        && one.predicate == two.predicate
        && one.include.iter().all(|name| two.include.contains(name));
    // Kept apart until someone has looked whether the further columns tell anything new.
    let undecided = short.rules.contains(&Rule::Prefix)
        && long.needs.iter().any(|need| matches!(need, Need::JointStatistics(_)));
    if !comparable || undecided || one.keys.len() >= two.keys.len() {
        return false;
    }
    let head = two.keys.get(..one.keys.len()).unwrap_or_default();
    // Of keys compared for equality alone the order is free.
    let equal_only = short.equalities == one.keys.len();
    let same = |key: &IndexKey| {
        head.iter().any(|own| {
            own.part == key.part && own.opclass == key.opclass && own.collation == key.collation
        })
    };
    head == one.keys || equal_only && one.keys.iter().all(same)
}
