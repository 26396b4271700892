//! A writer that is killed between its commit and its word to Redis, and another process that has
//! the old values in its cache: how long does it serve them?

mod actors;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use guildhall_testkit::server::{PrivatePostgres, PrivateRedis};

pub(crate) use actors::{ActorArgs, reader, writer};

use crate::BoxError;
use crate::clock::{nanos, now_ns};
use crate::gate::Gate;
use crate::history::{Aspect, Read, Subject};
use crate::journal::Journal;
use crate::process::{Listener, Worker};
use crate::truth::Truth;
use crate::wire::Line;

/// What is allowed.
#[derive(Debug, clap::Args)]
pub(crate) struct KilledArgs {
    /// How long after the commits the other process may serve the old values, in milliseconds. A
    /// relay looks every 2.5 s at most, at notes that are a second old.
    #[arg(long, default_value_t = 6_000)]
    bound_ms: u64,
    /// Without notes: the old values then stay, and the run ends with 1.
    #[arg(long)]
    no_notes: bool,
}

/// The writes, each to a member of its own: a statement with the note in it, a transaction, a unit
/// of work, and a plain statement.
const WRITES: [(&str, Aspect); 4] = [
    ("award", Aspect::Account),
    ("update", Aspect::Profile),
    ("unit of work", Aspect::Account),
    ("set_admin", Aspect::Profile),
];

/// How long anything but the bound may take.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(2);

/// Runs it and prints its report. `false` when an old value was served past the bound.
pub(crate) async fn run(args: KilledArgs) -> Result<bool, BoxError> {
    let postgres = PrivatePostgres::start().await;
    let truth = Truth::create(&postgres.url(), WRITES.len()).await?;
    let redis = PrivateRedis::start().await;
    let gate = Gate::before(format!("127.0.0.1:{}", redis.port())).await?;
    let journal = Arc::<Journal>::default();
    let start = async |role: &str, redis: &str| {
        let mut arguments = vec![role.to_owned(), format!("--database={}", postgres.url())];
        arguments.push(format!("--redis={redis}"));
        let members: Vec<String> = truth.members.iter().map(i64::to_string).collect();
        arguments.push(format!("--members={}", members.join(",")));
        arguments.extend(args.no_notes.then(|| "--no-notes".to_owned()));
        let journal = Arc::clone(&journal);
        let listener: Listener<Line> = Arc::new(move |line| journal.note(0, line));
        Worker::start(&arguments, listener).await
    };
    let mut writer = start("writer", &gate.url()).await?;
    let reader = start("reader", &redis.url()).await?;
    let subjects: Vec<Subject> = truth
        .members
        .iter()
        .zip(WRITES)
        .map(|(member, (_, aspect))| Subject { member: *member, aspect })
        .collect();
    let versions = async || -> Result<Vec<i64>, BoxError> {
        let committed = truth.committed().await?;
        let newest = |subject: &Subject| {
            let states = committed.iter().map(|committed| committed.state);
            states.filter(|state| state.subject == *subject).map(|state| state.version).max()
        };
        Ok(subjects.iter().map(|subject| newest(subject).unwrap_or_default()).collect())
    };
    let before = versions().await?;

    gate.close();
    writer.tell("write").await?;
    let mut after = versions().await?;
    let asked = Instant::now();
    while after.iter().zip(&before).any(|(after, before)| after <= before) || !gate.was_knocked_at()
    {
        if asked.elapsed() > PATIENCE {
            return Err(format!("the writer did not commit: {before:?}, {after:?}").into());
        }
        tokio::time::sleep(PAUSE).await;
        after = versions().await?;
    }
    let committed_ns = now_ns();
    writer.kill().await?;
    let bound = Duration::from_millis(args.bound_ms);
    tokio::time::sleep(bound + Duration::from_secs(1)).await;
    reader.end().await?;

    let left = truth.notes().await?;
    let mut told = journal.told();
    if let Some(failure) = told.failure.take() {
        return Err(failure.into());
    }
    let seen = WRITES.iter().zip(&subjects).zip(&after);
    let seen = seen.map(|(((write, _), subject), version)| Seen {
        write,
        old: old_reads(&told.reads, *subject, *version, committed_ns, bound),
    });
    let report = Report { seen: seen.collect(), bound, left };
    print!("{report}");
    Ok(report.is_clean())
}

/// Reads of one subject after its write was committed.
#[derive(Debug, Default, PartialEq, Eq)]
struct OldReads {
    /// From the commit to the beginning of the last read that was old.
    longest: Option<Duration>,
    /// Reads that began past the bound.
    late: usize,
    /// Those of them that were old.
    late_old: usize,
}

fn old_reads(
    reads: &[Read],
    subject: Subject,
    version: i64,
    committed_ns: u64,
    bound: Duration,
) -> OldReads {
    let mut seen = OldReads::default();
    for read in reads.iter().filter(|read| read.state.subject == subject) {
        let Some(age_ns) = read.start_ns.checked_sub(committed_ns) else { continue };
        let (is_old, is_late) = (read.state.version < version, age_ns > nanos(bound));
        if is_old {
            seen.longest = seen.longest.max(Some(Duration::from_nanos(age_ns)));
        }
        seen.late += usize::from(is_late);
        seen.late_old += usize::from(is_late && is_old);
    }
    seen
}

struct Seen {
    write: &'static str,
    old: OldReads,
}

struct Report {
    seen: Vec<Seen>,
    bound: Duration,
    /// Notes that nobody has relayed.
    left: i64,
}

impl Report {
    fn is_clean(&self) -> bool {
        self.left == 0 && self.seen.iter().all(|seen| seen.old.late > 0 && seen.old.late_old == 0)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bound = self.bound.as_millis();
        writeln!(f, "| the killed writer's | old for | reads after {bound} ms | of them old |")?;
        writeln!(f, "|---|---|---|---|")?;
        for Seen { write, old } in &self.seen {
            let longest = old.longest.map_or("-".to_owned(), |it| format!("{} ms", it.as_millis()));
            writeln!(f, "| {write} | {longest} | {} | {} |", old.late, old.late_old)?;
        }
        writeln!(f, "\nNotes left: {}", self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::State;

    const SUBJECT: Subject = Subject { member: 1, aspect: Aspect::Account };

    fn read(start_ns: u64, version: i64) -> Read {
        let state = State { subject: SUBJECT, version, value: 0 };
        Read { process: 0, start_ns, end_ns: start_ns + 1, state }
    }

    #[test]
    fn old_reads_count_from_the_commit() {
        let bound = Duration::from_nanos(50);
        let reads = [read(5, 1), read(20, 1), read(40, 1), read(45, 2), read(61, 2)];
        let seen = old_reads(&reads, SUBJECT, 2, 10, bound);
        let longest = Some(Duration::from_nanos(30));
        assert_eq!(seen, OldReads { longest, late: 1, late_old: 0 });
        let late = old_reads(&[read(61, 1)], SUBJECT, 2, 10, bound);
        assert_eq!((late.late, late.late_old), (1, 1));
        let other = Subject { aspect: Aspect::Profile, ..SUBJECT };
        assert_eq!(old_reads(&reads, other, 2, 10, bound), OldReads::default());
    }
}
