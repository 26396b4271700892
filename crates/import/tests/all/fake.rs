//! A storage in memory: what the contract of imports says, and failures on cue.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use guildhall_domain::{Clock, ImportedMember, LedgerReport, Level, Points, Timestamp, UserId};
use guildhall_import::{ImportError, ImportOptions, ImportReport, Importer};
use guildhall_repository::{
    ActivityRepository, ImportId, ImportPhase, ImportRepository, ImportRun, ImportedRows,
    InvalidationNote, InvalidationRepository, LedgerRepository, LevelRepository, MemberImport,
    MemberWarning, MockUnitOfWork, NewImport, PointRepository, RankingRepository, Repositories,
    Storage, StorageError, StorageHealth, UnitOfWork, UserRepository,
};

pub(crate) struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stored {
    pub(crate) user: UserId,
    pub(crate) member: ImportedMember,
    pub(crate) entries: u64,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) source: Option<String>,
    pub(crate) phase: Option<ImportPhase>,
    pub(crate) owner: Option<String>,
    pub(crate) leased_until: Option<Timestamp>,
    pub(crate) checkpoint: Option<String>,
    pub(crate) members: BTreeMap<String, Stored>,
    pub(crate) levels: Vec<Level>,
    pub(crate) batches: Vec<(usize, usize)>,
    pub(crate) writes: u64,
    /// The batch that fails, and whether it is written all the same.
    pub(crate) fail_at: Option<(usize, bool)>,
}

pub(crate) struct FakeStorage {
    mocks: MockUnitOfWork,
    pub(crate) state: Arc<Mutex<State>>,
}

impl FakeStorage {
    pub(crate) fn new() -> Arc<Self> {
        let mut mocks = MockUnitOfWork::default();
        mocks
            .ledger
            .expect_verify()
            .returning(|_| Ok(LedgerReport { members: 1, ..LedgerReport::default() }));
        mocks.ledger.expect_verify_page().returning(|_, _| Ok(LedgerReport::default()));
        Arc::new(Self { mocks, state: Arc::default() })
    }

    pub(crate) fn members(&self) -> Vec<Stored> {
        self.state.lock().unwrap().members.values().cloned().collect()
    }

    pub(crate) fn member(&self, key: &str) -> Stored {
        self.state.lock().unwrap().members[key].clone()
    }
}

pub(crate) fn options() -> ImportOptions {
    ImportOptions { wait: std::time::Duration::ZERO, ..ImportOptions::default() }
}

pub(crate) async fn run(
    storage: &Arc<FakeStorage>,
    path: &Path,
    options: ImportOptions,
) -> Result<ImportReport, ImportError> {
    Importer::new(storage.clone(), Arc::new(FixedClock), options).run(path, |_| {}).await
}

impl Repositories for FakeStorage {
    fn users(&self) -> &dyn UserRepository {
        &self.mocks.users
    }
    fn activity(&self) -> &dyn ActivityRepository {
        &self.mocks.activity
    }
    fn points(&self) -> &dyn PointRepository {
        &self.mocks.points
    }
    fn ledger(&self) -> &dyn LedgerRepository {
        &self.mocks.ledger
    }
    fn rankings(&self) -> &dyn RankingRepository {
        &self.mocks.rankings
    }
    fn levels(&self) -> &dyn LevelRepository {
        &self.mocks.levels
    }
    fn imports(&self) -> &dyn ImportRepository {
        self
    }
    fn invalidations(&self) -> &dyn InvalidationRepository {
        &self.mocks.invalidations
    }
}

#[async_trait]
impl Storage for FakeStorage {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StorageError> {
        unreachable!("imports have transactions of their own")
    }
    fn noting(&self, _: &InvalidationNote) -> Box<dyn Repositories> {
        unreachable!("no cache stands in front")
    }
    async fn health(&self, _: Timestamp) -> Result<StorageHealth, StorageError> {
        unreachable!("nobody asks")
    }
}

fn busy(state: &str) -> StorageError {
    StorageError::InvalidState {
        entity: "import",
        key: "1".into(),
        state: state.into(),
        attempted: "begin",
    }
}

#[async_trait]
impl ImportRepository for FakeStorage {
    async fn begin(&self, new: &NewImport, now: Timestamp) -> Result<ImportRun, StorageError> {
        {
            let mut state = self.state.lock().unwrap();
            let held = state.leased_until.is_some_and(|until| until > now);
            if held && state.owner.as_ref() != Some(&new.owner) {
                return Err(busy("held by another owner"));
            }
            state.writes += 1;
            state.owner = Some(new.owner.clone());
            state.leased_until = Some(new.leased_until);
            state.source = Some(new.source.clone());
            state.phase = Some(ImportPhase::Running);
        }
        Ok(self.find(&new.source).await?.unwrap())
    }

