//! The load: many tasks read and write as a community does, each measuring what it does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use guildhall_adapter::Guildhall;
use guildhall_adapter::domain::{
    Amount, Award as AwardRequest, LeaderboardMetric, Source, Transfer as TransferRequest, UserId,
};
use guildhall_adapter::repository::{ErrorKind, OffsetRequest, Repositories, StorageError};
use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use super::generate::{Community, Zipf};
use crate::args::DemoArgs;
use crate::error::CliError;
use crate::progress::Progress;

/// The slowest that is told apart, in nanoseconds.
const NANOS_MAX: u64 = 60_000_000_000;

/// What a task does, and how often among a thousand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    Member,
    Balance,
    Leaderboard,
    Overview,
    Message,
    Award,
    Transfer,
    CheckIn,
    MemberUncached,
    BalanceUncached,
    LeaderboardUncached,
}

use Doing::*;

impl Doing {
    pub(crate) const ALL: [Self; 11] = [
        Member,
        Balance,
        Leaderboard,
        Overview,
        MemberUncached,
        BalanceUncached,
        LeaderboardUncached,
        Message,
        Award,
        Transfer,
        CheckIn,
    ];

    /// 90 % reads and 10 % writes. Of the reads one in ninety goes straight to the database, to be
    /// compared with.
    const MIX: [(Self, u32); 11] = [
        (Member, 420),
        (Balance, 350),
        (Leaderboard, 90),
        (Overview, 30),
        (MemberUncached, 5),
        (BalanceUncached, 4),
        (LeaderboardUncached, 1),
        (Message, 60),
        (Award, 20),
        (Transfer, 15),
        (CheckIn, 5),
    ];

    fn pick(rng: &mut Rng) -> Self {
        let mut point = rng.u32(..1_000);
        for (doing, share) in Self::MIX {
            match point.checked_sub(share) {
                Some(rest) => point = rest,
                None => return doing,
            }
        }
        Member
    }

    pub(crate) const fn is_write(self) -> bool {
        matches!(self, Message | Award | Transfer | CheckIn)
    }

    pub(crate) const fn is_uncached(self) -> bool {
        matches!(self, MemberUncached | BalanceUncached | LeaderboardUncached)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Member | MemberUncached => "member by id",
            Balance | BalanceUncached => "balance",
            Leaderboard | LeaderboardUncached => "leaderboard",
            Overview => "overview",
            Message => "message",
            Award => "award",
            Transfer => "transfer",
            CheckIn => "check-in",
        }
    }
}

/// What the tasks measured.
pub(crate) struct Load {
    pub(crate) took: Duration,
    pub(crate) tasks: u32,
    pub(crate) refused: u64,
    pub(crate) failed: u64,
    pub(crate) failure: Option<StorageError>,
    latencies: Vec<Histogram<u64>>,
}

impl Load {
    fn new() -> Result<Self, CliError> {
        let histogram = || Histogram::new_with_bounds(1, NANOS_MAX, 3);
        let latencies: Result<Vec<_>, _> = Doing::ALL.iter().map(|_| histogram()).collect();
        let latencies = latencies
            .map_err(|error| CliError::failed("internal", format!("no histogram: {error}")))?;
        let (took, tasks, failure) = (Duration::ZERO, 0, None);
        Ok(Self { took, tasks, refused: 0, failed: 0, failure, latencies })
    }

    pub(crate) fn of(&self, doing: Doing) -> &Histogram<u64> {
        &self.latencies[doing as usize]
    }

    /// Operations of the kinds that fit.
    pub(crate) fn count(&self, fits: impl Fn(Doing) -> bool) -> u64 {
        Doing::ALL.iter().filter(|doing| fits(**doing)).map(|doing| self.of(*doing).len()).sum()
    }

    fn note(&mut self, doing: Doing, took: Duration, outcome: Result<(), StorageError>) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(NANOS_MAX);
        self.latencies[doing as usize].saturating_record(nanos.clamp(1, NANOS_MAX));
        let Err(error) = outcome else { return };
        match error.kind() {
            // What rules refuse, and giving way to other writers, belongs to life.
            ErrorKind::InsufficientBalance | ErrorKind::LimitExceeded | ErrorKind::Contention => {
                self.refused += 1;
            }
            _ => {
                self.failed += 1;
                self.failure.get_or_insert(error);
            }
        }
    }

    fn add(&mut self, other: &Self) -> Result<(), CliError> {
        for (mine, theirs) in self.latencies.iter_mut().zip(&other.latencies) {
            mine.add(theirs)
                .map_err(|error| CliError::failed("internal", format!("no sum: {error}")))?;
        }
        self.refused += other.refused;
        self.failed += other.failed;
        if self.failure.is_none() {
            self.failure.clone_from(&other.failure);
        }
        Ok(())
    }
}

