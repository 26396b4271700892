//! First choices: by what is saved, by what is saved per byte, and by giving up the least.

use super::problem::Pruned;
use super::state::{Move, State};

/// How a first choice is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// The most saved first: right when the budget is wide.
    Absolute,
    /// The most saved per byte first: right when many small items compete.
    PerByte,
    /// Between the two: saved by the root of the bytes.
    PerRootByte,
    /// Everything at first, then away with what saves least per byte until the rest fits.
    Backward,
}

/// Which start wins depends on the budget, so all are tried.
pub(super) const STARTS: [Start; 4] =
    [Start::Absolute, Start::PerByte, Start::PerRootByte, Start::Backward];

/// A first choice.
pub(super) fn first<'a>(pruned: &'a Pruned<'a>, start: Start) -> State<'a> {
    let mut state = State::empty(pruned);
    if start == Start::Backward {
        state = shrink(pruned);
    }
    fill(&mut state, start);
    state
}

/// Adds the best move until none saves anything or fits.
pub(super) fn fill(state: &mut State<'_>, start: Start) {
    while let Some(best) =
        state.moves().into_iter().map(|found| (score(&found, start), found)).max_by(|a, b| {
            let fewer = || b.1.bytes.cmp(&a.1.bytes);
            a.0.total_cmp(&b.0).then_with(fewer).then_with(|| b.1.items.cmp(&a.1.items))
        })
    {
        state.add(&best.1.items);
    }
}

/// Takes items away from all of them until the limits hold.
fn shrink<'a>(pruned: &'a Pruned<'a>) -> State<'a> {
    let mut state = State::full(pruned);
    while !state.is_within_limits() {
        let over_bytes = state.is_over_bytes();
        let least = state
            .losses()
            .into_iter()
            .filter(|&(item, _)| over_bytes || state.is_table_over(item))
            .map(|(item, loss)| (loss / bytes(pruned.items[item].bytes), item))
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let Some((_, item)) = least else { break };
        state.remove(item);
    }
    state
}

fn score(found: &Move, start: Start) -> f64 {
    match start {
        Start::Absolute => found.gain,
        Start::PerByte | Start::Backward => found.gain / bytes(found.bytes),
        Start::PerRootByte => found.gain / bytes(found.bytes).sqrt(),
    }
}

/// As a divisor: an item of no bytes is as good as one of a single byte.
#[expect(clippy::cast_precision_loss, reason = "scores need no exact bytes")]
fn bytes(bytes: u64) -> f64 {
    bytes.max(1) as f64
}
