//! `OR`: an index for each branch, or none.

use super::{Around, Outcome, Proposal, access, by_conditions};
use crate::advise::candidate::Rule;
use crate::advise::refusal::Refusal;
use crate::advise::shape::{Condition, Scan};

/// Proposes an index for each branch that has none yet; refuses all if one branch can have none.
pub(super) fn propose(
    around: Around<'_>,
    scan: &Scan,
    branches: &[Vec<Condition>],
    outcome: &mut Outcome,
) {
    let mut set: Vec<Proposal> = Vec::new();
    let mut rewrites = Vec::new();
    for (branch, conditions) in branches.iter().enumerate() {
        let conditions: Vec<&Condition> = conditions.iter().collect();
        let mut alone = access(around, scan, &conditions, &[]);
        // The branches' rows are put together before they are sorted or cut.
        alone.order.clear();
        alone.limit = None;
        let found = by_conditions(&alone, &conditions, around.shared);
        rewrites.extend(found.rewrites);
        // One that covers needs the others to cover too: the plain one will do.
        let plain =
            found.proposals.into_iter().filter(|one| !one.covering).min_by_key(|one| one.rank);
        match plain {
            Some(proposal) => {
                if !set.iter().any(|own| own.shape == proposal.shape) {
                    set.push(proposal.by(Rule::OrBranch));
                }
            }
            None => {
                let served = found.refusals.iter().any(|(_, why)| {
                    matches!(
                        why,
                        Refusal::Covered { .. }
                            | Refusal::PointLookup { .. }
                            | Refusal::Bounded { .. }
                    )
                });
                if served {
                    continue;
                }
                let why = found.refusals.into_iter().next().map(|(_, why)| why);
                let why = Box::new(why.unwrap_or(Refusal::NotIndexable));
                outcome.refuse(Refusal::OrBranch { branch, why });
                outcome.rewrites.extend(rewrites);
                return;
            }
        }
    }
    outcome.rewrites.extend(rewrites);
    match set.len() {
        0 => outcome.refuse(Refusal::BranchesCovered),
        _ => outcome.sets.push(set),
    }
}
