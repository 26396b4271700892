//! Every read that the cache keeps, with the variants that are keys of their own.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use guildhall_domain::{
    AchievementRanking, BadgeId, CommunityZone, EntryKind, FragmentKind, InterestCategoryId,
    LeaderboardMetric, MissionCadence, MissionCategory, MissionStatus, StoreItemId, StoreItemKind,
    Tier, UserId,
};
use guildhall_repository::{
    AchievementFilter, BadgeFilter, EntryFilter, FragmentFilter, HeldFilter, LoreFilter,
    Repositories, StoreFilter,
};
use guildhall_testkit::builder::{
    at_most, email, external_id, now, page, provider, rows, slug, source, telegram, username,
};

/// How long lists are asked for.
const LIMITS: [u32; 3] = [1, 3, 50];

static UTC: CommunityZone = CommunityZone::utc();

type Ask = Arc<dyn for<'a> Fn(&'a dyn Repositories) -> BoxFuture<'a, String> + Send + Sync>;

/// A question, and its answer as text.
#[derive(Clone)]
pub(crate) struct Read {
    /// The repository and its method.
    pub(crate) method: &'static str,
    /// With what it is asked.
    pub(crate) name: String,
    /// Whose it is; `None` for what depends on others too.
    pub(crate) of: Option<UserId>,
    ask: Ask,
}

impl Read {
    pub(crate) async fn ask(&self, on: &dyn Repositories) -> String {
        (self.ask)(on).await
    }
}

fn asking<F>(ask: F) -> Ask
where
    F: for<'a> Fn(&'a dyn Repositories) -> BoxFuture<'a, String> + Send + Sync + 'static,
{
    Arc::new(ask)
}

/// What there is to ask for, by the ids that the storage gave.
#[derive(Clone, Copy)]
pub(crate) struct Ids {
    pub(crate) members: [UserId; 3],
    pub(crate) badges: [BadgeId; 2],
    pub(crate) items: [StoreItemId; 2],
    pub(crate) category: InterestCategoryId,
}

macro_rules! read {
    ($all:ident, $of:expr, $accessor:ident.$method:ident($($arg:expr),*)) => {{
        let (method, given) =
            (concat!(stringify!($accessor), ".", stringify!($method)), stringify!($($arg),*));
        let of: Option<UserId> = $of;
        let whose = of.map(|user| format!(" of {user}")).unwrap_or_default();
        $all.push(Read {
            method,
            name: format!("#{} {method}({given}){whose}", $all.len()),
            of,
            ask: asking(move |on| {
                Box::pin(async move {
                    let found = on.$accessor().$method($($arg),*).await;
                    format!("{found:?}")
                })
            }),
        });
    }};
}

/// All of them.
pub(crate) fn all(ids: &Ids) -> Vec<Read> {
    let mut all = Vec::new();
    for user in ids.members {
        of_member(&mut all, user);
        honours_of(&mut all, user);
        steps_of(&mut all, user);
    }
    found_by_name(&mut all);
    missions(&mut all);
    story(&mut all);
    honours(&mut all, ids);
    things(&mut all, ids);
    all
}

fn of_member(all: &mut Vec<Read>, user: UserId) {
    let own = Some(user);
    read!(all, own, users.by_id(user));
    read!(all, own, users.by_ids(&[user]));
    read!(all, own, users.external_accounts(user));
    read!(all, own, users.ui_state(user));
    read!(all, own, activity.stats(user));
    read!(all, own, activity.counters(user));
    read!(all, own, preferences.preferences(user));
    read!(all, own, preferences.accessibility(user));
    read!(all, own, preferences.onboarding(user));
    read!(all, own, languages.of_user(user));
    read!(all, own, interests.of_user(user));
    read!(all, own, profiles.full_profile(user));
    read!(all, own, profiles.profile_stats(user));
    read!(all, own, points.account(user));
    for limit in LIMITS {
        read!(all, own, ledger.transactions(user, &EntryFilter::default(), &page(limit)));
        for kind in [EntryKind::Award, EntryKind::Spend] {
            let of_kind = move || EntryFilter { kind: Some(kind), ..EntryFilter::default() };
            read!(all, own, ledger.transactions(user, &of_kind(), &page(limit)));
        }
        for from in ["mission", "store"] {
            let of = move || EntryFilter { source: Some(source(from)), ..EntryFilter::default() };
            read!(all, own, ledger.transactions(user, &of(), &page(limit)));
        }
        let since = || EntryFilter { from: Some(now()), ..EntryFilter::default() };
        read!(all, own, ledger.transactions(user, &since(), &page(limit)));
        let before = || EntryFilter { before: Some(now()), ..EntryFilter::default() };
        read!(all, own, ledger.transactions(user, &before(), &page(limit)));
    }
    for metric in LeaderboardMetric::ALL {
        read!(all, None, rankings.rank_of(user, *metric));
    }
}

