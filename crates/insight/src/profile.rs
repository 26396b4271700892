//! The profiler: what an application's statements cost, and what its operations do with them.
//!
//! A [`Profiled`] connection records every call; [`operation`] says what the calls are for;
//! [`Profiler::snapshot`] says what was seen.
//!
//! ```
//! # #[cfg(feature = "sqlite")]
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use diesel::{SqliteConnection, sql_query};
//! use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
//! use diesel_async::{AsyncConnection, RunQueryDsl};
//! use guildhall_insight::profile::{Options, Profiled, Profiler, operation};
//!
//! let profiler = Profiler::new(Options::default());
//! let conn = SyncConnectionWrapper::<SqliteConnection>::establish(":memory:").await?;
//! let mut conn = Profiled::new(conn, profiler.clone());
//!
//! operation("greet", sql_query("SELECT 'hello'").execute(&mut conn)).await?;
//!
//! let snapshot = profiler.snapshot().expect("it is on");
//! assert_eq!(snapshot.statements[0].text, "SELECT ?");
//! assert_eq!(snapshot.statements[0].operations, ["greet"]);
//! # Ok(()) }
//! # #[cfg(not(feature = "sqlite"))]
//! # fn main() {}
//! ```

mod backend;
mod call;
mod checkout;
mod clock;
mod connection;
mod core;
#[cfg(feature = "metrics")]
mod emit;
mod entry;
mod finding;
mod grafana;
mod group;
mod histogram;
pub mod metric_names;
mod operating;
mod operation;
mod options;
mod outcome;
mod paging;
#[cfg(feature = "postgres")]
mod pipelined;
mod plan;
mod record;
mod registry;
mod report;
mod response;
mod sample;
mod save;
mod scope;
#[cfg(feature = "postgres")]
pub mod server;
mod slow;
mod snapshot;
mod transactions;

use std::fmt;
use std::sync::Arc;

use self::core::{Core, Source};

pub use backend::Profilable;
pub use checkout::{checkout, manager, timed_wait};
pub use clock::{Clock, SystemClock};
pub use connection::Profiled;
pub use finding::{Finding, FindingKind};
pub use grafana::dashboard;
pub use operating::Operating;
pub use operation::{attempt, carried, operation, operation_id};
pub use options::Options;
pub use outcome::{ErrorClass, Outcome};
#[cfg(feature = "postgres")]
pub use plan::PostgresPlanner;
#[cfg(feature = "sqlite")]
pub use plan::SqlitePlanner;
pub use plan::{Plan, PlanError, PlanRequest, Planner, Planning};
pub use report::{Latency, OperationReport, OwnReport, Snapshot, StatementReport, StatementSample};
pub use response::{Executing, Loading, Rows};
pub use sample::{BindVector, SentText, Skew, Window};
pub use slow::{PlanState, SlowCall};
pub use transactions::ProfiledTransactions;

/// Records what connections do. Clones share what they record; one profiler serves all pools of an
/// application, on both databases.
#[derive(Clone)]
pub struct Profiler(Option<Arc<Core>>);

impl Profiler {
    /// A profiler that records.
    pub fn new(options: Options) -> Self {
        Self(Some(Core::new(options, Source::System(SystemClock::default()))))
    }

    /// The same, by a clock of one's own.
    pub fn with_clock(options: Options, clock: impl Clock + 'static) -> Self {
        Self(Some(Core::new(options, Source::Given(Box::new(clock)))))
    }

    /// A profiler that records nothing: no clock is read, no lock taken, no text built.
    pub const fn off() -> Self {
        Self(None)
    }

    /// Whether it records.
    pub const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Runs a future as one operation, counted here even when it makes no call. See [`operation`].
    pub fn operation<F: Future>(&self, label: &'static str, future: F) -> Operating<'_, F> {
        Operating::new(label, self.0.as_ref(), future)
    }

    pub(crate) fn core(&self) -> Option<&Core> {
        self.0.as_deref()
    }
}

impl Default for Profiler {
    /// One that is off.
    fn default() -> Self {
        Self::off()
    }
}

impl fmt::Debug for Profiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profiler").field("on", &self.is_on()).finish()
    }
}
