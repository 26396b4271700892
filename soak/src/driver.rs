//! The soak itself: servers, workers, faults, and at the end the checker.

use std::process::id;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use guildhall_testkit::server::PrivatePostgres;

use crate::BoxError;
use crate::check::{Bounds, check};
use crate::delay;
use crate::fault::{Deck, Fault, Victim};
use crate::history::History;
use crate::journal::Journal;
use crate::process::{Listener, Worker};
use crate::report::Report;
use crate::truth::Truth;
use crate::wire::Line;
use crate::worker::SETTLE;

/// How long, how many, and what is allowed.
#[derive(Debug, clap::Args)]
pub(crate) struct SoakArgs {
    /// How long faults are injected, in seconds.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Instead of all faults, one: Redis is stopped for so many seconds of the run.
    #[arg(long, value_name = "SECONDS")]
    outage: Option<u64>,
    /// How the workers use Redis: `tiered` or `redis`.
    #[arg(long, default_value = "tiered", value_parser = ["tiered", "redis"])]
    cache: String,
    /// Worker processes.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(2..=32))]
    processes: u32,
    /// Tasks of each worker.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=256))]
    tasks: u32,
    /// Members who are read and written.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(2..=500))]
    members: u32,
    /// Decides what is done; what it meets still differs from run to run. Random unless given.
    #[arg(long)]
    seed: Option<u64>,
    /// How old a read of another process may be while Redis can be reached, in milliseconds: a read
    /// may join a load for 5 s.
    #[arg(long, default_value_t = 6_000)]
    stale_ms: u64,
    /// The same while Redis cannot be reached, and again from its return.
    #[arg(long, default_value_t = 10_000)]
    stale_unreachable_ms: u64,
    /// The same behind writes whose callers were dropped or killed; measured only unless given.
    #[arg(long)]
    stale_unknown_ms: Option<u64>,
    /// How much longer than the database a read may take while Redis is away and the breaker open;
    /// measured only unless given.
    #[arg(long)]
    delay_ms: Option<u64>,
}

impl SoakArgs {
    fn bounds(&self) -> Bounds {
        Bounds {
            reachable: Duration::from_millis(self.stale_ms),
            unreachable: Duration::from_millis(self.stale_unreachable_ms),
            recovery: Duration::from_secs(3),
            unknown: self.stale_unknown_ms.map(Duration::from_millis),
        }
    }
}

/// Runs it and prints its report. `false` when a promise was broken.
pub(crate) async fn run(args: SoakArgs) -> Result<bool, BoxError> {
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    eprintln!("cache-soak: seed {seed}, driver {}", id());
    let postgres = PrivatePostgres::start().await;
    let truth = Truth::create(&postgres.url(), usize::try_from(args.members)?).await?;
    let victim = Victim::start().await;
    let mut run = Run {
        database: postgres.url(),
        members: truth.members.clone(),
        tasks: args.tasks,
        cache: args.cache.clone(),
        rng: Rng::with_seed(seed),
        journal: Arc::default(),
        victim,
        workers: Vec::new(),
        started: 0,
    };
    let began = Instant::now();
    for _ in 0..args.processes {
        let worker = run.start_worker().await?;
        run.workers.push(worker);
    }
    match args.outage {
        Some(seconds) => run.one_outage(Duration::from_secs(seconds)).await?,
        None => run.all_faults(Duration::from_secs(args.seconds)).await?,
    }
    let (victim, journal) = run.settle(args.bounds()).await?;
    let took = began.elapsed();
    let committed = truth.committed().await?;
    if !truth.adds_up().await? {
        return Err("the ledger does not add up: the database cannot be the judge".into());
    }
    let mut told = journal.told();
    let history = History {
        reads: std::mem::take(&mut told.reads),
        writes: std::mem::take(&mut told.writes),
        committed,
        outages: victim.outages,
    };
    let findings = check(&history, &args.bounds());
    let delay = delay::while_open(&told.twins, &history.outages);
    let report = Report {
        seed,
        took,
        history: &history,
        findings: &findings,
        injected: &victim.injected,
        counts: told.counts(),
        failed: told.failed,
        failure: told.failure.as_deref(),
        delay,
        delay_max: args.delay_ms.map(Duration::from_millis),
        bounds: args.bounds(),
    };
    print!("{report}");
    Ok(report.is_clean())
}

struct Run {
    cache: String,
    database: String,
    members: Vec<i64>,
    tasks: u32,
    rng: Rng,
    journal: Arc<Journal>,
    victim: Victim,
    workers: Vec<(u32, Worker)>,
    started: u32,
}

impl Run {
    /// Each worker has a number of its own: one that takes a dead one's place is another process.
    async fn start_worker(&mut self) -> Result<(u32, Worker), BoxError> {
        self.started += 1;
        let process = self.started;
        let members: Vec<String> = self.members.iter().map(i64::to_string).collect();
        let arguments = [
            ("--database", self.database.clone()),
            ("--redis", self.victim.url()),
            ("--cache", self.cache.clone()),
            ("--process", process.to_string()),
            ("--seed", self.rng.u64(..).to_string()),
            ("--members", members.join(",")),
            ("--tasks", self.tasks.to_string()),
        ];
        let arguments = arguments.into_iter().flat_map(|(name, value)| [name.to_owned(), value]);
        let arguments: Vec<String> =
            std::iter::once("worker".to_owned()).chain(arguments).collect();
        let journal = Arc::clone(&self.journal);
        let listener: Listener<Line> = Arc::new(move |line| journal.note(process, line));
        Ok((process, Worker::start(&arguments, listener).await?))
    }

    async fn all_faults(&mut self, time: Duration) -> Result<(), BoxError> {
        let (began, mut deck) = (Instant::now(), Deck::default());
        self.calm().await;
        self.victim.remember().await;
        while began.elapsed() < time {
            let Some(fault) = deck.deal(&mut self.rng) else { return Ok(()) };
            if fault == Fault::KillWorker {
                let at = self.rng.usize(..self.workers.len());
                let (process, worker) = self.workers.swap_remove(at);
                worker.kill().await?;
                self.journal.gone(process);
                let worker = self.start_worker().await?;
                self.workers.push(worker);
            }
            self.victim.suffer(fault, &mut self.rng).await?;
            self.calm().await;
            if self.rng.bool() {
                self.victim.remember().await;
            }
        }
        Ok(())
    }

    /// Long enough for the cache to fill, short enough for another fault to hit the recovery.
    async fn calm(&mut self) {
        let calm_ms = match self.rng.bool() {
            true => self.rng.u64(..200),
            false => self.rng.u64(500..2_000),
        };
        tokio::time::sleep(Duration::from_millis(calm_ms)).await;
    }

    async fn one_outage(&mut self, time: Duration) -> Result<(), BoxError> {
        const AROUND: Duration = Duration::from_secs(3);
        tokio::time::sleep(AROUND).await;
        self.victim.stay_away(time).await;
        tokio::time::sleep(AROUND).await;
        Ok(())
    }

    /// Ends the writing, and lets the workers read until every bound is over: whatever is still old
    /// then was forgotten.
    async fn settle(mut self, bounds: Bounds) -> Result<(Victim, Arc<Journal>), BoxError> {
        for (_, worker) in &mut self.workers {
            worker.tell(SETTLE).await?;
        }
        let longest =
            bounds.reachable.max(bounds.unreachable).max(bounds.unknown.unwrap_or_default());
        tokio::time::sleep(longest + Duration::from_secs(1)).await;
        for (process, worker) in self.workers {
            worker.end().await?;
            self.journal.gone(process);
        }
        Ok((self.victim, self.journal))
    }
}
