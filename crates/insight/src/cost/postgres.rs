//! Asking PostgreSQL's planner, with hypothetical indexes where the extension HypoPG is there.
//!
//! Hypothetical indexes belong to the session: give this a connection of its own. Nothing is written
//! and no statement of the workload is run.

mod correct;
mod planner;
mod refused;
pub mod sample;

use diesel_async::AsyncPgConnection;
use thiserror::Error;

use super::sets::{is_only_in_set, record, sets_for};
use super::{CostRefusal, Costs, Priced, Pricing, judge, statistics};
use crate::advise::asked::asked_of;
use crate::advise::{Advice, Rung, Unit};
use crate::catalog::Catalog;
use crate::workload::Workload;
use planner::Planner;
use refused::Unsupposed;

/// How much is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct CostOptions {
    /// Whether small reads of the tables are allowed, to count different keys where statistics say
    /// nothing.
    pub may_sample: bool,
    /// Whether indexes may be built on temporary copies of parts of tables, where nothing else tells.
    pub may_build_samples: bool,
    /// Sets of candidates tried for one statement, at most.
    pub sets_max: usize,
    /// Milliseconds that any one question may take.
    pub statement_timeout_ms: u32,
}

impl Default for CostOptions {
    fn default() -> Self {
        Self {
            may_sample: true,
            may_build_samples: false,
            sets_max: 60,
            statement_timeout_ms: 5_000,
        }
    }
}

/// Pricing that could not go on: the connection is gone.
#[derive(Debug, Error)]
#[error("the planner could not be asked: {what} failed")]
pub struct CostError {
    what: &'static str,
    source: diesel::result::Error,
}

/// Prices every candidate for every statement it could serve, and sets of them where one alone may
/// not help.
pub async fn price(
    conn: &mut AsyncPgConnection,
    catalog: &Catalog,
    workload: &Workload,
    advice: &Advice,
    options: &CostOptions,
) -> Result<Pricing, CostError> {
    let mut pricing = Pricing::default();
    let mut planner = Planner::open(conn, options).await?;
    if !planner.has_hypopg() {
        pricing.notes.push(
            "The extension hypopg is not installed here: figures are estimates from statistics, \
             not the planner's."
                .to_owned(),
        );
    }
    let outcome = price_all(&mut planner, catalog, workload, advice, options, &mut pricing).await;
    planner.close().await?;
    outcome?;
    Ok(pricing)
}

async fn price_all(
    planner: &mut Planner<'_>,
    catalog: &Catalog,
    workload: &Workload,
    advice: &Advice,
    options: &CostOptions,
    pricing: &mut Pricing,
) -> Result<(), CostError> {
    let truths = correct::truths(planner, catalog, &advice.candidates, options).await?;
    for (place, truth) in &truths {
        pricing.distinct.insert(*place, truth.distinct);
        if let Some(columns) = correct::dependent(&advice.candidates[*place], truth) {
            pricing.dependent.push((*place, columns));
        }
    }
    for (place, statement) in workload.statements.iter().enumerate() {
        let sets = sets_for(advice, place, options.sets_max);
        if sets.is_empty() {
            continue;
        }
        let asked = asked_of(catalog, statement);
        let variants = super::values::variants(catalog, statement, &asked);
        let prepared = match planner.has_hypopg() {
            true => planner.prepare(statement, &asked).await?,
            false => Err("HypoPG is not installed".to_owned()),
        };
        let Ok(prepared) = prepared else {
            by_statistics(planner, catalog, advice, place, &sets, pricing).await?;
            continue;
        };
        let before = planner.plan_all(&prepared, &variants).await?;
        let generic_before = planner.plan_generic(&prepared).await?;
        for set in sets {
            let judged = match planner.suppose(catalog, advice, &set).await? {
                Err(Unsupposed::Unknown(why)) if set.len() == 1 => {
                    // GIN and its kin have no hypothetical form.
                    unsupposable(planner, catalog, workload, advice, place, set[0], options, &why)
                        .await?
                }
                Err(unsupposed) => Err(CostRefusal::NotPriced { why: unsupposed.why() }),
                Ok(names) => {
                    let after = planner.plan_all(&prepared, &variants).await?;
                    let generic_after = planner.plan_generic(&prepared).await?;
                    let mut costs = Costs {
                        generic: generic_before
                            .clone()
                            .filter(|_| asked.places > 0)
                            .zip(generic_after)
                            .map(|(before, after)| (before.cost, after.cost)),
                        ..Costs::default()
                    };
                    let mut is_corrected = false;
                    for ((kind, before), (_, after)) in before.iter().zip(after.iter()) {
                        let (Some(before), Some(after)) = (before, after) else { continue };
                        let (cost, corrected) = correct::cost_of(after, &names, &set, &truths);
                        is_corrected |= corrected;
                        costs.before.push((*kind, before.cost));
                        costs.after.push(cost);
                    }
                    let rung =
                        if is_corrected { Rung::StatisticsEstimate } else { Rung::PlannerEstimate };
                    match after.uses(&names) {
                        true => judge(place, set.clone(), &costs, Unit::PlannerCost, rung),
                        false => Err(CostRefusal::NotUsed),
                    }
                }
            };
            record(pricing, place, &set, judged);
        }
        planner.forget_indexes().await?;
        planner.forget(&prepared).await?;
    }
    Ok(())
}

