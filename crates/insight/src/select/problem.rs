//! The problem to solve, and the same with everything useless left out.

use std::collections::HashMap;

use thiserror::Error;

/// An index that could be built.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What it would take on disk.
    pub bytes: u64,
    /// What keeping it up costs, in the unit of the queries' weighted cost.
    pub upkeep: f64,
    /// Which table it is on: any number, equal for equal tables.
    pub table: usize,
}

/// A set of items that, all present, brings a query to `cost`.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Positions in [`Problem::items`].
    pub items: Vec<usize>,
    /// The cost of one call of the query with exactly these present.
    pub cost: f64,
}

/// A query, what it costs now and what it could cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// What one call's cost is multiplied by: calls, or calls times milliseconds per cost.
    pub weight: f64,
    /// The cost of one call with no item present.
    pub cost: f64,
    /// What items change about it. The cheapest plan whose items are all present counts.
    pub plans: Vec<Plan>,
}

/// Which items are worth their bytes?
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Problem {
    /// What can be built.
    pub items: Vec<Item>,
    /// What it is built for.
    pub queries: Vec<Query>,
}

/// What a choice must keep to.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// The bytes of all chosen items together.
    pub bytes_max: u64,
    /// How many may be chosen on each table, by [`Item::table`]; tables past its end have
    /// `per_table_max_default`.
    pub per_table_max: Vec<usize>,
    /// How many may be chosen on any other table.
    pub per_table_max_default: usize,
    /// An item that saves less than this share of all cost is left out, 0 to 1.
    pub gain_share_min: f64,
}

impl Limits {
    /// A budget of bytes and nothing else.
    pub fn bytes(bytes_max: u64) -> Self {
        Self {
            bytes_max,
            per_table_max: Vec::new(),
            per_table_max_default: usize::MAX,
            gain_share_min: 0.0,
        }
    }

    fn of_table(&self, table: usize) -> usize {
        self.per_table_max.get(table).copied().unwrap_or(self.per_table_max_default)
    }
}

/// A problem that makes no sense.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ProblemError {
    /// A plan names an item that is not there.
    #[error("query {query} has a plan with item {item}, of which there are {items}")]
    NoSuchItem {
        /// Position in [`Problem::queries`].
        query: usize,
        /// What it names.
        item: usize,
        /// How many there are.
        items: usize,
    },
    /// A cost, weight or upkeep is negative or not a number.
    #[error("{what} of {kind} {position} is {value}; it must be a number of at least 0")]
    NotANumber {
        /// `query` or `item`.
        kind: &'static str,
        /// Where in its list.
        position: usize,
        /// `cost`, `weight` or `upkeep`.
        what: &'static str,
        /// What was given.
        value: f64,
    },
}

/// One plan of the pruned problem.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// Its place in [`Pruned::sets`].
    pub(super) set: usize,
    pub(super) items: Vec<usize>,
    /// Weighted.
    pub(super) cost: f64,
}

/// The problem without plans that cannot win, with weighted costs.
#[derive(Debug)]
pub(super) struct Pruned<'a> {
    pub(super) items: &'a [Item],
    pub(super) base: Vec<f64>,
    /// Different sets of items that ways have, so that each is looked at once.
    pub(super) sets: Vec<Vec<usize>>,
    /// By query; the cheapest first.
    pub(super) ways: Vec<Vec<Way>>,
    pub(super) bytes_max: u64,
    /// By table.
    pub(super) table_max: Vec<usize>,
}

impl<'a> Pruned<'a> {
    pub(super) fn new(problem: &'a Problem, limits: &Limits) -> Result<Self, ProblemError> {
        for (position, item) in problem.items.iter().enumerate() {
            check("item", position, "upkeep", item.upkeep)?;
        }
        let mut base = Vec::with_capacity(problem.queries.len());
        let mut ways: Vec<Vec<Way>> = Vec::new();
        for (position, query) in problem.queries.iter().enumerate() {
            check("query", position, "cost", query.cost)?;
            check("query", position, "weight", query.weight)?;
            base.push(query.cost * query.weight);
            ways.push(ways_of(problem, position, query, limits.bytes_max)?);
        }
        let mut known: HashMap<Vec<usize>, usize> = HashMap::new();
        let mut sets = Vec::new();
        for way in ways.iter_mut().flatten() {
            way.set = *known.entry(way.items.clone()).or_insert_with(|| {
                sets.push(way.items.clone());
                sets.len() - 1
            });
        }
        let tables = problem.items.iter().map(|item| item.table + 1).max().unwrap_or(0);
        let table_max = (0..tables).map(|table| limits.of_table(table)).collect();
        Ok(Self { items: &problem.items, base, sets, ways, bytes_max: limits.bytes_max, table_max })
    }

    pub(super) fn bytes_of(&self, items: &[usize]) -> u64 {
        items.iter().map(|&item| self.items[item].bytes).fold(0, u64::saturating_add)
    }
}

fn check(
    kind: &'static str,
    position: usize,
    what: &'static str,
    value: f64,
) -> Result<(), ProblemError> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        Err(ProblemError::NotANumber { kind, position, what, value })
    }
}

/// The plans of one query that beat having nothing, fit the budget, and are beaten by no plan
/// with fewer items.
fn ways_of(
    problem: &Problem,
    position: usize,
    query: &Query,
    bytes_max: u64,
) -> Result<Vec<Way>, ProblemError> {
    let mut plans = Vec::new();
    for plan in &query.plans {
        check("query", position, "cost", plan.cost)?;
        let items = problem.items.len();
        if let Some(&item) = plan.items.iter().find(|&&item| item >= items) {
            return Err(ProblemError::NoSuchItem { query: position, item, items });
        }
        let mut members = plan.items.clone();
        members.sort_unstable();
        members.dedup();
        let bytes =
            members.iter().fold(0_u64, |sum, &item| sum.saturating_add(problem.items[item].bytes));
        if plan.cost < query.cost && bytes <= bytes_max && !members.is_empty() {
            plans.push(Way { set: 0, items: members, cost: plan.cost * query.weight });
        }
    }
    plans.sort_by(|a, b| a.cost.total_cmp(&b.cost).then_with(|| a.items.cmp(&b.items)));
    let mut kept: Vec<Way> = Vec::with_capacity(plans.len());
    for plan in plans {
        // Only plans of at most its own cost stand before it: a subset among them beats it.
        let is_beaten = plan.items.len() > 1
            && kept.iter().any(|way| way.items.iter().all(|item| plan.items.contains(item)));
        if !is_beaten && kept.last().is_none_or(|way| way.items != plan.items) {
            kept.push(plan);
        }
    }
    Ok(kept)
}
