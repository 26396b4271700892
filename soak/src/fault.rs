//! What is done to Redis and to the workers.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use guildhall_testkit::server::PrivateRedis;
use redis::{Cmd, FromRedisValue, cmd};

use crate::BoxError;
use crate::clock::now_ns;
use crate::history::Outage;

/// A fault of the soak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// Everything is deleted.
    Flush,
    /// Commands wait for some hundred milliseconds.
    Pause,
    /// The server stands still: connections stay open, nothing is answered.
    Hang,
    /// The server is killed and comes back empty at once.
    KillEmpty,
    /// The server is killed and comes back with what it held some time ago.
    KillOld,
    /// The server is killed and stays away for seconds.
    Away,
    /// Those who listen to the bus are cut off.
    CutBus,
    /// Every client is cut off.
    CutClients,
    /// Memory is short: entries and tags are evicted, and some writes refused.
    Evict,
    /// A worker is killed, and another one takes its place.
    KillWorker,
}

impl Fault {
    /// All of them.
    pub(crate) const ALL: [Self; 10] = [
        Self::Flush,
        Self::Pause,
        Self::Hang,
        Self::KillEmpty,
        Self::KillOld,
        Self::Away,
        Self::CutBus,
        Self::CutClients,
        Self::Evict,
        Self::KillWorker,
    ];

    /// In a word or two.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Flush => "FLUSHALL",
            Self::Pause => "CLIENT PAUSE",
            Self::Hang => "hang",
            Self::KillEmpty => "kill -9, empty",
            Self::KillOld => "kill -9, old snapshot",
            Self::Away => "away",
            Self::CutBus => "bus cut",
            Self::CutClients => "clients cut",
            Self::Evict => "maxmemory",
            Self::KillWorker => "worker killed",
        }
    }

    /// Whether commands fail meanwhile.
    const fn is_outage(self) -> bool {
        !matches!(self, Self::Flush | Self::CutBus | Self::KillWorker)
    }
}

/// Deals the faults in random order, all of them before any comes again.
#[derive(Debug, Default)]
pub(crate) struct Deck(Vec<Fault>);

impl Deck {
    pub(crate) fn deal(&mut self, rng: &mut Rng) -> Option<Fault> {
        if self.0.is_empty() {
            self.0 = Fault::ALL.to_vec();
            rng.shuffle(&mut self.0);
        }
        self.0.pop()
    }
}

/// The Redis server of a run, and what was done to it.
pub(crate) struct Victim {
    redis: PrivateRedis,
    pub(crate) outages: Vec<Outage>,
    pub(crate) injected: BTreeMap<Fault, u32>,
}

impl Victim {
    pub(crate) async fn start() -> Self {
        let redis = PrivateRedis::start().await;
        Self { redis, outages: Vec::new(), injected: BTreeMap::new() }
    }

    pub(crate) fn url(&self) -> String {
        self.redis.url()
    }

    /// Does it, and waits until it is over.
    pub(crate) async fn suffer(&mut self, fault: Fault, rng: &mut Rng) -> Result<(), BoxError> {
        let start_ns = now_ns();
        match fault {
            Fault::Flush => self.command::<()>(cmd("FLUSHALL").arg("SYNC")).await?,
            Fault::Pause => {
                let (pause_ms, kind) = (rng.u64(50..1_200), ["ALL", "WRITE"][rng.usize(..2)]);
                self.command::<()>(cmd("CLIENT").arg("PAUSE").arg(pause_ms).arg(kind)).await?;
                wait_ms(pause_ms).await;
            }
            Fault::Hang => {
                self.redis.pause();
                wait_ms(rng.u64(100..3_000)).await;
                self.redis.resume();
            }
            Fault::KillEmpty => {
                self.redis.kill();
                self.redis.restart().await;
            }
            Fault::KillOld => {
                self.redis.kill();
                self.redis.restart_from_snapshot().await;
            }
            Fault::Away => {
                self.redis.kill();
                wait_ms(rng.u64(1_000..4_000)).await;
                match rng.bool() {
                    true => self.redis.restart().await,
                    false => self.redis.restart_from_snapshot().await,
                }
            }
            Fault::CutBus => {
                let mut kill = cmd("CLIENT");
                kill.arg("KILL").arg("TYPE").arg("pubsub");
                self.command::<u32>(&mut kill).await?;
            }
            Fault::CutClients => {
                let mut kill = cmd("CLIENT");
                kill.arg("KILL").arg("TYPE").arg("normal").arg("SKIPME").arg("yes");
                self.command::<u32>(&mut kill).await?;
            }
            Fault::Evict => self.starve(rng).await?,
            Fault::KillWorker => {} // The driver's part: only it knows them.
        }
        self.note(fault, start_ns);
        Ok(())
    }

    /// Away for so long, with nothing kept, as when the server's machine is replaced.
    pub(crate) async fn stay_away(&mut self, time: Duration) {
        let start_ns = now_ns();
        self.redis.kill();
        tokio::time::sleep(time).await;
        self.redis.restart().await;
        self.note(Fault::Away, start_ns);
    }

    /// What [`Fault::KillOld`] will come back with.
    pub(crate) async fn remember(&self) {
        self.redis.take_snapshot().await;
    }

    fn note(&mut self, fault: Fault, start_ns: u64) {
        *self.injected.entry(fault).or_default() += 1;
        if fault.is_outage() {
            self.outages.push(Outage { fault: fault.text(), start_ns, end_ns: now_ns() });
        }
    }

    /// Less memory than it uses already: it has to evict, and may find that it is not enough.
    async fn starve(&self, rng: &mut Rng) -> Result<(), BoxError> {
        let info: String = self.command(cmd("INFO").arg("memory")).await?;
        let used = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
        let used: u64 =
            used.ok_or("Redis does not tell how much memory it uses")?.trim().parse()?;
        let limit = used.saturating_sub(rng.u64(..60_000));
        let mut config = cmd("CONFIG");
        config.arg("SET").arg("maxmemory").arg(limit).arg("maxmemory-policy").arg("allkeys-lru");
        self.command::<()>(&mut config).await?;
        wait_ms(rng.u64(300..2_500)).await;
        self.command::<()>(cmd("CONFIG").arg("SET").arg("maxmemory").arg(0)).await
    }

    /// On a connection of its own: those that were open before may be dead.
    async fn command<R: FromRedisValue>(&self, command: &mut Cmd) -> Result<R, BoxError> {
        let client = redis::Client::open(self.redis.url())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        Ok(command.query_async(&mut connection).await?)
    }
}

async fn wait_ms(time_ms: u64) {
    tokio::time::sleep(Duration::from_millis(time_ms)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_dealt_before_any_comes_again() {
        let (mut deck, mut rng) = (Deck::default(), Rng::with_seed(1));
        for _ in 0..3 {
            let mut dealt: Vec<_> = Fault::ALL.iter().filter_map(|_| deck.deal(&mut rng)).collect();
            dealt.sort_unstable();
            let mut all = Fault::ALL.to_vec();
            all.sort_unstable();
            assert_eq!(dealt, all);
        }
    }
}
