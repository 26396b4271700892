//! From what a statement asks of a table to indexes for it.

mod access;
mod cover;
mod covering;
mod either;
pub(super) mod foreign;
pub(super) mod gate;
mod inverted;
pub(super) mod merge;
mod ordered;
mod partial;
mod proposal;
pub(super) mod text;
pub(super) mod writes;

pub(super) use ordered::Shared;
pub(super) use proposal::Proposal;

use access::Access;

use super::limits::Limits;
use super::refusal::Refusal;
use super::rewrite::Rewrite;
use super::shape::{Condition, Join, Scan, Test};
use crate::catalog::{Catalog, IndexShape, Kept, Table};
use crate::workload::Statement;

/// What the rules ask of the workload around a scan.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) limits: &'a Limits,
    pub(super) table: &'a Table,
    pub(super) statement: &'a Statement,
    pub(super) shared: &'a Shared,
}

/// What became of one scan.
#[derive(Default)]
pub(super) struct Outcome {
    /// Candidates, and the sets of an `OR`, of which each is taken whole.
    pub(super) proposals: Vec<Proposal>,
    pub(super) sets: Vec<Vec<Proposal>>,
    pub(super) refusals: Vec<(Option<IndexShape>, Refusal)>,
    pub(super) rewrites: Vec<Rewrite>,
}

impl Outcome {
    fn refuse(&mut self, why: Refusal) {
        if !self.refusals.iter().any(|(shape, known)| shape.is_none() && *known == why) {
            self.refusals.push((None, why));
        }
    }
}

/// Proposes indexes for one scan of a statement.
pub(super) fn propose(around: Around<'_>, scans: &[Scan], place: usize) -> Outcome {
    let mut outcome = Outcome::default();
    let Some(scan) = scans.get(place) else { return outcome };
    let conditions: Vec<&Condition> = scan.conditions.iter().collect();
    let local = access(around, scan, &conditions, &[]);
    if conditions.is_empty() && scan.alternatives.is_empty() {
        unconditional(&local, &mut outcome);
    } else {
        if !conditions.is_empty() {
            outcome.extend(by_conditions(&local, &conditions, around.shared));
        } else if scan.limit.is_some() && !local.order.is_empty() {
            sorted(&local, &mut outcome);
        }
        // A condition that brings few rows leaves nothing for alternatives to do.
        let narrowed = outcome.proposals.iter().any(|one| one.rank == 0 && !one.stops);
        for branches in &scan.alternatives {
            if !narrowed {
                either::propose(around, scan, branches, &mut outcome);
            }
        }
    }
    joined(around, scans, place, &mut outcome);
    if outcome.proposals.is_empty() && outcome.sets.is_empty() && outcome.refusals.is_empty() {
        outcome.refuse(Refusal::NotIndexable);
    }
    outcome
}

fn access<'a>(
    around: Around<'a>,
    scan: &'a Scan,
    conditions: &[&'a Condition],
    joins: &[&Join],
) -> Access<'a> {
    let Around { catalog, limits, table, statement, .. } = around;
    Access::new(catalog, limits, table, statement, scan, conditions, joins)
}

/// No condition: only an order with a limit is worth an index.
fn unconditional(access: &Access<'_>, outcome: &mut Outcome) {
    let scan = access.scan;
    if let (Some(why), true) = (&access.order_refused, scan.limit.is_some()) {
        outcome.refuse(why.clone());
    } else if scan.limit.is_some() && !access.order.is_empty() {
        sorted(access, outcome);
    } else if scan.has_residual {
        outcome.refuse(Refusal::NotIndexable);
    } else if scan.joins.is_empty() {
        let all = if scan.order.is_empty() { Refusal::WholeTable } else { Refusal::WholeSort };
        outcome.refuse(all);
    }
}

fn sorted(access: &Access<'_>, outcome: &mut Outcome) {
    let none = Shared::new();
    for proposal in ordered::propose(access, Kept::known(1.0), &none) {
        judge(access, proposal, outcome);
    }
}

/// The rules for conditions that all hold.
fn by_conditions(access: &Access<'_>, conditions: &[&Condition], shared: &Shared) -> Outcome {
    let mut outcome = Outcome::default();
    if let Some(refusal) = cover::point_lookup(access).or_else(|| cover::bounded(access)) {
        outcome.refuse(refusal);
        return outcome;
    }
    if let (Some(why), true) = (&access.order_refused, access.limit.is_some()) {
        outcome.refuse(why.clone());
    }
    if let Some(refusal) = stopped_early(access, conditions) {
        outcome.refuse(refusal);
        return outcome;
    }
    let plain = ordered::propose(access, Kept::known(1.0), shared);
    let nothing = plain.is_empty();
    if let Some(columns) = ordered::dependent(access) {
        outcome.rewrites.push(Rewrite::CreateStatistics { columns });
    }
    for proposal in plain {
        match covering::propose(access, &proposal) {
            Ok(Some(covering)) => judge(access, covering.ranked(proposal.rank), &mut outcome),
            Ok(None) => {}
            Err(refusal) => outcome.refuse(refusal),
        }
        judge(access, proposal, &mut outcome);
    }
    let partial = partial::propose(access, conditions, shared);
    for proposal in partial.proposals {
        judge(access, proposal, &mut outcome);
    }
    partial.refusals.into_iter().for_each(|refusal| outcome.refuse(refusal));
    outcome.rewrites.extend(partial.rewrites);
    let inverted = inverted::propose(access, conditions);
    for proposal in inverted.proposals {
        judge(access, proposal, &mut outcome);
    }
    inverted.refusals.into_iter().for_each(|refusal| outcome.refuse(refusal));
    outcome.rewrites.extend(inverted.rewrites);
    if nothing && outcome.proposals.is_empty() && outcome.refusals.is_empty() {
        outcome.refuse(unserved(access, conditions));
    }
    outcome
}

