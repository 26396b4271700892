//! The figures as a problem of selection, and its answer.

use std::collections::BTreeMap;

use super::AdvisorOptions;
use crate::advise::{Advice, Candidate, DdlOptions, RecommendationId, Rung, create_index};
use crate::catalog::{Catalog, ConstraintKind, TableName};
use crate::charge::{Charge, ObservedWrites, charge};
use crate::cost::{CostRefusal, Priced, Pricing};
use crate::create::PREFIX;
use crate::report::Reason;
use crate::select::{Item, Limits, Plan, Problem, ProblemError, Query, choose};
use crate::size;
use crate::workload::Workload;

/// What was chosen, and what is known of every candidate.
pub(super) struct Chosen {
    /// Places of candidates, the most helpful first.
    pub(super) places: Vec<usize>,
    pub(super) sizes: Vec<Option<crate::advise::Figure>>,
    pub(super) charges: Vec<Option<Charge>>,
    /// Candidates that were not chosen for a reason other than that others were better.
    pub(super) refused: Vec<(usize, Reason)>,
}

pub(super) fn make(
    options: &AdvisorOptions,
    catalog: &Catalog,
    workload: &Workload,
    advice: &Advice,
    pricing: &Pricing,
) -> Result<Chosen, ProblemError> {
    let candidates = &advice.candidates;
    let size = |(place, one): (usize, &Candidate)| {
        let table = catalog.table(&one.shape.table)?;
        let distinct = pricing.distinct.get(&place).copied();
        size::size_of(catalog.system(), table, &one.shape, one.entries, distinct)
    };
    let sizes: Vec<_> = candidates.iter().enumerate().map(size).collect();
    let writes = ObservedWrites::of(catalog, workload);
    let charges: Vec<_> = candidates.iter().map(|one| charge(catalog, &writes, one)).collect();
    let weights = weights(workload, pricing);
    let mut refused = refused_before(options, candidates);
    refused.extend(not_spelled(catalog, candidates));
    too_dear(options, workload, pricing, &weights, &charges, &mut refused);

    let tables = tables_of(candidates);
    let table_of = |one: &Candidate| tables.get(&one.shape.table).copied().unwrap_or(0);
    let bytes_of = |place: usize| sizes[place].as_ref().map_or(8_192, size::middle);
    let is_refused = |place: &usize| refused.iter().any(|(other, _)| other == place);
    let upkeep = |place: usize| match (workload.window_seconds, is_timed(workload, pricing)) {
        (Some(seconds), true) => charges[place].map_or(0.0, |charge| charge.ms_in(seconds)),
        _ => 0.0,
    };
    let items = candidates.iter().enumerate().map(|(place, one)| Item {
        bytes: bytes_of(place),
        upkeep: upkeep(place),
        table: table_of(one),
    });
    let mut queries: BTreeMap<usize, Query> = BTreeMap::new();
    for priced in &pricing.priced {
        if priced.candidates.iter().any(is_refused) {
            continue;
        }
        let weight = weights.get(&priced.statement).copied().unwrap_or(0.0);
        let query = queries.entry(priced.statement).or_insert_with(|| Query {
            weight,
            cost: 1.0,
            plans: Vec::new(),
        });
        query.plans.push(Plan { items: priced.candidates.clone(), cost: told_apart(priced) });
    }
    let problem = Problem { items: items.collect(), queries: queries.into_values().collect() };
    let forced = forced(advice, workload, pricing, &is_refused);
    let budget = budget(options, catalog);
    let limits = Limits {
        bytes_max: budget.saturating_sub(forced.iter().map(|place| bytes_of(*place)).sum()),
        per_table_max: room(options, catalog, &tables),
        per_table_max_default: options.per_table_max,
        gain_share_min: options.gain_share_min,
    };
    let choice = choose(&problem, &limits)?;
    let mut ranked: Vec<(f64, usize)> =
        choice.marginal.iter().copied().zip(choice.chosen.iter().copied()).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut places: Vec<usize> = ranked.into_iter().map(|(_, place)| place).collect();
    for place in forced {
        let lead = candidates[place].shape.leading_columns();
        let is_served = places.iter().any(|other| {
            let other = &candidates[*other].shape;
            other.table == candidates[place].shape.table
                && other.predicate.is_none()
                && other.leading_columns().starts_with(&lead)
        });
        if !is_served {
            places.push(place);
        }
    }
    Ok(Chosen { places, sizes, charges, refused })
}

/// Times that were measured are not told apart below this share of the time without: chance decides
/// there, and bytes should.
const MEASURED_LEAST: f64 = 0.02;

fn told_apart(priced: &Priced) -> f64 {
    match priced.rung() {
        Rung::MeasuredOnSample | Rung::MeasuredLive => priced.ratio.max(MEASURED_LEAST),
        _ => priced.ratio.max(0.0),
    }
}

/// What each statement counts: measured time, or, if some was not timed, calls times cost.
fn weights(workload: &Workload, pricing: &Pricing) -> BTreeMap<usize, f64> {
    let timed = is_timed(workload, pricing);
    let weight = |priced: &Priced| {
        let statement = workload.statements.get(priced.statement)?;
        let middle = (priced.before.low + priced.before.high) / 2.0;
        let weight = match statement.total_ms.filter(|_| timed) {
            Some(total) => total,
            None => statement.calls.max(1) as f64 * middle,
        };
        Some((priced.statement, weight.max(0.0)))
    };
    pricing.priced.iter().filter_map(weight).collect()
}

pub(super) fn is_timed(workload: &Workload, pricing: &Pricing) -> bool {
    pricing.priced.iter().all(|priced| {
        workload.statements.get(priced.statement).is_some_and(|one| one.total_ms.is_some())
    })
}

