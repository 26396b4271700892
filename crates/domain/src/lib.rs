#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod activity;
mod amount;
mod clock;
mod earning;
mod event;
mod external;
mod hold;
mod import;
mod json;
mod ledger;
mod level;
mod point;
mod ranking;
mod text;
mod time;
mod user;
mod violation;

pub use activity::{
    ActivityRecord, Counter, CounterBump, CounterFold, StatsPatch, UserStats, builtin_fold,
};
pub use amount::{Amount, BasisPoints, POINT_SCALE, Points, Xp};
pub use clock::{Clock, Random, SystemClock, SystemRandom};
pub use earning::{CheckIn, EarningRules, Participation, check_in_streak};
pub use event::{DomainEvent, Outcome};
pub use external::{ExternalAccount, NewExternal, Provider};
pub use hold::{HoldRequest, HoldStatus, PointHold};
pub use import::{ImportedEntry, ImportedMember, ImportedVip};
pub use json::Json;
pub use ledger::{EntryKind, LedgerBreak, LedgerReport, LedgerRule, PointEntry, TransferId};
pub use level::{Level, LevelProgress, LevelTable, bot_levels};
pub use point::{
    AccountCorrupt, AccountParts, Adjustment, Award, Deduct, PointAccount, Transfer, TransferPair,
};
pub use ranking::{
    ActivitySummary, DailyActivity, LeaderboardChange, LeaderboardMetric, LeaderboardRow,
    PointTotals, RankInfo, leaderboard_changes,
};
pub use text::{
    Bio, Description, DisplayName, Email, EntryReference, ExternalId, HoldReason, IdemKey,
    LanguageTag, MatchId, Nickname, PersonName, Phone, Slug, Source, UiState, Url, Username, fold,
};
pub use time::{CommunityZone, Day, Timestamp};
pub use user::{EntryId, HoldId, NewUser, Patch, Role, User, UserId, UserOverview, UserPatch, Vip};
pub use violation::{Rule, Violation};
