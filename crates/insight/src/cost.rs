//! What a candidate costs and saves, on a ladder of evidence.
//!
//! Planner's estimate with a hypothetical index, corrected by samples; a build on a sample; a formula
//! over statistics where neither is to be had. Every figure says which it is, and a planner's cost is
//! never turned into time.

#[cfg(feature = "postgres")]
mod plan;
#[cfg(feature = "postgres")]
pub mod postgres;
mod sets;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod statistics;
mod values;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::advise::{Advice, Figure, Rung};
use crate::catalog::Catalog;
use crate::workload::Workload;

pub use values::{Variant, VariantKind};

/// A plan that gets so many times worse for any value that is tried is not proposed.
pub const WORSE_MAX: f64 = 1.2;
/// A statement must become cheaper by this share at least, for a set of candidates to count.
pub const GAIN_MIN: f64 = 0.1;

/// What a set of candidates does for one statement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Priced {
    /// The statement's place in the workload.
    pub statement: usize,
    /// The candidates' places, ascending.
    pub candidates: Vec<usize>,
    /// Without them, over the values tried.
    pub before: Figure,
    /// With them, in the same unit.
    pub after: Figure,
    /// Mean cost with them over mean cost without: 0 to 1 where they help.
    pub ratio: f64,
    /// The same ratio for the value that gains most and for the one that gains least.
    pub ratios: (f64, f64),
    /// Whether a plan made for no particular value would not use them.
    pub needs_custom_plan: bool,
}

impl Priced {
    /// How the figures were come by.
    #[must_use]
    pub fn rung(&self) -> Rung {
        self.after.rung
    }
}

/// Why a candidate, or a set of them, was not priced or not kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum CostRefusal {
    /// The planner has no use for it.
    NotUsed,
    /// It would be used, and gain too little.
    GainsLittle {
        /// Cost with it over cost without.
        ratio: f64,
    },
    /// For one of the values it is worse than nothing.
    WorseForAValue {
        /// Which.
        value: VariantKind,
        /// Cost with it over cost without, for that value.
        ratio: f64,
    },
    /// The database would not say.
    NotPriced {
        /// Its reason.
        why: String,
    },
    /// Keeping it up takes more than half of what it saves.
    CostsWrites {
        /// Upkeep over saving, in time.
        share: f64,
    },
    /// Others save as much for fewer bytes, or no room was left.
    NotChosen,
    /// SQLite would use it where it hurts: a value keeps too many rows.
    TooManyRows {
        /// Share of the rows that the worst value keeps.
        share: f64,
    },
    /// Measured on a copy, it made nothing faster.
    NotFaster {
        /// Time with it over time without.
        ratio: f64,
    },
}

impl fmt::Display for CostRefusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUsed => write!(out, "the planner would not use it"),
            Self::GainsLittle { ratio } => {
                write!(out, "it gains little: {:.0} % of the cost stays", ratio * 100.0)
            }
            Self::WorseForAValue { value, ratio } => write!(
                out,
                "for {value} the plan costs {:.0} % of what it costs without",
                ratio * 100.0
            ),
            Self::NotPriced { why } => write!(out, "it could not be priced: {why}"),
            Self::CostsWrites { share } => {
                write!(out, "writes would pay {:.0} % of what reads save", share * 100.0)
            }
            Self::NotChosen => write!(out, "others save as much for fewer bytes"),
            Self::TooManyRows { share } => write!(
                out,
                "a value keeps {:.0} % of the rows, and SQLite would use it all the same",
                share * 100.0
            ),
            Self::NotFaster { ratio } => {
                write!(out, "on a copy it took {:.0} % of the time without it", ratio * 100.0)
            }
        }
    }
}

/// All that pricing found out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pricing {
    /// Sets that help a statement.
    pub priced: Vec<Priced>,
    /// Candidates (by place) that do not help a statement, each with the statement and the reason.
    pub refused: Vec<(usize, Option<usize>, CostRefusal)>,
    /// Different keys of a candidate, where a sample told: by its place.
    pub distinct: std::collections::BTreeMap<usize, f64>,
    /// Columns of candidates (by place) that hang together, of which the server keeps no statistics.
    pub dependent: Vec<(usize, Vec<String>)>,
    /// What the report must say about the pricing as such.
    pub notes: Vec<String>,
}

