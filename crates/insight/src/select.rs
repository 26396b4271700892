//! Choosing which candidate indexes to build: the most saved for a budget of bytes.
//!
//! It knows no database. A [`Problem`] says what every query costs under every small set of
//! candidates, [`choose`] picks a set. Finding the best one is NP-hard; four different greedy
//! starts, each improved by taking out and filling up again, stay close to it on public problems
//! whose optimum is proven.

mod greedy;
mod improve;
mod problem;
mod state;

pub use problem::{Item, Limits, Plan, Problem, ProblemError, Query};

use problem::Pruned;
use state::State;

/// What [`choose`] decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Positions in [`Problem::items`], ascending.
    pub chosen: Vec<usize>,
    /// What they take together.
    pub bytes: u64,
    /// The weighted cost of all queries without any of them.
    pub cost_before: f64,
    /// The same with them. Their upkeep is not in it.
    pub cost_after: f64,
    /// What each chosen item saves that nothing else chosen would, upkeep taken off.
    pub marginal: Vec<f64>,
}

/// Picks items of `problem` within `limits`. The same input gives the same choice.
pub fn choose(problem: &Problem, limits: &Limits) -> Result<Choice, ProblemError> {
    let pruned = Pruned::new(problem, limits)?;
    let mut best: Option<State<'_>> = None;
    for start in greedy::STARTS {
        let mut state = greedy::first(&pruned, start);
        improve::improve(&mut state);
        let is_better = |held: &State<'_>| {
            let by_cost = state.net_cost().total_cmp(&held.net_cost());
            by_cost.then(state.bytes().cmp(&held.bytes())).is_lt()
        };
        if best.as_ref().is_none_or(is_better) {
            best = Some(state);
        }
    }
    let mut state = best.unwrap_or_else(|| State::empty(&pruned));
    improve::drop_small(&mut state, limits.gain_share_min);
    Ok(state.into_choice())
}
