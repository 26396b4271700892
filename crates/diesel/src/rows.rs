//! Rows as the tables hold them, and their passage to and from domain values.

mod accessibility;
mod achievement;
mod activity;
mod badge;
mod interest;
mod language;
mod ledger;
mod level;
mod lore;
mod mission;
mod narrative;
mod onboarding;
mod once;
mod outbox;
mod point;
mod preferences;
mod reward;
mod store;
mod story;
mod user;
mod vip;

pub(crate) use accessibility::AccessibilityRow;
pub(crate) use achievement::{AchievementRow, CriterionRow, UserAchievementRow};
pub(crate) use activity::{CounterRow, StatsRow, fold_name};
pub(crate) use badge::{BadgeColumns, BadgeEventRow, BadgeRow, UserBadgeRow};
pub(crate) use interest::{CategoryRow, InterestRow, TopicRow};
pub(crate) use language::LanguageRow;
pub(crate) use ledger::{EntryRow, Moved, Movement, NewEntryRow, TransferMovement};
pub(crate) use level::LevelRow;
pub(crate) use lore::{CombinationPieceRow, CombinationRow, LoreRow, NewLoreRow, UserLoreRow};
pub(crate) use mission::{
    MissionParts, MissionRewardRow, MissionRow, ObjectiveRow, PartRow, UserMissionRow,
};
pub(crate) use narrative::{
    ChoiceRow, EffectRow, FragmentRow, NewChoiceRow, NewFragmentRow, RequirementRow,
};
pub(crate) use onboarding::OnboardingRow;
pub(crate) use once::OnceRow;
pub(crate) use outbox::{NewOutboxRow, OutboxRow};
pub(crate) use point::{AccountRow, HoldRow};
pub(crate) use preferences::PreferencesRow;
pub(crate) use reward::{NewRewardRow, RewardRow};
pub(crate) use store::{OfferRow, OwnedRow, StoreRow};
pub(crate) use story::{DecisionRow, JourneyRow, StateRow, UserFragmentRow};
pub(crate) use user::{ExternalRow, NAMELESS, ShownRow, UserRow, vip, vip_columns};
pub(crate) use vip::VipGrantRow;

use guildhall_repository::StorageError;

/// Reads an optional text column as a domain text.
pub(crate) fn optional<T: TryFrom<String>>(column: Option<String>) -> Result<Option<T>, T::Error> {
    column.map(T::try_from).transpose()
}

/// A count that cannot be negative in a sound database.
pub(crate) fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// A number that the domain keeps within the range of the column.
pub(crate) fn column(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Says that a stored row makes no valid value.
pub(crate) fn corrupt(
    entity: &'static str,
    key: impl std::fmt::Display,
) -> impl FnOnce(Box<dyn std::error::Error>) -> StorageError {
    move |error| StorageError::integrity(entity, key, error)
}
