//! Whether everything works, found out by using it.

use std::error::Error;
use std::fmt::{self, Write};
use std::time::{Duration, Instant};

use guildhall_cache::Cache;
use guildhall_domain::Timestamp;
use guildhall_repository::Storage;
use serde::Serialize;

use crate::ConnectError;

/// How long a probe may take.
const DEADLINE: Duration = Duration::from_secs(2);

/// Whether everything works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Everything works.
    Healthy,
    /// It works without the cache: right, but slower.
    Degraded,
    /// The database cannot be written to.
    Unhealthy,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        })
    }
}

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// What was probed: `sqlite 3.50.2`, `cache`.
    pub target: String,
    /// What came of it.
    pub state: ProbeState,
}

/// What came of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeState {
    /// It answered after so long.
    Up(Duration),
    /// It did not; why, without secrets.
    Down(String),
}

impl Probe {
    /// Whether it answered.
    #[must_use]
    pub const fn is_up(&self) -> bool {
        matches!(self.state, ProbeState::Up(_))
    }
}

/// How busy the pool of connections was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PoolUse {
    /// Connections in use, a probe's own not counted.
    pub in_use: u32,
    /// Connections open.
    pub open: u32,
    /// Connections at most.
    pub max: u32,
}

/// What the probes found together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// All in all: a cache that is down degrades, a database that is down is worse.
    pub status: Status,
    /// A write to the database.
    pub database: Probe,
    /// A round trip to the cache.
    pub cache: Probe,
    /// The pool; `None` while the database is down.
    pub pool: Option<PoolUse>,
}

pub(crate) async fn probe(storage: &dyn Storage, cache: &Cache, now: Timestamp) -> Health {
    let ((database, pool), cache) = tokio::join!(database(storage, now), round_trip(cache));
    let status = match (database.is_up(), cache.is_up()) {
        (true, true) => Status::Healthy,
        (true, false) => Status::Degraded,
        (false, _) => Status::Unhealthy,
    };
    Health { status, database, cache, pool }
}

/// What is left to find out when no database could be opened.
pub(crate) async fn without_database(error: &ConnectError, cache: &Cache) -> Health {
    let database = Probe { target: "database".to_owned(), state: ProbeState::Down(chain(error)) };
    let cache = round_trip(cache).await;
    Health { status: Status::Unhealthy, database, cache, pool: None }
}

async fn database(storage: &dyn Storage, now: Timestamp) -> (Probe, Option<PoolUse>) {
    let down = |why| {
        let target = "database".to_owned();
        (Probe { target, state: ProbeState::Down(why) }, None)
    };
    match tokio::time::timeout(DEADLINE, storage.health(now)).await {
        Err(_) => down(late()),
        Ok(Err(error)) => down(chain(&error)),
        Ok(Ok(found)) => {
            let target = format!("{} {}", found.system, found.version);
            let pool = PoolUse {
                in_use: found.connections.saturating_sub(found.idle),
                open: found.connections,
                max: found.connections_max,
            };
            (Probe { target, state: ProbeState::Up(found.write_latency) }, Some(pool))
        }
    }
}

async fn round_trip(cache: &Cache) -> Probe {
    let began = Instant::now();
    let state = match tokio::time::timeout(DEADLINE, cache.ping()).await {
        Err(_) => ProbeState::Down(late()),
        Ok(Err(error)) => ProbeState::Down(chain(&error)),
        Ok(Ok(())) => ProbeState::Up(began.elapsed()),
    };
    Probe { target: "cache".to_owned(), state }
}

fn late() -> String {
    format!("no answer within {} s", DEADLINE.as_secs())
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a `String` cannot fail.
        let _written = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
