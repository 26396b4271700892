//! Every key and every tag, in one place: whoever adds a write sees what it must bump.

use guildhall_cache::{Key, Tag};
use guildhall_domain::{Day, Email, ExternalId, LeaderboardMetric, Provider, UserId, Username};
use guildhall_repository::{EntryFilter, OffsetRequest, PageRequest};
use sha2::{Digest, Sha256};

/// Keys, by read.
pub(crate) mod key {
    use super::*;

    pub(crate) fn user(id: UserId) -> Key {
        Key::new("user").id(id.0).part("profile")
    }

    pub(crate) fn externals(id: UserId) -> Key {
        Key::new("user").id(id.0).part("externals")
    }

    pub(crate) fn stats(id: UserId) -> Key {
        Key::new("user").id(id.0).part("activity")
    }

    pub(crate) fn counters(id: UserId) -> Key {
        Key::new("user").id(id.0).part("counters")
    }

    pub(crate) fn by_external(provider: &Provider, id: &ExternalId) -> Key {
        Key::new("user").part("ext").text(provider.to_string()).text(id.as_str())
    }

    pub(crate) fn by_name(name: &Username) -> Key {
        Key::new("user").part("name").text(name.folded())
    }

    pub(crate) fn by_email(email: &Email) -> Key {
        // Keys are seen by operators; addresses are not for them.
        let digest = Sha256::digest(email.folded());
        let first = digest.iter().take(16).fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        Key::new("user").part("email").text(format!("{first:032x}"))
    }

    pub(crate) fn user_list(name: &'static str, page: &PageRequest) -> Key {
        Key::new("user").part("global").part(name).id(page.limit())
    }

    pub(crate) fn account(id: UserId) -> Key {
        Key::new("points").id(id.0).part("account")
    }

    pub(crate) fn history(id: UserId, filter: &EntryFilter, page: &PageRequest) -> Key {
        let EntryFilter { source, kind, from, before } = filter;
        let variant = format!(
            "limit={} source={} kind={} from={} before={}",
            page.limit(),
            source.as_ref().map_or("", |source| source.as_str()),
            kind.map_or("", |kind| kind.as_str()),
            from.map_or(String::new(), |time| time.micros().to_string()),
            before.map_or(String::new(), |time| time.micros().to_string()),
        );
        Key::new("points").id(id.0).part("history").text(variant)
    }

    pub(crate) fn leaderboard(metric: LeaderboardMetric, rows: OffsetRequest) -> Key {
        let window = format!("{}:{}", rows.limit(), rows.offset());
        Key::new("points").part("leaderboard").part(metric.as_str()).text(window)
    }

    pub(crate) fn rank(id: UserId, metric: LeaderboardMetric) -> Key {
        Key::new("points").id(id.0).part("rank").part(metric.as_str())
    }

    pub(crate) fn global(name: &'static str) -> Key {
        Key::new("points").part("global").part(name)
    }

    pub(crate) fn day(day: Day, starts_at: i64) -> Key {
        // The zone is in the key by the instant at which its day begins.
        Key::new("points").part("day").id(day.epoch_days()).id(starts_at)
    }
}

/// Tags, by what changes.
pub(crate) mod tag {
    use super::*;

    /// A member's row or accounts elsewhere.
    pub(crate) fn user(id: UserId) -> Tag {
        Tag::new("user").id(id.0)
    }

    /// A member's statistics or counters.
    pub(crate) fn activity(id: UserId) -> Tag {
        Tag::new("user").id(id.0).part("activity")
    }

    /// That some name, address or account elsewhere belongs to nobody.
    pub(crate) fn absent() -> Tag {
        Tag::new("user").part("lookup")
    }

    /// Who is an administrator or a VIP.
    pub(crate) fn lists() -> Tag {
        Tag::new("users").part("lists")
    }

    /// A member's points.
    pub(crate) fn points(id: UserId) -> Tag {
        Tag::new("points").id(id.0)
    }

    /// Every ranking.
    pub(crate) fn leaderboard() -> Tag {
        Tag::new("points").part("leaderboard")
    }

    /// Sums over all members.
    pub(crate) fn totals() -> Tag {
        Tag::new("points").part("totals")
    }

    /// The level table.
    pub(crate) fn catalogue() -> Tag {
        Tag::new("points").part("catalogue")
    }
}
