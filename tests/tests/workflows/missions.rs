//! Missions, check-ins, and what they set off.

use std::sync::Arc;

use guildhall_domain::{BasisPoints, MissionCadence, NewMission, Objective, ObjectiveKind, Reward};
use guildhall_repository::ErrorKind;
use guildhall_testkit::builder::{days, key, slug, source};

use super::ground::{Ground, earned, errand, mission, reward};

super::on_storages! {
    a_hundred_advances_complete_a_mission_once
    a_hundred_check_ins_are_one
    one_act_sets_off_all_it_earns
    an_action_under_a_key_counts_once
    nothing_remains_of_a_workflow_that_fails
    what_was_reset_is_not_paid_again
    a_day_is_a_period_of_its_own
    refusals_say_why
    a_prize_is_given_once
    who_leaves_is_told_of_once
}

async fn a_hundred_advances_complete_a_mission_once(ground: Ground) {
    let ground = Arc::new(ground);
    let member = ground.member("ada").await;
    ground.mission(errand("ten", "dig", 10, 5)).await;
    let calls = (0..100).map(|_| {
        let ground = Arc::clone(&ground);
        tokio::spawn(async move { ground.missions.advance(member, &slug("ten"), 0, 1, None).await })
    });
    let (mut completions, mut replays) = (0, 0);
    for call in futures_util::future::join_all(calls).await {
        let outcome = call.unwrap().unwrap();
        completions += u32::from(outcome.value.value.completed);
        replays += u32::from(outcome.replayed);
        assert!(!outcome.replayed || outcome.events.is_empty());
    }
    assert_eq!((completions, replays), (1, 90));
    let period = guildhall_domain::MissionPeriod::Once;
    let progress = ground.storage.mission_progress();
    let row = progress.user_mission(member, &slug("ten"), period).await.unwrap().unwrap();
    assert_eq!((row.objectives[0].value, row.progress()), (10, BasisPoints::ONE));
    assert!(row.rewarded_entry.is_some());
    assert_eq!(ground.sources(member).await, ["mission"]);
    assert_eq!(ground.balance(member).await, 500);
    ground.verify().await;
}

async fn a_hundred_check_ins_are_one(ground: Ground) {
    let ground = Arc::new(ground);
    let member = ground.member("ada").await;
    ground.mission(errand("come_back", "checkin", 1, 3)).await;
    ground.mission(mission("week").objective(Objective::reaching(slug("login_streak"), 7))).await;
    let calls = (0..100).map(|_| {
        let ground = Arc::clone(&ground);
        tokio::spawn(async move { ground.activities.check_in(member).await })
    });
    let (mut done, mut limited) = (0, 0);
    for call in futures_util::future::join_all(calls).await {
        match call.unwrap() {
            Ok(outcome) => {
                done += 1;
                assert_eq!(outcome.value.value.streak, 1);
                assert_eq!(outcome.value.effects.points.minor(), 1_300);
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::LimitExceeded);
                limited += 1;
            }
        }
    }
    assert_eq!((done, limited), (1, 99));
    let stats = ground.storage.activity().stats(member).await.unwrap().unwrap();
    assert_eq!((stats.checkin_streak, stats.longest_streak), (1, 1));
    assert_eq!(ground.sources(member).await, ["checkin", "mission"]);
    ground.verify().await;
}

