//! Limits that do not depend on the level.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) ttl: Duration,
    pub(crate) jitter: bool,
    pub(crate) negative_ttl_max: Duration,
    /// Bounds what stays in this process where other processes write, too.
    pub(crate) local_ttl_ns: u64,
    pub(crate) load_wait: Duration,
    pub(crate) join_age_max_ns: u64,
    pub(crate) unknown_grace_ns: u64,
    pub(crate) background_load_max: Duration,
    pub(crate) stampede_lock: Option<Duration>,
    pub(crate) heartbeat: Duration,
    pub(crate) dry_run: bool,
    /// One permit a load that may run at once.
    pub(crate) loads: Option<Arc<Semaphore>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(300),
            jitter: true,
            negative_ttl_max: Duration::from_secs(60),
            local_ttl_ns: 30_000_000_000,
            load_wait: Duration::from_secs(2),
            join_age_max_ns: 5_000_000_000,
            unknown_grace_ns: 5_000_000_000,
            background_load_max: Duration::from_secs(30),
            stampede_lock: Some(Duration::from_secs(5)),
            heartbeat: Duration::from_secs(1),
            dry_run: false,
            loads: None,
        }
    }
}
