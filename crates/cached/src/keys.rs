//! Every key and every tag, in one place: whoever adds a write sees what it must bump.

use guildhall_cache::{Key, Tag};
use guildhall_domain::{
    AchievementRanking, BadgeId, CommunityZone, Day, Email, ExternalId, LeaderboardMetric,
    MissionCadence, MissionCategory, MissionStatus, Provider, Slug, StoreItemId, Timestamp, UserId,
    Username,
};
use guildhall_repository::{
    AchievementFilter, BadgeFilter, EntryFilter, FragmentFilter, HeldFilter, LoreFilter,
    OffsetRequest, PageRequest, StoreFilter,
};
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

    /// What is kept of a member beside the row: `preferences`, `full_profile`.
    pub(crate) fn profile_part(id: UserId, name: &'static str) -> Key {
        Key::new("user").id(id.0).part(name)
    }

    pub(crate) fn interest_categories(active_only: bool, page: &PageRequest) -> Key {
        let global = Key::new("user").part("global").part("interest_categories");
        global.part(if active_only { "active" } else { "all" }).id(page.limit())
    }

    pub(crate) fn user_totals() -> Key {
        Key::new("user").part("global").part("totals")
    }

    pub(crate) fn store_item(id: StoreItemId) -> Key {
        Key::new("points").part("store_item").id(id.0)
    }

    pub(crate) fn store_items(filter: &StoreFilter, page: &PageRequest) -> Key {
        let kind = filter.kind.map_or("any", |kind| kind.as_str());
        let shown = if filter.include_inactive { "all" } else { "active" };
        Key::new("points").part("global").part("store").part(kind).part(shown).id(page.limit())
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

    pub(crate) fn mission(id: &Slug) -> Key {
        Key::new("mission").text(id.as_str())
    }

    /// Missions that are switched on, whatever the time.
    pub(crate) fn missions_on(
        category: Option<MissionCategory>,
        cadence: Option<MissionCadence>,
    ) -> Key {
        let category = category.map_or("", MissionCategory::as_str);
        let variant = format!("{category}/{}", cadence.map_or("", MissionCadence::as_str));
        Key::new("mission").part("global").part("active").text(variant)
    }

    /// Where a member stands in the missions that are switched on, on the day that begins then.
    pub(crate) fn standings(
        user: UserId,
        cadence: Option<MissionCadence>,
        day: Day,
        starts_at: i64,
    ) -> Key {
        let cadence = cadence.map_or("", MissionCadence::as_str);
        // The zone is in the key by the instant at which its day begins.
        let variant = format!("{cadence}/{day}/{starts_at}");
        Key::new("mission").part("user").id(user.0).part("available").text(variant)
    }

    pub(crate) fn user_missions(
        user: UserId,
        status: Option<MissionStatus>,
        page: &PageRequest,
    ) -> Key {
        let variant = format!("{}/{}", status.map_or("", MissionStatus::as_str), page.limit());
        Key::new("mission").part("user").id(user.0).part("list").text(variant)
    }

    pub(crate) fn mission_stats(id: &Slug) -> Key {
        Key::new("mission").text(id.as_str()).part("stats")
    }

    pub(crate) fn user_mission_stats(user: UserId) -> Key {
        Key::new("mission").part("user").id(user.0).part("stats")
    }

    pub(crate) fn mission_totals() -> Key {
        // Not `stats`: a mission may be called `global`.
        Key::new("mission").part("global").part("totals")
    }

    /// A catalogue read of the story or of lore: `narrative:{what}:{key}`.
    pub(crate) fn narrative(what: &'static str, key: &Slug) -> Key {
        Key::new("narrative").part(what).text(key.as_str())
    }

    /// A read of the story as a whole: `narrative:global:{name}`.
    pub(crate) fn story(name: &'static str) -> Key {
        Key::new("narrative").part("global").part(name)
    }

    pub(crate) fn fragments(filter: &FragmentFilter, page: &PageRequest) -> Key {
        // A search is not kept.
        let FragmentFilter { kind, is_active, chapter_level, text: _ } = filter;
        let (kind, limit) = (kind.map_or("", |kind| kind.as_str()), page.limit());
        let variant =
            format!("limit={limit} kind={kind} active={is_active:?} chapter={chapter_level:?}");
        story("fragments").text(variant)
    }

    pub(crate) fn lore_pieces(filter: &LoreFilter, page: &PageRequest) -> Key {
        let LoreFilter { category, is_active } = filter;
        let category = category.as_ref().map_or("", |category| category.as_str());
        let limit = page.limit();
        story("lore").text(format!("limit={limit} active={is_active:?} category={category}"))
    }

    /// A read of a member's way through the story: `narrative:user:{user}:{name}`.
    pub(crate) fn story_of(user: UserId, name: &'static str) -> Key {
        Key::new("narrative").part("user").id(user.0).part(name)
    }

    pub(crate) fn story_list(user: UserId, name: &'static str, page: &PageRequest) -> Key {
        story_of(user, name).id(page.limit())
    }

    pub(crate) fn day(day: Day, starts_at: i64) -> Key {
        // The zone is in the key by the instant at which its day begins.
        Key::new("points").part("day").id(day.epoch_days()).id(starts_at)
    }

    pub(crate) fn achievement(id: &Slug) -> Key {
        Key::new("achievements").part("one").text(id.as_str())
    }

    pub(crate) fn achievements(filter: &AchievementFilter, page: &PageRequest) -> Key {
        let variant = format!("limit={} {}", page.limit(), filtered(filter));
        Key::new("achievements").part("all").text(variant)
    }

    pub(crate) fn achievement_count(filter: &AchievementFilter) -> Key {
        Key::new("achievements").part("count").text(filtered(filter))
    }

    fn filtered(filter: &AchievementFilter) -> String {
        let AchievementFilter { is_active, category } = filter;
        let category = category.as_ref().map_or("", |category| category.as_str());
        format!("active={is_active:?} category={category}")
    }

    pub(crate) fn held_achievements(id: UserId, filter: &HeldFilter, page: &PageRequest) -> Key {
        let HeldFilter { category, tier } = filter;
        let category = category.as_ref().map_or("", |category| category.as_str());
        let tier = tier.map_or("", |tier| tier.as_str());
        let variant = format!("limit={} category={category} tier={tier}", page.limit());
        Key::new("achievements").id(id.0).part("achievements").text(variant)
    }

    pub(crate) fn achievement_summary(id: UserId) -> Key {
        Key::new("achievements").id(id.0).part("summary")
    }

    pub(crate) fn achievement_stats(id: UserId, zone: &CommunityZone, now: Timestamp) -> Key {
        // What was unlocked today changes with the day; the zone is in the key by its beginning.
        let day = zone.day_of(now);
        let starts_at = zone.start_of(day).micros();
        Key::new("achievements").id(id.0).part("stats").id(day.epoch_days()).id(starts_at)
    }

    pub(crate) fn achievement_board(by: AchievementRanking, rows: OffsetRequest) -> Key {
        let window = format!("{}:{}", rows.limit(), rows.offset());
        Key::new("achievements").part("leaderboard").part(by.as_str()).text(window)
    }

    pub(crate) fn recent_achievements(days: u32, limit: u32) -> Key {
        Key::new("achievements").part("recent").id(days).id(limit)
    }

    pub(crate) fn badge(id: BadgeId) -> Key {
        Key::new("badges").part("one").id(id.0)
    }

    pub(crate) fn badges(filter: BadgeFilter, page: &PageRequest) -> Key {
        let BadgeFilter { is_active, vip_only } = filter;
        let variant = format!("limit={} active={is_active:?} vip={vip_only}", page.limit());
        Key::new("badges").part("all").text(variant)
    }

    pub(crate) fn held_badges(id: UserId, page: &PageRequest) -> Key {
        Key::new("badges").id(id.0).part("list").id(page.limit())
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

    /// What a member prefers, speaks and is interested in, and the member's first steps.
    pub(crate) fn prefs(id: UserId) -> Tag {
        Tag::new("user").id(id.0).part("prefs")
    }

    /// The categories of interests.
    pub(crate) fn interests() -> Tag {
        Tag::new("interests").part("catalogue")
    }

    /// The stock of the store: what is in it has this tag beside [`catalogue`], so that a purchase
    /// leaves the level table alone.
    pub(crate) fn stock() -> Tag {
        Tag::new("points").part("stock")
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

    /// The level table and the store.
    pub(crate) fn catalogue() -> Tag {
        Tag::new("points").part("catalogue")
    }

    /// The catalogue of missions.
    pub(crate) fn missions() -> Tag {
        Tag::new("missions").part("catalogue")
    }

    /// How far a member is with missions.
    pub(crate) fn mission_progress(id: UserId) -> Tag {
        Tag::new("missions").part("user").id(id.0)
    }

    /// How far all members are with missions.
    pub(crate) fn mission_stats() -> Tag {
        Tag::new("missions").part("stats")
    }

    /// The fragments of the story, and lore.
    pub(crate) fn narrative() -> Tag {
        Tag::new("narrative").part("catalogue")
    }

    /// A member's way through the story, and the lore the member has found.
    pub(crate) fn story(id: UserId) -> Tag {
        Tag::new("narrative").part("user").id(id.0)
    }

    /// Sums over the story and its readers.
    pub(crate) fn story_totals() -> Tag {
        Tag::new("narrative").part("stats")
    }

    /// The definitions of achievements.
    pub(crate) fn achievement_catalogue() -> Tag {
        Tag::new("achievements").part("catalogue")
    }

    /// A member's achievements.
    pub(crate) fn achievements(id: UserId) -> Tag {
        Tag::new("achievements").part("user").id(id.0)
    }

    /// Who unlocked what, of all members.
    pub(crate) fn unlocks() -> Tag {
        Tag::new("achievements").part("global")
    }

    /// The definitions of badges.
    pub(crate) fn badge_catalogue() -> Tag {
        Tag::new("badges").part("catalogue")
    }

    /// A member's badges.
    pub(crate) fn badges(id: UserId) -> Tag {
        Tag::new("badges").part("user").id(id.0)
    }
}
