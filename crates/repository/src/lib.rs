#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod activity;
mod error;
mod import;
mod invalidation;
mod ledger;
mod level;
#[cfg(feature = "mock")]
mod mock;
mod page;
mod point;
mod ranking;
mod retry;
mod storage;
mod user;

pub use activity::ActivityRepository;
pub use error::{BoxError, ErrorKind, StorageError};
pub use import::{
    ImportId, ImportPhase, ImportRepository, ImportRun, ImportedRows, MemberImport, MemberWarning,
    NewImport,
};
pub use invalidation::{InvalidationNote, InvalidationRepository};
pub use ledger::{EntryFilter, LedgerRepository, RebuiltAccount};
pub use level::LevelRepository;
#[cfg(feature = "mock")]
pub use mock::{MockStorage, MockUnitOfWork};
pub use page::{Cursor, ListLimit, OffsetRequest, Page, PageRequest, Ranked};
pub use point::{BulkMode, BulkOutcome, PointRepository};
pub use ranking::RankingRepository;
pub use retry::{AsStorageError, RetryPolicy, retry_contention};
pub use storage::{Repositories, Storage, StorageHealth, UnitOfWork, conclude};
pub use user::{SearchField, UserFilter, UserOrder, UserRepository};

#[cfg(feature = "mock")]
pub use {
    activity::MockActivityRepository, import::MockImportRepository,
    invalidation::MockInvalidationRepository, ledger::MockLedgerRepository,
    level::MockLevelRepository, point::MockPointRepository, ranking::MockRankingRepository,
    user::MockUserRepository,
};
