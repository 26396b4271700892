//! Bringing members from other systems.

use async_trait::async_trait;
use guildhall_domain::{ImportedMember, Level, Points, Timestamp, UserId};

use crate::StorageError;

/// Identifies an import. The store assigns it, ascending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImportId(pub i64);

impl std::fmt::Display for ImportId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Where an import stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ImportPhase {
    /// Being written, or broken off and to be resumed.
    Running,
    /// Complete.
    Finished,
    /// Taken back.
    Undone,
}

/// What is to be imported. `source` names the origin, and together with a row's own key makes it
/// recognisable for ever: `sqlite-bot`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewImport {
    /// The origin, 1 to 200 characters.
    pub source: String,
    /// Who runs it; another owner is kept out until the lease is over. 1 to 100 characters.
    pub owner: String,
    /// Until when nobody else may run it. Every batch extends it.
    pub leased_until: Timestamp,
}

/// An import that this caller holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRun {
    /// The id with which every row is tagged.
    pub id: ImportId,
    /// The origin.
    pub source: String,
    /// Where it stands.
    pub phase: ImportPhase,
    /// The last key of each table that a batch has reached, as it was stored.
    pub checkpoint: Option<String>,
    /// When it was first begun.
    pub started_at: Timestamp,
    /// Who held the imports when this was read: after [`ImportRepository::begin`] the caller.
    /// Empty when nobody did.
    pub owner: String,
}

/// What was changed about a member to make it fit, or noticed about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberWarning {
    /// The username belongs to somebody else and was left out.
    UsernameTaken,
    /// The e-mail address belongs to somebody else and was left out.
    EmailTaken,
    /// The telephone number belongs to somebody else and was left out.
    PhoneTaken,
    /// The entries do not sum up to the balance; an `import` entry over the difference was added.
    BalanceDiffers {
        /// What was added, in points.
        difference: Points,
    },
    /// An entry would have made the balance negative; a compensating entry precedes it.
    Overdrawn {
        /// Its key in the source.
        source_key: String,
    },
}

/// What became of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberImport {
    /// Written, or joined to a member that had registered here already.
    Written {
        /// The member here.
        user: UserId,
        /// Whether the member had registered here before.
        merged: bool,
        /// The balance in Guildhall that comes from this import.
        balance: Points,
        /// Ledger entries written.
        entries: u64,
        /// What had to be changed.
        warnings: Vec<MemberWarning>,
    },
    /// Imported by an earlier run; nothing was written.
    Unchanged {
        /// The member here.
        user: UserId,
        /// The balance that the earlier run brought.
        balance: Points,
        /// Entries that the earlier run brought.
        entries: u64,
    },
    /// Not written; why.
    Skipped {
        /// The reason.
        reason: String,
    },
}

/// How many rows carry the tag of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportedRows {
    /// Members it created.
    pub members: u64,
    /// Members it joined to existing ones.
    pub merged: u64,
    /// Ledger entries it wrote.
    pub entries: u64,
    /// The sum of the balances it brought.
    pub balance: Points,
}

/// Bringing members from other systems. Every implementation passes
/// `guildhall_testkit::contract::import`.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait ImportRepository: Send + Sync {
    /// Begins an import of a source, or goes on with the one that was begun, and holds it.
    /// `InvalidState` while another owner holds any import.
    async fn begin(&self, new: &NewImport, now: Timestamp) -> Result<ImportRun, StorageError>;

    /// The import of this source, held by anybody or nobody.
    async fn find(&self, source: &str) -> Result<Option<ImportRun>, StorageError>;

    /// Writes levels that differ from the stored ones, and tags nothing: levels are a catalogue.
    /// Stored levels that are not among them stay, unless the two together would not rise. A
    /// finished import writes none, as they may have been edited here since. How many were written.
    async fn write_levels(
        &self,
        run: &ImportRun,
        levels: &[Level],
        now: Timestamp,
    ) -> Result<u64, StorageError>;

    /// Writes at most 1000 members with their past, in one transaction together with the
    /// checkpoint and the lease until `leased_until`. Members of an earlier run are left alone. One
    /// bad member never stops the others. In the order given. `InvalidState` when somebody else
    /// holds the import.
    async fn write_members(
        &self,
        run: &ImportRun,
        members: &[ImportedMember],
        checkpoint: &str,
        leased_until: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<MemberImport>, StorageError>;

    /// Marks it complete and lets go of it.
    async fn finish(&self, run: &ImportRun, now: Timestamp) -> Result<(), StorageError>;

    /// What carries the tag of this import.
    async fn rows(&self, id: ImportId) -> Result<ImportedRows, StorageError>;

    /// Takes the next at most `limit` (1 to 500) members of an import back: deletes what it
    /// created. Members who were merged or have moved since are kept and listed as refusals.
    /// `(undone, kept, more)`. `NotFound` without the import, `InvalidState` while anybody holds one.
    async fn undo_page(
        &self,
        id: ImportId,
        limit: u32,
        now: Timestamp,
    ) -> Result<(u64, Vec<UserId>, bool), StorageError>;
}
