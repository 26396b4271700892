use std::sync::Arc;
use std::time::Duration;

use guildhall_domain::{
    BasisPoints, CommunityZone, DomainEvent, EarningRules, EntryKind, Participation, Timestamp,
    UserId, UserStats,
};
use guildhall_repository::{ErrorKind, Storage, StorageError};

use super::super::expect::{refused, sound, winners};
use super::super::given;
use crate::builder::{day, days, hours, now, points, reference, seconds, time};

const ONE: BasisPoints = BasisPoints::ONE;

async fn stats(storage: &Arc<dyn Storage>, user: UserId) -> UserStats {
    storage.activity().stats(user).await.unwrap().unwrap()
}

/// When a refused call may be tried again.
#[track_caller]
fn retry_at(error: StorageError) -> Timestamp {
    match error {
        StorageError::LimitExceeded { retry_at: Some(at), .. } => at,
        other => panic!("expected a time to try again at: {other:?}"),
    }
}

/// The interval begins with a message that was paid.
pub async fn a_message_pays_after_its_interval(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let rules = EarningRules::default();
    let tick = Duration::from_micros(1);
    let (double, interval) = (BasisPoints::new(20_000).unwrap(), rules.message_interval);
    for (at, multiplier, paid) in [
        (now(), double, Some(2)),
        (now().plus(seconds(20)), ONE, None),
        (now().plus(interval).minus(tick), ONE, None),
        (now().plus(interval), ONE, Some(1)),
        (now().plus(interval + seconds(29)), ONE, None),
        (now().plus(interval * 2), ONE, Some(1)),
    ] {
        let outcome = storage.points().record_message(ada, &rules, multiplier, at).await.unwrap();
        assert!(!outcome.replayed);
        assert_eq!(outcome.value.as_ref().map(|entry| entry.amount), paid.map(points), "{at}");
        if let Some(entry) = outcome.value {
            assert_eq!((entry.kind, entry.created_at), (EntryKind::Award, at));
            assert_eq!(stats(&storage, ada).await.last_message_award_at, Some(at));
        }
    }
    assert_eq!(given::balance(&storage, ada).await, points(4));
    sound(&*storage, &[ada]).await;
}

/// Also those from before the last paid one, when clocks disagree.
pub async fn messages_count_even_unpaid(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let rules = EarningRules::default();
    for at in [now(), now().plus(seconds(1)), now().minus(hours(1))] {
        storage.points().record_message(ada, &rules, ONE, at).await.unwrap();
    }
    assert_eq!(stats(&storage, ada).await.messages_sent, 3);
    assert_eq!(given::balance(&storage, ada).await, points(1));
}

/// And all are counted.
pub async fn fifty_messages_at_once_pay_one(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let outcomes = given::at_once(50, &storage, |storage, _| async move {
        let rules = EarningRules::default();
        storage.points().record_message(ada, &rules, ONE, now()).await.unwrap()
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.value.is_some()).count(), 1);
    assert_eq!(stats(&storage, ada).await.messages_sent, 50);
    assert_eq!(given::balance(&storage, ada).await, points(1));
    sound(&*storage, &[ada]).await;
}

/// Each kind its own price; another kind, thing or member is paid anew.
pub async fn participation_pays_once_a_thing(storage: Arc<dyn Storage>) {
    use Participation::{Comment, Other, Poll, Post};
    let ids = given::crowd(&storage, 2, 0).await;
    let rules = EarningRules::default();
    let take_part = async |user: UserId, kind, thing: &str| {
        let thing = reference(thing);
        let outcome =
            storage.points().award_participation(user, kind, &thing, &rules, ONE, now()).await;
        outcome.unwrap()
    };
    for (kind, paid) in [(Post, 5), (Comment, 2), (Poll, 2), (Other, 1)] {
        let first = take_part(ids[0], kind, "t1").await;
        assert_eq!((first.replayed, first.value.amount), (false, points(paid)));
        let again = take_part(ids[0], kind, "t1").await;
        assert_eq!((again.replayed, again.value), (true, first.value));
    }
    assert!(!take_part(ids[0], Post, "T1").await.replayed);
    assert!(!take_part(ids[1], Post, "t1").await.replayed);
    assert_eq!(given::balance(&storage, ids[0]).await, points(15));
    let thing = reference("t2");
    let double = BasisPoints::new(20_000).unwrap();
    let outcome =
        storage.points().award_participation(ids[1], Poll, &thing, &rules, double, now()).await;
    assert_eq!(outcome.unwrap().value.amount, points(4));
    sound(&*storage, &ids).await;
}

