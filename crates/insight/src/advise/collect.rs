//! Goes through a workload once and puts together what the rules propose.

mod declared;

use super::candidate::{Candidate, OrSet, Rule, Service};
use super::limits::Limits;
use super::parse::{Parsed, parse};
use super::refusal::{Refusal, Rejected};
use super::rules::{self, Around, Outcome, Proposal, Shared, foreign, gate, merge, writes::Writes};
use super::shape::{Shape, Test, shape_of};
use super::{Advice, Advised, caveat, hygiene};
use crate::catalog::{Catalog, Table, TableName};
use crate::workload::{Statement, Workload};

/// A statement, or a declared pattern, with its shape.
struct Asked {
    place: usize,
    statement: Statement,
    shape: Shape,
    declared: bool,
}

pub(super) fn collect(catalog: &Catalog, workload: &Workload, limits: &Limits) -> Advice {
    let mut advice = Advice::default();
    let mut asked = read(catalog, workload, &mut advice);
    declared::read(catalog, workload, &mut asked, &mut advice);
    let shared = shared(&asked);
    let writes = Writes {
        catalog,
        seen: asked
            .iter()
            .flat_map(|one| one.shape.writes.iter().map(move |write| (one, write)))
            .map(|(one, (table, write))| (table.clone(), write.clone(), one.statement.calls))
            .collect(),
    };
    let mut found = Vec::new();
    for one in &asked {
        if let Some(why) = gate::statement(&one.statement, workload, limits) {
            let scans = one.shape.scans.iter();
            advice.rejected.extend(scans.enumerate().map(|(scan, shape)| Rejected {
                table: shape.table.clone(),
                shape: None,
                access: Some(Service { statement: one.place, scan, rank: 0 }),
                why: why.clone(),
            }));
            continue;
        }
        for scan in 0..one.shape.scans.len() {
            accessed(catalog, limits, &shared, one, scan, &mut found, &mut advice);
        }
    }
    advice.rejected.extend(unknown(&asked, limits));
    foreign_keys(catalog, limits, &writes, &mut found, &mut advice);
    finish(catalog, limits, &writes, &asked, found, &mut advice);
    let never = never_analysed(&advice);
    advice.caveats = caveat::caveats(catalog, workload, &advice.parsed, never);
    advice.findings = hygiene::examine(catalog, limits);
    advice.rewrites.sort();
    advice.rewrites.dedup();
    advice
}

fn read(catalog: &Catalog, workload: &Workload, advice: &mut Advice) -> Vec<Asked> {
    let mut asked = Vec::new();
    for (place, statement) in workload.statements.iter().enumerate() {
        match parse(&statement.sql, catalog.system()) {
            Parsed::OfNoInterest => advice.parsed.of_no_interest += 1,
            Parsed::NotUnderstood(reason) => advice.parsed.not_understood.push((place, reason)),
            Parsed::Rows(tree) => {
                advice.parsed.understood += 1;
                let shape = shape_of(&tree, statement, catalog);
                for (scan, rewrite) in &shape.rewrites {
                    let Some(scan) = shape.scans.get(*scan) else { continue };
                    let (table, rewrite) = (scan.table.clone(), rewrite.clone());
                    advice.rewrites.push(Advised { statement: place, table, rewrite });
                }
                asked.push(Asked { place, statement: statement.clone(), shape, declared: false });
            }
        }
    }
    asked
}

/// How many accesses compare the same target for equality.
fn shared(asked: &[Asked]) -> Shared {
    let mut shared = Shared::new();
    for scan in asked.iter().flat_map(|one| &one.shape.scans) {
        let equal = scan.conditions.iter().filter(|condition| {
            matches!(condition.test, Test::Equal(_) | Test::AnyOf(_) | Test::Truth(_))
        });
        let targets = equal.map(|one| &one.target).chain(scan.joins.iter().map(|one| &one.target));
        for target in targets {
            *shared.entry((scan.table.clone(), target.clone())).or_insert(0) += 1;
        }
    }
    shared
}

fn accessed(
    catalog: &Catalog,
    limits: &Limits,
    shared: &Shared,
    one: &Asked,
    place: usize,
    found: &mut Vec<Candidate>,
    advice: &mut Advice,
) {
    let Some(scan) = one.shape.scans.get(place) else { return };
    let Some(table) = catalog.table(&scan.table) else { return };
    let access = Service { statement: one.place, scan: place, rank: 0 };
    let mut reject = |shape, why| {
        let table = table.name.clone();
        advice.rejected.push(Rejected { table, shape, access: Some(access), why });
    };
    if let Some(why) = gate::table(table, limits) {
        reject(None, why);
        return;
    }
    let around = Around { catalog, limits, table, statement: &one.statement, shared };
    let Outcome { proposals, sets, refusals, rewrites } =
        rules::propose(around, &one.shape.scans, place);
    refusals.into_iter().for_each(|(shape, why)| reject(shape, why));
    for rewrite in rewrites {
        let table = table.name.clone();
        advice.rewrites.push(Advised { statement: one.place, table, rewrite });
    }
    let mut keep = |proposal: Proposal| {
        let mut candidate = candidate(proposal, table, Some(access));
        if one.declared {
            candidate.rules.push(Rule::Declared);
            candidate.rules.sort();
        }
        found.push(candidate);
    };
    for set in &sets {
        let members = set.iter().map(|proposal| proposal.shape.clone()).collect();
        advice.sets.push(OrSet { access, members });
    }
    proposals.into_iter().chain(sets.into_iter().flatten()).for_each(&mut keep);
}