fn refused_before(options: &AdvisorOptions, candidates: &[Candidate]) -> Vec<(usize, Reason)> {
    let is_refused = |one: &Candidate| options.refused.contains(&RecommendationId::of(&one.shape));
    let places = (0..candidates.len()).filter(|place| is_refused(&candidates[*place]));
    places.map(|place| (place, Reason::RefusedBefore)).collect()
}

/// Candidates that no statement can make: left out before the choice, so that others take their
/// place and the rest of the report stands.
fn not_spelled(catalog: &Catalog, candidates: &[Candidate]) -> Vec<(usize, Reason)> {
    let why = |(place, one): (usize, &Candidate)| {
        let sql = create_index(catalog, &one.shape, PREFIX, DdlOptions::default());
        sql.err().map(|refused| (place, Reason::NotSpelled { why: refused.to_string() }))
    };
    candidates.iter().enumerate().filter_map(why).collect()
}

/// Candidates whose upkeep is out of proportion to all that they might save.
fn too_dear(
    options: &AdvisorOptions,
    workload: &Workload,
    pricing: &Pricing,
    weights: &BTreeMap<usize, f64>,
    charges: &[Option<Charge>],
    refused: &mut Vec<(usize, Reason)>,
) {
    let Some(seconds) = workload.window_seconds.filter(|_| is_timed(workload, pricing)) else {
        return;
    };
    for (place, charge) in charges.iter().enumerate() {
        let Some(charge) = charge else { continue };
        let mut saved: BTreeMap<usize, f64> = BTreeMap::new();
        for priced in pricing.priced.iter().filter(|one| one.candidates.contains(&place)) {
            let weight = weights.get(&priced.statement).copied().unwrap_or(0.0);
            let held = saved.entry(priced.statement).or_default();
            *held = held.max(weight * (1.0 - priced.ratio));
        }
        let saved: f64 = saved.values().sum();
        let upkeep = charge.ms_in(seconds);
        if saved > 0.0 && upkeep > saved * options.upkeep_share_max {
            let refusal = CostRefusal::CostsWrites { share: upkeep / saved };
            refused.push((place, Reason::Cost(refusal)));
        }
    }
}

/// Candidates no statement's price speaks for: foreign keys, and declared accesses.
fn forced(
    advice: &Advice,
    workload: &Workload,
    pricing: &Pricing,
    is_refused: &impl Fn(&usize) -> bool,
) -> Vec<usize> {
    let is_priced = |place: usize| {
        pricing.priced.iter().any(|one| one.candidates.contains(&place))
            || pricing.refused.iter().any(|(other, _, _)| *other == place)
    };
    let is_unpriceable = |one: &Candidate| {
        one.serves.iter().all(|service| service.statement >= workload.statements.len())
    };
    let all = advice.candidates.iter().enumerate();
    all.filter(|(place, one)| is_unpriceable(one) && !is_priced(*place) && !is_refused(place))
        .map(|(place, _)| place)
        .collect()
}

fn tables_of(candidates: &[Candidate]) -> BTreeMap<TableName, usize> {
    let mut tables = BTreeMap::new();
    for one in candidates {
        let next = tables.len();
        tables.entry(one.shape.table.clone()).or_insert(next);
    }
    tables
}

/// A fifth of the tables unless said otherwise.
fn budget(options: &AdvisorOptions, catalog: &Catalog) -> u64 {
    let all: u64 = catalog.tables.iter().map(|table| table.bytes).sum();
    options.bytes_max.unwrap_or((all as f64 * options.bytes_share.max(0.0)) as u64)
}

/// How many more indexes each table may have.
fn room(
    options: &AdvisorOptions,
    catalog: &Catalog,
    tables: &BTreeMap<TableName, usize>,
) -> Vec<usize> {
    let mut room = vec![options.per_table_max; tables.len()];
    for (name, place) in tables {
        let own = catalog.table(name).map_or(0, |table| {
            let counts =
                |index: &&crate::catalog::Index| index.constraint != Some(ConstraintKind::Primary);
            table.indexes.iter().filter(counts).count()
        });
        room[*place] = options.per_table_max.saturating_sub(own);
    }
    room
}

#[cfg(test)]
mod tests {
    use crate::advisor::Advisor;
    use crate::catalog::{Catalog, Column, ColumnStats, Table, TableName};
    use crate::report::{Reason, spell};
    use crate::snapshot::Snapshot;
    use crate::workload::{Statement, Workload};

    #[test]
    fn an_index_that_cannot_be_spelled_leaves_the_rest_of_the_report() {
        let columns = ["email", "city"]
            .map(|name| Column::new(name, "text").with_stats(ColumnStats::distinct(50_000.0)));
        let name = TableName::new("public", "readers");
        let table = Table::new(name, 100_000.0, 4_000, columns.into());
        let snapshot = Snapshot {
            catalog: Catalog { tables: vec![table], ..Catalog::default() },
            notes: Vec::new(),
        };
        let asked = |sql: &str| Statement::new(sql).called(1_000).took_ms(9_000.0);
        let statements = vec![
            asked("select * from readers where email collate \"case insensitive\" = 'x'"),
            asked("select * from readers where city = 'x'"),
        ];
        let workload = Workload { statements, ..Workload::default() };
        let report = Advisor::default().offline(&snapshot, &workload).unwrap();
        let got: Vec<String> = report.shapes().iter().map(spell).collect();
        assert_eq!(got, ["readers (city)"], "{report}");
        let reasons = || report.not_proposed.iter().map(|one| &one.reason);
        assert!(reasons().any(|one| matches!(one, Reason::NotSpelled { .. })), "{report}");
    }
}