    async fn find(&self, source: &str) -> Result<Option<ImportRun>, StorageError> {
        let state = self.state.lock().unwrap();
        let known = state.source.as_deref() == Some(source);
        Ok(state.phase.filter(|_| known).map(|phase| ImportRun {
            id: ImportId(1),
            source: source.to_owned(),
            phase,
            checkpoint: state.checkpoint.clone(),
            started_at: Timestamp::EPOCH,
            owner: state.owner.clone().unwrap_or_default(),
        }))
    }

    async fn write_levels(
        &self,
        _: &ImportRun,
        levels: &[Level],
        _: Timestamp,
    ) -> Result<u64, StorageError> {
        let mut state = self.state.lock().unwrap();
        let written = levels.iter().filter(|level| !state.levels.contains(level)).count() as u64;
        state.levels = levels.to_vec();
        state.writes += written;
        Ok(written)
    }

    async fn write_members(
        &self,
        _: &ImportRun,
        members: &[ImportedMember],
        checkpoint: &str,
        leased_until: Timestamp,
        _: Timestamp,
    ) -> Result<Vec<MemberImport>, StorageError> {
        let mut state = self.state.lock().unwrap();
        let entries = members.iter().map(|member| member.entries.len()).sum();
        state.batches.push((members.len(), entries));
        let fails = state.fail_at.filter(|(batch, _)| *batch == state.batches.len() - 1);
        let lost = StorageError::Unavailable { resource: "the fake", source: None };
        if matches!(fails, Some((_, false))) {
            return Err(lost);
        }
        assert!(members.len() <= 1000 && checkpoint.len() <= 200);
        let outcomes = members.iter().map(|member| state.import(member)).collect();
        state.checkpoint = Some(checkpoint.to_owned());
        state.leased_until = Some(leased_until);
        if fails.is_some() { Err(lost) } else { Ok(outcomes) }
    }

    async fn finish(&self, _: &ImportRun, _: Timestamp) -> Result<(), StorageError> {
        let mut state = self.state.lock().unwrap();
        state.phase = Some(ImportPhase::Finished);
        state.leased_until = None;
        Ok(())
    }

    async fn rows(&self, _: ImportId) -> Result<ImportedRows, StorageError> {
        let state = self.state.lock().unwrap();
        let sum: i64 = state.members.values().map(|stored| stored.member.balance.minor()).sum();
        Ok(ImportedRows {
            members: state.members.len() as u64,
            merged: 0,
            entries: state.members.values().map(|stored| stored.entries).sum(),
            balance: Points::from_minor(sum).unwrap(),
        })
    }

    async fn undo_page(
        &self,
        _: ImportId,
        limit: u32,
        _: Timestamp,
    ) -> Result<(u64, Vec<UserId>, bool), StorageError> {
        let mut state = self.state.lock().unwrap();
        let keys: Vec<String> = state.members.keys().take(limit as usize).cloned().collect();
        for key in &keys {
            state.members.remove(key);
        }
        let more = !state.members.is_empty();
        if !more {
            state.phase = Some(ImportPhase::Undone);
        }
        Ok((keys.len() as u64, Vec::new(), more))
    }
}

impl State {
    fn import(&mut self, member: &ImportedMember) -> MemberImport {
        member.user.check().unwrap();
        assert!(member.entries.iter().all(|entry| entry.amount != Points::ZERO));
        assert!(member.balance >= Points::ZERO);
        if let Some(stored) = self.members.get(&member.source_key) {
            let (user, entries) = (stored.user, stored.entries);
            return MemberImport::Unchanged { user, balance: stored.member.balance, entries };
        }
        if member.user.username.as_ref().is_some_and(|name| name.as_str() == "unwelcome") {
            return MemberImport::Skipped { reason: "nobody wants them".into() };
        }
        let (mut sum, mut entries, mut warnings) = (0, 0, Vec::new());
        for entry in &member.entries {
            sum += entry.amount.minor();
            entries += 1;
            if sum < 0 {
                (sum, entries) = (0, entries + 1);
                warnings.push(MemberWarning::Overdrawn { source_key: entry.source_key.clone() });
            }
        }
        if sum != member.balance.minor() {
            entries += 1;
            let difference = Points::from_minor(member.balance.minor() - sum).unwrap();
            warnings.push(MemberWarning::BalanceDiffers { difference });
        }
        self.writes += 1;
        let user = UserId(self.members.len() as i64 + 1);
        let stored = Stored { user, member: member.clone(), entries };
        self.members.insert(member.source_key.clone(), stored);
        MemberImport::Written { user, merged: false, balance: member.balance, entries, warnings }
    }
}
