//! Where the story is kept.

use async_trait::async_trait;
use guildhall_domain::{
    Fragment, FragmentConnections, FragmentKind, NewFragment, Requirement, Slug, StoryCheck,
    StoryNode, Timestamp,
};

use crate::{Page, PageRequest, StorageError};

/// Which fragments a list holds. The default: all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FragmentFilter {
    /// Those of this kind.
    pub kind: Option<FragmentKind>,
    /// Active ones only, or inactive ones only.
    pub is_active: Option<bool>,
    /// Those of this chapter.
    pub chapter_level: Option<u32>,
    /// Those in whose title or content this occurs, without regard to case: 2 to 200 characters,
    /// none of them a wildcard.
    pub text: Option<String>,
}

/// What an import does to a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FragmentChange {
    /// It was not there.
    Inserted,
    /// It was there and differs.
    Updated,
    /// It was there, just so.
    Unchanged,
}

/// What came of an import of fragments.
#[derive(Clone, Debug)]
pub struct FragmentImport {
    /// For each fragment in the order given, what was or would be done, or why it is refused.
    pub items: Vec<Result<FragmentChange, StorageError>>,
    /// Whether all of it was written: neither a dry run nor refused.
    pub written: bool,
}

/// Where fragments are kept. Every implementation passes `guildhall_testkit::contract::narrative`.
///
/// Fragments are never removed: what members have seen stays readable.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait NarrativeRepository: Send + Sync {
    /// The fragment with its choices, requirements and effects, active or not.
    async fn fragment(&self, id: &Slug) -> Result<Option<Fragment>, StorageError>;

    /// The fragments that exist, in the order of `ids`, each once. At most 500 ids.
    async fn fragments_by_ids(&self, ids: &[Slug]) -> Result<Vec<Fragment>, StorageError>;

    /// The active fragment where the story begins.
    async fn start(&self) -> Result<Option<Fragment>, StorageError>;

    /// Fragments by filter, written first ones first, then ascending ids.
    async fn fragments(
        &self,
        filter: &FragmentFilter,
        page: &PageRequest,
    ) -> Result<Page<Fragment>, StorageError>;

    /// How many fragments [`Self::fragments`] would give over all pages.
    async fn count_fragments(&self, filter: &FragmentFilter) -> Result<u64, StorageError>;

    /// Stores a new fragment with all that belongs to it. `AlreadyExists` when the id is taken, or
    /// when the story begins elsewhere already (entity `start of the story`); `NotFound` for a
    /// destination that does not exist; `Validation` for choices with ids.
    async fn create_fragment(
        &self,
        new: &NewFragment,
        now: Timestamp,
    ) -> Result<Fragment, StorageError>;

    /// Puts `new` in the place of the stored fragment of the same id. Choices are replaced as a set:
    /// one that names its id, or has the text and destination of a stored one, keeps the id, so that
    /// decisions stay readable; one that is gone is removed, or stays as an inactive one when
    /// somebody has taken it. What changes nothing writes nothing and gives the stored fragment.
    ///
    /// `NotFound` for the fragment or a destination, `Conflict` when the version has moved,
    /// `AlreadyExists` when the story begins elsewhere already, `Validation` for the id of a choice
    /// of another fragment.
    async fn update_fragment(
        &self,
        new: &NewFragment,
        expected_version: i64,
        now: Timestamp,
    ) -> Result<Fragment, StorageError>;

    /// Makes a fragment inactive; `false` when there was no active one. Unless `force`d,
    /// `InvalidState` when the story begins here, or an active fragment leads here by itself or by
    /// an active choice.
    async fn delete_fragment(
        &self,
        id: &Slug,
        force: bool,
        now: Timestamp,
    ) -> Result<bool, StorageError>;

    /// Stores at most 1000 new fragments, all or none, in the order given, each as
    /// [`Self::create_fragment`] does, except that they may lead to each other. `AlreadyExists`
    /// also for an id given twice.
    async fn create_fragments(
        &self,
        new: &[NewFragment],
        now: Timestamp,
    ) -> Result<Vec<Fragment>, StorageError>;

    /// Changes at most 1000 fragments, each given with the version it is expected to have: all or
    /// none, each as [`Self::update_fragment`] does, except that the start may move from one to
    /// another. `AlreadyExists` also for an id given twice. How many.
    async fn update_fragments(
        &self,
        changes: &[(NewFragment, i64)],
        now: Timestamp,
    ) -> Result<u64, StorageError>;

    /// Makes at most 1000 fragments inactive, all or none, each as [`Self::delete_fragment`] does,
    /// except that those which go together may lead to each other. How many were active.
    async fn delete_fragments(
        &self,
        ids: &[Slug],
        force: bool,
        now: Timestamp,
    ) -> Result<u64, StorageError>;

    /// Whether there is such a fragment, active or not.
    async fn fragment_exists(&self, id: &Slug) -> Result<bool, StorageError>;

    /// Creates or updates at most 500 fragments, all or none; a fragment may lead to another one of
    /// the same call. When any is refused, or in a dry run, nothing is written. Which are refused:
    /// what breaks a rule (`Validation`), leads to nowhere (`NotFound`), is given twice
    /// (`AlreadyExists`), or begins the story beside another one (`AlreadyExists`).
    async fn import_fragments(
        &self,
        new: &[NewFragment],
        dry_run: bool,
        now: Timestamp,
    ) -> Result<FragmentImport, StorageError>;

    /// The active ways into a fragment from active ones, and those that lead out of it. `NotFound`
    /// without the fragment.
    async fn connections(&self, id: &Slug) -> Result<FragmentConnections, StorageError>;

    /// The whole story as a graph, in ascending order of ids. `LimitExceeded` for more than 20 000
    /// fragments.
    async fn story_graph(&self) -> Result<Vec<StoryNode>, StorageError>;

    /// What is wrong with the story as a whole.
    async fn story_check(&self) -> Result<StoryCheck, StorageError> {
        Ok(StoryCheck::of(&self.story_graph().await?))
    }

    /// What a member must have or be to visit a fragment, in order. `NotFound` without it.
    async fn access_requirements(&self, id: &Slug) -> Result<Vec<Requirement>, StorageError> {
        let fragment = self.fragment(id).await?;
        let fragment = fragment.ok_or_else(|| StorageError::not_found("fragment", id))?;
        Ok(fragment.requirements)
    }
}