/// A message completes a mission; it pays, gives lore and an achievement; the lore completes
/// another mission; the points earn an achievement, and the completed missions one more.
async fn one_act_sets_off_all_it_earns(ground: Ground) {
    let member = ground.member("ada").await;
    ground.lore("old_map").await;
    ground.achievement(earned("rich", "points_earned", 1_000, 7)).await;
    ground.achievement(earned("veteran", "missions", 2, 0)).await;
    let by_hand = guildhall_domain::Label::parse("Finder").unwrap();
    ground.achievement(guildhall_domain::NewAchievement::new(slug("finder"), by_hand)).await;
    let greet = errand("greet", "message", 1, 10)
        .reward(Reward::Lore(slug("old_map")))
        .reward(Reward::Achievement(slug("finder")));
    ground.mission(greet).await;
    let read = mission("read").objective(Objective::once(ObjectiveKind::Lore, slug("old_map")));
    ground.mission(read.reward(reward(2))).await;

    let outcome = ground.activities.record_message(member).await.unwrap();
    let effects = &outcome.value.effects;
    let completed: Vec<_> = effects.missions.iter().map(|it| it.mission.as_str()).collect();
    assert_eq!(completed, ["greet", "read"]);
    assert!(effects.missions.iter().all(|it| it.completed));
    let mut achievements: Vec<_> = effects.achievements.iter().map(|it| it.as_str()).collect();
    achievements.sort_unstable();
    assert_eq!(achievements, ["finder", "rich", "veteran"]);
    assert_eq!(effects.lore, [slug("old_map")]);
    // 1 for the message, 10 and 2 for missions, 7 for being rich.
    assert_eq!(effects.points.minor(), 2_000);
    assert_eq!(ground.balance(member).await, 2_000);
    let told: Vec<_> = outcome.events.iter().map(|event| event.kind().to_owned()).collect();
    assert_eq!(ground.outbox().await, told, "the outbox holds what the caller was told");
    let again = ground.achievements.evaluate(member).await.unwrap();
    assert!(again.replayed && again.events.is_empty());
    ground.verify().await;
}

async fn an_action_under_a_key_counts_once(ground: Ground) {
    let member = ground.member("ada").await;
    ground.mission(errand("dig", "dig", 10, 5)).await;
    let key = key("dig:1");
    let act = async |amount| {
        let dig = slug("dig");
        ground.missions.record_action(member, ObjectiveKind::Action, &dig, amount, Some(&key)).await
    };
    let first = act(3).await.unwrap();
    assert!(!first.replayed);
    let second = act(3).await.unwrap();
    assert!(second.replayed && second.events.is_empty());
    assert_eq!(second.value, first.value);
    assert_eq!(act(4).await.unwrap_err().kind(), ErrorKind::Conflict);
    let period = guildhall_domain::MissionPeriod::Once;
    let progress = ground.storage.mission_progress();
    let row = progress.user_mission(member, &slug("dig"), period).await.unwrap().unwrap();
    assert_eq!(row.objectives[0].value, 3);
}

/// The reward names lore that nobody wrote: no reward without its fact, no fact without its reward.
async fn nothing_remains_of_a_workflow_that_fails(ground: Ground) {
    let member = ground.member("ada").await;
    ground.mission(errand("dig", "dig", 1, 5).reward(Reward::Lore(slug("nowhere")))).await;
    let key = key("dig:1");
    let refused = ground.missions.advance(member, &slug("dig"), 0, 1, Some(&key)).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(ground.balance(member).await, 0);
    let period = guildhall_domain::MissionPeriod::Once;
    let progress = ground.storage.mission_progress();
    assert!(progress.user_mission(member, &slug("dig"), period).await.unwrap().is_none());
    assert!(ground.outbox().await.is_empty());
    // The key was given back with everything else.
    ground.lore("nowhere").await;
    let done = ground.missions.advance(member, &slug("dig"), 0, 1, Some(&key)).await.unwrap();
    assert!(done.value.value.completed && !done.replayed);
    assert_eq!(ground.balance(member).await, 500);
    ground.verify().await;
}

async fn what_was_reset_is_not_paid_again(ground: Ground) {
    let member = ground.member("ada").await;
    ground.lore("old_map").await;
    ground.mission(errand("dig", "dig", 1, 5).reward(Reward::Lore(slug("old_map")))).await;
    let zone = &ground.crediting.rules().earning.zone;
    for round in 0..3 {
        let done = ground.missions.advance(member, &slug("dig"), 0, 1, None).await.unwrap();
        assert!(done.value.value.completed, "{round}");
        assert_eq!(ground.balance(member).await, 500, "{round}");
        let progress = ground.storage.mission_progress();
        let now = guildhall_testkit::builder::now();
        assert!(progress.reset_current(member, &slug("dig"), zone, now).await.unwrap());
    }
    assert_eq!(ground.sources(member).await, ["mission"]);
    ground.verify().await;
}

