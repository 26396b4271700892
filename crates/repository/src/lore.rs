//! Where lore is kept, and who has found it.

use std::collections::BTreeSet;

use async_trait::async_trait;
use guildhall_domain::{
    FoundLore, HintCombination, Json, LoreId, LorePiece, NewLorePiece, Outcome, Slug, Source,
    Timestamp, UserId, UserLore,
};

use crate::{ListLimit, Page, PageRequest, StorageError};

/// Which pieces a list holds. The default: all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LoreFilter {
    /// Those of this category.
    pub category: Option<Slug>,
    /// Active ones only, or inactive ones only.
    pub is_active: Option<bool>,
}

/// A piece to be given to a member.
#[derive(Clone, Debug, PartialEq)]
pub struct NewUserLore {
    /// The member.
    pub user: UserId,
    /// The piece.
    pub lore: LoreId,
    /// Where it comes from: `mission`, `fragment`, `hints`.
    pub source: Source,
    /// What the application wants to remember about it.
    pub context: Option<Json>,
}

/// Where lore is kept. Every implementation passes `guildhall_testkit::contract::lore`.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait LoreRepository: Send + Sync {
    /// The piece with this code, active or not.
    async fn piece(&self, code: &Slug) -> Result<Option<LorePiece>, StorageError>;

    /// The pieces that exist, in the order of `ids`, each once. At most 500 ids.
    async fn pieces_by_ids(&self, ids: &[LoreId]) -> Result<Vec<LorePiece>, StorageError>;

    /// The pieces that exist, in the order of `codes`, each once. At most 500 codes.
    async fn pieces_by_codes(&self, codes: &[Slug]) -> Result<Vec<LorePiece>, StorageError>;

    /// Pieces by filter, written first ones first, then ascending ids.
    async fn pieces(
        &self,
        filter: &LoreFilter,
        page: &PageRequest,
    ) -> Result<Page<LorePiece>, StorageError>;

    /// How many pieces [`Self::pieces`] would give over all pages.
    async fn count_pieces(&self, filter: &LoreFilter) -> Result<u64, StorageError>;

    /// Stores a new piece. `AlreadyExists` when its code is taken.
    async fn create_piece(
        &self,
        new: &NewLorePiece,
        now: Timestamp,
    ) -> Result<LorePiece, StorageError>;

    /// Puts `new` in the place of the stored piece of the same code. What changes nothing writes
    /// nothing and gives the stored piece. `NotFound` without the piece, `Conflict` when the version
    /// has moved.
    async fn update_piece(
        &self,
        new: &NewLorePiece,
        expected_version: i64,
        now: Timestamp,
    ) -> Result<LorePiece, StorageError>;

    /// Makes a piece active or inactive. Idempotent. `NotFound` without the piece.
    async fn set_active(
        &self,
        code: &Slug,
        is_active: bool,
        now: Timestamp,
    ) -> Result<LorePiece, StorageError>;

    /// Removes a piece for good; `false` when there was none. `InvalidState` while it is in use: a
    /// member has it, or a requirement, an effect, a combination or a level names it.
    async fn delete_piece(&self, code: &Slug) -> Result<bool, StorageError>;

    /// Stores at most 1000 pieces, all or none, in the order given. `AlreadyExists` names the first
    /// code that is taken, or given twice.
    async fn create_pieces(
        &self,
        new: &[NewLorePiece],
        now: Timestamp,
    ) -> Result<Vec<LorePiece>, StorageError>;

    /// Changes at most 1000 pieces, each given with the version it is expected to have: all or
    /// none, each as [`Self::update_piece`] does, by ascending codes. How many.
    async fn update_pieces(
        &self,
        changes: &[(NewLorePiece, i64)],
        now: Timestamp,
    ) -> Result<u64, StorageError>;

    /// Removes at most 1000 pieces, all or none, each as [`Self::delete_piece`] does, except that
    /// those which go together may require each other. How many there were.
    async fn delete_pieces(&self, codes: &[Slug]) -> Result<u64, StorageError>;

    /// Whether there is such a piece, active or not.
    async fn piece_exists(&self, code: &Slug) -> Result<bool, StorageError>;

    /// Gives a member a piece, once; `replayed` with the first row when they have it already. Of
    /// concurrent calls exactly one gives it and has the event. `NotFound` without the member, and
    /// for a piece that is absent, or inactive and not yet found. Requirements are not checked: that
    /// is for the workflow.
    async fn unlock(
        &self,
        new: &NewUserLore,
        now: Timestamp,
    ) -> Result<Outcome<UserLore>, StorageError>;

    /// Whether the member has found a piece.
    async fn has(&self, user: UserId, lore: LoreId) -> Result<bool, StorageError>;

    /// Which of at most 500 pieces the member has found, in one statement.
    async fn held(&self, user: UserId, lore: &[LoreId]) -> Result<BTreeSet<LoreId>, StorageError>;

    /// What the member has found, last found first, then ascending ids.
    async fn unlocked(
        &self,
        user: UserId,
        page: &PageRequest,
    ) -> Result<Page<FoundLore>, StorageError>;

    /// Stores a new combination. `AlreadyExists` when its code is taken or another one needs the same
    /// pieces, `NotFound` for a piece that does not exist.
    async fn create_combination(&self, new: &HintCombination) -> Result<(), StorageError>;

    /// Removes a combination; `false` when there was none.
    async fn delete_combination(&self, code: &Slug) -> Result<bool, StorageError>;

    /// Combinations in ascending order of codes, from just past `after`.
    async fn combinations(
        &self,
        after: Option<Slug>,
        limit: ListLimit,
    ) -> Result<Vec<HintCombination>, StorageError>;

    /// The combination that needs exactly these pieces.
    async fn combination_of(
        &self,
        lore: &BTreeSet<LoreId>,
    ) -> Result<Option<HintCombination>, StorageError>;
}
