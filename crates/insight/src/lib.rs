#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

pub mod advise;
pub mod advisor;
pub mod catalog;
pub mod charge;
pub mod cost;
pub mod create;
pub mod fingerprint;
pub mod profile;
pub mod report;
pub mod select;
pub mod size;
pub mod snapshot;
mod sql;
pub mod validate;
pub mod workload;

pub use advisor::{Advisor, AdvisorError, AdvisorOptions};
pub use fingerprint::{Fingerprint, Normal, StatementKind, System, normalise};
pub use profile::{Profiled, Profiler};
pub use profile::{attempt, carried, operation};
pub use report::Report;

/// The guide's code, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/indexes.md")]
struct IndexesGuide;
