//! Making a choice better by undoing some of it.

use super::greedy::{Start, fill};
use super::state::State;

/// Rounds over all held items. Each round that goes on has saved something, so few are needed;
/// the bound is for problems nobody has thought of.
const ROUNDS_MAX: usize = 12;

/// A change must save this share of the cost to count: rounding errors do not.
const NOISE: f64 = 1e-9;

/// Pairs are taken out of so many items at most: there are a hundred of them.
const PAIRED_MAX: usize = 15;
/// In larger problems single items are enough to come close, and pairs would take seconds.
const PAIRED_WAYS_MAX: usize = 1_000;

/// Drops what became useless, then takes out each item in turn, fills the room it leaves and
/// keeps the result when it is better, until nothing is.
pub(super) fn improve(state: &mut State<'_>) {
    drop_useless(state);
    for _ in 0..ROUNDS_MAX {
        if !swap_round(state) && !pair_round(state) {
            return;
        }
    }
}

/// Takes away items of which each saves less than `share` of all cost, the least first.
pub(super) fn drop_small(state: &mut State<'_>, share: f64) {
    let least_gain = share * state.pruned.base.iter().sum::<f64>();
    while let Some((item, loss)) =
        state.losses().into_iter().min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)))
    {
        if loss > least_gain.max(0.0) {
            return;
        }
        state.remove(item);
    }
}

fn drop_useless(state: &mut State<'_>) {
    drop_small(state, 0.0);
}

/// Takes out every two items in turn: two small ones may stand where one large would do better.
fn pair_round(state: &mut State<'_>) -> bool {
    let items = state.items();
    let ways: usize = state.pruned.ways.iter().map(Vec::len).sum();
    if items.len() > PAIRED_MAX || ways > PAIRED_WAYS_MAX {
        return false;
    }
    for (at, &one) in items.iter().enumerate() {
        for &other in &items[at + 1..] {
            for start in [Start::Absolute, Start::PerByte] {
                for banned in [one, other] {
                    let mut changed = state.clone();
                    changed.remove(one);
                    changed.remove(other);
                    if refill(&mut changed, banned, start, state.net_cost()) {
                        *state = changed;
                        return true;
                    }
                }
            }
        }
    }
    false
}

/// Fills the room without the banned item at first; whether that beats `cost`.
fn refill(state: &mut State<'_>, banned: usize, start: Start, cost: f64) -> bool {
    state.ban(Some(banned));
    fill(state, start);
    state.ban(None);
    drop_useless(state);
    // It may have its place back where what replaced it left room for both.
    fill(state, start);
    state.net_cost() < cost - cost * NOISE
}

fn swap_round(state: &mut State<'_>) -> bool {
    let mut has_gained = false;
    for item in state.items() {
        for start in [Start::Absolute, Start::PerByte, Start::PerRootByte] {
            let mut other = state.clone();
            other.remove(item);
            if refill(&mut other, item, start, state.net_cost()) {
                *state = other;
                has_gained = true;
                break;
            }
        }
    }
    has_gained
}
