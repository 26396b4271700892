//! What the cache adds to a call while Redis is away.

use crate::history::Outage;

/// A read through the cache and the same read past it, begun together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Twin {
    pub(crate) start_ns: u64,
    pub(crate) cached_ns: u64,
    pub(crate) uncached_ns: u64,
}

/// What the reads through the cache took longer than their twins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delay {
    pub(crate) pairs: usize,
    pub(crate) p99_ns: u64,
    pub(crate) max_ns: u64,
}

/// So long after the beginning of an outage the breaker is open: a command ends within 250 ms, and
/// the first few of them open it.
const OPENING_NS: u64 = 1_000_000_000;

/// Of the pairs that lie within an outage, after the breaker has opened.
pub(crate) fn while_open(twins: &[Twin], outages: &[Outage]) -> Delay {
    let inside = |twin: &&Twin| {
        let end_ns = twin.start_ns + twin.cached_ns.max(twin.uncached_ns);
        outages.iter().any(|outage| {
            twin.start_ns >= outage.start_ns.saturating_add(OPENING_NS) && end_ns <= outage.end_ns
        })
    };
    let added = twins.iter().filter(inside);
    let mut added: Vec<u64> =
        added.map(|twin| twin.cached_ns.saturating_sub(twin.uncached_ns)).collect();
    added.sort_unstable();
    let Some(max_ns) = added.last().copied() else { return Delay::default() };
    Delay { pairs: added.len(), p99_ns: added[(added.len() - 1) * 99 / 100], max_ns }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pairs_within_an_outage_behind_its_beginning_count() {
        const S: u64 = 1_000_000_000;
        let outages = [Outage { fault: "away", start_ns: 10 * S, end_ns: 20 * S }];
        let twin = |start_ns, cached_ns| Twin { start_ns, cached_ns, uncached_ns: 3 };
        let twins = [
            twin(9 * S, 500),
            twin(11 * S - 1, 400),
            twin(11 * S, 13),
            twin(12 * S, 2),
            twin(20 * S - 5, 9),
        ];
        assert_eq!(while_open(&twins, &outages), Delay { pairs: 2, p99_ns: 0, max_ns: 10 });
        assert_eq!(while_open(&[], &outages), Delay::default());
    }
}
