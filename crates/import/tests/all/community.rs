//! What members have done, in memory: the promises of the repositories that imports rely on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use guildhall_domain::{
    Achievement, Advance, Badge, BadgeId, Decision, Fragment, LoreId, LorePiece, Mission,
    MissionPeriod, MissionStatus, ObjectiveProgress, Outcome, Slug, StoreItem, StoreItemId,
    StoryState, Timestamp, UserAchievement, UserBadge, UserBadgeId, UserFragment, UserId, UserItem,
    UserLore, UserMission,
};
use guildhall_repository::{MockUnitOfWork, Page, SeedReport, StorageError};

use crate::community_story;

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Community {
    pub(crate) missions: BTreeMap<Slug, Mission>,
    pub(crate) entries: BTreeMap<(UserId, Slug, String), UserMission>,
    pub(crate) achievements: BTreeMap<Slug, Achievement>,
    pub(crate) unlocks: BTreeMap<(UserId, Slug), UserAchievement>,
    pub(crate) badges: Vec<Badge>,
    pub(crate) awards: BTreeMap<(UserId, BadgeId), Timestamp>,
    pub(crate) lore: Vec<LorePiece>,
    pub(crate) found: BTreeMap<(UserId, LoreId), UserLore>,
    pub(crate) fragments: BTreeMap<Slug, Fragment>,
    pub(crate) states: BTreeMap<UserId, StoryState>,
    pub(crate) visits: BTreeMap<(UserId, Slug), UserFragment>,
    pub(crate) decisions: Vec<Decision>,
    pub(crate) items: Vec<StoreItem>,
    pub(crate) owned: BTreeMap<(UserId, StoreItemId), UserItem>,
    /// Changes so far.
    pub(crate) writes: u64,
}

pub(crate) type Shared = Arc<Mutex<Community>>;

pub(crate) fn of(shared: &Shared) -> MutexGuard<'_, Community> {
    shared.lock().unwrap()
}

pub(crate) fn absent<T>(entity: &'static str, key: impl ToString) -> Result<T, StorageError> {
    Err(StorageError::NotFound { entity, key: key.to_string() })
}

fn taken<T>(entity: &'static str, key: impl ToString) -> Result<T, StorageError> {
    Err(StorageError::AlreadyExists { entity, key: key.to_string() })
}

pub(crate) fn once<T>(value: T, replayed: bool) -> Result<Outcome<T>, StorageError> {
    Ok(Outcome { value, replayed, events: Vec::new() })
}

/// Makes the mocks answer for `shared`.
pub(crate) fn lend(mocks: &mut MockUnitOfWork, shared: &Shared) {
    missions(mocks, shared);
    achievements(mocks, shared);
    badges(mocks, shared);
    community_story::lore(mocks, shared);
    community_story::narrative(mocks, shared);
    community_story::story(mocks, shared);
    store(mocks, shared);
}

fn missions(mocks: &mut MockUnitOfWork, shared: &Shared) {
    let s = shared.clone();
    mocks.missions.expect_by_ids().returning(move |ids| {
        Ok(ids.iter().filter_map(|id| of(&s).missions.get(id).cloned()).collect())
    });
    let s = shared.clone();
    mocks.missions.expect_create().returning(move |new, now| {
        let mission = new.clone().created(now)?;
        let mut all = of(&s);
        all.writes += 1;
        all.missions.insert(mission.id.clone(), mission.clone());
        Ok(mission)
    });
    let progress = &mut mocks.mission_progress;
    let s = shared.clone();
    progress.expect_import_completion().returning(move |user, mission, period, at| {
        let mut all = of(&s);
        if !all.missions.contains_key(mission) {
            return absent("mission", mission);
        }
        let key = (user, mission.clone(), period.to_string());
        let before = all.entries.get(&key).cloned();
        if let Some(done) = before.filter(|entry| entry.status == MissionStatus::Completed) {
            return once(done, true);
        }
        let mut entry = opened(user, mission, period, at);
        entry.status = MissionStatus::Completed;
        entry.completed_at = Some(at);
        entry.paid_elsewhere = true;
        all.writes += 1;
        all.entries.insert(key, entry.clone());
        once(entry, false)
    });
    let s = shared.clone();
    progress.expect_open_period().returning(move |user, mission, period, now| {
        let mut all = of(&s);
        let Some(defined) = all.missions.get(mission).cloned() else {
            return absent("mission", mission);
        };
        let key = (user, mission.clone(), period.to_string());
        if let Some(entry) = all.entries.get(&key) {
            return once(entry.clone(), true);
        }
        let mut entry = opened(user, mission, period, now);
        let objective = |target| ObjectiveProgress { idx: 0, value: 0, target, updated_at: None };
        entry.objectives = defined.objectives.iter().map(|one| objective(one.target)).collect();
        all.writes += 1;
        all.entries.insert(key, entry.clone());
        once(entry, false)
    });
    let s = shared.clone();
    progress.expect_advance().returning(move |user, mission, period, idx, change, now| {
        let mut all = of(&s);
        let entry = all.entries.get_mut(&(user, mission.clone(), period.to_string())).unwrap();
        let objective = &mut entry.objectives[usize::from(idx)];
        let Advance::Set(value) = change else { panic!("{change:?}") };
        objective.value = value;
        objective.updated_at = Some(now);
        once(entry.objectives.clone(), false)
    });
}

fn opened(user: UserId, mission: &Slug, period: MissionPeriod, at: Timestamp) -> UserMission {
    UserMission {
        user,
        mission: mission.clone(),
        period,
        status: MissionStatus::Active,
        started_at: at,
        completed_at: None,
        rewarded_entry: None,
        paid_elsewhere: false,
        objectives: Vec::new(),
        version: 1,
    }
}

