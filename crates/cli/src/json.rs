//! The JSON schema of the program: stable, additions aside.
//!
//! Amounts are decimal strings with two digits (`"12.50"`), times RFC 3339 in UTC, ids of this
//! system numbers, ids of other systems text by provider (`{"telegram": "700000001"}`). A field
//! that has no value is `null`, never absent.

use std::collections::BTreeMap;

use guildhall_adapter::domain::{
    DomainEvent, ExternalAccount, LeaderboardRow, LedgerBreak, PointAccount, PointEntry, RankInfo,
    Role, Timestamp, User, UserStats, Vip,
};
use guildhall_adapter::repository::Ranked;
use guildhall_adapter::service::Audit;
use guildhall_adapter::{Health, PoolUse, Probe, ProbeState};
use serde::Serialize;

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

/// `cache stats`. `complete` is false when there were more entries than were counted.
#[derive(Serialize)]
pub(crate) struct CacheEntries<'a> {
    pub(crate) namespaces: BTreeMap<&'a str, u64>,
    pub(crate) total: u64,
    pub(crate) complete: bool,
}

/// `cache clear` and `cache invalidate`. `freed` is known where a pattern was given.
#[derive(Serialize)]
pub(crate) struct CacheCleared {
    pub(crate) freed: Option<u64>,
}

/// `cache keys`.
#[derive(Serialize)]
pub(crate) struct CacheKeys {
    pub(crate) keys: Vec<String>,
}

/// `cache audit`: how many members were compared, and who was older in the cache.
#[derive(Serialize)]
pub(crate) struct CacheAudit {
    pub(crate) compared: u64,
    pub(crate) stale: Vec<i64>,
}

/// `leaderboard`.
#[derive(Serialize)]
pub(crate) struct Leaderboard {
    pub(crate) items: Vec<Place>,
    pub(crate) total: u64,
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

impl From<&Ranked<LeaderboardRow>> for Leaderboard {
    fn from(found: &Ranked<LeaderboardRow>) -> Self {
        Self { items: found.items.iter().map(Place::from).collect(), total: found.total }
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

/// `health`.
#[derive(Serialize)]
pub(crate) struct Healthy {
    pub(crate) status: String,
    pub(crate) database: Probed,
    pub(crate) cache: Probed,
    pub(crate) pool: Option<Pool>,
}

#[derive(Serialize)]
pub(crate) struct Probed {
    pub(crate) target: String,
    pub(crate) up: bool,
    pub(crate) latency_us: Option<u64>,
    pub(crate) detail: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Pool {
    pub(crate) in_use: u32,
    pub(crate) open: u32,
    pub(crate) max: u32,
}

impl From<&Probe> for Probed {
    fn from(probe: &Probe) -> Self {
        let (latency_us, detail) = match &probe.state {
            ProbeState::Up(took) => (u64::try_from(took.as_micros()).ok(), None),
            ProbeState::Down(why) => (None, Some(why.clone())),
        };
        Self { target: probe.target.clone(), up: probe.is_up(), latency_us, detail }
    }
}

impl From<&Health> for Healthy {
    fn from(health: &Health) -> Self {
        let pool = |PoolUse { in_use, open, max }: PoolUse| Pool { in_use, open, max };
        Self {
            status: health.status.to_string(),
            database: (&health.database).into(),
            cache: (&health.cache).into(),
            pool: health.pool.map(pool),
        }
    }
}

/// `migrate`.
#[derive(Serialize)]
pub(crate) struct Migrations {
    pub(crate) migrations: Vec<Migration>,
    pub(crate) applied_now: Vec<String>,
}

#[derive(Serialize)]
pub(crate) struct Migration {
    pub(crate) name: String,
    pub(crate) applied: bool,
}

/// `config show`.
#[derive(Serialize)]
pub(crate) struct Configuration {
    pub(crate) settings: Vec<Setting>,
}

#[derive(Serialize)]
pub(crate) struct Setting {
    pub(crate) key: &'static str,
    pub(crate) value: Option<String>,
    pub(crate) origin: String,
    pub(crate) doc: &'static str,
}
