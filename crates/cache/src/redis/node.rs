//! One server: its pool, its breaker, and the one way to ask it something.

use std::sync::Arc;
use std::time::Duration;

use bb8_redis::bb8;
use redis::{Pipeline, RedisError, Value, cmd, pipe};
use tokio::time::{Instant, timeout_at};

use super::answer::breaks;
use super::breaker::{Admission, Breaker, BreakerState, Probe};
use super::link::{Lease, Link, LinkError, Manager};
use super::{Means, unavailable};
use crate::backend::{BackendError, ServerId};

/// What a server said, command by command, errors included.
pub(super) struct Answer {
    pub(super) values: Vec<Value>,
    /// The run that said it.
    pub(super) server: ServerId,
}

pub(super) struct Node {
    pool: bb8::Pool<Manager>,
    breaker: Arc<Breaker>,
    deadline: Duration,
}

impl Node {
    /// So long a connection lives at most, and with it what is known of the server.
    const LINK_LIFE_MAX: Duration = Duration::from_secs(300);

    /// `name` is what traces call it.
    pub(super) fn new(manager: Manager, name: String, means: &Means) -> Arc<Self> {
        let options = &means.options;
        let deadline = options.deadline;
        let pool = bb8::Pool::builder()
            .max_size(options.connections_max.max(1))
            .connection_timeout(deadline)
            .max_lifetime(Some(Self::LINK_LIFE_MAX))
            .retry_connection(false)
            .queue_strategy(bb8::QueueStrategy::Fifo)
            .test_on_check_out(true)
            .build_unchecked(manager);
        let clock = Arc::clone(&means.clock);
        let breaker = Breaker::new(clock, options.failures_max, options.breaker_pause, name);
        Arc::new(Self { pool, breaker: Arc::new(breaker), deadline })
    }

    pub(super) fn breaker_state(&self) -> BreakerState {
        self.breaker.state()
    }

    /// Sends all commands in one round trip. `Err`: no answers. Never repeats anything.
    pub(super) async fn send(
        self: &Arc<Self>,
        commands: &Pipeline,
    ) -> Result<Answer, BackendError> {
        match self.breaker.admit() {
            Admission::Pass => {}
            Admission::Refuse => return Err(unavailable("the breaker is open")),
            Admission::RefuseAndProbe(probe) => {
                // In a task of its own: no caller waits for a server that is likely still dead.
                tokio::spawn(Arc::clone(self).probe(probe));
                return Err(unavailable("the breaker is open"));
            }
        }
        let answer = self.attempt(commands).await;
        match &answer {
            Ok(_) => self.breaker.succeeded(),
            Err(_) => self.breaker.failed(),
        }
        answer
    }

    async fn probe(self: Arc<Self>, probe: Probe) {
        let mut question = pipe();
        question.add_command(cmd("INFO").arg("server").take());
        if self.attempt(&question).await.is_ok() {
            probe.answered();
        }
    }

    async fn attempt(&self, commands: &Pipeline) -> Result<Answer, BackendError> {
        let end = Instant::now() + self.deadline;
        let mut link = self.link().await?;
        let count = commands.len();
        let answers = link.connection.send_packed_commands(commands, 0, count);
        match timeout_at(end, answers).await {
            Ok(Ok(values)) if values.len() == count => {
                if values.iter().any(is_fatal) {
                    link.discard();
                }
                Ok(Answer { values, server: link.server })
            }
            Ok(Ok(_)) => {
                link.discard();
                Err(BackendError::Protocol("another number of answers".to_owned()))
            }
            Ok(Err(error)) => {
                if breaks(&error) {
                    link.discard();
                }
                Err(unavailable(error))
            }
            // The connection may be dead, so the next call gets another one.
            Err(_) => {
                link.discard();
                Err(BackendError::Timeout { after_ms: self.deadline_ms() })
            }
        }
    }

    async fn link(&self) -> Result<Link, BackendError> {
        match self.pool.get().await {
            Ok(mut lease) => match &mut *lease {
                Lease::Link(link) => Ok(link.clone()),
                Lease::Failed(error) => Err(unavailable(error.take().unwrap_or(LinkError::Broken))),
            },
            Err(bb8::RunError::User(error)) => Err(unavailable(error)),
            Err(bb8::RunError::TimedOut) => Err(unavailable("no connection in time")),
        }
    }

    fn deadline_ms(&self) -> u64 {
        u64::try_from(self.deadline.as_millis()).unwrap_or(u64::MAX)
    }
}

fn is_fatal(value: &Value) -> bool {
    match value {
        Value::ServerError(error) => breaks(&RedisError::from(error.clone())),
        _ => false,
    }
}