fn achievements(mocks: &mut MockUnitOfWork, shared: &Shared) {
    let s = shared.clone();
    mocks.achievements.expect_by_ids().returning(move |ids| {
        Ok(ids.iter().filter_map(|id| of(&s).achievements.get(id).cloned()).collect())
    });
    let s = shared.clone();
    mocks.achievements.expect_seed().returning(move |new, now| {
        let mut all = of(&s);
        let mut report = SeedReport::default();
        for new in new {
            let stored = all.achievements.get(&new.id);
            let seeded = match stored.map(|stored| stored.redefined(new)) {
                Some(None) => {
                    report.unchanged += 1;
                    continue;
                }
                Some(Some(redefined)) => {
                    report.updated += 1;
                    redefined
                }
                None => {
                    report.inserted += 1;
                    Achievement::defined(new.clone(), now)
                }
            };
            all.writes += 1;
            all.achievements.insert(new.id.clone(), seeded);
        }
        Ok(report)
    });
    let s = shared.clone();
    mocks.user_achievements.expect_unlock().returning(move |unlock, now| {
        let mut all = of(&s);
        if !all.achievements.contains_key(&unlock.achievement) {
            return absent("achievement", &unlock.achievement);
        }
        let key = (unlock.user, unlock.achievement.clone());
        if let Some(there) = all.unlocks.get(&key) {
            return once(there.clone(), true);
        }
        let held = UserAchievement {
            user: unlock.user,
            achievement: unlock.achievement.clone(),
            unlocked_at: now,
            source: unlock.source.clone(),
            points_awarded: unlock.points,
            context: unlock.context.clone(),
        };
        all.writes += 1;
        all.unlocks.insert(key, held.clone());
        once(held, false)
    });
}

fn badges(mocks: &mut MockUnitOfWork, shared: &Shared) {
    let s = shared.clone();
    mocks.badges.expect_by_name().returning(move |name| {
        let lower = name.as_str().to_lowercase();
        let all = of(&s);
        Ok(all.badges.iter().find(|one| one.name.as_str().to_lowercase() == lower).cloned())
    });
    let s = shared.clone();
    mocks.badges.expect_create().returning(move |new, now| {
        let mut all = of(&s);
        let badge = Badge {
            id: BadgeId(all.badges.len() as i64 + 1),
            name: new.name.clone(),
            description: new.description.clone(),
            icon: new.icon.clone(),
            emoji: new.emoji.clone(),
            tier: new.tier,
            rule: new.rule.clone(),
            vip: new.vip,
            auto_permissions: new.auto_permissions,
            revocable: new.revocable,
            is_active: new.is_active,
            created_at: now,
            version: 1,
        };
        all.writes += 1;
        all.badges.push(badge.clone());
        Ok(badge)
    });
    let s = shared.clone();
    mocks.badges.expect_update().returning(move |id, patch, version| {
        let mut all = of(&s);
        let place = all.badges.iter().position(|one| one.id == id).unwrap();
        assert_eq!(all.badges[place].version, version);
        let badge = patch.clone().applied_to(all.badges[place].clone())?;
        all.writes += 1;
        all.badges[place] = badge.clone();
        Ok(badge)
    });
    let s = shared.clone();
    mocks
        .badges
        .expect_has()
        .returning(move |user, id| Ok(of(&s).awards.contains_key(&(user, id))));
    let s = shared.clone();
    mocks.badges.expect_give().returning(move |award, now| {
        let mut all = of(&s);
        let badge = all.badges.iter().find(|one| one.id == award.badge).unwrap().clone();
        assert!(badge.vip.is_none(), "an import makes nobody a VIP a second time");
        let row = |awarded_at| UserBadge {
            id: UserBadgeId(1),
            user: award.user,
            badge: award.badge,
            awarded_at,
            awarded_by: None,
            source: award.source.clone(),
            vip_grant: None,
        };
        if let Some(at) = all.awards.get(&(award.user, award.badge)) {
            return once(row(*at), true);
        }
        if !badge.is_active {
            let state = "inactive".to_owned();
            let (entity, key, attempted) = ("badge", badge.id.to_string(), "give it");
            return Err(StorageError::InvalidState { entity, key, state, attempted });
        }
        all.writes += 1;
        all.awards.insert((award.user, award.badge), now);
        once(row(now), false)
    });
}

fn store(mocks: &mut MockUnitOfWork, shared: &Shared) {
    let s = shared.clone();
    mocks.store.expect_items().returning(move |filter, _| {
        assert!(filter.include_inactive);
        Ok(Page { items: of(&s).items.clone(), next_cursor: None })
    });
    let s = shared.clone();
    mocks.store.expect_create().returning(move |offer, now| {
        let mut all = of(&s);
        let id = StoreItemId(all.items.len() as i64 + 1);
        let item = StoreItem { id, offer: offer.clone(), created_at: now, version: 1 };
        all.writes += 1;
        all.items.push(item.clone());
        Ok(item)
    });
    let s = shared.clone();
    mocks.store.expect_own().returning(move |user, item, price_paid, now| {
        let mut all = of(&s);
        if all.owned.contains_key(&(user, item.id)) {
            return taken("thing", item.id);
        }
        let owned = UserItem {
            user,
            item: item.id,
            title: item.offer.title.clone(),
            kind: item.offer.kind,
            acquired_at: now,
            price_paid,
            equipped: false,
        };
        all.writes += 1;
        all.owned.insert((user, item.id), owned.clone());
        Ok(owned)
    });
}
