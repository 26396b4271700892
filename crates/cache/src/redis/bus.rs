//! The bus: one pub/sub connection per subscription, opened again whenever it ends.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use redis::{Client, ConnectionInfo};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::Means;
use super::address::Endpoint;
use super::link::LinkError;
use super::sentinel::Sentinels;
use super::topology::Topology;
use crate::backend::{BusEvent, BusEvents};

const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// A connection that died without a sign is noticed after about this long.
const HEARTBEAT: Duration = Duration::from_secs(2);
const PATIENCE_MIN: Duration = Duration::from_secs(1);

/// Where to listen.
#[derive(Clone)]
pub(super) enum Source {
    Fixed(Box<ConnectionInfo>),
    Named(Arc<Sentinels>),
    /// Any node: a Cluster passes messages on among its nodes.
    Cluster(Arc<Topology>),
}

impl Source {
    async fn find(&self) -> Result<(Option<Endpoint>, ConnectionInfo), LinkError> {
        match self {
            Self::Fixed(info) => Ok((None, ConnectionInfo::clone(info))),
            Self::Named(sentinels) => Ok((None, sentinels.primary().await?)),
            Self::Cluster(topology) => {
                let (endpoint, info) = topology.somewhere();
                Ok((Some(endpoint), info))
            }
        }
    }

    /// Whether a node that still answers also still belongs to the Cluster.
    fn still_has(&self, endpoint: Option<&Endpoint>) -> bool {
        let (Self::Cluster(topology), Some(endpoint)) = (self, endpoint) else { return true };
        let map = topology.known();
        map.members.is_empty() || map.members.iter().any(|member| member.endpoint == *endpoint)
    }
}

#[derive(Clone)]
pub(super) struct Bus {
    source: Source,
    means: Means,
}

impl Bus {
    pub(super) fn new(source: Source, means: Means) -> Self {
        Self { source, means }
    }

    pub(super) fn channel(&self) -> &str {
        &self.means.options.channel
    }

    pub(super) fn subscribe(&self) -> BusEvents {
        let (events, receiver) = mpsc::channel(self.means.options.bus_messages_max.max(1));
        tokio::spawn(self.clone().run(events));
        receiver
    }

    async fn run(self, events: mpsc::Sender<BusEvent>) {
        let mut failures = 0;
        loop {
            tokio::select! {
                () = events.closed() => return,
                error = self.session(&events, &mut failures) => {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    match failures {
                        0 => tracing::warn!(%error, cause, "the invalidation bus is cut"),
                        _ => tracing::debug!(%error, cause, failures, "the bus is still cut"),
                    }
                }
            }
            let pause = self.pause(failures);
            failures = failures.saturating_add(1);
            tokio::select! {
                () = events.closed() => return,
                () = sleep(pause) => {}
            }
        }
    }

    /// Between half of a bound and the bound, which doubles with each failure: not all processes
    /// come back at the same moment.
    fn pause(&self, failures: u32) -> Duration {
        let bound = PAUSE_MIN.saturating_mul(1 << failures.min(10)).min(PAUSE_MAX);
        let share = self.means.random.next_u64() % 512;
        bound / 2 + bound.mul_f64(share as f64 / 1024.0)
    }

    /// One connection's life; it ends with an error only.
    async fn session(&self, events: &mpsc::Sender<BusEvent>, failures: &mut u32) -> SessionError {
        let patience = self.means.options.deadline.max(PATIENCE_MIN);
        let opened = match timeout(patience, self.open()).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(error)) => return SessionError::Open(error),
            Err(_) => return SessionError::Silent,
        };
        let (endpoint, mut sink, mut messages) = opened;
        if *failures > 0 {
            tracing::info!("the invalidation bus is back");
        }
        *failures = 0;
        let mut heartbeat = interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        heartbeat.reset();
        // Said first, and again whenever messages found no room.
        let mut owed = true;
        loop {
            tokio::select! {
                biased;
                permit = events.reserve(), if owed => {
                    let Ok(permit) = permit else { return SessionError::Ended };
                    permit.send(BusEvent::Subscribed);
                    owed = false;
                }
                message = messages.next() => {
                    let Some(message) = message else { return SessionError::Ended };
                    if owed {
                        continue;
                    }
                    let event = BusEvent::Message(message.get_payload_bytes().to_vec());
                    owed = matches!(events.try_send(event), Err(TrySendError::Full(_)));
                }
                _ = heartbeat.tick() => {
                    if !self.source.still_has(endpoint.as_ref()) {
                        return SessionError::Left;
                    }
                    match timeout(patience, sink.ping::<redis::Value>()).await {
                        Ok(Ok(_)) => {}
                        Ok(Err(error)) => return SessionError::Open(error.into()),
                        Err(_) => return SessionError::Silent,
                    }
                }
            }
        }
    }

    async fn open(
        &self,
    ) -> Result<(Option<Endpoint>, redis::aio::PubSubSink, redis::aio::PubSubStream), LinkError>
    {
        let (endpoint, info) = self.source.find().await?;
        let (mut sink, messages) = Client::open(info)?.get_async_pubsub().await?.split();
        sink.subscribe(self.channel()).await?;
        Ok((endpoint, sink, messages))
    }
}

/// Why a connection of the bus is over.
#[derive(Debug, thiserror::Error)]
enum SessionError {
    #[error("the connection failed")]
    Open(#[source] LinkError),
    #[error("the server does not answer in time")]
    Silent,
    #[error("the connection was closed")]
    Ended,
    #[error("the node is no primary of the cluster any more")]
    Left,
}