/// The second call says when the next day begins.
pub async fn a_check_in_pays_once_a_day(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let rules = EarningRules::default();
    let outcome = storage.points().check_in(ada, &rules, ONE, now()).await.unwrap();
    let done = &outcome.value;
    assert_eq!((done.day, done.streak, &done.bonus), (day("2026-03-01"), 1, &None));
    assert_eq!((done.entry.amount, done.entry.kind), (points(10), EntryKind::Award));
    let told = DomainEvent::CheckedIn { user: ada, day: done.day, streak: 1 };
    assert!(outcome.events.contains(&told), "{:?}", outcome.events);
    for at in [now(), time("2026-03-01T23:59:59.999999Z")] {
        let refusal = storage.points().check_in(ada, &rules, ONE, at).await;
        let next = retry_at(refused(refusal, ErrorKind::LimitExceeded));
        assert_eq!(next, time("2026-03-02T00:00:00Z"));
        if at == time("2026-03-01T23:59:59.999999Z") {
            let double = BasisPoints::new(20_000).unwrap();
            let outcome = storage.points().check_in(ada, &rules, double, next).await.unwrap();
            assert_eq!((outcome.value.streak, outcome.value.entry.amount), (2, points(20)));
        }
    }
    assert_eq!(given::balance(&storage, ada).await, points(30));
    assert_eq!(stats(&storage, ada).await.last_checkin_day, Some(day("2026-03-02")));
    sound(&*storage, &[ada]).await;
}

/// The longest one is remembered.
pub async fn a_streak_goes_on_and_breaks(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let rules = EarningRules::default();
    for (on, streak, longest) in [(0, 1, 1), (1, 2, 2), (2, 3, 3), (4, 1, 3), (5, 2, 3)] {
        let at = now().plus(days(on));
        let outcome = storage.points().check_in(ada, &rules, ONE, at).await.unwrap();
        assert_eq!(outcome.value.streak, streak);
        let kept = stats(&storage, ada).await;
        assert_eq!((kept.checkin_streak, kept.longest_streak), (streak, longest));
    }
}

/// With an entry of its own.
pub async fn every_seventh_day_has_a_bonus(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let rules = EarningRules::default();
    for on in 0..15 {
        let at = now().plus(days(on));
        let done = storage.points().check_in(ada, &rules, ONE, at).await.unwrap().value;
        let bonus = done.bonus.as_ref().map(|entry| entry.amount);
        assert_eq!(bonus, (on % 7 == 6).then(|| points(25)), "day {on}");
        if let Some(bonus) = done.bonus {
            assert_eq!((bonus.user, bonus.seq), (ada, done.entry.seq + 1));
        }
    }
    assert_eq!(given::balance(&storage, ada).await, points(15 * 10 + 2 * 25));
    sound(&*storage, &[ada]).await;
}

/// In Madrid the day began two hours before that of Greenwich.
pub async fn a_check_in_follows_the_communitys_midnight(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let zone = CommunityZone::parse("Europe/Madrid").unwrap();
    let rules = EarningRules { zone, ..EarningRules::default() };
    let check_in = async |at: &str| storage.points().check_in(ada, &rules, ONE, time(at)).await;
    let first = check_in("2026-06-30T21:59:59.999999Z").await.unwrap().value;
    assert_eq!((first.day, first.streak), (day("2026-06-30"), 1));
    let second = check_in("2026-06-30T22:00:00Z").await.unwrap().value;
    assert_eq!((second.day, second.streak), (day("2026-07-01"), 2));
    let refusal = refused(check_in("2026-07-01T00:00:00Z").await, ErrorKind::LimitExceeded);
    assert_eq!(retry_at(refusal), time("2026-07-01T22:00:00Z"));
}