fn honours_of(all: &mut Vec<Read>, user: UserId) {
    let own = Some(user);
    read!(all, own, user_achievements.summary(user));
    read!(all, None, user_achievements.stats(user, &UTC, now()));
    for limit in LIMITS {
        read!(all, own, badges.held_by(user, &page(limit)));
        for tier in [None, Some(Tier::Gold)] {
            for in_honour in [false, true] {
                let filter = move || {
                    let category = in_honour.then(|| slug("honour"));
                    HeldFilter { category, tier }
                };
                read!(all, own, user_achievements.list(user, &filter(), &page(limit)));
            }
        }
    }
}

fn steps_of(all: &mut Vec<Read>, user: UserId) {
    use MissionStatus::{Abandoned, Active, Completed};
    let own = Some(user);
    for limit in LIMITS {
        for status in [None, Some(Active), Some(Completed), Some(Abandoned)] {
            read!(all, own, mission_progress.user_missions(user, status, &page(limit)));
        }
        for cadence in [None, Some(MissionCadence::OneTime), Some(MissionCadence::Daily)] {
            let most = at_most(limit);
            read!(all, own, mission_progress.available(user, cadence, most, &UTC, now()));
        }
        read!(all, own, story.visited(user, &page(limit)));
        read!(all, own, story.completed(user, &page(limit)));
        read!(all, own, story.decisions(user, &page(limit)));
        read!(all, own, lore.unlocked(user, &page(limit)));
    }
    read!(all, own, mission_reports.user_statistics(user));
    read!(all, own, story.state(user));
    read!(all, own, story.current_fragment(user));
    read!(all, own, story.progress(user));
    for limit in LIMITS {
        read!(all, own, story.journey(user, &page(limit)));
    }
}

fn found_by_name(all: &mut Vec<Read>) {
    for name in super::NAMES {
        read!(all, None, users.by_username(&username(name)));
        read!(all, None, users.by_email(&email(&format!("{name}@example.org"))));
        let account = move || telegram(name);
        read!(all, None, users.by_external(&account().provider, &account().external_id));
        read!(all, None, users.by_external(&provider("faceit"), &external_id(name)));
    }
    for limit in LIMITS {
        read!(all, None, users.admins(now(), &page(limit)));
        read!(all, None, users.vip_users(now(), &page(limit)));
    }
}

fn missions(all: &mut Vec<Read>) {
    for id in super::MISSIONS {
        read!(all, None, missions.by_id(&slug(id)));
        read!(all, None, mission_reports.statistics(&slug(id)));
    }
    read!(all, None, missions.by_ids(&super::MISSIONS.map(slug)));
    for limit in LIMITS {
        for category in [None, Some(MissionCategory::Main), Some(MissionCategory::Standard)] {
            for cadence in [None, Some(MissionCadence::Daily), Some(MissionCadence::OneTime)] {
                read!(all, None, missions.active(category, cadence, at_most(limit), now()));
            }
        }
    }
    read!(all, None, mission_reports.totals());
}

fn story(all: &mut Vec<Read>) {
    for id in super::FRAGMENTS {
        read!(all, None, narrative.fragment(&slug(id)));
    }
    for code in super::LORE {
        read!(all, None, lore.piece(&slug(code)));
    }
    read!(all, None, narrative.start());
    read!(all, None, story.totals());
    for limit in LIMITS {
        for kind in [None, Some(FragmentKind::Story), Some(FragmentKind::Decision)] {
            for chapter_level in [None, Some(1)] {
                let filter = move || FragmentFilter { kind, chapter_level, ..Default::default() };
                read!(all, None, narrative.fragments(&filter(), &page(limit)));
            }
        }
        let active = || FragmentFilter { is_active: Some(true), ..FragmentFilter::default() };
        read!(all, None, narrative.fragments(&active(), &page(limit)));
        read!(all, None, lore.pieces(&LoreFilter::default(), &page(limit)));
        let maps = || LoreFilter { category: Some(slug("maps")), is_active: Some(true) };
        read!(all, None, lore.pieces(&maps(), &page(limit)));
        read!(all, None, story.popularity(at_most(limit)));
    }
}

