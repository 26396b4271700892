//! Rounds: the sides of a comparison take turns.

use std::future::Future;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hdrhistogram::Histogram;

/// How many rounds each side gets, and how long each lasts.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) rounds: usize,
    pub(crate) length: Duration,
}

impl Pace {
    pub(crate) fn describe(&self, quick: bool) -> String {
        let Self { rounds, length } = self;
        let quick = if quick { " A quick run: its figures mean little." } else { "" };
        format!(
            "Each side has up to {rounds} rounds of {} ms in turn with the others, after one to warm \
             up. A figure is the median of the rounds' medians, or of their rates. A ratio is \
             measured / baseline, the median of the rounds' own ratios, with the quartiles in \
             brackets.{quick}",
            length.as_millis()
        )
    }

    /// The same with other rounds.
    pub(crate) fn lasting(self, rounds: usize, length: Duration) -> Self {
        Self { rounds: self.rounds.min(rounds), length: self.length.min(length) }
    }
}

/// One task that does the same thing again and again.
pub(crate) trait Worker: Send + 'static {
    /// Operations that a call stands for.
    const OPERATIONS: u64 = 1;

    fn call(&mut self) -> impl Future<Output = ()> + Send;
}

/// What one side did in one round.
struct Round {
    latencies: Histogram<u64>,
    operations: u64,
    elapsed: Duration,
}

/// All rounds of one side.
pub(crate) struct Series {
    rounds: Vec<Round>,
    per_call: u64,
}

impl Series {
    /// The median of each round in nanoseconds an operation.
    pub(crate) fn medians_ns(&self) -> Vec<f64> {
        let median = |round: &Round| round.latencies.value_at_quantile(0.5) as f64;
        self.rounds.iter().map(|round| median(round) / self.per_call as f64).collect()
    }

    /// The rate of each round in operations a second.
    pub(crate) fn rates(&self) -> Vec<f64> {
        let rate = |round: &Round| round.operations as f64 / round.elapsed.as_secs_f64();
        self.rounds.iter().map(rate).collect()
    }

    /// The 99th percentile over all rounds in nanoseconds a call.
    pub(crate) fn p99_ns(&self) -> f64 {
        let mut all = histogram();
        self.rounds.iter().for_each(|round| all.add(&round.latencies).unwrap());
        all.value_at_quantile(0.99) as f64
    }
}

/// The median of a few figures.
pub(crate) fn median(figures: &[f64]) -> f64 {
    quartile(figures, 2)
}

/// The first, second or third quartile.
pub(crate) fn quartile(figures: &[f64], which: usize) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted[(sorted.len() - 1) * which / 4]
}

/// One side of a comparison.
pub(crate) struct Side(Box<dyn Crew>);

impl Side {
    /// So many tasks as there are workers.
    pub(crate) fn new<W: Worker>(workers: impl IntoIterator<Item = W>) -> Self {
        Self(Box::new(Tasks { workers: workers.into_iter().collect() }))
    }

    /// A single task.
    pub(crate) fn one<W: Worker>(worker: W) -> Self {
        Self::new([worker])
    }
}

trait Crew {
    fn round(&mut self, length: Duration) -> BoxFuture<'_, Round>;
    fn per_call(&self) -> u64;
}

struct Tasks<W> {
    workers: Vec<W>,
}

impl<W: Worker> Crew for Tasks<W> {
    fn round(&mut self, length: Duration) -> BoxFuture<'_, Round> {
        async move {
            let began = Instant::now();
            let tasks: Vec<_> =
                self.workers.drain(..).map(|worker| tokio::spawn(work(worker, length))).collect();
            let mut latencies = histogram();
            for task in tasks {
                let (worker, own) = task.await.unwrap();
                latencies.add(own).unwrap();
                self.workers.push(worker);
            }
            let operations = latencies.len() * W::OPERATIONS;
            Round { latencies, operations, elapsed: began.elapsed() }
        }
        .boxed()
    }

    fn per_call(&self) -> u64 {
        W::OPERATIONS
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new(3).unwrap()
}

async fn work<W: Worker>(mut worker: W, length: Duration) -> (W, Histogram<u64>) {
    let mut latencies = histogram();
    let began = Instant::now();
    let mut before = began;
    loop {
        worker.call().await;
        let after = Instant::now();
        latencies.record(u64::try_from((after - before).as_nanos()).unwrap()).unwrap();
        if after - began >= length {
            return (worker, latencies);
        }
        before = after;
    }
}

/// Lets the sides take turns: first one round each that does not count, then the rounds.
pub(crate) async fn take_turns<const N: usize>(pace: Pace, mut sides: [Side; N]) -> [Series; N] {
    let mut series =
        std::array::from_fn(|at| Series { rounds: Vec::new(), per_call: sides[at].0.per_call() });
    for Side(crew) in &mut sides {
        crew.round(pace.length).await;
    }
    for _ in 0..pace.rounds {
        for (Side(crew), series) in sides.iter_mut().zip(&mut series) {
            series.rounds.push(crew.round(pace.length).await);
        }
    }
    series
}

/// Lets three single tasks take turns call by call. For what waits for another process most of the
/// time: whether the processors fall asleep between two calls then weighs on all alike, and it can
/// be several times what is measured.
pub(crate) async fn alternate<A: Worker, B: Worker, C: Worker>(
    pace: Pace,
    (mut a, mut b, mut c): (A, B, C),
) -> [Series; 3] {
    let mut series = [A::OPERATIONS, B::OPERATIONS, C::OPERATIONS]
        .map(|per_call| Series { rounds: Vec::new(), per_call });
    let alternation = async move {
        for number in 0..=pace.rounds {
            let mut latencies = [(); 3].map(|()| histogram());
            let began = Instant::now();
            while began.elapsed() < pace.length * 3 {
                timed(&mut a, &mut latencies[0]).await;
                timed(&mut b, &mut latencies[1]).await;
                timed(&mut c, &mut latencies[2]).await;
            }
            let elapsed = began.elapsed() / 3;
            for (series, latencies) in series.iter_mut().zip(latencies).filter(|_| number > 0) {
                let operations = latencies.len() * series.per_call;
                series.rounds.push(Round { latencies, operations, elapsed });
            }
        }
        series
    };
    // On a worker of the runtime, as every other task.
    tokio::spawn(alternation).await.unwrap()
}

async fn timed<W: Worker>(worker: &mut W, latencies: &mut Histogram<u64>) {
    let began = Instant::now();
    worker.call().await;
    latencies.record(u64::try_from(began.elapsed().as_nanos()).unwrap()).unwrap();
}
