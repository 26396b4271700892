//! Values for tests, in one word each. They panic on what the domain refuses.

use std::time::Duration;

use guildhall_domain::{
    Adjustment, Amount, Award, CounterBump, CounterFold, Day, Deduct, Description, DisplayName,
    Email, EntryReference, ExternalId, HoldReason, HoldRequest, IdemKey, ImportedEntry,
    ImportedMember, ImportedVip, Level, NewExternal, NewUser, Nickname, PersonName, Phone, Points,
    Provider, Slug, Source, Timestamp, Transfer, UserId, Username, Xp,
};
use guildhall_repository::{ListLimit, OffsetRequest, PageRequest};

/// The instant at which tests happen: a Sunday noon, with all six decimals of a second in use.
#[must_use]
pub fn now() -> Timestamp {
    time("2026-03-01T12:00:00.123456Z")
}

/// An instant, from RFC 3339.
#[must_use]
pub fn time(raw: &str) -> Timestamp {
    raw.parse().expect("RFC 3339")
}

/// A day, from `2026-03-01`.
#[must_use]
pub fn day(raw: &str) -> Day {
    raw.parse().expect("a day")
}

/// So many seconds.
#[must_use]
pub const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// So many hours.
#[must_use]
pub const fn hours(count: u64) -> Duration {
    Duration::from_secs(count * 3600)
}

/// So many times 24 hours.
#[must_use]
pub const fn days(count: u64) -> Duration {
    hours(count * 24)
}

/// A member called `name` who comes from Telegram: the username is `name`, and the Telegram id
/// follows from it, so that two names do not meet.
#[must_use]
pub fn user(name: &str) -> NewUser {
    NewUser {
        username: Some(username(name)),
        externals: vec![telegram(name)],
        ..NewUser::default()
    }
}

/// The Telegram account that [`user`] gives to `name`.
#[must_use]
pub fn telegram(name: &str) -> NewExternal {
    // FNV-1a; 48 bits, as Telegram's ids have 52 at most.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    NewExternal::telegram(hash >> 16)
}

/// An account at `provider`, as in `external("faceit", "abc")`.
#[must_use]
pub fn external(provider: &str, id: &str) -> NewExternal {
    NewExternal::new(self::provider(provider), external_id(id))
}

/// A provider, as in `provider("other:steam")`.
#[must_use]
pub fn provider(raw: &str) -> Provider {
    raw.parse().expect("a provider")
}

macro_rules! texts {
    ($($name:ident: $type:ty, $what:literal;)+) => {$(
        #[doc = concat!("A valid ", $what, ".")]
        #[must_use]
        pub fn $name(raw: &str) -> $type {
            <$type>::parse(raw).expect($what)
        }
    )+};
}

texts! {
    username: Username, "username";
    person: PersonName, "person's name";
    display_name: DisplayName, "display name";
    email: Email, "e-mail address";
    phone: Phone, "telephone number";
    external_id: ExternalId, "foreign id";
    nickname: Nickname, "nickname";
    source: Source, "source";
    reference: EntryReference, "reference";
    description: Description, "description";
    reason: HoldReason, "reason of a hold";
    key: IdemKey, "once-only key";
    slug: Slug, "slug";
}

/// So many whole points.
#[must_use]
pub fn points(whole: i64) -> Points {
    Points::whole(whole).expect("points")
}

/// So many whole points, more than zero.
#[must_use]
pub fn amount(whole: i64) -> Amount {
    Amount::whole(whole).expect("an amount")
}

/// So much whole experience.
#[must_use]
pub fn xp(whole: i64) -> Xp {
    Xp::whole(whole).expect("experience")
}

/// An award of whole points for the source `test`.
#[must_use]
pub fn award(user: UserId, whole: i64) -> Award {
    Award::new(user, amount(whole), source("test"))
}

/// A deduction of whole points for the source `test`.
#[must_use]
pub fn deduct(user: UserId, whole: i64) -> Deduct {
    Deduct::new(user, amount(whole), source("test"))
}

/// A transfer of whole points.
#[must_use]
pub fn transfer(from: UserId, to: UserId, whole: i64) -> Transfer {
    Transfer::new(from, to, amount(whole)).expect("two members")
}

/// A correction by whole points, by the member itself, because of `test`.
#[must_use]
pub fn adjustment(user: UserId, whole: i64) -> Adjustment {
    Adjustment {
        user,
        amount: points(whole),
        actor: user,
        reason: description("test"),
        idem_key: None,
    }
}

/// A hold of whole points for the auction `thing`, without end.
#[must_use]
pub fn hold(user: UserId, whole: i64, thing: &str) -> HoldRequest {
    HoldRequest {
        user,
        amount: amount(whole),
        reason: reason("auction"),
        reference: reference(thing),
        expires_at: None,
    }
}

/// A bump of `counter`.
#[must_use]
pub fn bump(counter: &str, value: i64, fold: CounterFold) -> CounterBump {
    CounterBump { counter: slug(counter), value, fold }
}

/// A level called after its number, beginning at whole experience.
#[must_use]
pub fn level(level: u32, min_xp: i64) -> Level {
    Level {
        level,
        name: display_name(&format!("Level {level}")),
        min_xp: xp(min_xp),
        reward_text: None,
        unlocks_lore_code: None,
    }
}

/// A member of another system: [`user`] with a key, registered at [`now`], without a past.
#[must_use]
pub fn imported(source_key: &str, name: &str) -> ImportedMember {
    ImportedMember {
        source_key: source_key.to_owned(),
        user: user(name),
        vip: ImportedVip::default(),
        ui_state: None,
        notifications_enabled: true,
        last_checked_match_id: None,
        total_requests: 0,
        last_active_at: None,
        last_reminder_sent_at: None,
        created_at: now(),
        stats: None,
        entries: Vec::new(),
        balance: Points::ZERO,
        xp_at_least: Xp::ZERO,
    }
}

/// A movement in another system's ledger, by whole points at [`now`].
#[must_use]
pub fn imported_entry(source_key: &str, whole: i64) -> ImportedEntry {
    ImportedEntry {
        source_key: source_key.to_owned(),
        amount: points(whole),
        source: source("legacy"),
        source_ref: None,
        description: None,
        created_at: now(),
    }
}

/// The first page, of `limit` items.
#[must_use]
pub fn page(limit: u32) -> PageRequest {
    PageRequest::first(limit).expect("1 to 200")
}

/// Rows of a leaderboard.
#[must_use]
pub fn rows(limit: u32, offset: u32) -> OffsetRequest {
    OffsetRequest::new(limit, offset).expect("1 to 100, and 0 to 10 000")
}

/// At most so many.
#[must_use]
pub fn at_most(limit: u32) -> ListLimit {
    ListLimit::new(limit).expect("1 to 200")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_decides_the_member() {
        assert_eq!(user("ada"), user("ada"));
        assert_ne!(user("ada").externals, user("bob").externals);
        assert!(user("ada").check().is_ok());
    }
}
