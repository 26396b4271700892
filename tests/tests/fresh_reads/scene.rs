//! What there is before anybody acts.

use guildhall_domain::{
    BadgeRule, Effect, EffectAction, EffectTrigger, FragmentKind, HintCombination, InterestLevel,
    MissionCadence, NewBadge, NewChoice, NewFragment, NewLorePiece, NewMission, Objective,
    ObjectiveKind, Patch, Reward, StoreItemKind, StoreOffer, Tier, UserId, UserPatch, VipTerm,
};
use guildhall_repository::Storage;
use guildhall_testkit::builder::{
    achievement, award, badge, choice, email, json, label, language, level, metric, now, points,
    slug, topic,
};

use super::reads::Ids;
use crate::workflows::ground::{Ground, earned, errand, fragment, lore, mission, reward};

/// Everything in the catalogues, and three members who have some of it. The first of them has
/// neither missions nor honours yet.
pub(super) async fn set(ground: &Ground) -> Ids {
    let storage = &*ground.storage;
    let badges = catalogues(ground).await;
    let hat = StoreOffer {
        stock: Some(5),
        ..StoreOffer::new(label("Straw hat 👒"), StoreItemKind::Avatar, points(3))
    };
    let boost = StoreOffer {
        effect: Some(json(r#"{"xp_boost_bp": 20000}"#)),
        ..StoreOffer::new(label("Elixir"), StoreItemKind::XpBoost, points(2))
    };
    let hat = storage.store().create(&hat, now()).await.unwrap().id;
    let boost = storage.store().create(&boost, now()).await.unwrap().id;
    let category = storage.interests().create_category(&topic("music")).await.unwrap().id;
    let mut members = Vec::new();
    for name in ["ada", "bob", "cleo"] {
        members.push(member(ground, name).await);
    }
    let members = [members[0], members[1], members[2]];
    for user in &members[1..] {
        let storage = &ground.storage;
        ground.activities.check_in(*user).await.unwrap();
        ground.missions.complete(*user, &slug("dig"), None).await.unwrap();
        ground.stories.start(*user).await.unwrap();
        let source = guildhall_testkit::builder::source("admin");
        ground.achievements.unlock(*user, &slug("finder"), &source, None).await.unwrap();
        ground.badges.award(*user, badges[0], None, true).await.unwrap();
        storage.interests().add(*user, category, InterestLevel::default(), now()).await.unwrap();
        storage.languages().add(*user, &language("de"), None, true, now()).await.unwrap();
    }
    Ids { members, badges, items: [hat, boost], category }
}

/// With an address and some points.
async fn member(ground: &Ground, name: &str) -> UserId {
    let user = ground.member(name).await;
    let address = UserPatch {
        email: Patch::Set(email(&format!("{name}@example.org"))),
        ..UserPatch::default()
    };
    ground.storage.users().update(user, &address, 1, false, now()).await.unwrap();
    ground.storage.points().award(&award(user, 20), now()).await.unwrap();
    user
}

async fn catalogues(ground: &Ground) -> [guildhall_domain::BadgeId; 2] {
    let storage: &dyn Storage = &*ground.storage;
    let mut second = level(2, 50);
    second.unlocks_lore_code = Some(slug("secret"));
    storage.levels().replace_all(&[level(1, 0), second]).await.unwrap();
    for code in super::LORE {
        let category = (code == "old_map").then(|| slug("maps"));
        let piece = NewLorePiece { category, ..lore(code) };
        storage.lore().create_piece(&piece, now()).await.unwrap();
    }
    let piece = async |code: &str| storage.lore().piece(&slug(code)).await.unwrap().unwrap().id;
    let halves = HintCombination {
        code: slug("map"),
        required: [piece("left_half").await, piece("right_half").await].into(),
        reward: piece("old_map").await,
        legacy_key: None,
    };
    storage.lore().create_combination(&halves).await.unwrap();
    let mut by_hand = achievement("finder", &[]);
    (by_hand.category, by_hand.tier) = (slug("honour"), Tier::Gold);
    ground.achievement(by_hand).await;
    ground.achievement(earned("rich", "points_earned", 5_000, 1)).await;
    ground.achievement(earned("veteran", "missions", 2, 0)).await;
    let crown = NewBadge { vip: Some(VipTerm::Lifetime), ..badge("Crown") };
    let rule = BadgeRule { metric: metric("missions"), threshold: 2 };
    let spade = NewBadge { rule: Some(rule), ..badge("Spade") };
    let crown = storage.badges().create(&crown, now()).await.unwrap().id;
    let spade = storage.badges().create(&spade, now()).await.unwrap().id;
    missions(ground).await;
    story(ground).await;
    [crown, spade]
}

async fn missions(ground: &Ground) {
    ground.mission(errand("dig", "dig", 2, 5)).await;
    let found = errand("greet", "message", 1, 2).reward(Reward::Lore(slug("old_map")));
    ground.mission(found).await;
    let daily = errand("come_back", "checkin", 1, 1);
    ground.mission(NewMission { cadence: MissionCadence::Daily, ..daily }).await;
    let asking =
        |id: &str, kind, key: &str| mission(id).objective(Objective::once(kind, slug(key)));
    ground.mission(asking("read", ObjectiveKind::Lore, "old_map").reward(reward(1))).await;
    ground.mission(asking("see", ObjectiveKind::Fragment, "tower").reward(reward(1))).await;
    ground.mission(asking("climb", ObjectiveKind::Mission, "see")).await;
}

/// A gate that leads into the garden, and for a price up the tower.
async fn story(ground: &Ground) {
    let effect = |trigger, reward| Effect { trigger, action: EffectAction::Reward(reward) };
    for (id, effects) in [
        ("garden", vec![effect(EffectTrigger::Visit, Reward::Lore(slug("left_half")))]),
        ("tower", vec![effect(EffectTrigger::Complete, reward(4))]),
    ] {
        ground.fragment(NewFragment { effects, ..fragment(id, FragmentKind::Story) }).await;
    }
    let tower = NewChoice {
        cost: Some(guildhall_testkit::builder::amount(1)),
        karma_delta: -2,
        ..choice("tower")
    };
    let gate = NewFragment {
        is_start: true,
        choices: vec![choice("garden"), tower],
        ..fragment("gate", FragmentKind::Decision)
    };
    ground.fragment(gate).await;
}