fn candidate(proposal: Proposal, table: &Table, access: Option<Service>) -> Candidate {
    let rows = table.rows.unwrap_or_default();
    let mut rules = proposal.rules;
    rules.sort();
    Candidate {
        rules,
        serves: access
            .map(|access| Service { rank: proposal.rank, ..access })
            .into_iter()
            .collect(),
        needs: proposal.needs,
        equalities: proposal.equalities,
        ends_hot: false,
        entries_written: 0.0,
        entries: proposal.holds.known.then_some(rows * proposal.holds.share),
        rows_kept: proposal
            .reads
            .or_else(|| proposal.kept.known.then_some(rows * proposal.kept.share)),
        shape: proposal.shape,
    }
}

/// Tables named by statements that the catalogue does not have.
fn unknown(asked: &[Asked], limits: &Limits) -> Vec<Rejected> {
    let mut rejected: Vec<Rejected> = Vec::new();
    for name in asked.iter().flat_map(|one| &one.shape.unknown) {
        let table = match name.split_once('.') {
            Some((schema, name)) => TableName::new(schema, name),
            None => TableName::bare(name),
        };
        if rejected.iter().any(|known| known.table == table) {
            continue;
        }
        let why = gate::name(&table, limits).unwrap_or(Refusal::UnknownTable);
        rejected.push(Rejected { table, shape: None, access: None, why });
    }
    rejected
}

fn foreign_keys(
    catalog: &Catalog,
    limits: &Limits,
    writes: &Writes<'_>,
    found: &mut Vec<Candidate>,
    advice: &mut Advice,
) {
    let seen: Vec<_> =
        writes.seen.iter().map(|(table, write, _)| (table.clone(), write.clone())).collect();
    for child in &catalog.tables {
        for key in &child.foreign_keys {
            if foreign::child_index(key, child).is_some() {
                continue;
            }
            let proposal = foreign::propose(key, child);
            let leaves = foreign::parent_leaves(key, catalog, &seen);
            let why = gate::table(child, limits)
                .or_else(|| (!leaves).then_some(Refusal::ParentNeverLeaves));
            match why {
                None => found.push(candidate(proposal, child, None)),
                Some(why) => advice.rejected.push(Rejected {
                    table: child.name.clone(),
                    shape: Some(proposal.shape),
                    access: None,
                    why,
                }),
            }
        }
    }
}

/// Merges, charges the writes, and follows the sets to what their members became.
fn finish(
    catalog: &Catalog,
    limits: &Limits,
    writes: &Writes<'_>,
    asked: &[Asked],
    found: Vec<Candidate>,
    advice: &mut Advice,
) {
    let (merged, absorbed) = merge::merge(found);
    for (shape, by) in &absorbed {
        for member in advice.sets.iter_mut().flat_map(|set| &mut set.members) {
            if member == shape {
                *member = by.clone();
            }
        }
    }
    advice.rejected.extend(absorbed.into_iter().map(|(shape, by)| Rejected {
        table: shape.table.clone(),
        shape: Some(shape),
        access: None,
        why: Refusal::Absorbed { by: Box::new(by) },
    }));
    for mut candidate in merged {
        candidate.ends_hot = writes.ends_hot(&candidate.shape);
        candidate.entries_written = writes.entries(&candidate.shape);
        let mut statements: Vec<usize> = candidate.serves.iter().map(|one| one.statement).collect();
        statements.dedup();
        let reads: f64 = asked
            .iter()
            .filter(|one| statements.contains(&one.place))
            .map(|one| one.statement.calls as f64)
            .sum();
        let heavy = catalog.table(&candidate.shape.table).and_then(|table| {
            writes.too_heavy(&candidate.shape, reads, table, limits.writes_per_read_max)
        });
        match heavy {
            None => advice.candidates.push(candidate),
            Some(why) => advice.rejected.push(Rejected {
                table: candidate.shape.table.clone(),
                shape: Some(candidate.shape),
                access: candidate.serves.first().copied(),
                why,
            }),
        }
    }
    // A set that lost a member is of no use.
    let kept: Vec<_> = advice.candidates.iter().map(|one| one.shape.clone()).collect();
    advice.sets.retain(|set| set.members.iter().all(|member| kept.contains(member)));
}

fn never_analysed(advice: &Advice) -> Vec<TableName> {
    let mut names: Vec<TableName> = advice
        .rejected
        .iter()
        .filter(|rejected| rejected.why == Refusal::NeverAnalysed)
        .map(|rejected| rejected.table.clone())
        .collect();
    names.sort();
    names.dedup();
    names
}
