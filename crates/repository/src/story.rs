//! Where members' ways through the story are kept.

use async_trait::async_trait;
use guildhall_domain::{
    Access, ChoiceId, Decision, Fragment, FragmentPopularity, JourneyStep, Outcome, Requirement,
    Slug, Standing, StoryProgress, StoryState, StoryStatePatch, StoryTotals, Timestamp,
    UserFragment, UserId,
};

use crate::{ListLimit, Page, PageRequest, StorageError};

/// A member's way through the story, with a summary.
#[derive(Clone, Debug, PartialEq)]
pub struct Journey {
    /// How far the member is.
    pub progress: StoryProgress,
    /// The fragments seen, first seen first, then ascending ids.
    pub steps: Page<JourneyStep>,
}

/// A decision to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDecision {
    /// The member.
    pub user: UserId,
    /// Where the member is, and decides.
    pub fragment: Slug,
    /// An active choice of that fragment.
    pub choice: ChoiceId,
    /// What it adds to or takes from the member's karma.
    pub karma_delta: i32,
}

/// Where members' ways through the story are kept. Every implementation passes
/// `guildhall_testkit::contract::story`.
///
/// The writes are the steps of workflows: each is atomic by itself, and usable in a unit that has
/// locked the member. None of them checks requirements, pays, or spends: that is for the workflow.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait StoryRepository: Send + Sync {
    /// Everything about a member that these requirements look at, in at most six statements however
    /// many there are. Never cached: balances and standings decide. `NotFound` without the member.
    async fn standing(
        &self,
        user: UserId,
        requirements: &[Requirement],
    ) -> Result<Standing, StorageError>;

    /// Whether the member may visit a fragment at `now`, and what is missing, in one snapshot. Never
    /// cached. An absent or inactive fragment may not be visited; `NotFound` without the member.
    async fn can_access(
        &self,
        user: UserId,
        fragment: &Slug,
        now: Timestamp,
    ) -> Result<Access, StorageError>;

    /// Where the member stands; `None` before the first step.
    async fn state(&self, user: UserId) -> Result<Option<StoryState>, StorageError>;

    /// The member's state, begun at `now` if there is none; `replayed` when there was. `NotFound`
    /// without the member.
    async fn ensure_state(
        &self,
        user: UserId,
        now: Timestamp,
    ) -> Result<Outcome<StoryState>, StorageError>;

    /// Where the member stands, kept from changing until the unit ends. For units; outside of one it
    /// is [`Self::state`], read past every cache.
    async fn state_locked(&self, user: UserId) -> Result<Option<StoryState>, StorageError>;

    /// Sets a state right. An empty patch changes nothing and gives the stored row. `NotFound`
    /// without the state or the fragment, `Conflict` when the version has moved.
    async fn update_state(
        &self,
        user: UserId,
        patch: &StoryStatePatch,
        expected_version: i64,
        now: Timestamp,
    ) -> Result<StoryState, StorageError>;

    /// Moves the member to a fragment and begins the state if there is none. `NotFound` without the
    /// member or the fragment.
    async fn move_to(
        &self,
        user: UserId,
        fragment: &Slug,
        now: Timestamp,
    ) -> Result<StoryState, StorageError>;

    /// Counts a visit; `replayed` unless it is the first one. Of concurrent calls exactly one is the
    /// first, and all are counted. `NotFound` without the member or the fragment.
    async fn visit(
        &self,
        user: UserId,
        fragment: &Slug,
        now: Timestamp,
    ) -> Result<Outcome<UserFragment>, StorageError>;

    /// Completes a fragment, and counts a visit if there was none; `replayed` when it was completed
    /// before. Of concurrent calls exactly one completes it and has the event. `NotFound` without
    /// the member or the fragment.
    async fn complete(
        &self,
        user: UserId,
        fragment: &Slug,
        now: Timestamp,
    ) -> Result<Outcome<UserFragment>, StorageError>;

    /// Writes a decision and its karma, and moves the state one version on, which is what guards
    /// against double clicks. The member is still at the fragment afterwards.
    ///
    /// `NotFound` without the state, `InvalidState` when the member is at another fragment or the
    /// choice is not an active one of it, `Conflict` when the version has moved.
    async fn record_decision(
        &self,
        new: &NewDecision,
        expected_version: i64,
        now: Timestamp,
    ) -> Result<Decision, StorageError>;

    /// Where the member goes on: the fragment of the state, or the start of the story when there is
    /// none or it is inactive. `None` when there is no start either. Writes nothing.
    async fn current_fragment(&self, user: UserId) -> Result<Option<Fragment>, StorageError>;

    /// What the member has to do with a fragment; `None` before the first visit.
    async fn user_fragment(
        &self,
        user: UserId,
        fragment: &Slug,
    ) -> Result<Option<UserFragment>, StorageError>;

    /// Fragments the member has seen, first seen first, then ascending ids.
    async fn visited(
        &self,
        user: UserId,
        page: &PageRequest,
    ) -> Result<Page<UserFragment>, StorageError>;

    /// Fragments the member has completed, first completed first, then ascending ids.
    async fn completed(
        &self,
        user: UserId,
        page: &PageRequest,
    ) -> Result<Page<UserFragment>, StorageError>;

    /// The member's decisions, newest first.
    async fn decisions(
        &self,
        user: UserId,
        page: &PageRequest,
    ) -> Result<Page<Decision>, StorageError>;

    /// How far the member is; nowhere, for who does not exist.
    async fn progress(&self, user: UserId) -> Result<StoryProgress, StorageError>;

    /// The member's way, in one snapshot.
    async fn journey(&self, user: UserId, page: &PageRequest) -> Result<Journey, StorageError>;

    /// Lets the member begin anew: forgets the state and all visits, and lore as well unless it is
    /// kept. Decisions stay, they are history. `false` when there was nothing to forget.
    ///
    /// What was paid stays paid, and is not paid again: the ledger knows.
    async fn reset(&self, user: UserId, keep_lore: bool) -> Result<bool, StorageError>;

    /// The story as a whole and its readers, in one snapshot.
    async fn totals(&self) -> Result<StoryTotals, StorageError>;

    /// Fragments by visitors, most first, then ascending ids; those nobody has seen are left out.
    async fn popularity(&self, limit: ListLimit) -> Result<Vec<FragmentPopularity>, StorageError>;
}