/// Yesterday, come back, is no new day.
pub async fn a_clock_set_back_pays_no_second_time(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let rules = EarningRules::default();
    let (midnight, before) = (time("2026-03-01T00:00:00Z"), time("2026-02-28T23:00:00Z"));
    storage.points().check_in(ada, &rules, ONE, midnight).await.unwrap();
    let refusal = storage.points().check_in(ada, &rules, ONE, before).await;
    refused(refusal, ErrorKind::LimitExceeded);
    storage.points().claim_daily_gift(ada, &rules, midnight).await.unwrap();
    let refusal = storage.points().claim_daily_gift(ada, &rules, before).await;
    refused(refusal, ErrorKind::LimitExceeded);
    assert_eq!(given::balance(&storage, ada).await, points(15));
    assert_eq!(stats(&storage, ada).await.checkin_streak, 1);
}

/// The streak grows by one.
pub async fn a_hundred_check_ins_let_one_win(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let outcomes = given::at_once(100, &storage, |storage, _| async move {
        storage.points().check_in(ada, &EarningRules::default(), ONE, now()).await
    })
    .await;
    let (won, lost) = winners(outcomes, ErrorKind::LimitExceeded);
    assert_eq!((won.len(), lost.len()), (1, 99));
    assert_eq!(stats(&storage, ada).await.checkin_streak, 1);
    assert_eq!(given::balance(&storage, ada).await, points(10));
    sound(&*storage, &[ada]).await;
}

/// To the microsecond, and says when it is over.
pub async fn a_gift_waits_for_its_cooldown(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let rules = EarningRules::default();
    let entry = storage.points().claim_daily_gift(ada, &rules, now()).await.unwrap().value;
    assert_eq!((entry.amount, entry.kind), (points(5), EntryKind::Award));
    assert_eq!(stats(&storage, ada).await.last_gift_at, Some(now()));
    let next = now().plus(rules.gift_cooldown);
    for at in [now(), now().plus(hours(1)), next.minus(Duration::from_micros(1))] {
        let refusal = storage.points().claim_daily_gift(ada, &rules, at).await;
        assert_eq!(retry_at(refused(refusal, ErrorKind::LimitExceeded)), next);
    }
    storage.points().claim_daily_gift(ada, &rules, next).await.unwrap();
    assert_eq!(given::balance(&storage, ada).await, points(10));
    sound(&*storage, &[ada]).await;
}

/// One gift for the day.
pub async fn sixty_four_gifts_let_one_win(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let outcomes = given::at_once(64, &storage, |storage, _| async move {
        storage.points().claim_daily_gift(ada, &EarningRules::default(), now()).await
    })
    .await;
    let (won, lost) = winners(outcomes, ErrorKind::LimitExceeded);
    assert_eq!((won.len(), lost.len()), (1, 63));
    assert_eq!(given::balance(&storage, ada).await, points(5));
    sound(&*storage, &[ada]).await;
}

/// Neither by messages nor by coming back.
pub async fn nobody_earns_nothing(storage: Arc<dyn Storage>) {
    let (nobody, rules, thing) = (UserId(999_999), EarningRules::default(), reference("t1"));
    let repository = storage.points();
    refused(repository.record_message(nobody, &rules, ONE, now()).await, ErrorKind::NotFound);
    refused(repository.check_in(nobody, &rules, ONE, now()).await, ErrorKind::NotFound);
    refused(repository.claim_daily_gift(nobody, &rules, now()).await, ErrorKind::NotFound);
    let kind = Participation::Post;
    let outcome = repository.award_participation(nobody, kind, &thing, &rules, ONE, now()).await;
    refused(outcome, ErrorKind::NotFound);
}
