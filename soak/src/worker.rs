//! A worker: an application like any other, which tells what it reads and writes.

pub(crate) mod call;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use fastrand::Rng;
use guildhall_adapter::domain::{DisplayName, UserId, Username};
use guildhall_adapter::repository::{ErrorKind, StorageError};
use guildhall_adapter::{Config, ConfigBuilder, Guildhall};
use guildhall_testkit::poll::Cut;
use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::sync::watch;

use crate::BoxError;
use crate::clock::now_ns;
use crate::history::{Outcome, State, Subject};
use crate::wire::{Counts, Line, tell};

/// How a worker is started.
#[derive(Debug, clap::Args)]
pub(crate) struct WorkerArgs {
    /// The database.
    #[arg(long)]
    pub(crate) database: String,
    /// The Redis server of the cache.
    #[arg(long)]
    pub(crate) redis: String,
    /// How it is used: the setting `cache.backend`.
    #[arg(long)]
    pub(crate) cache: String,
    /// Its number: no two workers of a run share one.
    #[arg(long)]
    pub(crate) process: u32,
    /// Decides what it does.
    #[arg(long)]
    pub(crate) seed: u64,
    /// The members, by id.
    #[arg(long, value_delimiter = ',')]
    pub(crate) members: Vec<i64>,
    /// How many tasks work at once.
    #[arg(long)]
    pub(crate) tasks: u32,
}

/// What it is to do. It ends when its standard input does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Work,
    /// Reads only.
    Settle,
    End,
}

/// The line on standard input that ends the writing.
pub(crate) const SETTLE: &str = "settle";

/// The configuration of an application, the timeouts aside: they decide how long a write that was
/// given up counts as under way, and with the defaults that would be a minute in which its tags
/// are not cached.
pub(crate) fn config(database: &str, redis: Option<(&str, &str)>) -> Result<Config, BoxError> {
    Ok(builder(database, redis).build()?)
}

/// The same, for settings of one's own.
pub(crate) fn builder(database: &str, redis: Option<(&str, &str)>) -> ConfigBuilder {
    let config = Config::builder()
        .database(database)
        .set("pool.max", "8")
        .set("pool.acquire_timeout", "5s")
        .set("store.statement_timeout", "5s")
        .set("retry.attempts", "1");
    match redis {
        // Copies in memory live for less than a default run, so that their end is seen too.
        Some((url, kind)) => {
            config.redis(url).set("cache.backend", kind).set("cache.local_ttl", "5s")
        }
        None => config.set("cache.backend", "disabled"),
    }
}

/// Works until told to end.
pub(crate) async fn run(args: WorkerArgs) -> Result<(), BoxError> {
    let guildhall =
        Guildhall::connect(config(&args.database, Some((&args.redis, &args.cache)))?).await?;
    let members = args.members.iter().copied().map(UserId).collect();
    let worker = Arc::new(Worker {
        guildhall,
        process: args.process,
        members,
        ops: AtomicU32::new(0),
        cut_reads: AtomicU64::new(0),
        cut_writes: AtomicU64::new(0),
    });
    tell(&Line::Ready);
    let (told, phase) = watch::channel(Phase::Work);
    let mut tasks: Vec<_> = (0..args.tasks)
        .map(|task| {
            let (worker, phase) = (Arc::clone(&worker), phase.clone());
            let rng = Rng::with_seed(args.seed.wrapping_add(u64::from(task)));
            tokio::spawn(async move { worker.work(rng, phase).await })
        })
        .collect();
    let counting = Arc::clone(&worker);
    tasks.push(tokio::spawn(async move { counting.count(phase).await }));
    let mut lines = BufReader::new(stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        if line == SETTLE {
            told.send_replace(Phase::Settle);
        }
    }
    told.send_replace(Phase::End);
    for task in tasks {
        task.await?;
    }
    tell(&Line::Counts(worker.counts()));
    Ok(())
}

struct Worker {
    guildhall: Guildhall,
    process: u32,
    members: Vec<UserId>,
    ops: AtomicU32,
    cut_reads: AtomicU64,
    cut_writes: AtomicU64,
}

impl Worker {
    /// Of so many writes one is dropped midway. Its tags are then not cached for some seconds, so
    /// more of them would leave little of the cache to test.
    const WRITES_A_CUT: u32 = 300;
    /// Of so many reads one is.
    const READS_A_CUT: u32 = 12;
    /// Of so many reads one has a twin past the cache.
    const READS_A_TWIN: u32 = 20;

    async fn work(&self, mut rng: Rng, phase: watch::Receiver<Phase>) {
        loop {
            let now = *phase.borrow();
            match now {
                Phase::Work if rng.u32(..100) < 30 => self.write(&mut rng).await,
                Phase::Work | Phase::Settle => self.read(&mut rng).await,
                Phase::End => return,
            }
            // Leaves the processors to the servers and to the other processes now and then.
            if rng.u32(..4) == 0 {
                tokio::time::sleep(Duration::from_millis(rng.u64(..12))).await;
            }
        }
    }

