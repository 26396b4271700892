//! The run: inspect, validate, write in batches, verify, report.

mod catalogue;
mod facts;
mod rows;
mod tally;
mod undo;
mod verify;
mod write;

use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use guildhall_domain::{Clock, CommunityZone, Level};
use guildhall_repository::{Storage, StorageError};

use crate::catalogue::Catalogue;
use crate::detect::SourceFile;
use crate::error::ImportError;
use crate::reader;
use crate::record::{BatchLimits, ReadOptions, Survey};
use crate::report::{ImportReport, Inspection, NotRead, Phase, Progress, TableReport};

/// How an import is made.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// Members written together, 1 to 1000.
    pub batch_members: usize,
    /// Ledger entries written together; one member with more is a batch by itself.
    pub batch_entries: usize,
    /// The zone of times without an offset.
    pub zone: CommunityZone,
    /// Whether to stop before anything is written.
    pub dry_run: bool,
    /// Who runs it: this process, unless said. Two owners are kept apart; runs of one owner take
    /// each other over.
    pub owner: String,
    /// For how long a batch keeps other owners out. It must outlast the slowest batch.
    pub lease: Duration,
    /// For how long to wait for another owner's lease, such as that of a killed run.
    pub wait: Duration,
    /// The name under which the source is remembered, instead of its kind (`sqlite-bot`,
    /// `json-store`, `narrative-json`, `achievement-script`). A second bot of the same kind needs
    /// one. 1 to 200 characters.
    pub source_name: Option<String>,
}

impl Default for ImportOptions {
    /// 500 members or 5000 entries a batch, UTC, a lease of 10 seconds, and a wait that outlasts
    /// it.
    fn default() -> Self {
        Self {
            batch_members: 500,
            batch_entries: 5000,
            zone: CommunityZone::utc(),
            dry_run: false,
            owner: this_process().to_owned(),
            lease: Duration::from_secs(10),
            wait: Duration::from_secs(12),
            source_name: None,
        }
    }
}

/// A name for this process that no other has: in containers, many are process 1.
fn this_process() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let random = RandomState::new().hash_one(std::process::id());
        format!("process {} {random:016x}", std::process::id())
    })
}

/// Imports files of other systems into a storage.
///
/// An import may be dropped, killed or fail at any point; the next run of the same source goes on,
/// and the end is the same as without the interruption. A run of a finished import changes nothing
/// but adds the members who came since.
#[derive(Clone)]
pub struct Importer {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    options: ImportOptions,
}

impl Importer {
    /// An importer into `storage`.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>, options: ImportOptions) -> Self {
        Self { storage, clock, options }
    }

    /// What the file holds. Nothing is written.
    pub async fn inspect(&self, path: &Path) -> Result<Inspection, ImportError> {
        let (file, survey) = self.find(path).await?;
        let survey = reader::count(&file, survey, self.read_options()).outcome().await?;
        let rows = |table: TableReport| NotRead { table: table.table, rows: table.read };
        Ok(Inspection {
            kind: file.kind,
            source: self.source_name(&file)?,
            tables: survey.findings.tables.into_iter().map(rows).collect(),
            not_read: survey.findings.not_read,
            columns_not_read: survey.findings.columns_not_read,
        })
    }

    /// Imports the file. `progress` is called from time to time, in order.
    pub async fn run(
        &self,
        path: &Path,
        progress: impl Fn(Progress) + Send + Sync,
    ) -> Result<ImportReport, ImportError> {
        let began = Instant::now();
        progress(Progress { phase: Phase::Inspect, done: 0, total: None });
        let (file, survey) = self.find(path).await?;
        let source = self.source_name(&file)?;

        let mut validating = reader::validate(&file, survey, self.read_options());
        while let Some(done) = validating.messages.recv().await {
            progress(Progress { phase: Phase::Validate, done, total: None });
        }
        let mut survey = validating.outcome().await?;
        let total = Some(survey.members);
        progress(Progress { phase: Phase::Validate, done: survey.members, total });

        let levels = std::mem::take(&mut survey.levels);
        let catalogue = std::mem::take(&mut survey.catalogue);
        let earlier = self.storage.imports().find(&source).await?;
        let mut report = ImportReport::of_survey(file.kind, source, levels.len(), survey);
        report.earlier_run = earlier.as_ref().map(|run| run.phase.into());
        if self.options.dry_run {
            report.dry_run = true;
            report.matches = report.tables.iter().all(|table| table.skipped_total == 0);
        } else {
            let defined = Defined { levels, catalogue };
            self.import(&file, &defined, earlier, &mut report, &progress).await?;
        }
        report.duration = began.elapsed();
        tracing::info!(
            import.source = report.source,
            import.members = report.totals.members_source,
            import.matches = report.matches,
            duration_ms = report.duration.as_millis() as u64,
            "import ended"
        );
        Ok(report)
    }

    async fn find(&self, path: &Path) -> Result<(SourceFile, Survey), ImportError> {
        let path = path.to_owned();
        let shown = path.clone();
        // Opening a file can block for long on a network mount.
        let found = tokio::task::spawn_blocking(move || SourceFile::find(&path)).await;
        let file = found.unwrap_or(Err(ImportError::Internal { path: shown }))?;
        reader::find(file).outcome().await
    }

    fn source_name(&self, file: &SourceFile) -> Result<String, ImportError> {
        let name = self.options.source_name.clone().unwrap_or_else(|| file.default_name());
        match name.chars().count() {
            1..=200 => Ok(name),
            chars => Err(ImportError::SourceName { chars }),
        }
    }

    const fn zone(&self) -> &CommunityZone {
        &self.options.zone
    }

    fn read_options(&self) -> ReadOptions {
        let ImportOptions { zone, dry_run, .. } = &self.options;
        ReadOptions { zone: zone.clone(), now: self.clock.now(), dry_run: *dry_run }
    }

    fn limits(&self) -> BatchLimits {
        BatchLimits {
            members: self.options.batch_members.clamp(1, 1000),
            entries: self.options.batch_entries.max(1),
        }
    }
}

/// What a source defines for everybody.
struct Defined {
    levels: Vec<Level>,
    catalogue: Catalogue,
}

/// Before an import is held, a refusal of its state means that somebody else holds one.
fn busy(error: StorageError) -> ImportError {
    match error {
        StorageError::InvalidState { state, .. } => ImportError::Busy { state },
        error => error.into(),
    }
}