/// Why no key came of the conditions: all that could be looked up keeps too much.
fn unserved(access: &Access<'_>, conditions: &[&Condition]) -> Refusal {
    let usable = access.equalities.iter().map(|one| one.kept);
    let kept = usable
        .chain(
            conditions.iter().filter(|one| matches!(one.test, Test::Null(_))).map(|one| one.kept),
        )
        .fold(None::<Kept>, |least, kept| match least {
            Some(least) if least.share <= kept.share => Some(least),
            _ => Some(kept),
        });
    match kept {
        Some(kept) if kept.known => Refusal::Unselective {
            kept: kept.share,
            limit: access.limits.kept_max(access.system()),
        },
        _ => Refusal::NotIndexable,
    }
}

/// A limit without an order is reached after a few rows if enough of them match.
fn stopped_early(access: &Access<'_>, conditions: &[&Condition]) -> Option<Refusal> {
    let limit = access.limit.filter(|_| access.scan.order.is_empty())?;
    let kept = conditions.iter().fold(access.scan.residual, |all, one| all.and(one.kept));
    let read = limit / kept.share.max(1e-9);
    let stops = kept.known && read <= access.limits.limit_rows && read < access.rows();
    stops.then_some(Refusal::LimitStops { rows: read })
}

/// Keeps a proposal, or says why not.
fn judge(access: &Access<'_>, proposal: Proposal, outcome: &mut Outcome) {
    let refusal = cover::covered(access, &proposal).or_else(|| unselective(access, &proposal));
    match refusal {
        None if outcome.proposals.iter().any(|own| own.shape == proposal.shape) => {}
        None => outcome.proposals.push(proposal),
        Some(refusal) => outcome.refusals.push((Some(proposal.shape), refusal)),
    }
}

fn unselective(access: &Access<'_>, proposal: &Proposal) -> Option<Refusal> {
    let limits = access.limits;
    let limit = if proposal.covering {
        limits.covering_share_max
    } else {
        limits.kept_max(access.system())
    };
    // SQLite takes the index whatever the value: the worst one seen counts. So it does where the
    // application's own values are known.
    let seen = access
        .equalities
        .iter()
        .filter(|one| {
            let keys = &proposal.shape.keys;
            keys.iter().take(proposal.equalities).any(|key| access.same_key(key, &one.key))
        })
        .map(|one| one.kept)
        .collect::<Vec<_>>();
    let sampled = !access.statement.samples.is_empty();
    let worst = seen.iter().fold(proposal.kept.share, |worst, kept| {
        if sampled && seen.len() == 1 { worst.max(kept.worst) } else { worst }
    });
    let kept = match access.system() {
        crate::fingerprint::System::Sqlite => worst,
        crate::fingerprint::System::Postgres => proposal.kept.share,
    };
    let judged = !proposal.stops && proposal.kept.known && kept > limit;
    judged.then_some(Refusal::Unselective { kept, limit })
}

/// As the inner side of joins: looked up once for each row of another table.
fn joined(around: Around<'_>, scans: &[Scan], place: usize, outcome: &mut Outcome) {
    let Some(scan) = scans.get(place) else { return };
    let driven: Vec<&Join> = scan.joins.iter().filter(|join| join.driven).collect();
    if driven.is_empty() {
        if !scan.joins.is_empty() && scan.conditions.is_empty() && outcome.proposals.is_empty() {
            outcome.refuse(Refusal::WholeJoin);
        }
        return;
    }
    if !narrowed_elsewhere(scans, place) {
        if outcome.proposals.is_empty() {
            outcome.refuse(Refusal::WholeJoin);
        }
        return;
    }
    let mut partners: Vec<Option<usize>> = driven.iter().map(|join| join.with).collect();
    partners.sort_unstable();
    partners.dedup();
    for partner in partners {
        let joins: Vec<&Join> =
            driven.iter().copied().filter(|join| join.with == partner).collect();
        let conditions: Vec<&Condition> = scan.conditions.iter().collect();
        let mut access = access(around, scan, &conditions, &joins);
        // Rows come in the other table's order.
        access.order.clear();
        access.limit = None;
        if let Some(refusal) = cover::point_lookup(&access) {
            outcome.refuse(refusal);
            continue;
        }
        let proposals = ordered::propose(&access, Kept::known(1.0), around.shared);
        let by_join = |one: &Proposal| one.rules.contains(&super::candidate::Rule::Join);
        for proposal in proposals.into_iter().filter(by_join) {
            judge(&access, proposal, outcome);
        }
    }
}

/// Whether another table that this one is joined with, directly or through others, is narrowed.
fn narrowed_elsewhere(scans: &[Scan], place: usize) -> bool {
    let mut open = vec![place];
    let mut seen = vec![place];
    while let Some(at) = open.pop() {
        let Some(scan) = scans.get(at) else { continue };
        if at != place && scan.is_restricted() {
            return true;
        }
        for join in &scan.joins {
            match join.with {
                None if at == place && join.driven => return true,
                Some(with) if !seen.contains(&with) => {
                    seen.push(with);
                    open.push(with);
                }
                _ => {}
            }
        }
    }
    false
}

impl Outcome {
    fn extend(&mut self, other: Self) {
        self.proposals.extend(other.proposals);
        self.sets.extend(other.sets);
        self.refusals.extend(other.refusals);
        self.rewrites.extend(other.rewrites);
    }
}
