#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod achievement;
mod achievement_report;
mod activity;
mod badge;
mod batch;
mod cursor;
mod error;
mod import;
mod interest;
mod invalidation;
mod language;
mod ledger;
mod lend;
mod level;
mod lore;
mod mission;
mod mission_progress;
mod mission_report;
#[cfg(feature = "mock")]
mod mock;
mod narrative;
mod once;
mod outbox;
mod page;
mod point;
mod preferences;
mod profile;
mod ranking;
mod retry;
mod reward;
mod storage;
mod store;
mod story;
mod unit;
mod user;
mod user_achievement;

pub use achievement::{ACHIEVEMENTS_MAX, AchievementFilter, AchievementRepository, SeedReport};
pub use achievement_report::AchievementReportRepository;
pub use activity::ActivityRepository;
pub use badge::{BadgeFilter, BadgeRepository};
pub use batch::{BATCH_MAX, Change};
pub use cursor::{Cursor, CursorColumn, CursorColumns, Keyset};
pub use error::{BoxError, ErrorKind, StorageError};
pub use import::{
    ImportId, ImportPhase, ImportRepository, ImportRun, ImportedRows, MemberImport, MemberWarning,
    NewImport,
};
pub use interest::InterestRepository;
pub use invalidation::{InvalidationNote, InvalidationRepository};
pub use language::LanguageRepository;
pub use ledger::{EntryFilter, LedgerRepository, RebuiltAccount};
pub use level::LevelRepository;
pub use lore::{LoreFilter, LoreRepository, NewUserLore};
pub use mission::{MissionFilter, MissionRepository};
pub use mission_progress::{MissionProgressRepository, MissionStep};
pub use mission_report::MissionReportRepository;
#[cfg(feature = "mock")]
pub use mock::{MockStorage, MockUnitOfWork};
pub use narrative::{FragmentChange, FragmentFilter, FragmentImport, NarrativeRepository};
pub use once::{Claim, OnceRepository, OnceRequest};
pub use outbox::{
    LeaseToken, OutboxBatch, OutboxEvent, OutboxEventId, OutboxRepository, OutboxStatus,
};
pub use page::{ListLimit, OffsetRequest, Page, PageRequest, Ranked};
pub use point::{BulkMode, BulkOutcome, PointRepository};
pub use preferences::PreferenceRepository;
pub use profile::ProfileRepository;
pub use ranking::RankingRepository;
pub use retry::{AsStorageError, RetryPolicy, retry_contention};
pub use reward::RewardRepository;
pub use storage::{Repositories, Storage, StorageHealth, UnitOfWork};
pub use store::{StoreFilter, StoreRepository};
pub use story::{Journey, NewDecision, StoryRepository};
pub use unit::{LentUnit, conclude, in_act, in_unit};
pub use user::{SearchField, UserFilter, UserOrder, UserRepository};
pub use user_achievement::{Earned, HeldFilter, UserAchievementRepository};

#[cfg(feature = "mock")]
pub use {
    achievement::MockAchievementRepository, achievement_report::MockAchievementReportRepository,
    activity::MockActivityRepository, badge::MockBadgeRepository, import::MockImportRepository,
    interest::MockInterestRepository, invalidation::MockInvalidationRepository,
    language::MockLanguageRepository, ledger::MockLedgerRepository, level::MockLevelRepository,
    lore::MockLoreRepository, mission::MockMissionRepository,
    mission_progress::MockMissionProgressRepository, mission_report::MockMissionReportRepository,
    narrative::MockNarrativeRepository, once::MockOnceRepository, outbox::MockOutboxRepository,
    point::MockPointRepository, preferences::MockPreferenceRepository,
    profile::MockProfileRepository, ranking::MockRankingRepository, reward::MockRewardRepository,
    store::MockStoreRepository, story::MockStoryRepository, user::MockUserRepository,
    user_achievement::MockUserAchievementRepository,
};
