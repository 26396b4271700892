//! `load`: writes without pause, recording what was acknowledged, and checks it afterwards.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use guildhall_adapter::Guildhall;
use guildhall_adapter::domain::{
    Amount, Award, ExternalId, IdemKey, NewExternal, NewUser, Provider, Rule, Source, UserId,
    Violation,
};
use serde::Serialize;
use tokio::task::JoinSet;

use crate::args::LoadArgs;
use crate::context::{Context, Stop};
use crate::error::{CliError, FAILED};
use crate::output::{grouped, say, say_json};
use crate::progress::Progress;

/// How many missing keys are listed.
const SHOWN: usize = 100;

#[derive(Serialize)]
struct Loaded {
    acknowledged: u64,
    failed: u64,
    seconds: f64,
    per_second: f64,
}

#[derive(Serialize)]
struct Checked {
    acknowledged: u64,
    missing: u64,
    missing_keys: Vec<String>,
}

pub(crate) async fn run(args: &LoadArgs, context: &Context) -> Result<ExitCode, CliError> {
    within("tasks", args.tasks, 1, 1024)?;
    within("seconds", args.seconds, 1, 86_400)?;
    if let Some(path) = &args.check {
        return check(path, context).await;
    }
    let path = args.acks.as_deref().ok_or_else(|| CliError::usage("usage", "--acks is missing"))?;
    let acks = Arc::new(Acks::open(path).map_err(|error| unusable(path, &error))?);
    let guildhall = context.connect_or_create().await?;
    context.stop.handle();
    let run = format!("{:016x}", guildhall.random().next_u64());
    let (began, limit) = (Instant::now(), Duration::from_secs(args.seconds.into()));
    let mut tasks = JoinSet::new();
    for task in 0..args.tasks {
        let (guildhall, acks, stop) = (guildhall.clone(), Arc::clone(&acks), context.stop.clone());
        let user = member(&guildhall, task).await?;
        let key = format!("load:{run}:{task}");
        tasks.spawn(
            async move { write(&guildhall, user, &key, (began, limit), &acks, &stop).await },
        );
    }
    let (mut acknowledged, mut failed) = (0, 0);
    while let Some(ended) = tasks.join_next().await {
        let (done, not) = ended.map_err(|error| {
            CliError::failed("internal", format!("a task broke off: {error}"))
        })??;
        acknowledged += done;
        failed += not;
    }
    let seconds = began.elapsed().as_secs_f64();
    let per_second = acknowledged as f64 / seconds;
    if context.json {
        say_json(&Loaded { acknowledged, failed, seconds, per_second })?;
    } else {
        let (done, path) = (grouped(acknowledged), path.display());
        say(format!(
            "{done} writes were acknowledged in {seconds:.1} s ({per_second:.0} a second), {failed} \
             failed. They are in {path}: check them with `guildhall load --check {path}`."
        ))?;
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

pub(crate) fn within(field: &'static str, value: u32, min: u32, max: u32) -> Result<(), CliError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    let rule = Rule::OutOfRange { min: min.into(), max: max.into() };
    Err(Violation::new(field, rule).into())
}

fn unusable(path: &Path, error: &std::io::Error) -> CliError {
    CliError::failed("file_unreadable", format!("{} cannot be used: {error}", path.display()))
}

/// The member to whom a task awards: the same on every run.
async fn member(guildhall: &Guildhall, task: u32) -> Result<UserId, CliError> {
    let id = ExternalId::parse(&format!("task-{task}"))?;
    let external = NewExternal::new(Provider::other("load")?, id);
    Ok(guildhall.registration().ensure(&external, &NewUser::default()).await?.value.id)
}

/// Awards until the time is over. How many were acknowledged, and how many failed.
async fn write(
    guildhall: &Guildhall,
    user: UserId,
    key: &str,
    (began, limit): (Instant, Duration),
    acks: &Acks,
    stop: &Stop,
) -> Result<(u64, u64), CliError> {
    let (mut done, mut failed) = (0, 0);
    let source = Source::parse("load")?;
    while began.elapsed() < limit && !stop.is_asked() {
        let key = IdemKey::parse(&format!("{key}:{}", done + failed))?;
        let amount = Amount::from_minor(1 + i64::try_from(done % 1000).unwrap_or(0))?;
        let award = Award::new(user, amount, source.clone()).key(key.clone());
        match guildhall.crediting().award(&award).await {
            Ok(outcome) => {
                let line = format!("{key} {} {user}\n", outcome.value.amount);
                acks.append(&line).map_err(|error| {
                    CliError::failed("file_unreadable", format!("cannot record: {error}"))
                })?;
                done += 1;
            }
            Err(error) => {
                tracing::warn!(%error, "a write failed");
                failed += 1;
                // A server that is away answers at once: do not spin.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    Ok((done, failed))
}

/// The record of acknowledged writes. Each line is handed to the operating system whole, so that it
/// survives the end of this program.
struct Acks(Mutex<File>);

impl Acks {
    fn open(path: &Path) -> std::io::Result<Self> {
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        // A program killed while writing may have left half a line.
        if file.seek(SeekFrom::End(0))? > 0 {
            file.seek(SeekFrom::End(-1))?;
            let mut last = [0];
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
            }
        }
        Ok(Self(Mutex::new(file)))
    }

    fn append(&self, line: &str) -> std::io::Result<()> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(line.as_bytes())?;
        file.flush()
    }
}

/// Looks every recorded write up in the ledger.
async fn check(path: &Path, context: &Context) -> Result<ExitCode, CliError> {
    let file = File::open(path).map_err(|error| unusable(path, &error))?;
    let guildhall = context.connect().await?;
    let points = guildhall.uncached().points();
    let mut progress = Progress::new("looking up writes", None);
    let mut checked = Checked { acknowledged: 0, missing: 0, missing_keys: Vec::new() };
    for line in BufReader::new(file).lines() {
        let line = line.map_err(|error| unusable(path, &error))?;
        let fields: Vec<&str> = line.split(' ').collect();
        // Half a line was never an acknowledgement.
        let [key, amount, user] = fields[..] else { continue };
        let found = points.entry_by_key(&IdemKey::parse(key)?).await?;
        let kept = found.is_some_and(|entry| {
            entry.amount.to_string() == amount && entry.user.to_string() == user
        });
        checked.acknowledged += 1;
        if !kept {
            checked.missing += 1;
            if checked.missing_keys.len() < SHOWN {
                checked.missing_keys.push(key.to_owned());
            }
        }
        progress.at(checked.acknowledged);
    }
    drop(progress);
    let lost = checked.missing > 0;
    if context.json {
        say_json(&checked)?;
    } else if lost {
        let (missing, all) = (grouped(checked.missing), grouped(checked.acknowledged));
        let keys = checked.missing_keys.join("\n  ");
        say(format!("{missing} of {all} acknowledged writes are not in the ledger:\n  {keys}"))?;
    } else {
        let all = grouped(checked.acknowledged);
        say(format!("All {all} acknowledged writes are in the ledger."))?;
    }
    Ok(if lost { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}
