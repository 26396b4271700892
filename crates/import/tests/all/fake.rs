//! A storage in memory: what the contract of imports says, and failures on cue.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use guildhall_domain::{Clock, ImportedMember, LedgerReport, Level, Points, Timestamp, UserId};
use guildhall_import::{ImportError, ImportOptions, ImportReport, Importer};
use guildhall_repository::{
    ImportId, ImportPhase, ImportRepository, ImportRun, ImportedRows, InvalidationNote,
    MemberImport, MemberWarning, MockUnitOfWork, NewImport, Repositories, Storage, StorageError,
    StorageHealth, UnitOfWork,
};

use crate::community::{self, Community};

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
    /// Units committed, and which of them fails.
    pub(crate) units: u64,
    pub(crate) fail_unit: Option<u64>,
}

/// The member who is deleted as soon as they are written.
const DELETED: i64 = 13;

#[derive(Clone)]
pub(crate) struct FakeStorage {
    mocks: Arc<MockUnitOfWork>,
    pub(crate) community: Arc<Mutex<Community>>,
    /// In a unit: what there was before it.
    before: Option<Community>,
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
        mocks.points.expect_lock().returning(|users| {
            assert!(users.is_sorted() && !users.is_empty());
            match users.iter().find(|user| user.0 == DELETED) {
                Some(user) => Err(StorageError::NotFound { entity: "user", key: user.to_string() }),
                None => Ok(()),
            }
        });
        let community = Arc::default();
        community::lend(&mut mocks, &community);
        let mocks = Arc::new(mocks);
        Arc::new(Self { mocks, community, before: None, state: Arc::default() })
    }

    pub(crate) fn members(&self) -> Vec<Stored> {
        self.state.lock().unwrap().members.values().cloned().collect()
    }

    pub(crate) fn community(&self) -> Community {
        self.community.lock().unwrap().clone()
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

/// Lends the mocks; imports alone are kept here.
macro_rules! lend_mocks {
    ($($field:ident: $repository:ident),+ $(,)?) => {
        impl Repositories for FakeStorage {
            $(fn $field(&self) -> &dyn guildhall_repository::$repository {
                &self.mocks.$field
            })+
            fn imports(&self) -> &dyn ImportRepository {
                self
            }
        }
    };
}

lend_mocks! {
    users: UserRepository,
    activity: ActivityRepository,
    points: PointRepository,
    ledger: LedgerRepository,
    rankings: RankingRepository,
    levels: LevelRepository,
    preferences: PreferenceRepository,
    languages: LanguageRepository,
    interests: InterestRepository,
    profiles: ProfileRepository,
    store: StoreRepository,
    missions: MissionRepository,
    mission_progress: MissionProgressRepository,
    mission_reports: MissionReportRepository,
    narrative: NarrativeRepository,
    story: StoryRepository,
    lore: LoreRepository,
    achievements: AchievementRepository,
    user_achievements: UserAchievementRepository,
    achievement_reports: AchievementReportRepository,
    badges: BadgeRepository,
    once: OnceRepository,
    rewards: RewardRepository,
    outbox: OutboxRepository,
    invalidations: InvalidationRepository,
}

#[async_trait]
impl Storage for FakeStorage {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StorageError> {
        let before = self.community.lock().unwrap().clone();
        Ok(Box::new(Self { before: Some(before), ..self.clone() }))
    }
    fn noting(&self, _: &InvalidationNote) -> Box<dyn Repositories> {
        unreachable!("no cache stands in front")
    }
    async fn health(&self, _: Timestamp) -> Result<StorageHealth, StorageError> {
        unreachable!("nobody asks")
    }
}

/// A unit: everything is written at once, and a roll-back puts back what there was.
#[async_trait]
impl UnitOfWork for FakeStorage {
    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        let mut state = self.state.lock().unwrap();
        state.units += 1;
        if state.fail_unit != Some(state.units) {
            return Ok(());
        }
        *self.community.lock().unwrap() = self.before.clone().unwrap();
        Err(StorageError::Unavailable { resource: "the fake", source: None })
    }
    async fn rollback(self: Box<Self>) -> Result<(), StorageError> {
        *self.community.lock().unwrap() = self.before.clone().unwrap();
        Ok(())
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
        if members.is_empty() {
            state.checkpoint = Some(checkpoint.to_owned());
            state.leased_until = Some(leased_until);
            return Ok(Vec::new());
        }
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
