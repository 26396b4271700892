//! The JSON schema of the program: stable, additions aside.
//!
//! Amounts are decimal strings with two digits (`"12.50"`), times RFC 3339 in UTC, ids of this
//! system numbers, ids of other systems text by provider (`{"telegram": "700000001"}`). A field
//! that has no value is `null`, never absent.

mod achievements;
mod advise;
mod missions;
mod operations;
mod performance;
mod profile;
mod story;

use std::collections::BTreeMap;

use guildhall_adapter::domain::{
    DomainEvent, ExternalAccount, LeaderboardMetric, LeaderboardRow, LedgerBreak, PointAccount,
    PointEntry, RankInfo, Role, Timestamp, User, UserStats, Vip,
};
use guildhall_adapter::repository::Ranked;
use guildhall_adapter::service::Audit;
use serde::Serialize;

pub(crate) use achievements::{
    Achieved, AchievementItem, Achievements, Awarded, BadgeItem, Badges, Evaluated, MemberHonours,
    Revoked,
};
pub(crate) use advise::Advised;
pub(crate) use missions::{Advanced, Effects, MissionItem, Missions};
pub(crate) use operations::{
    CacheAudit, CacheCleared, CacheEntries, CacheKeys, Configuration, Healthy, Migration,
    Migrations, Outbox, Setting, Warmed,
};
pub(crate) use performance::{Planned, Reported};
pub(crate) use profile::{Honours, MissionsOf, Profile, StoryOf, score};
pub(crate) use story::{Checked, Item, Items, Purchased};

/// Ids in other systems by provider.
pub(crate) type External = BTreeMap<String, String>;

pub(crate) fn external(accounts: &[ExternalAccount]) -> External {
    accounts
        .iter()
        .map(|account| (account.provider.to_string(), account.external_id.to_string()))
        .collect()
}

fn text(value: Option<impl ToString>) -> Option<String> {
    value.map(|value| value.to_string())
}

/// `leaderboard`.
#[derive(Serialize)]
pub(crate) struct Leaderboard {
    pub(crate) metric: &'static str,
    pub(crate) items: Vec<Place>,
    pub(crate) total: u64,
    pub(crate) computed_at: String,
}

#[derive(Serialize)]
pub(crate) struct Place {
    pub(crate) rank: u64,
    pub(crate) user_id: i64,
    pub(crate) name: String,
    pub(crate) external: External,
    pub(crate) value: String,
    pub(crate) level: u32,
}

impl Leaderboard {
    pub(crate) fn new(metric: LeaderboardMetric, found: &Ranked<LeaderboardRow>) -> Self {
        Self {
            metric: metric.as_str(),
            items: found.items.iter().map(Place::from).collect(),
            total: found.total,
            computed_at: found.computed_at.to_string(),
        }
    }
}

impl From<&LeaderboardRow> for Place {
    fn from(row: &LeaderboardRow) -> Self {
        Self {
            rank: row.rank,
            user_id: row.user.0,
            name: row.name.clone(),
            external: external(&row.externals),
            value: row.value.to_string(),
            level: row.level,
        }
    }
}

/// A ledger entry, wherever one is shown.
#[derive(Serialize)]
pub(crate) struct Entry {
    pub(crate) id: i64,
    pub(crate) user_id: i64,
    pub(crate) seq: i64,
    pub(crate) amount: String,
    pub(crate) balance_after: String,
    pub(crate) kind: &'static str,
    pub(crate) source: String,
    #[serde(rename = "ref")]
    pub(crate) reference: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) base_amount: Option<String>,
    pub(crate) multiplier_bp: Option<i32>,
    pub(crate) counterpart_user_id: Option<i64>,
    pub(crate) transfer_id: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) created_at: String,
}

impl From<&PointEntry> for Entry {
    fn from(entry: &PointEntry) -> Self {
        Self {
            id: entry.id.0,
            user_id: entry.user.0,
            seq: entry.seq,
            amount: entry.amount.to_string(),
            balance_after: entry.balance_after.to_string(),
            kind: entry.kind.as_str(),
            source: entry.source.to_string(),
            reference: text(entry.source_ref.as_ref()),
            description: text(entry.description.as_ref()),
            base_amount: text(entry.base_amount),
            multiplier_bp: entry.multiplier.map(|multiplier| multiplier.get()),
            counterpart_user_id: entry.counterpart.map(|user| user.0),
            transfer_id: entry.transfer.as_ref().map(|id| id.as_str().to_owned()),
            key: text(entry.idem_key.as_ref()),
            created_at: entry.created_at.to_string(),
        }
    }
}

/// `points award`, `points deduct`.
#[derive(Serialize)]
pub(crate) struct Moved {
    pub(crate) replayed: bool,
    pub(crate) entry: Entry,
    pub(crate) levels_reached: Vec<u32>,
}

/// `points transfer`.
#[derive(Serialize)]
pub(crate) struct Transferred {
    pub(crate) replayed: bool,
    pub(crate) sent: Entry,
    pub(crate) received: Entry,
}