fn honours(all: &mut Vec<Read>, ids: &Ids) {
    for id in super::ACHIEVEMENTS {
        read!(all, None, achievements.by_id(&slug(id)));
    }
    for is_active in [None, Some(true)] {
        for in_honour in [false, true] {
            let filter = move || {
                let category = in_honour.then(|| slug("honour"));
                AchievementFilter { is_active, category }
            };
            read!(all, None, achievements.count(&filter()));
            for limit in LIMITS {
                read!(all, None, achievements.list(&filter(), &page(limit)));
            }
        }
    }
    for limit in LIMITS {
        for days in [1, 90] {
            read!(all, None, user_achievements.recent(days, limit, now()));
        }
        for offset in [0, 1] {
            for by in AchievementRanking::ALL {
                let window = rows(limit, offset);
                read!(all, None, achievement_reports.leaderboard(*by, window, now()));
            }
            for metric in LeaderboardMetric::ALL {
                read!(all, None, rankings.leaderboard(*metric, rows(limit, offset), now()));
            }
        }
        for is_active in [None, Some(true)] {
            for vip_only in [false, true] {
                let filter = BadgeFilter { is_active, vip_only };
                read!(all, None, badges.list(filter, &page(limit)));
            }
        }
    }
    let badges = ids.badges;
    for id in badges {
        read!(all, None, badges.by_id(id));
    }
    read!(all, None, badges.by_ids(&badges));
}

fn things(all: &mut Vec<Read>, ids: &Ids) {
    let items = ids.items;
    for id in items {
        read!(all, None, store.by_id(id));
    }
    read!(all, None, store.by_ids(&items));
    for limit in LIMITS {
        for kind in [None, Some(StoreItemKind::Avatar)] {
            for include_inactive in [false, true] {
                let filter = StoreFilter { kind, include_inactive };
                read!(all, None, store.items(&filter, &page(limit)));
            }
        }
        for active_only in [false, true] {
            read!(all, None, interests.categories(active_only, &page(limit)));
        }
    }
    read!(all, None, levels.list());
}

/// Sums over all members: they age by their time to live instead of going with every movement, and
/// a day's activity with them.
const AGEING: [&str; 4] = [
    "profiles.user_totals",
    "rankings.daily_activity",
    "rankings.points_in_circulation",
    "rankings.totals",
];
/// Shapes of the decorators that keep what they read.
const SHAPES: [&str; 6] = ["read", "find", "list", "page", "many", "board"];
/// Written out in decorators, and no read.
const WRITES: [&str; 1] = ["users.update"];

/// Every method that a decorator keeps, by the decorators' own text.
fn kept() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/cached/src");
    let mut found = BTreeSet::new();
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let mut accessor: Option<String> = None;
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let method = match words[..] {
                ["impl", _, "by", by, ..] => {
                    accessor = Some(by.trim_end_matches(',').to_owned());
                    None
                }
                [shape, method, ..] if line.starts_with("        ") && SHAPES.contains(&shape) => {
                    Some(method)
                }
                ["async", "fn", method, ..] if line.starts_with("        async") => Some(method),
                _ => None,
            };
            if let (Some(accessor), Some(method)) = (&accessor, method) {
                found.insert(format!("{accessor}.{}", method.split('(').next().unwrap()));
            }
            if line == "}" {
                accessor = None; // Of the block that declares.
            }
        }
    }
    found
}

#[test]
fn no_read_that_is_kept_is_forgotten() {
    let ids = Ids {
        members: [UserId(1), UserId(2), UserId(3)],
        badges: [BadgeId(1), BadgeId(2)],
        items: [StoreItemId(1), StoreItemId(2)],
        category: InterestCategoryId(1),
    };
    let asked: BTreeSet<String> = all(&ids).iter().map(|read| read.method.to_owned()).collect();
    let mut kept = kept();
    for known in AGEING.into_iter().chain(WRITES) {
        assert!(kept.remove(known), "{known} is not kept");
    }
    assert_eq!(asked, kept);
}
