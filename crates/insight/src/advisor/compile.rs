//! Figures, choice and rules' words put together as a report.

use super::choice::{Chosen, is_timed, make};
use super::{AdvisorError, AdvisorOptions};
use crate::advise::select::record;
use crate::advise::{Advice, Advised, Figure, Recommendation, Rewrite, Rung, Unit};
use crate::catalog::{Catalog, quote_identifier};
use crate::cost::{CostRefusal, Priced, Pricing};
use crate::create::PREFIX;
use crate::report::{NotProposed, Reason, Report};
use crate::snapshot::Snapshot;
use crate::validate::adopted;
use crate::workload::Workload;

pub(super) fn report(
    options: &AdvisorOptions,
    snapshot: &Snapshot,
    workload: &Workload,
    advice: Advice,
    pricing: &Pricing,
) -> Result<Report, AdvisorError> {
    let catalog = &snapshot.catalog;
    let chosen = make(options, catalog, workload, &advice, pricing)?;
    let mut recommendations = Vec::with_capacity(chosen.places.len());
    for &place in &chosen.places {
        recommendations.push(recommend(catalog, workload, &advice, pricing, &chosen, place)?);
    }
    let mut opening: Vec<String> = advice.caveats.iter().map(sentence).collect();
    opening.extend(snapshot.notes.iter().cloned());
    opening.extend(pricing.notes.iter().cloned());
    Ok(Report {
        server: catalog.server.description.clone(),
        opening,
        saved: saved(workload, pricing, &chosen.places),
        bytes: bytes(&chosen),
        not_proposed: not_proposed(&advice, pricing, &chosen),
        recommendations,
        rewrites: rewrites(&advice, pricing),
        adopted: adopted(catalog, &options.baselines, &options.latencies),
        findings: advice.findings,
        parsed: advice.parsed,
    })
}

/// What the rules advise, and statistics on columns that a sample showed to hang together.
fn rewrites(advice: &Advice, pricing: &Pricing) -> Vec<Advised> {
    let mut all = advice.rewrites.clone();
    for (place, columns) in &pricing.dependent {
        let Some(candidate) = advice.candidates.get(*place) else { continue };
        let Some(service) = candidate.serves.first() else { continue };
        all.push(Advised {
            statement: service.statement,
            table: candidate.shape.table.clone(),
            rewrite: Rewrite::CreateStatistics { columns: columns.clone() },
        });
    }
    all.sort();
    all.dedup();
    all
}

fn sentence(caveat: &crate::advise::Caveat) -> String {
    let text = caveat.to_string();
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

/// The set that serves a statement best among those wholly chosen.
fn best<'p>(pricing: &'p Pricing, statement: usize, places: &[usize]) -> Option<&'p Priced> {
    pricing
        .priced
        .iter()
        .filter(|one| one.statement == statement)
        .filter(|one| one.candidates.iter().all(|place| places.contains(place)))
        .min_by(|a, b| a.ratio.total_cmp(&b.ratio))
}

