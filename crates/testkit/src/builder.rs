//! Values for tests, in one word each. They panic on what the domain refuses.

use std::time::Duration;

use guildhall_domain::{
    Adjustment, Amount, Award, BadgeAward, BadgeId, ChoiceText, Comparison, Content, CounterBump,
    CounterFold, Criterion, Day, Deduct, Description, DisplayName, DomainEvent, Email,
    EntryReference, ExternalId, FragmentKind, HoldReason, HoldRequest, IdemKey, ImportedEntry,
    ImportedMember, ImportedVip, InterestTopic, Json, Label, LanguageTag, LegacyKey, Level,
    LoreContentType, Metric, MissionCadence, MissionPeriod, NewAchievement, NewBadge, NewChoice,
    NewExternal, NewFragment, NewLorePiece, NewMission, NewUser, Nickname, Objective, PersonName,
    Phone, Points, Provider, Slug, Source, StoreItemKind, StoreOffer, Summary, Timestamp, Title,
    Transfer, Unlock, Url, UserId, Username, Xp,
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
    title: Title, "title";
    summary: Summary, "summary";
    content: Content, "content";
    choice_text: ChoiceText, "text of a choice";
    legacy_key: LegacyKey, "key in another system";
    label: Label, "label";
    metric: Metric, "metric";
    url: Url, "address";
    language: LanguageTag, "language";
}

/// A JSON object or array, from its text.
#[must_use]
pub fn json(raw: &str) -> Json {
    Json::new(serde_json::from_str(raw).expect("JSON")).expect("an object or array")
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

/// That a member reached a level.
#[must_use]
pub const fn level_up(user: UserId, level: u32) -> DomainEvent {
    DomainEvent::LevelUp { user, level }
}

/// That a member found a piece of lore.
#[must_use]
pub fn lore_unlocked(user: UserId, code: &str) -> DomainEvent {
    DomainEvent::LoreUnlocked { user, lore: slug(code) }
}

/// That a member was given a badge.
#[must_use]
pub const fn badge_awarded(user: UserId, badge: i64) -> DomainEvent {
    DomainEvent::BadgeAwarded { user, badge: BadgeId(badge) }
}

/// Something of the application's own that everybody can buy for whole points, in any number.
#[must_use]
pub fn offer(title: &str, whole: i64) -> StoreOffer {
    StoreOffer::new(label(title), StoreItemKind::Custom, points(whole))
}

/// What a category of interests called `name` says of itself.
#[must_use]
pub fn topic(name: &str) -> InterestTopic {
    InterestTopic::new(label(name))
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

/// A mission called after its key, completed once for ever, that asks for `message` `target` times.
#[must_use]
pub fn mission(id: &str, target: u64) -> NewMission {
    mission_of(id, MissionCadence::OneTime, target)
}

/// A mission of a cadence that asks for `message` `target` times.
#[must_use]
pub fn mission_of(id: &str, cadence: MissionCadence, target: u64) -> NewMission {
    let asked = Objective::action(slug("message"), target);
    NewMission::new(slug(id), title(&format!("Mission {id}")), cadence).objective(asked)
}

/// A period, from `once`, `2025-08-24`, `2025-W34` or `n1`.
#[must_use]
pub fn period(raw: &str) -> MissionPeriod {
    raw.parse().expect("a period")
}

/// A fragment called after its key, to be read, that leads nowhere.
#[must_use]
pub fn fragment(id: &str) -> NewFragment {
    let (title, content) = (title(&format!("Fragment {id}")), content(&format!("About {id}.")));
    NewFragment::new(slug(id), title, content, FragmentKind::Story)
}

/// A fragment where a free choice leads to each of `destinations`.
#[must_use]
pub fn decision(id: &str, destinations: &[&str]) -> NewFragment {
    let choices = destinations.iter().map(|to| choice(to)).collect();
    NewFragment { kind: FragmentKind::Decision, choices, ..fragment(id) }
}

/// A free choice called after where it leads.
#[must_use]
pub fn choice(destination: &str) -> NewChoice {
    NewChoice::new(choice_text(&format!("To {destination}")), slug(destination))
}

/// An active text called after its code.
#[must_use]
pub fn lore(code: &str) -> NewLorePiece {
    NewLorePiece {
        code: slug(code),
        title: title(&format!("Lore {code}")),
        description: None,
        content_type: LoreContentType::Text,
        content: content(&format!("About {code}.")),
        category: None,
        is_main_story: false,
        is_active: true,
        requirements: Vec::new(),
        legacy_key: None,
    }
}

/// An achievement called after its id, for whoever has at least so much of each metric; by hand
/// without any.
#[must_use]
pub fn achievement(id: &str, criteria: &[(&str, i64)]) -> NewAchievement {
    let criterion = |(name, threshold): &(&str, i64)| Criterion {
        metric: metric(name),
        comparison: Comparison::AtLeast,
        threshold: *threshold,
    };
    NewAchievement {
        criteria: criteria.iter().map(criterion).collect(),
        ..NewAchievement::new(slug(id), label(id))
    }
}

/// That a member gets an achievement, for `test` and without points.
#[must_use]
pub fn unlock(user: UserId, achievement: &str) -> Unlock {
    Unlock {
        user,
        achievement: slug(achievement),
        source: source("test"),
        points: Points::ZERO,
        context: None,
    }
}

/// A badge that is given by hand.
#[must_use]
pub fn badge(name: &str) -> NewBadge {
    NewBadge::new(label(name))
}

/// That a member gets a badge, for `test` and by nobody.
#[must_use]
pub fn badge_award(user: UserId, badge: BadgeId) -> BadgeAward {
    BadgeAward { user, badge, by: None, source: source("test"), reason: None }
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
