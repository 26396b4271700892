//! Writing: one transaction a batch, each with its checkpoint, under a lease.

use std::sync::Arc;
use std::time::{Duration, Instant};

use guildhall_domain::{Level, Timestamp};
use guildhall_repository::{ImportPhase, ImportRun, NewImport, StorageError};

use super::catalogue::{Held, Known};
use super::rows::Rows;
use super::tally::{Brief, Tally};
use super::{Defined, Importer};
use crate::detect::SourceFile;
use crate::error::ImportError;
use crate::reader;
use crate::report::{ImportReport, Phase, Progress};

/// Between two looks at another owner's lease.
const POLL: Duration = Duration::from_millis(200);

impl Importer {
    /// Writes what was validated, and fills in the report.
    pub(super) async fn import(
        &self,
        file: &SourceFile,
        defined: &Defined,
        earlier: Option<ImportRun>,
        report: &mut ImportReport,
        progress: &(impl Fn(Progress) + Send + Sync),
    ) -> Result<(), ImportError> {
        let imports = self.storage.imports();
        let run = self.hold(&report.source, progress).await?;
        let finished = earlier.as_ref().is_some_and(|run| run.phase == ImportPhase::Finished);
        self.write_levels(&run, &defined.levels, finished, report).await?;

        let broken_off = earlier.filter(|run| run.phase == ImportPhase::Running);
        let mut after = broken_off.and_then(|run| position(run.checkpoint.as_deref()?, file));
        let checkpoint = checkpoint(file, after.unwrap_or(START));
        let mut held = Held { run: &run, checkpoint, finished };
        let mut rows = Rows::default();
        let (known, closing) = self.write_catalogue(&held, &defined.catalogue, &mut rows).await?;
        let known = Arc::new(known);
        let mut tally = self.write(file, &mut held, &known, after, report, progress).await?;
        self.compare(&run, report).await?;
        if after.is_some() && !report.matches {
            // Something before the checkpoint is missing: it was skipped then, or taken back since.
            tracing::info!(import.id = run.id.0, "going through the source from the beginning");
            after = None;
            held.checkpoint = self::checkpoint(file, START);
            tally = self.write(file, &mut held, &known, after, report, progress).await?;
            self.compare(&run, report).await?;
        }
        self.close(&held, closing, &mut rows).await?;
        imports.finish(&run, self.clock.now()).await.map_err(lost)?;

        let audit = self.audit(&tally.users_touched, after.is_some(), report, progress).await?;
        report.matches &= audit.breaks_total == 0;
        report.ledger = Some(audit);
        tally.report(after.is_some(), report);
        rows.report(report);
        Ok(())
    }

    /// Begins the import, once nobody else holds one.
    async fn hold(
        &self,
        source: &str,
        progress: &(impl Fn(Progress) + Send + Sync),
    ) -> Result<ImportRun, ImportError> {
        let began = Instant::now();
        loop {
            let now = self.clock.now();
            let new = NewImport {
                source: source.to_owned(),
                owner: self.options.owner.clone(),
                leased_until: self.leased_until(now),
            };
            match self.storage.imports().begin(&new, now).await {
                Ok(run) => return Ok(run),
                Err(StorageError::InvalidState { state, .. }) => {
                    if began.elapsed() >= self.options.wait {
                        return Err(ImportError::Busy { state });
                    }
                    progress(Progress { phase: Phase::Wait, done: 0, total: None });
                    tokio::time::sleep(POLL.min(self.options.wait)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Levels come first, since they decide what the members reach. A finished import leaves them
    /// alone: they may have been edited here since.
    async fn write_levels(
        &self,
        run: &ImportRun,
        levels: &[Level],
        finished: bool,
        report: &mut ImportReport,
    ) -> Result<(), ImportError> {
        if levels.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let imports = self.storage.imports();
        let written = if finished {
            0
        } else {
            imports.write_levels(run, levels, now).await.map_err(lost)?
        };
        if let Some(table) = report.tables.iter_mut().find(|table| table.table == "levels") {
            table.written = written;
            table.unchanged = (levels.len() as u64).saturating_sub(written);
        }
        Ok(())
    }

    async fn write(
        &self,
        file: &SourceFile,
        held: &mut Held<'_>,
        known: &Arc<Known>,
        after: Option<i64>,
        report: &ImportReport,
        progress: &(impl Fn(Progress) + Send + Sync),
    ) -> Result<Tally, ImportError> {
        let mut tally = Tally::new(report);
        let total = report.totals.members_source;
        let mut reading = reader::batches(file, self.read_options(), after, self.limits());
        let mut done = 0;
        while let Some(batch) = reading.messages.recv().await {
            let Some(last) = batch.records.last() else { continue };
            let reached = checkpoint(file, last.position);
            let has_facts = batch.records.iter().any(|record| !record.facts.is_empty());
            if !has_facts {
                held.checkpoint.clone_from(&reached);
            }
            let briefs: Vec<Brief> = batch.records.iter().map(Brief::of).collect();
            let (members, facts): (Vec<_>, Vec<_>) =
                batch.records.into_iter().map(|record| (record.member, record.facts)).unzip();
            // A batch with facts is passed only once they are written: until then a run that is
            // broken off comes back to it.
            let now = self.clock.now();
            let outcomes = self
                .storage
                .imports()
                .write_members(held.run, &members, &held.checkpoint, self.leased_until(now), now)
                .await
                .map_err(lost)?;
            self.write_facts(held, known, facts, &outcomes, &mut tally.facts).await?;
            held.checkpoint = reached;
            for (brief, outcome) in briefs.iter().zip(outcomes) {
                brief.add_to(&mut tally, outcome);
            }
            done += members.len() as u64;
            progress(Progress { phase: Phase::Write, done, total: Some(total) });
        }
        reading.outcome().await.map_err(|error| changed(error, file))?;
        Ok(tally)
    }

    pub(super) fn leased_until(&self, now: Timestamp) -> Timestamp {
        now.plus(self.options.lease)
    }
}

/// Before the first record: positions are greater.
const START: i64 = 0;

fn checkpoint(file: &SourceFile, position: i64) -> String {
    format!("{}@{position}", file.fingerprint)
}

/// The position in a checkpoint that was written for this very file.
fn position(checkpoint: &str, file: &SourceFile) -> Option<i64> {
    let (fingerprint, position) = checkpoint.rsplit_once('@')?;
    if fingerprint != file.fingerprint {
        return None;
    }
    position.parse().ok().filter(|position| *position > START)
}

/// The file was validated: that it cannot be read now means that it is not what it was.
fn changed(error: ImportError, file: &SourceFile) -> ImportError {
    match error {
        ImportError::Changed { .. } | ImportError::Internal { .. } => error,
        error => {
            tracing::warn!(%error, "the source cannot be read any more");
            ImportError::Changed { path: file.path.clone() }
        }
    }
}

/// While the import is held, a refusal of its state means that it is not held any more.
pub(super) fn lost(error: StorageError) -> ImportError {
    match error {
        StorageError::InvalidState { state, .. } => ImportError::LeaseLost { state },
        error => error.into(),
    }
}
