//! What a worker tells its driver: a line of JSON each, on its standard output.
//!
//! A line is written at once and by a single system call, so that what a worker did before it was
//! killed is known: an operation announced and not concluded has an unknown outcome.

use std::io::Write as _;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::history::{Outcome, State};

/// A line of a worker of the soak.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Line {
    /// It is connected; the load begins.
    Ready,
    /// A write begins.
    Began { op: i64, at_ns: u64 },
    /// It ended.
    Ended { op: i64, at_ns: u64, outcome: Outcome },
    /// A read returned.
    Read { start_ns: u64, end_ns: u64, states: Vec<State> },
    /// A call failed that had no reason to.
    Failed { call: String, error: String },
    /// One read through the cache and the same past it, at the same time.
    Twin { start_ns: u64, cached_ns: u64, uncached_ns: u64 },
    /// Counted since the start of the worker.
    Counts(Counts),
}

/// What a worker counted.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) cut_reads: u64,
    pub(crate) cut_writes: u64,
    pub(crate) cache_reads: u64,
    pub(crate) cache_hits: u64,
    pub(crate) cache_loads: u64,
    pub(crate) cache_errors: u64,
}

impl Counts {
    /// Adds what another worker counted.
    pub(crate) fn add(&mut self, other: &Self) {
        self.cut_reads += other.cut_reads;
        self.cut_writes += other.cut_writes;
        self.cache_reads += other.cache_reads;
        self.cache_hits += other.cache_hits;
        self.cache_loads += other.cache_loads;
        self.cache_errors += other.cache_errors;
    }
}

/// Tells the driver. Without a driver nobody wants the rest of the work.
pub(crate) fn tell(line: &impl Serialize) {
    let told = serde_json::to_string(line).map_err(std::io::Error::from).and_then(|mut text| {
        text.push('\n');
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    });
    if told.is_err() {
        std::process::exit(3);
    }
}

/// Reads a line of a worker. `None` for what was cut off by its death.
pub(crate) fn hear<L: DeserializeOwned>(line: &str) -> Option<L> {
    serde_json::from_str(line).ok()
}
