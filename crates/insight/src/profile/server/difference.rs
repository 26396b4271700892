//! What happened between two readings.

use std::collections::HashMap;

use serde::Serialize;

use crate::fingerprint::Fingerprint;

/// What the server tells statements apart by, within a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) user: i64,
    pub(super) query: i64,
    pub(super) top_level: bool,
}

/// The counters of one statement.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counted {
    pub(super) calls: u64,
    pub(super) total_ms: f64,
    pub(super) rows: u64,
    pub(super) blocks_hit: u64,
    pub(super) blocks_read: u64,
    pub(super) temp_blocks_written: u64,
    pub(super) wal_bytes: u64,
}

impl Counted {
    /// Since then; `None` when it began anew meanwhile.
    fn since(&self, then: &Self) -> Option<Self> {
        if self.calls < then.calls || self.total_ms < then.total_ms {
            return None;
        }
        Some(Self {
            calls: self.calls - then.calls,
            total_ms: self.total_ms - then.total_ms,
            rows: self.rows.saturating_sub(then.rows),
            blocks_hit: self.blocks_hit.saturating_sub(then.blocks_hit),
            blocks_read: self.blocks_read.saturating_sub(then.blocks_read),
            temp_blocks_written: self.temp_blocks_written.saturating_sub(then.temp_blocks_written),
            wal_bytes: self.wal_bytes.saturating_sub(then.wal_bytes),
        })
    }
}

/// One reading.
#[derive(Clone, Debug)]
pub(super) struct Baseline {
    reset: String,
    evictions: u64,
    counted: HashMap<Key, (Fingerprint, String, Counted)>,
}

impl Baseline {
    pub(super) fn new(reset: String, evictions: u64) -> Self {
        Self { reset, evictions, counted: HashMap::new() }
    }

    pub(super) fn add(
        &mut self,
        key: Key,
        fingerprint: Fingerprint,
        text: String,
        counted: Counted,
    ) {
        self.counted.insert(key, (fingerprint, text, counted));
    }

    pub(super) fn len(&self) -> usize {
        self.counted.len()
    }
}

/// What the server counted between two readings.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// Statements that were called, the one that took longest first.
    pub statements: Vec<ServerStatement>,
    /// The counters were reset in between: what happened before the reset is lost.
    pub reset: bool,
    /// How often the server threw statements out to make room: each time some 5 % of them.
    pub evictions: u64,
    /// Statements of the last reading that are gone: what they did in between is lost.
    pub gone: usize,
    /// Statements that were thrown out and came back: what they did before that is lost.
    pub restarted: usize,
}

impl Difference {
    /// Whether all that happened is in it, as far as the server tells.
    pub fn is_complete(&self) -> bool {
        !self.reset && self.evictions == 0 && self.gone == 0 && self.restarted == 0
    }
}

/// What one statement did, for all users and callers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ServerStatement {
    /// Which.
    pub fingerprint: Option<Fingerprint>,
    /// Its normal text.
    pub text: String,
    /// Calls that ended.
    pub calls: u64,
    /// What they took in the server, in milliseconds, without the way to the client.
    pub total_ms: f64,
    /// Rows given or changed.
    pub rows: u64,
    /// Blocks found in the server's memory.
    pub blocks_hit: u64,
    /// Blocks asked of the operating system.
    pub blocks_read: u64,
    /// Blocks of temporary files written: sorts and hashes that did not fit in memory.
    pub temp_blocks_written: u64,
    /// Bytes of WAL.
    pub wal_bytes: u64,
}

pub(super) fn between(last: &Baseline, now: &Baseline) -> Difference {
    let reset = last.reset != now.reset;
    let mut difference = Difference {
        reset,
        evictions: if reset { now.evictions } else { now.evictions.saturating_sub(last.evictions) },
        ..Difference::default()
    };
    let mut by_fingerprint: HashMap<Fingerprint, ServerStatement> = HashMap::new();
    for (key, (fingerprint, text, counted)) in &now.counted {
        // After a reset all began at nothing; a statement not known before began there too.
        let then = if reset { None } else { last.counted.get(key) };
        let since = match then {
            None => *counted,
            Some((_, _, then)) => counted.since(then).unwrap_or_else(|| {
                difference.restarted += 1;
                *counted
            }),
        };
        if since.calls == 0 {
            continue;
        }
        let sum = by_fingerprint.entry(*fingerprint).or_insert_with(|| ServerStatement {
            fingerprint: Some(*fingerprint),
            text: text.clone(),
            ..ServerStatement::default()
        });
        sum.calls += since.calls;
        sum.total_ms += since.total_ms;
        sum.rows += since.rows;
        sum.blocks_hit += since.blocks_hit;
        sum.blocks_read += since.blocks_read;
        sum.temp_blocks_written += since.temp_blocks_written;
        sum.wal_bytes += since.wal_bytes;
    }
    if !reset {
        difference.gone = last.counted.keys().filter(|key| !now.counted.contains_key(key)).count();
    }
    difference.statements = by_fingerprint.into_values().collect();
    difference.statements.sort_by(|a, b| b.total_ms.total_cmp(&a.total_ms));
    difference
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(reset: &str, evictions: u64, counts: &[(i64, u64)]) -> Baseline {
        let mut baseline = Baseline::new(reset.to_owned(), evictions);
        for (query, calls) in counts {
            let key = Key { user: 1, query: *query, top_level: true };
            let text = format!("SELECT {}", query % 10);
            let counted = Counted { calls: *calls, total_ms: *calls as f64, ..Counted::default() };
            // Queries 1 and 11 are one statement to us.
            baseline.add(key, Fingerprint(u64::try_from(query % 10).unwrap()), text, counted);
        }
        baseline
    }

    fn calls(difference: &Difference) -> Vec<(u64, u64)> {
        let key = |s: &ServerStatement| (s.fingerprint.unwrap().0, s.calls);
        let mut calls: Vec<_> = difference.statements.iter().map(key).collect();
        calls.sort_unstable();
        calls
    }

    #[test]
    fn only_what_happened_since_counts() {
        let last = reading("r1", 3, &[(1, 10), (2, 5), (11, 1)]);
        let now = reading("r1", 3, &[(1, 14), (2, 5), (11, 3), (4, 2)]);
        let difference = between(&last, &now);
        assert_eq!(calls(&difference), [(1, 6), (4, 2)]);
        assert!(difference.is_complete());
    }

    #[test]
    fn a_reset_is_noticed_and_counts_begin_at_nothing() {
        let last = reading("r1", 3, &[(1, 10), (2, 5)]);
        // More calls than before: only the time of the reset tells.
        let now = reading("r2", 0, &[(1, 12)]);
        let difference = between(&last, &now);
        assert!(difference.reset && !difference.is_complete());
        assert_eq!(calls(&difference), [(1, 12)]);
    }

    #[test]
    fn evictions_are_noticed() {
        let last = reading("r1", 3, &[(1, 10), (2, 5)]);
        let now = reading("r1", 5, &[(1, 4)]);
        let difference = between(&last, &now);
        assert_eq!((difference.evictions, difference.gone, difference.restarted), (2, 1, 1));
        assert_eq!(calls(&difference), [(1, 4)]);
        assert!(!difference.is_complete());
    }
}