impl Pricing {
    /// Without a database to ask: by the formula over statistics alone.
    #[must_use]
    pub fn from_statistics(catalog: &Catalog, workload: &Workload, advice: &Advice) -> Self {
        let mut pricing = Self::default();
        pricing
            .notes
            .push("No database was asked: figures are estimates from statistics.".to_owned());
        for place in 0..workload.statements.len() {
            for set in sets::sets_for(advice, place, SETS_MAX) {
                let judged = statistics::price_set(catalog, advice, &set, place, &pricing.distinct);
                if set.len() > 1 || !sets::is_only_in_set(advice, set[0], place) {
                    sets::record(&mut pricing, place, &set, judged);
                }
            }
        }
        pricing
    }
}

/// Sets tried for one statement, at most.
const SETS_MAX: usize = 60;

/// Costs for every value tried, without and with a set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Costs {
    pub(crate) before: Vec<(VariantKind, f64)>,
    pub(crate) after: Vec<f64>,
    /// The generic plan's costs, without and with.
    pub(crate) generic: Option<(f64, f64)>,
}

/// Judges one set for one statement: priced, or refused with a reason.
pub(crate) fn judge(
    statement: usize,
    candidates: Vec<usize>,
    costs: &Costs,
    unit: crate::advise::Unit,
    rung: Rung,
) -> Result<Priced, CostRefusal> {
    let ratios: Vec<(VariantKind, f64)> = costs
        .before
        .iter()
        .zip(&costs.after)
        .map(|((kind, before), after)| (*kind, after / before.max(f64::MIN_POSITIVE)))
        .collect();
    let worst = ratios.iter().max_by(|a, b| a.1.total_cmp(&b.1));
    let best = ratios.iter().min_by(|a, b| a.1.total_cmp(&b.1));
    let (Some(&(worst_kind, worst)), Some(&(_, best))) = (worst, best) else {
        return Err(CostRefusal::NotPriced { why: "no value could be planned".to_owned() });
    };
    if worst > WORSE_MAX {
        return Err(CostRefusal::WorseForAValue { value: worst_kind, ratio: worst });
    }
    let before: f64 = costs.before.iter().map(|(_, cost)| cost).sum();
    let after: f64 = costs.after.iter().sum();
    let ratio = after / before.max(f64::MIN_POSITIVE);
    if ratio > 0.999 {
        return Err(CostRefusal::NotUsed);
    }
    if ratio > 1.0 - GAIN_MIN {
        return Err(CostRefusal::GainsLittle { ratio });
    }
    let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
    let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
    let figure = |values: &[f64]| {
        let low = least(&mut values.iter().copied());
        Figure::between(low, most(&mut values.iter().copied()), unit, rung)
    };
    let befores: Vec<f64> = costs.before.iter().map(|(_, cost)| *cost).collect();
    Ok(Priced {
        statement,
        candidates,
        before: figure(&befores),
        after: figure(&costs.after),
        ratio,
        ratios: (best, worst.min(1.0)),
        needs_custom_plan: costs.generic.is_some_and(|(before, after)| after > before * 0.9),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advise::Unit;

    fn judged(pairs: &[(f64, f64)]) -> Result<Priced, CostRefusal> {
        let kinds = [VariantKind::Common, VariantKind::Rare, VariantKind::Absent];
        let costs = Costs {
            before: pairs.iter().zip(kinds).map(|((before, _), kind)| (kind, *before)).collect(),
            after: pairs.iter().map(|(_, after)| *after).collect(),
            generic: None,
        };
        judge(0, vec![0], &costs, Unit::PlannerCost, Rung::PlannerEstimate)
    }

    #[test]
    fn one_value_that_gets_worse_refuses_a_set_however_much_the_others_gain() {
        let refused = judged(&[(1_000.0, 1.0), (25.0, 37.6)]);
        assert!(
            matches!(refused, Err(CostRefusal::WorseForAValue { value: VariantKind::Rare, .. })),
            "{refused:?}"
        );
    }

    #[test]
    fn a_set_that_helps_shows_its_range() {
        let priced = judged(&[(100.0, 10.0), (50.0, 45.0)]).unwrap();
        assert_eq!(priced.ratios, (0.1, 0.9));
        assert!((priced.ratio - 55.0 / 150.0).abs() < 1e-9);
    }

    #[test]
    fn no_use_and_little_use_are_told_apart() {
        assert_eq!(judged(&[(100.0, 100.0)]), Err(CostRefusal::NotUsed));
        assert!(matches!(judged(&[(100.0, 95.0)]), Err(CostRefusal::GainsLittle { .. })));
        assert!(matches!(judged(&[]), Err(CostRefusal::NotPriced { .. })));
    }
}