/// The levels that these events tell of.
pub(crate) fn levels_reached(events: &[DomainEvent]) -> Vec<u32> {
    let level = |event: &DomainEvent| match event {
        DomainEvent::LevelUp { level, .. } => Some(*level),
        _ => None,
    };
    events.iter().filter_map(level).collect()
}

/// `points history`.
#[derive(Serialize)]
pub(crate) struct History {
    pub(crate) items: Vec<Entry>,
    pub(crate) next_cursor: Option<String>,
}

/// `user show`.
#[derive(Serialize)]
pub(crate) struct Shown {
    pub(crate) user: Member,
    pub(crate) points: Account,
    pub(crate) rank: Option<Rank>,
    pub(crate) stats: Option<Stats>,
    pub(crate) recent: Vec<Entry>,
    pub(crate) profile: Option<Profile>,
    pub(crate) missions: Option<MissionsOf>,
    pub(crate) achievements: Option<Honours>,
    pub(crate) story: Option<StoryOf>,
}

#[derive(Serialize)]
pub(crate) struct Member {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) username: Option<String>,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) language: String,
    pub(crate) role: String,
    pub(crate) vip: VipStanding,
    pub(crate) is_active: bool,
    pub(crate) external: External,
    pub(crate) total_requests: u64,
    pub(crate) last_active_at: Option<String>,
    pub(crate) created_at: String,
    pub(crate) deleted_at: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct VipStanding {
    pub(crate) kind: &'static str,
    pub(crate) until: Option<String>,
}

impl Member {
    pub(crate) fn new(user: &User, externals: &[ExternalAccount], role: Role) -> Self {
        let (kind, until) = match user.vip {
            Vip::None => ("none", None),
            Vip::Until(end) => ("until", Some(end)),
            Vip::Lifetime => ("lifetime", None),
        };
        Self {
            id: user.id.0,
            name: user.shown_name(),
            username: text(user.username.as_ref()),
            first_name: text(user.first_name.as_ref()),
            last_name: text(user.last_name.as_ref()),
            display_name: text(user.display_name.as_ref()),
            email: text(user.email.as_ref()),
            language: user.language.to_string(),
            role: role.to_string(),
            vip: VipStanding { kind, until: until.map(|end: Timestamp| end.to_string()) },
            is_active: user.is_active,
            external: external(externals),
            total_requests: user.total_requests,
            last_active_at: text(user.last_active_at),
            created_at: user.created_at.to_string(),
            deleted_at: text(user.deleted_at),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Account {
    pub(crate) balance: String,
    pub(crate) held: String,
    pub(crate) available: String,
    pub(crate) lifetime_earned: String,
    pub(crate) lifetime_spent: String,
    pub(crate) xp: String,
    pub(crate) level: u32,
}

impl From<&PointAccount> for Account {
    fn from(account: &PointAccount) -> Self {
        Self {
            balance: account.balance().to_string(),
            held: account.held().to_string(),
            available: account.available().to_string(),
            lifetime_earned: account.lifetime_earned().to_string(),
            lifetime_spent: account.lifetime_spent().to_string(),
            xp: account.xp().to_string(),
            level: account.level(),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Rank {
    pub(crate) rank: u64,
    pub(crate) total: u64,
    pub(crate) percentile_bp: u32,
}

impl From<RankInfo> for Rank {
    fn from(RankInfo { rank, total, percentile_bp }: RankInfo) -> Self {
        Self { rank, total, percentile_bp }
    }
}

#[derive(Serialize)]
pub(crate) struct Stats {
    pub(crate) messages_sent: u64,
    pub(crate) checkin_streak: u32,
    pub(crate) longest_streak: u32,
    pub(crate) last_checkin_day: Option<String>,
    pub(crate) days_active: u64,
}

impl From<&UserStats> for Stats {
    fn from(stats: &UserStats) -> Self {
        Self {
            messages_sent: stats.messages_sent,
            checkin_streak: stats.checkin_streak,
            longest_streak: stats.longest_streak,
            last_checkin_day: text(stats.last_checkin_day),
            days_active: stats.days_active,
        }
    }
}

/// `verify`, and a part of `demo`.
#[derive(Serialize)]
pub(crate) struct Verified {
    pub(crate) clean: bool,
    pub(crate) members: u64,
    pub(crate) entries: u64,
    pub(crate) breaks_total: u64,
    pub(crate) breaks: Vec<Break>,
}

#[derive(Serialize)]
pub(crate) struct Break {
    pub(crate) user_id: i64,
    pub(crate) rule: String,
    pub(crate) detail: String,
}

impl From<&Audit> for Verified {
    fn from(audit: &Audit) -> Self {
        let told = |found: &LedgerBreak| Break {
            user_id: found.user.0,
            rule: found.rule.to_string(),
            detail: found.detail.clone(),
        };
        Self {
            clean: audit.is_clean(),
            members: audit.members,
            entries: audit.entries,
            breaks_total: audit.breaks_total,
            breaks: audit.breaks.iter().map(told).collect(),
        }
    }
}
