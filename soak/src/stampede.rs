//! Several processes with many readers each, all after one cold key at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::ValueEnum;
use guildhall_cache::{Cache, Key, RedisBackend, RedisOptions, Tag};
use guildhall_testkit::server::PrivateRedis;
use redis::aio::MultiplexedConnection;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::sync::Notify;

use crate::BoxError;
use crate::clock::now_ns;
use crate::process::{Listener, Worker};
use crate::wire::tell;

/// What becomes of the first load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mishap {
    /// Nothing: it is to be the only one.
    None,
    /// Its caller is dropped: a waiter is to take over.
    Cancelled,
    /// It fails: those who waited for it get the error, a waiter of another process takes over.
    Failed,
}

/// How many, and what goes wrong.
#[derive(Debug, clap::Args)]
pub(crate) struct StampedeArgs {
    /// Processes.
    #[arg(long, default_value_t = 4)]
    processes: u32,
    /// Readers in each process.
    #[arg(long, default_value_t = 1_000)]
    readers: u32,
    /// How long a load takes, in milliseconds.
    #[arg(long, default_value_t = 200)]
    load_ms: u64,
    /// What becomes of the first load; each in turn unless given.
    #[arg(long)]
    mishap: Option<Mishap>,
}

/// How a process of the stampede is started.
#[derive(Debug, clap::Args)]
pub(crate) struct HerdArgs {
    #[arg(long)]
    redis: String,
    #[arg(long)]
    readers: u32,
    #[arg(long)]
    load_ms: u64,
    #[arg(long)]
    mishap: Mishap,
}

/// A line of a process of the stampede.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum HerdLine {
    Ready,
    /// A load began; they are numbered over all processes, from 1.
    Began {
        load: u64,
        at_ns: u64,
    },
    /// It failed or was given up.
    Ended {
        load: u64,
        at_ns: u64,
    },
    /// What the readers of a process got: so many the value of load `load`.
    Got {
        load: u64,
        readers: u32,
    },
    /// So many an error.
    Errors {
        readers: u32,
    },
}

const LOADS: &str = "stampede:loads";

/// Reads the key with all readers at once, when told to.
pub(crate) async fn herd(args: HerdArgs) -> Result<(), BoxError> {
    // Generous: the machine is busy with thousands of readers, and nothing here is about deadlines.
    let options = RedisOptions { deadline: Duration::from_secs(5), ..RedisOptions::default() };
    let backend = Arc::new(RedisBackend::new(&args.redis, options)?);
    let cache = Cache::builder().shared(backend).shared_deadline(Duration::from_secs(10));
    let cache = cache.load_wait(Duration::from_secs(30)).build();
    cache.ping().await?;
    let client = redis::Client::open(args.redis.as_str())?;
    let connection = client.get_multiplexed_async_connection().await?;
    tell(&HerdLine::Ready);
    let mut lines = BufReader::new(stdin()).lines();
    let Some(start) = lines.next_line().await? else { return Ok(()) };
    let start_ns: u64 = start.parse()?;
    let wait = Duration::from_nanos(start_ns.saturating_sub(now_ns()));
    let load = Load { connection, time: Duration::from_millis(args.load_ms), mishap: args.mishap };
    let readers: Vec<_> = (0..args.readers)
        .map(|_| {
            let (cache, load) = (cache.clone(), load.clone());
            tokio::spawn(async move {
                tokio::time::sleep(wait).await;
                load.read(&cache).await
            })
        })
        .collect();
    let (mut values, mut errors) = (std::collections::BTreeMap::<u64, u32>::new(), 0);
    for reader in readers {
        match reader.await? {
            Some(Ok(load)) => *values.entry(load).or_default() += 1,
            Some(Err(LoadFailed)) => errors += 1,
            None => {}
        }
    }
    values.into_iter().for_each(|(load, readers)| tell(&HerdLine::Got { load, readers }));
    tell(&HerdLine::Errors { readers: errors });
    Ok(())
}

