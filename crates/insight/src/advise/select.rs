//! Recommendations by rule alone: for who has no database to ask. They carry no numbers.

use super::Advice;
use super::candidate::{Candidate, Need, Service};
use super::ddl::{DdlOptions, DdlRefused, create_index, index_name};
use super::evidence::{Figure, Rung, Unit};
use super::hygiene::is_protected;
use super::recommendation::{Helped, Recommendation, RecommendationId};
use crate::catalog::{Catalog, IndexShape, Method};
use crate::fingerprint::System;
use crate::workload::Workload;

/// The rules' first choice for every access, an index once however many it serves. Costs may choose
/// otherwise.
pub fn recommend_by_rule(
    advice: &Advice,
    catalog: &Catalog,
    workload: &Workload,
    prefix: &str,
) -> Result<Vec<Recommendation>, DdlRefused> {
    let mut accesses: Vec<Service> =
        advice.candidates.iter().flat_map(|one| one.serves.iter().copied()).collect();
    accesses.iter_mut().for_each(|access| access.rank = 0);
    let weight = |access: &Service| {
        let statement = workload.statements.get(access.statement);
        statement.map_or(0.0, |one| one.total_ms.unwrap_or(one.calls as f64))
    };
    accesses.sort_by(|one, two| weight(two).total_cmp(&weight(one)).then(one.cmp(two)));
    accesses.dedup();
    let mut chosen: Vec<&Candidate> = Vec::new();
    for access in &accesses {
        match advice.sets.iter().find(|set| set.access == *access) {
            Some(set) => {
                let members =
                    advice.candidates.iter().filter(|one| set.members.contains(&one.shape));
                chosen.extend(members);
            }
            None => chosen.extend(first_choice(advice, access, &chosen)),
        }
    }
    chosen.extend(advice.candidates.iter().filter(|one| one.serves.is_empty()));
    let mut seen: Vec<&IndexShape> = Vec::new();
    chosen.retain(|one| {
        let new = !seen.contains(&&one.shape);
        seen.push(&one.shape);
        new
    });
    chosen.into_iter().map(|one| record(one, catalog, workload, prefix)).collect()
}

fn rank_for(candidate: &Candidate, access: &Service) -> Option<u8> {
    let served = candidate
        .serves
        .iter()
        .filter(|one| one.statement == access.statement && one.scan == access.scan);
    served.map(|one| one.rank).min()
}

/// The best ranked; among equals one chosen already, then the one with the fewest entries, then the
/// one that covers.
fn first_choice<'a>(
    advice: &'a Advice,
    access: &Service,
    chosen: &[&Candidate],
) -> Option<&'a Candidate> {
    let serving = advice.candidates.iter().filter_map(|one| Some((rank_for(one, access)?, one)));
    let key = |(rank, one): &(u8, &Candidate)| {
        let known = chosen.iter().any(|own| own.shape == one.shape);
        let entries = one.entries.map_or(u64::MAX, |entries| entries as u64);
        (*rank, !known, entries, !one.rules.contains(&super::Rule::Covering))
    };
    serving.min_by_key(key).map(|(_, one)| one)
}

pub(crate) fn record(
    candidate: &Candidate,
    catalog: &Catalog,
    workload: &Workload,
    prefix: &str,
) -> Result<Recommendation, DdlRefused> {
    let shape = &candidate.shape;
    let name = index_name(prefix, shape);
    let options = DdlOptions { concurrently: true, if_not_exists: true, only_parent: false };
    let mut statements: Vec<usize> = candidate.serves.iter().map(|one| one.statement).collect();
    statements.dedup();
    let helped = statements.iter().filter_map(|place| {
        let statement = workload.statements.get(*place)?;
        let time = |total| Figure::exact(total, Unit::Milliseconds, Rung::MeasuredLive);
        Some(Helped {
            statement: *place,
            fingerprint: statement.fingerprint,
            operations: statement.operations.clone(),
            calls: statement.calls,
            total_time: statement.total_ms.map(time),
            before: None,
            after: None,
        })
    });
    Ok(Recommendation {
        id: RecommendationId::of(shape),
        shape: shape.clone(),
        ddl: create_index(catalog, shape, &name, options)?,
        name,
        helped: helped.collect(),
        rung: Rung::Rule,
        bytes: None,
        write_charge: None,
        makes_redundant: redundant(catalog, shape),
        build: build(catalog.system()).to_owned(),
        caveats: candidate.needs.iter().map(caveat).collect(),
    })
}

/// Existing indexes that are the beginning of this one and enforce nothing.
fn redundant(catalog: &Catalog, shape: &IndexShape) -> Vec<String> {
    let table = catalog.table(&shape.table);
    let indexes = table.into_iter().flat_map(|table| &table.indexes);
    indexes
        .filter(|index| {
            let own = &index.shape;
            index.valid
                && !is_protected(index)
                && own.method == Method::BTree
                && shape.method == Method::BTree
                && own.predicate == shape.predicate
                && own.include.is_empty()
                && shape.keys.starts_with(&own.keys)
        })
        .map(|index| index.name.clone())
        .collect()
}

fn build(system: System) -> &'static str {
    match system {
        System::Postgres => {
            "reads the table twice; writers go on; waits for every transaction that is open when it \
             begins"
        }
        System::Sqlite => "holds the write lock while it reads the table",
    }
}

fn caveat(need: &Need) -> String {
    match need {
        Need::CustomPlan => {
            "used only by plans made for the bound value, not by a generic plan".to_owned()
        }
        Need::JointStatistics(columns) => format!(
            "if {} depend on each other, a shorter index serves as well",
            columns.join(" and ")
        ),
        Need::ExpressionStatistics(sql) => {
            format!("run ANALYZE after the build, or nothing is known of {sql}")
        }
        Need::Vacuum => "answers without the table only while that is vacuumed".to_owned(),
    }
}
