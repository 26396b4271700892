//! A physical connection, and what is known about it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bb8_redis::bb8;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, RedisError, RedisResult,
    ServerErrorKind, pipe,
};
use thiserror::Error;

use super::sentinel::Sentinels;
use crate::backend::ServerId;

/// Why there is no usable connection. No message bears an address.
#[derive(Debug, Error)]
pub(super) enum LinkError {
    #[error(
        "the server refuses INFO, which tells its run: the user needs +info, a proxy is no use"
    )]
    InfoRefused(#[source] RedisError),
    #[error("the server's INFO does not tell its run id")]
    NoRunId,
    #[error("the server is a replica")]
    Replica,
    #[error("no Sentinel knows a primary of that name")]
    NoPrimary(#[source] Option<RedisError>),
    #[error(transparent)]
    Connect(#[from] RedisError),
    #[error("the server does not say who it is in time")]
    Slow(#[source] tokio::time::error::Elapsed),
    #[error("the connection broke earlier")]
    Broken,
}

/// A handle to one connection; clones share it.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) connection: MultiplexedConnection,
    pub(super) server: ServerId,
    broken: Arc<AtomicBool>,
}

impl Link {
    /// The next borrower gets another one.
    pub(super) fn discard(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }
}

/// What the pool holds. bb8 keeps a failure from those who wait for a connection, and lets them
/// wait on until their time is over; so a failure is handed out like a connection, once.
pub(super) enum Lease {
    Link(Link),
    Failed(Option<LinkError>),
}

/// Where a node is.
pub(super) enum Place {
    Fixed(Box<ConnectionInfo>),
    /// Wherever the Sentinels say, asked for every connection.
    Named(Arc<Sentinels>),
}

/// Opens connections for bb8.
pub(super) struct Manager {
    pub(super) place: Place,
    pub(super) deadline: Duration,
    /// Replicas of a Cluster do no harm: they refer to their primary.
    pub(super) primaries_only: bool,
}

impl bb8::ManageConnection for Manager {
    type Connection = Lease;
    type Error = LinkError;

    async fn connect(&self) -> Result<Lease, LinkError> {
        Ok(match self.open().await {
            Ok(link) => Lease::Link(link),
            Err(error) => Lease::Failed(Some(error)),
        })
    }

    /// No round trip: it looks at a flag that failed commands set.
    async fn is_valid(&self, lease: &mut Lease) -> Result<(), LinkError> {
        match lease {
            Lease::Link(link) if link.broken.load(Ordering::Relaxed) => Err(LinkError::Broken),
            Lease::Failed(None) => Err(LinkError::Broken),
            Lease::Link(_) | Lease::Failed(Some(_)) => Ok(()),
        }
    }

    fn has_broken(&self, lease: &mut Lease) -> bool {
        match lease {
            Lease::Link(link) => link.broken.load(Ordering::Relaxed),
            Lease::Failed(_) => true,
        }
    }
}

impl Manager {
    async fn open(&self) -> Result<Link, LinkError> {
        let info = match &self.place {
            Place::Fixed(info) => ConnectionInfo::clone(info),
            Place::Named(sentinels) => sentinels.primary().await?,
        };
        // Every command has the node's deadline, so that a timer a command is enough: none of the
        // connection's own. Until there is a node's command, this one limits the opening.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.deadline))
            .set_response_timeout(None);
        let client = Client::open(info)?;
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        let introduction = self.introduction(&mut connection);
        let (server, replication) =
            tokio::time::timeout(self.deadline, introduction).await.map_err(LinkError::Slow)??;
        if self.primaries_only && field(&replication, "role:") == Some("slave") {
            return Err(LinkError::Replica);
        }
        let run_id = field(&server, "run_id:").ok_or(LinkError::NoRunId)?;
        // A primary that is demoted, filled by its successor, and promoted again has kept its run
        // id but not its replication id.
        let history = field(&replication, "master_replid:").unwrap_or_default();
        let server = ServerId::from_text(&format!("{run_id}{history}"));
        Ok(Link { connection, server, broken: Arc::default() })
    }

    async fn introduction(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> Result<(String, String), LinkError> {
        let mut question = pipe();
        question.cmd("INFO").arg("server").cmd("INFO").arg("replication").ignore_errors();
        let answers: (RedisResult<String>, RedisResult<String>) =
            question.query_async(connection).await?;
        match answers {
            (Ok(server), Ok(replication)) => Ok((server, replication)),
            (Err(error), _) | (_, Err(error)) => Err(match error.kind() {
                ErrorKind::Server(ServerErrorKind::BusyLoading | ServerErrorKind::MasterDown)
                | ErrorKind::Io => LinkError::Connect(error),
                _ => LinkError::InfoRefused(error),
            }),
        }
    }
}

fn field<'i>(info: &'i str, name: &str) -> Option<&'i str> {
    info.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}