fn recommend(
    catalog: &Catalog,
    workload: &Workload,
    advice: &Advice,
    pricing: &Pricing,
    chosen: &Chosen,
    place: usize,
) -> Result<Recommendation, AdvisorError> {
    let candidate = &advice.candidates[place];
    let mut one = record(candidate, catalog, workload, PREFIX)?;
    let mut rung = Rung::Rule;
    one.helped.retain_mut(|helped| {
        let found = best(pricing, helped.statement, &chosen.places);
        let Some(priced) = found.filter(|priced| priced.candidates.contains(&place)) else {
            return false;
        };
        rung = rung.min(priced.rung());
        helped.before = Some(priced.before);
        helped.after = Some(priced.after);
        if priced.needs_custom_plan {
            let text = "a plan made for no value in particular does not use it: the server may take \
                        such a plan after five calls";
            if !one.caveats.iter().any(|known| known == text) {
                one.caveats.push(text.to_owned());
            }
        }
        true
    });
    one.rung = rung;
    one.bytes = chosen.sizes[place];
    one.write_charge = chosen.charges[place].map(|charge| charge.figure());
    if let Some(charge) = chosen.charges[place].filter(|charge| charge.hot_lost_per_day >= 1.0) {
        one.caveats.push(format!(
            "{:.0} updates a day that touch no index now (HOT) would write to all of them",
            charge.hot_lost_per_day
        ));
    }
    if let Some(bytes) = catalog.table(&candidate.shape.table).map(|table| table.bytes) {
        // Slow disks read some 100 MB a second, and a concurrent build reads twice.
        let seconds = bytes as f64 * 2.0 / 100e6;
        one.build.push_str(&format!("; about {seconds:.0} s at 100 MB/s (by rule)"));
    }
    let before = one.helped.iter().map(|helped| helped.calls).sum::<u64>();
    if before < 50 && !one.helped.is_empty() {
        one.caveats.push(format!("only {before} calls were seen"));
    }
    one.caveats.push(format!(
        "if {} changes by half, ask again",
        quote_identifier(&candidate.shape.table.name)
    ));
    Ok(one)
}

/// Measured time times the relative cost, and only what was measured.
fn saved(workload: &Workload, pricing: &Pricing, places: &[usize]) -> Option<Figure> {
    if !is_timed(workload, pricing) {
        return None;
    }
    let (mut low, mut high) = (0.0, 0.0);
    let mut rung = Rung::MeasuredLive;
    for (place, statement) in workload.statements.iter().enumerate() {
        let (Some(total), Some(priced)) = (statement.total_ms, best(pricing, place, places)) else {
            continue;
        };
        low += total * (1.0 - priced.ratios.1).max(0.0);
        high += total * (1.0 - priced.ratios.0).max(0.0);
        rung = rung.max(priced.rung());
    }
    (high > 0.0).then(|| Figure::between(low, high, Unit::Milliseconds, rung).at_most())
}

fn bytes(chosen: &Chosen) -> Option<Figure> {
    let sizes: Vec<Figure> =
        chosen.places.iter().filter_map(|place| chosen.sizes[*place]).collect();
    let sum = |end: fn(&Figure) -> f64| sizes.iter().map(end).sum::<f64>();
    (!sizes.is_empty()).then(|| {
        Figure::between(
            sum(|figure| figure.low),
            sum(|figure| figure.high),
            Unit::Bytes,
            Rung::StatisticsEstimate,
        )
    })
}

/// What the rules turned down, then every candidate that was not chosen, each with one reason.
fn not_proposed(advice: &Advice, pricing: &Pricing, chosen: &Chosen) -> Vec<NotProposed> {
    let mut all: Vec<NotProposed> = advice
        .rejected
        .iter()
        .map(|one| NotProposed {
            table: one.table.clone(),
            shape: one.shape.clone(),
            statement: one.access.map(|access| access.statement),
            reason: Reason::Rule(one.why.clone()),
        })
        .collect();
    for (place, candidate) in advice.candidates.iter().enumerate() {
        if chosen.places.contains(&place) {
            continue;
        }
        let dear = chosen.refused.iter().find(|(other, _)| *other == place);
        let is_priced = pricing.priced.iter().any(|one| one.candidates.contains(&place));
        let cost = pricing.refused.iter().find(|(other, _, _)| *other == place);
        let (statement, reason) = match (dear, cost) {
            (Some((_, reason)), _) => (None, reason.clone()),
            (None, Some((_, statement, why))) if !is_priced => {
                (*statement, Reason::Cost(why.clone()))
            }
            _ => (None, Reason::Cost(CostRefusal::NotChosen)),
        };
        let shape = Some(candidate.shape.clone());
        all.push(NotProposed { table: candidate.shape.table.clone(), shape, statement, reason });
    }
    all
}
