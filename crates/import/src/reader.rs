//! The reading thread: files are read where blocking is allowed, members arrive in batches.

use std::ops::ControlFlow;

use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinHandle;

use crate::catalogue::Catalogue;
use crate::detect::{SourceFile, SourceKind};
use crate::error::ImportError;
use crate::findings::Findings;
use crate::record::{Batch, BatchLimits, ReadOptions, Record, Survey};
use crate::{authored, json_store, sqlite_bot};

/// Members between two signs of life of a pass without batches.
const TICK_MEMBERS: u64 = 1000;

/// Batches on their way: the next is read while one is written.
const IN_FLIGHT: usize = 2;

/// A reading thread: what it sends, and what it ends with. When the receiver is dropped it stops
/// at the next member.
pub(crate) struct Reading<M, T> {
    pub(crate) messages: Receiver<M>,
    outcome: JoinHandle<Result<T, ImportError>>,
    file: SourceFile,
}

impl<M, T> Reading<M, T> {
    fn start(
        file: &SourceFile,
        body: impl FnOnce(&SourceFile, Sender<M>) -> Result<T, ImportError> + Send + 'static,
    ) -> Self
    where
        M: Send + 'static,
        T: Send + 'static,
    {
        let (sender, messages) = mpsc::channel(IN_FLIGHT);
        let its_file = file.clone();
        let outcome = tokio::task::spawn_blocking(move || body(&its_file, sender));
        Self { messages, outcome, file: file.clone() }
    }

    /// What it ends with. Call it when the messages have run dry.
    pub(crate) async fn outcome(self) -> Result<T, ImportError> {
        drop(self.messages);
        let path = self.file.path;
        self.outcome.await.unwrap_or(Err(ImportError::Internal { path }))
    }
}

/// Finds the file and what is in it, members aside.
pub(crate) fn find(file: SourceFile) -> Reading<(), (SourceFile, Survey)> {
    Reading::start(&file, |file, _| {
        let survey = match file.kind {
            SourceKind::SqliteBot => sqlite_bot::inspect(file)?,
            _ => Survey::default(),
        };
        Ok((file.clone(), survey))
    })
}

/// Counts the rows of the tables that are imported, without judging them.
pub(crate) fn count(
    file: &SourceFile,
    mut survey: Survey,
    options: ReadOptions,
) -> Reading<(), Survey> {
    Reading::start(file, move |file, sender| {
        match file.kind {
            SourceKind::SqliteBot => sqlite_bot::count(file, &mut survey)?,
            SourceKind::JsonStore => {
                let findings = &mut survey.findings;
                json_store::read(file, &options, None, findings, &mut |_| go_on(&sender))?;
            }
            SourceKind::NarrativeJson | SourceKind::AchievementScript => {
                authored::catalogue(file, options.now, &mut survey.findings)?;
            }
        }
        Ok(survey)
    })
}

/// Reads everything without handing anything over: what is wrong with the file shows here, before
/// the first write.
pub(crate) fn validate(
    file: &SourceFile,
    mut survey: Survey,
    options: ReadOptions,
) -> Reading<u64, Survey> {
    Reading::start(file, move |file, sender| {
        let mut findings = std::mem::take(&mut survey.findings);
        survey.catalogue = match file.kind {
            SourceKind::SqliteBot => sqlite_bot::catalogue(file, &options, &mut findings)?,
            SourceKind::JsonStore => Catalogue::default(),
            SourceKind::NarrativeJson | SourceKind::AchievementScript => {
                authored::catalogue(file, options.now, &mut findings)?
            }
        };
        read(file, &options, None, &mut findings, &mut |record| {
            if survey.count(&record.member) && options.dry_run {
                let message = "is not the sum of the ledger; an `import` entry is to be added";
                let key = &record.member.source_key;
                survey.findings.warn("users", key, Some("points"), message);
            }
            if survey.members.is_multiple_of(TICK_MEMBERS) {
                // A listener who is behind misses a tick, and nothing else.
                if let Err(mpsc::error::TrySendError::Closed(_)) = sender.try_send(survey.members) {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        })?;
        file.check_unchanged()?;
        findings.append_warnings(std::mem::take(&mut survey.findings));
        survey.findings = findings;
        Ok(survey)
    })
}

/// Reads the members past `after`, in batches.
pub(crate) fn batches(
    file: &SourceFile,
    options: ReadOptions,
    after: Option<i64>,
    limits: BatchLimits,
) -> Reading<Batch, ()> {
    Reading::start(file, move |file, sender| {
        let mut batch = Batch::default();
        // Everything worth noting was noted when the file was validated.
        let mut noted = Findings::default();
        read(file, &options, after, &mut noted, &mut |record| match batch.push(record, limits) {
            Some(full) => match sender.blocking_send(full) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            },
            None => go_on(&sender),
        })?;
        file.check_unchanged()?;
        if !batch.records.is_empty() && sender.blocking_send(batch).is_err() {
            tracing::debug!("nobody waits for the last batch");
        }
        Ok(())
    })
}

fn read(
    file: &SourceFile,
    options: &ReadOptions,
    after: Option<i64>,
    findings: &mut Findings,
    each: &mut dyn FnMut(Record) -> ControlFlow<()>,
) -> Result<(), ImportError> {
    match file.kind {
        SourceKind::SqliteBot => sqlite_bot::read(file, options, after, findings, each),
        SourceKind::JsonStore => json_store::read(file, options, after, findings, each),
        SourceKind::NarrativeJson | SourceKind::AchievementScript => Ok(()), // Without members.
    }
}

fn go_on<M>(sender: &Sender<M>) -> ControlFlow<()> {
    if sender.is_closed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}