pub(crate) async fn run(
    guildhall: &Guildhall,
    community: &Community,
    args: &DemoArgs,
) -> Result<Load, CliError> {
    let members: Arc<[UserId]> = community.members.clone().into();
    let (began, limit) = (Instant::now(), Duration::from_secs(args.seconds.into()));
    let mut tasks = JoinSet::new();
    for task in 0..args.tasks {
        let worker = Worker {
            guildhall: guildhall.clone(),
            members: Arc::clone(&members),
            zipf: community.zipf.clone(),
            rng: Rng::with_seed(args.seed.wrapping_add(1 + u64::from(task))),
        };
        tasks.spawn(worker.work(began, limit));
    }
    let mut load = Load::new()?;
    let mut progress = Progress::new("reading and writing", Some(args.seconds.into()));
    let mut ticks = tokio::time::interval(Duration::from_millis(200));
    loop {
        tokio::select! {
            ended = tasks.join_next() => match ended {
                None => break,
                Some(Ok(measured)) => load.add(&measured?)?,
                Some(Err(error)) => {
                    let message = format!("a task broke off: {error}");
                    return Err(CliError::failed("internal", message));
                }
            },
            _ = ticks.tick() => progress.at(began.elapsed().as_secs()),
        }
    }
    (load.took, load.tasks) = (began.elapsed(), args.tasks);
    Ok(load)
}

struct Worker {
    guildhall: Guildhall,
    members: Arc<[UserId]>,
    zipf: Zipf,
    rng: Rng,
}

impl Worker {
    async fn work(mut self, began: Instant, limit: Duration) -> Result<Load, CliError> {
        let mut load = Load::new()?;
        let source = Source::parse("quiz")?;
        while began.elapsed() < limit {
            let doing = Doing::pick(&mut self.rng);
            let (member, other) = (self.member(), self.member());
            let amount = Amount::whole(self.rng.i64(1..=5))?;
            let start = Instant::now();
            let outcome = self.once(doing, (member, other), amount, &source).await;
            load.note(doing, start.elapsed(), outcome);
        }
        Ok(load)
    }

    fn member(&mut self) -> UserId {
        self.members[self.zipf.pick(&mut self.rng)]
    }

    async fn once(
        &self,
        doing: Doing,
        (member, other): (UserId, UserId),
        amount: Amount,
        source: &Source,
    ) -> Result<(), StorageError> {
        let crediting = self.guildhall.crediting();
        match doing {
            Message => crediting.record_message(member).await.map(drop),
            Award => {
                let award = AwardRequest::new(member, amount, source.clone());
                crediting.award(&award).await.map(drop)
            }
            // One does not send to oneself.
            Transfer if member == other => Ok(()),
            Transfer => {
                let transfer = TransferRequest::new(member, other, amount)?;
                crediting.transfer(&transfer).await.map(drop)
            }
            CheckIn => crediting.check_in(member).await.map(drop),
            _ if doing.is_uncached() => {
                self.read(&**self.guildhall.uncached(), doing, member).await
            }
            _ => self.read(&**self.guildhall.storage(), doing, member).await,
        }
    }

    async fn read(
        &self,
        storage: &(impl Repositories + ?Sized),
        doing: Doing,
        member: UserId,
    ) -> Result<(), StorageError> {
        let now = self.guildhall.clock().now();
        match doing {
            Balance | BalanceUncached => storage.points().balance(member).await.map(drop),
            Leaderboard | LeaderboardUncached => {
                let (metric, rows) = (LeaderboardMetric::Balance, OffsetRequest::default());
                storage.rankings().leaderboard(metric, rows, now).await.map(drop)
            }
            Overview => storage.users().overview(member, now).await.map(drop),
            _ => storage.users().by_id(member).await.map(drop),
        }
    }
}