#[derive(Clone, Debug, thiserror::Error)]
#[error("the load failed, as it was to")]
struct LoadFailed;

#[derive(Clone)]
struct Load {
    connection: MultiplexedConnection,
    time: Duration,
    mishap: Mishap,
}

impl Load {
    /// The number of the load that gave the value; `None` for the caller who is dropped.
    async fn read(&self, cache: &Cache) -> Option<Result<u64, LoadFailed>> {
        let (key, tag) = (Key::new("stampede").id(1), Tag::new("stampede").id(1));
        let entry = cache.entry::<u64>(key, [tag], Duration::from_secs(60));
        let dropped = Notify::new();
        tokio::select! {
            answer = entry.get_or_load(|| self.run(&dropped)) => Some(answer),
            () = dropped.notified() => None,
        }
    }

    async fn run(&self, dropped: &Notify) -> Result<u64, LoadFailed> {
        let mut connection = self.connection.clone();
        let count = redis::cmd("INCR").arg(LOADS).query_async::<u64>(&mut connection).await;
        let Ok(load) = count else { return Err(LoadFailed) };
        tell(&HerdLine::Began { load, at_ns: now_ns() });
        if load > 1 || self.mishap == Mishap::None {
            tokio::time::sleep(self.time).await;
            return Ok(load);
        }
        tokio::time::sleep(self.time / 4).await;
        tell(&HerdLine::Ended { load, at_ns: now_ns() });
        if self.mishap == Mishap::Failed {
            return Err(LoadFailed);
        }
        dropped.notify_one();
        std::future::pending().await
    }
}

/// Runs it and prints its report. `false` when there was a load too many, or too few.
pub(crate) async fn run(args: StampedeArgs) -> Result<bool, BoxError> {
    let mishaps = match args.mishap {
        Some(mishap) => vec![mishap],
        None => vec![Mishap::None, Mishap::Cancelled, Mishap::Failed],
    };
    println!("| first load | loads | readers served | errors | taken over after |");
    println!("|---|---|---|---|---|");
    let mut as_promised = true;
    for mishap in mishaps {
        let seen = stampede(&args, mishap).await?;
        println!("{}", seen.row(mishap));
        if let Err(complaint) = seen.judge(&args, mishap) {
            println!("\n{complaint}\n");
            as_promised = false;
        }
    }
    Ok(as_promised)
}

async fn stampede(args: &StampedeArgs, mishap: Mishap) -> Result<Seen, BoxError> {
    let redis = PrivateRedis::start().await;
    let seen = Arc::new(Mutex::new(Seen::default()));
    let name = mishap.to_possible_value().ok_or("a mishap without a name")?;
    let arguments = [
        "herd".to_owned(),
        format!("--redis={}", redis.url()),
        format!("--readers={}", args.readers),
        format!("--load-ms={}", args.load_ms),
        format!("--mishap={}", name.get_name()),
    ];
    let mut herds = Vec::new();
    for _ in 0..args.processes {
        let seen = Arc::clone(&seen);
        let note = move |line| seen.lock().unwrap_or_else(PoisonError::into_inner).note(line);
        let listener: Listener<HerdLine> = Arc::new(note);
        herds.push(Worker::start(&arguments, listener).await?);
    }
    let start_ns = now_ns() + 500_000_000; // Time enough to tell everybody.
    for herd in &mut herds {
        herd.tell(&start_ns.to_string()).await?;
    }
    for herd in herds {
        herd.end().await?;
    }
    let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(seen)
}

/// What happened in all processes.
#[derive(Debug, Default)]
struct Seen {
    /// Loads by number, and when they began.
    began: std::collections::BTreeMap<u64, u64>,
    first_ended_ns: Option<u64>,
    /// Readers by the load whose value they got.
    got: std::collections::BTreeMap<u64, u32>,
    errors: u32,
}

