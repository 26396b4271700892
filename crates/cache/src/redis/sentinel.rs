//! Sentinels: who is the primary now.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis::{Client, ConnectionInfo, RedisError, cmd};
use tokio::time::timeout;

use super::address::{Dialer, Endpoint};
use super::link::LinkError;

/// Asked by name for every new connection, one after the other until one knows.
///
/// Not by the driver's own client for Sentinels: that one connects to the primary once more to
/// ask for its role, for which an ACL user needs another command, and bounds nothing.
pub(super) struct Sentinels {
    service: String,
    sentinels: Vec<Client>,
    primary: Dialer,
    patience: Duration,
    /// The one that answered last is asked first.
    first: AtomicUsize,
}

impl Sentinels {
    pub(super) fn new(
        service: String,
        at: &[Endpoint],
        sentinel: &Dialer,
        primary: Dialer,
        deadline: Duration,
    ) -> Result<Self, RedisError> {
        let clients: Result<Vec<_>, _> =
            at.iter().map(|endpoint| Client::open(sentinel.to(endpoint))).collect();
        let sentinels = clients?;
        // One that hangs must leave time to ask another within the deadline of the call.
        let patience = deadline / u32::try_from(sentinels.len() + 1).unwrap_or(u32::MAX);
        Ok(Self { service, sentinels, primary, patience, first: AtomicUsize::new(0) })
    }

    /// Where the primary is, with how to log in there.
    pub(super) async fn primary(&self) -> Result<ConnectionInfo, LinkError> {
        let first = self.first.load(Ordering::Relaxed);
        let mut last_error = None;
        for turn in 0..self.sentinels.len() {
            let index = (first + turn) % self.sentinels.len();
            match timeout(self.patience, self.ask(&self.sentinels[index])).await {
                Ok(Ok(Some((host, port)))) => {
                    self.first.store(index, Ordering::Relaxed);
                    return Ok(self.primary.to(&Endpoint { host, port }));
                }
                Ok(Ok(None)) | Err(_) => {}
                Ok(Err(error)) => last_error = Some(error),
            }
        }
        Err(LinkError::NoPrimary(last_error))
    }

    async fn ask(&self, sentinel: &Client) -> Result<Option<(String, u16)>, RedisError> {
        let mut connection = sentinel.get_multiplexed_async_connection().await?;
        let mut question = cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.service);
        question.query_async(&mut connection).await
    }
}