async fn a_day_is_a_period_of_its_own(ground: Ground) {
    let member = ground.member("ada").await;
    let daily = NewMission { cadence: MissionCadence::Daily, ..errand("dig", "dig", 1, 5) };
    ground.mission(daily).await;
    for day in 1..=3 {
        let dig = slug("dig");
        let act = || ground.missions.advance(member, &dig, 0, 1, None);
        assert!(act().await.unwrap().value.value.completed);
        assert!(act().await.unwrap().replayed);
        assert_eq!(ground.balance(member).await, 500 * day);
        ground.clock.advance(days(1));
    }
    ground.verify().await;
}

async fn refusals_say_why(ground: Ground) {
    let member = ground.member("ada").await;
    ground.mission(errand("dig", "dig", 1, 5)).await;
    ground.mission(NewMission { is_active: false, ..errand("off", "dig", 1, 5) }).await;
    let kind = |error: guildhall_repository::StorageError| error.kind();
    let missions = &ground.missions;
    for (mission, idx, amount, expected) in [
        ("nowhere", 0, 1, ErrorKind::NotFound),
        ("dig", 1, 1, ErrorKind::NotFound),
        ("dig", 0, 0, ErrorKind::Validation),
        ("off", 0, 1, ErrorKind::InvalidState),
    ] {
        let refused = missions.advance(member, &slug(mission), idx, amount, None).await;
        assert_eq!(kind(refused.unwrap_err()), expected, "{mission} {idx} {amount}");
    }
    let nobody = guildhall_domain::UserId(member.0 + 1_000);
    let refused = missions.advance(nobody, &slug("dig"), 0, 1, None).await;
    assert_eq!(kind(refused.unwrap_err()), ErrorKind::NotFound);
    assert!(missions.complete(member, &slug("dig"), None).await.unwrap().value.value.completed);
    let again = missions.complete(member, &slug("dig"), None).await;
    assert_eq!(kind(again.unwrap_err()), ErrorKind::InvalidState);
    assert_eq!(ground.balance(member).await, 500);
}

async fn a_prize_is_given_once(ground: Ground) {
    let member = ground.member("ada").await;
    ground.lore("old_map").await;
    let prize = [reward(5), super::ground::experience(3), Reward::Lore(slug("old_map"))];
    let contest = source("contest");
    let give = || ground.rewards.grant(member, &prize, &contest, "summer");
    let given = give().await.unwrap();
    assert_eq!(given.value.effects.points.minor(), 500);
    assert_eq!(given.value.effects.lore, [slug("old_map")]);
    let again = give().await.unwrap();
    assert!(again.replayed && again.events.is_empty());
    let account = ground.storage.points().account(member).await.unwrap().unwrap();
    assert_eq!((account.balance().minor(), account.xp().minor()), (500, 800));
    // Experience alone, which reaches no level and so is told by no event.
    let practice = [super::ground::experience(3)];
    let first = ground.rewards.grant(member, &practice, &contest, "practice").await.unwrap();
    let again = ground.rewards.grant(member, &practice, &contest, "practice").await.unwrap();
    assert_eq!((first.replayed, again.replayed), (false, true));
    let none = ground.rewards.grant(member, &[], &contest, "summer").await;
    assert_eq!(none.unwrap_err().kind(), ErrorKind::Validation);
    ground.verify().await;
}

async fn who_leaves_is_told_of_once(ground: Ground) {
    let member = ground.member("ada").await;
    let gone = ground.members.delete(member).await.unwrap();
    assert!(gone.value && !gone.replayed);
    let again = ground.members.delete(member).await.unwrap();
    assert!(!again.value && again.replayed);
    assert_eq!(ground.outbox().await, ["UserDeleted"]);
}
