#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod accessibility;
mod achievement;
mod achievement_report;
mod activity;
mod amount;
mod badge;
mod clock;
mod earning;
mod effect;
mod event;
mod external;
mod hold;
mod id;
mod import;
mod interest;
mod json;
mod language;
mod ledger;
mod level;
mod lore;
mod metric;
mod mission;
mod mission_catalogue;
mod mission_progress;
mod mission_report;
mod mission_standing;
mod month;
mod narrative;
mod onboarding;
mod point;
mod preferences;
mod profile;
mod ranking;
mod requirement;
mod reward;
mod store;
mod story;
mod story_check;
mod text;
mod time;
mod user;
mod user_achievement;
mod violation;
mod vip;

pub use accessibility::{Accessibility, AccessibilityPatch, ColorBlindMode};
pub use achievement::{Achievement, AchievementPatch, Comparison, Criterion, NewAchievement, Tier};
pub use achievement_report::{
    AchievementLeader, AchievementRanking, AchievementStatistics, AchievementStats,
    AchievementSummary, AchievementTotals, MonthCount, TierCounts,
};
pub use activity::{
    ActivityRecord, Counter, CounterBump, CounterFold, StatsPatch, UserStats, builtin_fold,
};
pub use amount::{Amount, BasisPoints, POINT_SCALE, Points, Xp};
pub use badge::{
    Badge, BadgeAward, BadgeEvent, BadgeEventId, BadgeEventKind, BadgeHolder, BadgeId, BadgePatch,
    BadgeRule, BadgeStatistics, HeldBadge, NewBadge, RecentBadge, UserBadge, UserBadgeId,
    UserBadgeStatistics,
};
pub use clock::{Clock, Random, SystemClock, SystemRandom};
pub use earning::{CheckIn, EarningRules, Participation, check_in_streak};
pub use effect::{Effect, EffectAction, EffectTrigger};
pub use event::{DomainEvent, Outcome};
pub use external::{ExternalAccount, NewExternal, Provider};
pub use hold::{HoldRequest, HoldStatus, PointHold};
pub use import::{ImportedEntry, ImportedMember, ImportedVip};
pub use interest::{
    InterestCategory, InterestCategoryId, InterestLevel, InterestTopic, UserInterest,
};
pub use json::Json;
pub use language::{Proficiency, UserLanguage};
pub use ledger::{EntryKind, LedgerBreak, LedgerReport, LedgerRule, PointEntry, TransferId};
pub use level::{Level, LevelProgress, LevelTable, bot_levels};
pub use lore::{
    FoundLore, HintCombination, LoreContentType, LoreId, LorePiece, NewLorePiece, UserLore,
};
pub use metric::{MemberFigures, Metric, MetricSnapshot};
pub use mission::{MissionCadence, MissionPeriod};
pub use mission_catalogue::{
    Mission, MissionCategory, MissionPatch, NewMission, Objective, ObjectiveKind, ObjectiveMode,
};
pub use mission_progress::{
    Advance, CompletedMission, MemberMission, MissionStatus, ObjectiveProgress, UserMission,
    objectives_met, objectives_progress,
};
pub use mission_report::{
    MissionCompletion, MissionStatistics, MissionTotals, UserMissionStatistics,
};
pub use mission_standing::{MissionAvailability, MissionStanding};
pub use month::Month;
pub use narrative::{Choice, ChoiceId, DecisionId, Fragment, FragmentKind, NewChoice, NewFragment};
pub use onboarding::{Onboarding, OnboardingStep};
pub use point::{
    AccountCorrupt, AccountParts, Adjustment, Award, Deduct, PointAccount, Transfer, TransferPair,
};
pub use preferences::{Preferences, PreferencesPatch, ReadingLevel, Theme};
pub use profile::{Engagement, FullProfile, ProfileStats, TableStats, UserTotals};
pub use ranking::{
    ActivitySummary, DailyActivity, LeaderboardChange, LeaderboardMetric, LeaderboardRow,
    PointTotals, RankInfo, leaderboard_changes,
};
pub use requirement::{Access, Requirement, Standing, unmet};
pub use reward::{GrantedReward, Reward};
pub use store::{StoreItem, StoreItemId, StoreItemKind, StoreOffer, UserItem};
pub use story::{
    Decision, FragmentPopularity, JourneyStep, StoryProgress, StoryState, StoryStatePatch,
    StoryTotals, UserFragment,
};
pub use story_check::{FragmentConnections, StoryCheck, StoryNode, StoryWay};
pub use text::{
    Bio, CharacterName, ChoiceText, Color, Content, CorrelationId, Description, DisplayName, Email,
    EntryReference, ExternalId, FontFamily, HoldReason, Icon, IdemKey, Label, LanguageTag,
    LegacyKey, MatchId, Nickname, PersonName, Phone, PreferenceValue, RewardKey, RewardText, Slug,
    Source, Summary, Title, UiState, Url, Username, fold,
};
pub use time::{CommunityZone, Day, Timestamp};
pub use user::{EntryId, HoldId, NewUser, Patch, Role, User, UserId, UserOverview, UserPatch, Vip};
pub use user_achievement::{
    AchievementText, CriterionProgress, HeldAchievement, PendingAchievement, RecentUnlock, Unlock,
    UserAchievement,
};
pub use violation::{Rule, Violation};
pub use vip::{VipEventId, VipEventKind, VipGrant, VipGrantId, VipSource, VipTerm};
