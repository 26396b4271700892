//! Which sets of candidates are priced for a statement.

use super::{CostRefusal, Priced, Pricing};
use crate::advise::{Advice, Candidate};

/// Notes a verdict. That of a set of several is not told: its members have reasons of their own.
pub(super) fn record(
    pricing: &mut Pricing,
    statement: usize,
    set: &[usize],
    judged: Result<Priced, CostRefusal>,
) {
    match judged {
        Ok(priced) => pricing.priced.push(priced),
        Err(refusal) if set.len() == 1 => {
            pricing.refused.push((set[0], Some(statement), refusal));
        }
        Err(_) => {}
    }
}

/// Single candidates, the sets of an `OR`, pairs on different accesses, and the first choices for
/// all accesses together.
pub(super) fn sets_for(advice: &Advice, statement: usize, sets_max: usize) -> Vec<Vec<usize>> {
    let scans_of = |candidate: &Candidate| -> Vec<usize> {
        let own = candidate.serves.iter().filter(|service| service.statement == statement);
        own.map(|service| service.scan).collect()
    };
    let serving: Vec<(usize, Vec<usize>)> = advice
        .candidates
        .iter()
        .enumerate()
        .map(|(place, candidate)| (place, scans_of(candidate)))
        .filter(|(_, scans)| !scans.is_empty())
        .collect();
    let mut sets: Vec<Vec<usize>> = serving.iter().map(|(place, _)| vec![*place]).collect();
    for set in advice.sets.iter().filter(|set| set.access.statement == statement) {
        let members = set.members.iter().filter_map(|shape| {
            advice.candidates.iter().position(|candidate| candidate.shape == *shape)
        });
        sets.push(members.collect());
    }
    for (at, (one, scans)) in serving.iter().enumerate() {
        for (other, others) in &serving[at + 1..] {
            if others.iter().any(|scan| !scans.contains(scan)) {
                sets.push(vec![*one, *other]);
            }
        }
    }
    let mut scans: Vec<usize> = serving.iter().flat_map(|(_, scans)| scans.clone()).collect();
    scans.sort_unstable();
    scans.dedup();
    if scans.len() > 2 {
        let first = |scan: &usize| {
            let serves = |place: &usize| {
                let own = advice.candidates[*place].serves.iter();
                own.filter(|s| s.statement == statement && s.scan == *scan).map(|s| s.rank).min()
            };
            serving
                .iter()
                .map(|(place, _)| *place)
                .filter(|p| serves(p).is_some())
                .min_by_key(serves)
        };
        sets.push(scans.iter().filter_map(first).collect());
    }
    for set in &mut sets {
        set.sort_unstable();
        set.dedup();
    }
    let mut seen: Vec<Vec<usize>> = Vec::new();
    sets.retain(|set| {
        let is_new = !set.is_empty() && !seen.contains(set);
        seen.push(set.clone());
        is_new
    });
    sets.truncate(sets_max);
    sets
}

/// Whether a candidate is, for this statement, but one branch of an `OR`.
pub(super) fn is_only_in_set(advice: &Advice, place: usize, statement: usize) -> bool {
    let shape = &advice.candidates[place].shape;
    advice.sets.iter().any(|set| set.access.statement == statement && set.members.contains(shape))
}
