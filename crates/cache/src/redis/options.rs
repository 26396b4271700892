use std::time::Duration;

/// Limits of a [`RedisBackend`](super::RedisBackend).
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// Connections to each node; each carries any number of commands at once. At least 1,
    /// default 2.
    pub connections_max: u32,
    /// Bound of every call to one node, connecting included. Default 250 ms. Keep it below the
    /// cache's `shared_deadline`: a call that the cache gave up tells the breaker nothing.
    pub deadline: Duration,
    /// So many calls to a node that fail one after the other open its breaker. At least 1,
    /// default 5.
    pub failures_max: u32,
    /// How long an open breaker lets nothing through before it has the node probed. Default
    /// 500 ms.
    pub breaker_pause: Duration,
    /// The channel of the bus, for all databases of a server. Default `guildhall:bus`.
    pub channel: String,
    /// Messages of the bus that wait for a slow subscriber; beyond that they are dropped, and it
    /// is told so. At least 1, default 1024.
    pub bus_messages_max: usize,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self {
            connections_max: 2,
            deadline: Duration::from_millis(250),
            failures_max: 5,
            breaker_pause: Duration::from_millis(500),
            channel: "guildhall:bus".to_owned(),
            bus_messages_max: 1024,
        }
    }
}