impl Seen {
    fn note(&mut self, line: HerdLine) {
        match line {
            HerdLine::Ready => {}
            HerdLine::Began { load, at_ns } => drop(self.began.insert(load, at_ns)),
            HerdLine::Ended { at_ns, .. } => self.first_ended_ns = Some(at_ns),
            HerdLine::Got { load, readers } => *self.got.entry(load).or_default() += readers,
            HerdLine::Errors { readers } => self.errors += readers,
        }
    }

    /// From the end of the first load to the beginning of the second; negative when that did not
    /// wait for it.
    fn takeover_ms(&self) -> Option<f64> {
        let (ended, took_over) = (self.first_ended_ns?, *self.began.get(&2)?);
        Some((took_over as f64 - ended as f64) / 1e6)
    }

    fn row(&self, mishap: Mishap) -> String {
        let (loads, served, errors) =
            (self.began.len(), self.got.values().sum::<u32>(), self.errors);
        let takeover = self.takeover_ms().map(|ms| format!("{ms:.1} ms")).unwrap_or_default();
        let mishap = format!("{mishap:?}").to_lowercase();
        format!("| {mishap} | {loads} | {served} | {errors} | {takeover} |")
    }

    /// Counts and order alone: how long it took is for the reader of the report.
    fn judge(&self, args: &StampedeArgs, mishap: Mishap) -> Result<(), String> {
        let all = args.processes * args.readers;
        let (loads, served_max, errors_max) = match mishap {
            Mishap::None => (1, all, 0),
            Mishap::Cancelled => (2, all - 1, 0),
            Mishap::Failed => (2, all, args.readers),
        };
        let last = u64::try_from(self.began.len()).unwrap_or(u64::MAX);
        if last != loads {
            return Err(format!("{last} loads where {loads} would do"));
        }
        if self.takeover_ms().is_some_and(|ms| ms < 0.0) {
            return Err("the second load did not wait for the end of the first".to_owned());
        }
        let served = self.got.get(&loads).copied().unwrap_or(0);
        if self.errors > errors_max || served + self.errors != served_max {
            let errors = self.errors;
            return Err(format!(
                "of {served_max} readers {served} got the value of the last load, {errors} an error"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> StampedeArgs {
        StampedeArgs { processes: 2, readers: 10, load_ms: 1, mishap: None }
    }

    fn seen(began: &[(u64, u64)], ended: Option<u64>, got: &[(u64, u32)], errors: u32) -> Seen {
        let (began, got) = (began.iter().copied().collect(), got.iter().copied().collect());
        Seen { began, first_ended_ns: ended, got, errors }
    }

    #[test]
    fn one_load_serves_all() {
        assert_eq!(seen(&[(1, 0)], None, &[(1, 20)], 0).judge(&args(), Mishap::None), Ok(()));
        let twice = seen(&[(1, 0), (2, 0)], None, &[(1, 10), (2, 10)], 0);
        assert!(twice.judge(&args(), Mishap::None).is_err());
        let hungry = seen(&[(1, 0)], None, &[(1, 19)], 0);
        assert!(hungry.judge(&args(), Mishap::None).is_err());
    }

    #[test]
    fn a_waiter_takes_over_after_the_end_of_the_first_load() {
        let after = seen(&[(1, 0), (2, 9)], Some(5), &[(2, 19)], 0);
        assert_eq!(after.judge(&args(), Mishap::Cancelled), Ok(()));
        let before = seen(&[(1, 0), (2, 4)], Some(5), &[(2, 19)], 0);
        assert!(before.judge(&args(), Mishap::Cancelled).is_err());
        let failed = seen(&[(1, 0), (2, 9)], Some(5), &[(2, 10)], 10);
        assert_eq!(failed.judge(&args(), Mishap::Failed), Ok(()));
        assert!(failed.judge(&args(), Mishap::Cancelled).is_err());
    }
}