/// A candidate that cannot be hypothetical: built on a sample if that is allowed, else by formula.
#[expect(clippy::too_many_arguments, reason = "one step of the loop above, with all of its state")]
async fn unsupposable(
    planner: &mut Planner<'_>,
    catalog: &Catalog,
    workload: &Workload,
    advice: &Advice,
    statement: usize,
    place: usize,
    options: &CostOptions,
    why: &str,
) -> Result<Result<Priced, CostRefusal>, CostError> {
    let candidate = &advice.candidates[place];
    if options.may_build_samples {
        let text = &workload.statements[statement];
        if let Some(costs) = sample::time_both(planner.conn(), catalog, candidate, text).await? {
            let (unit, rung) = (Unit::Milliseconds, Rung::MeasuredOnSample);
            return Ok(judge(statement, vec![place], &costs, unit, rung));
        }
    }
    Ok(statistics::price(catalog, candidate, place, statement, None).map_err(
        |refusal| match refusal {
            CostRefusal::NotPriced { .. } => CostRefusal::NotPriced { why: why.to_owned() },
            other => other,
        },
    ))
}

/// For a statement that the planner cannot be asked about. Whether its indexes can be built at all is
/// asked where that is possible: a formula knows nothing of functions and operator classes.
async fn by_statistics(
    planner: &mut Planner<'_>,
    catalog: &Catalog,
    advice: &Advice,
    statement: usize,
    sets: &[Vec<usize>],
    pricing: &mut Pricing,
) -> Result<(), CostError> {
    for set in sets {
        // A branch of an `OR` alone serves nothing, which a formula cannot see.
        if set.len() == 1 && is_only_in_set(advice, set[0], statement) {
            continue;
        }
        let judged = match unbuildable(planner, catalog, advice, set).await? {
            Some(why) => Err(CostRefusal::NotPriced { why }),
            None => statistics::price_set(catalog, advice, set, statement, &pricing.distinct),
        };
        record(pricing, statement, set, judged);
    }
    planner.forget_indexes().await
}

/// The server's reason not to build one of a set, if HypoPG is there to ask.
async fn unbuildable(
    planner: &mut Planner<'_>,
    catalog: &Catalog,
    advice: &Advice,
    set: &[usize],
) -> Result<Option<String>, CostError> {
    if !planner.has_hypopg() {
        return Ok(None);
    }
    // One by one: of several, an index that HypoPG lacks would hide the rest.
    for place in set {
        if let Err(Unsupposed::Refused(why)) = planner.suppose(catalog, advice, &[*place]).await? {
            return Ok(Some(why));
        }
    }
    Ok(None)
}
