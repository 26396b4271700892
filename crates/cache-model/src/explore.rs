//! Tries every interleaving of a cell, breadth first.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use crate::breach::{Breach, Breaches};
use crate::cell::Cell;
use crate::fingerprint::{ByHalf, Fingerprint};
use crate::moves::{Steps, World};
use crate::state::State;

/// What was found.
#[derive(Clone, Debug)]
pub struct Report {
    /// How many different states there are.
    pub states: usize,
    /// Every promise that some interleaving breaks.
    pub breaches: Breaches,
    /// For each of them a shortest way to it, in words.
    pub counterexamples: Vec<Counterexample>,
}

/// A shortest way to a broken promise.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// What is broken by the last step.
    pub breach: Breach,
    /// One step a line.
    pub steps: Vec<String>,
}

/// Where a breach was first seen.
struct Sighting {
    breach: Breach,
    before: Fingerprint,
    at_rest: bool,
}

/// Every state is visited once; memory is some 60 bytes for each, and 300 for each that waits.
#[must_use]
pub fn explore(cell: &Cell) -> Report {
    let world = World { cell };
    let mut steps = Steps::new(cell, false);
    let origin = world.origin();
    // What was met, and from where it was first reached.
    let mut met: HashMap<Fingerprint, Fingerprint, ByHalf> = HashMap::default();
    met.insert(origin.fingerprint(), Fingerprint::default());
    let mut waiting = VecDeque::from([(origin.fingerprint(), origin)]);
    let mut sightings: Vec<Sighting> = Vec::new();
    let mut breaches = Breaches::NONE;
    while let Some((here, state)) = waiting.pop_front() {
        let mut sight = |found: Breaches, at_rest: bool| {
            for breach in found.beyond(breaches).iter() {
                sightings.push(Sighting { breach, before: here, at_rest });
            }
            breaches = breaches.union(found);
        };
        world.next(&state, &mut steps);
        for step in &steps.found {
            sight(step.breaches, false);
            let there = step.state.fingerprint();
            if let Entry::Vacant(place) = met.entry(there) {
                place.insert(here);
                waiting.push_back((there, step.state));
            }
        }
        if !steps.found.iter().any(|step| step.certain) {
            sight(world.at_rest(&state), true);
        }
    }
    let retold = sightings.iter().map(|sighting| retell(&world, &met, sighting));
    Report { states: met.len(), breaches, counterexamples: retold.collect() }
}

/// Walks the way to a sighting again, this time in words.
fn retell(
    world: &World<'_>,
    met: &HashMap<Fingerprint, Fingerprint, ByHalf>,
    sighting: &Sighting,
) -> Counterexample {
    let mut way = Vec::new();
    let mut at = sighting.before;
    while at != world.origin().fingerprint() {
        way.push(at);
        at = met[&at];
    }
    let mut steps = Steps::new(world.cell, true);
    let mut told = Vec::new();
    let mut state: State = world.origin();
    for next in way.into_iter().rev() {
        world.next(&state, &mut steps);
        let found = steps.found.iter().find(|step| step.state.fingerprint() == next);
        if let Some(step) = found {
            told.push(step.words.clone());
            state = step.state;
        }
    }
    world.next(&state, &mut steps);
    let breach = sighting.breach;
    let last = match sighting.at_rest {
        true => Some("everything has come to rest".to_owned()),
        false => {
            let breaks = |found: Breaches| found.iter().any(|other| other == breach);
            let step = steps.found.iter().find(|step| breaks(step.breaches));
            step.map(|step| step.words.clone())
        }
    };
    told.extend(last.map(|words| format!("{words}   <== {breach}")));
    Counterexample { breach, steps: told }
}