    async fn count(&self, mut phase: watch::Receiver<Phase>) {
        const EVERY: Duration = Duration::from_millis(500);
        while tokio::time::timeout(EVERY, phase.wait_for(|now| *now == Phase::End)).await.is_err() {
            tell(&Line::Counts(self.counts()));
        }
    }

    fn counts(&self) -> Counts {
        let cache = self.guildhall.cache_stats().total;
        Counts {
            cut_reads: self.cut_reads.load(Ordering::Relaxed),
            cut_writes: self.cut_writes.load(Ordering::Relaxed),
            cache_reads: cache.reads(),
            cache_hits: cache.hits,
            cache_loads: cache.loads,
            cache_errors: cache.errors,
        }
    }

    async fn read(&self, rng: &mut Rng) {
        if rng.u32(..Self::READS_A_TWIN) == 0 {
            return self.twin(rng).await;
        }
        let cut = (rng.u32(..Self::READS_A_CUT) == 0).then(|| Cut::Poll(rng.u32(1..12)));
        let start_ns = now_ns();
        let call = call::read(&self.guildhall, &self.members, rng);
        let outcome = match cut {
            Some(cut) => cut.apply(call).await,
            None => Some(call.await),
        };
        let end_ns = now_ns();
        match outcome {
            Some(Ok(states)) => tell(&Line::Read { start_ns, end_ns, states }),
            Some(Err(error)) => failed("read", &error),
            None => {
                self.cut_reads.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// The same account through the cache and past it, so that the difference is the cache's.
    async fn twin(&self, rng: &mut Rng) {
        let member = call::one(&self.members, rng);
        let start_ns = now_ns();
        let timed = async |call: call::AccountCall<'_>| (call.await, now_ns());
        let cached = timed(self.guildhall.points().account(member));
        let uncached = timed(self.guildhall.uncached().points().account(member));
        let ((cached, end_ns), (uncached, uncached_end_ns)) = tokio::join!(cached, uncached);
        match (cached, uncached) {
            (Ok(account), Ok(_)) => {
                let (cached_ns, uncached_ns) = (end_ns - start_ns, uncached_end_ns - start_ns);
                tell(&Line::Twin { start_ns, cached_ns, uncached_ns });
                let states = vec![call::account_state(member, account.as_ref())];
                tell(&Line::Read { start_ns, end_ns, states });
            }
            (Err(error), _) | (_, Err(error)) => failed("read", &error),
        }
    }

    async fn write(&self, rng: &mut Rng) {
        let op =
            i64::from(self.process) << 32 | i64::from(self.ops.fetch_add(1, Ordering::Relaxed) + 1);
        let plan = call::Plan::draw(op, &self.members, rng);
        let cut = (rng.u32(..Self::WRITES_A_CUT) == 0).then(|| match rng.bool() {
            true => Cut::Poll(rng.u32(1..16)),
            false => Cut::Turns(1 << rng.u32(..12)),
        });
        tell(&Line::Began { op, at_ns: now_ns() });
        let call = plan.run(&self.guildhall);
        let outcome = match cut {
            Some(cut) => cut.apply(call).await,
            None => Some(call.await),
        };
        let at_ns = now_ns();
        let outcome = match outcome {
            Some(Ok(Some(versions))) => Outcome::Acknowledged(versions),
            Some(Ok(None)) => Outcome::Refused,
            Some(Err(error)) => {
                if !is_expected(&error) {
                    failed(plan.name(), &error);
                }
                if error.nothing_was_written() { Outcome::Refused } else { Outcome::Unknown }
            }
            None => {
                self.cut_writes.fetch_add(1, Ordering::Relaxed);
                Outcome::Unknown
            }
        };
        tell(&Line::Ended { op, at_ns, outcome });
    }
}

/// What a careful caller is told when others were quicker or points are gone.
fn is_expected(error: &StorageError) -> bool {
    let kind = error.kind();
    matches!(kind, ErrorKind::Conflict | ErrorKind::InsufficientBalance | ErrorKind::Contention)
}

fn failed(call: &str, error: &StorageError) {
    let (call, error) = (call.to_owned(), format!("{error:?}"));
    tell(&Line::Failed { call, error });
}

/// The username of member number `index`.
pub(crate) fn username(index: usize) -> Result<Username, StorageError> {
    Ok(Username::parse(&format!("soaked_{index}"))?)
}

/// The name that write `op` gives to a member.
fn name_of(op: i64) -> Result<DisplayName, StorageError> {
    Ok(DisplayName::parse(&format!("w{op}"))?)
}

/// The write that gave a member its name; 0 before the first.
pub(crate) fn op_of(name: Option<&str>) -> i64 {
    name.and_then(|name| name.strip_prefix('w')?.parse().ok()).unwrap_or(0)
}

/// The version that a read of somebody who does not exist counts as. Nobody ever committed it.
pub(crate) const ABSENT: i64 = -1;

fn absent(subject: Subject) -> State {
    State { subject, version: ABSENT, value: ABSENT }
}
