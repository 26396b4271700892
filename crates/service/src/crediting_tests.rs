//! Crediting on mocks: what a real store cannot do on cue.

use std::sync::Arc;

use async_trait::async_trait;
use guildhall_domain::{
    Amount, Award, BasisPoints, Counter, DomainEvent, IdemKey, Outcome, Slug, Source, Timestamp,
    UserId, Vip,
};
use guildhall_repository::{BulkMode, MockStorage, MockUnitOfWork, StorageError, UnitOfWork};

use super::{Crediting, CreditingRules};
use crate::testing::{FixedClock, Seven, entry, user};
use crate::{EventMultiplier, Outbox};

fn bp(bp: i32) -> BasisPoints {
    BasisPoints::new(bp).unwrap()
}

fn award() -> Award {
    Award::new(UserId(7), Amount::whole(5).unwrap(), Source::parse("quiz").unwrap())
}

fn crediting(mocks: MockUnitOfWork, vip_bp: i32) -> Crediting {
    let rules = CreditingRules { vip_multiplier: bp(vip_bp), ..CreditingRules::default() };
    let storage = Arc::new(MockStorage::new(mocks));
    Crediting::new(storage, Arc::new(FixedClock), Arc::new(Seven), rules)
}

#[tokio::test]
async fn a_plain_award_is_one_call_and_passes_its_events_on() {
    // A commit would fail: so none is attempted.
    let mut mocks =
        MockUnitOfWork { commit_error: Some(StorageError::Contention), ..Default::default() };
    mocks.points.expect_award().once().returning(|award, _| {
        assert_eq!(award.multiplier, BasisPoints::ONE);
        let events = vec![DomainEvent::LevelUp { user: award.user, level: 2 }];
        Ok(Outcome::new(entry(7, 5), events))
    });
    let outcome = crediting(mocks, 10_000).award(&award()).await.unwrap();
    assert_eq!(outcome.events, [DomainEvent::LevelUp { user: UserId(7), level: 2 }]);
}

#[tokio::test]
async fn vips_and_administrators_earn_more() {
    for (is_admin, vip, expected) in [
        (false, Vip::None, 10_000),
        (false, Vip::Until(Timestamp::EPOCH), 10_000), // The end is exclusive: it is over.
        (false, Vip::Lifetime, 20_000),
        (true, Vip::None, 20_000),
    ] {
        let mut mocks = MockUnitOfWork::default();
        mocks.users.expect_by_id().once().returning(move |_| {
            let mut member = user(7);
            (member.is_admin, member.vip) = (is_admin, vip);
            Ok(Some(member))
        });
        mocks.points.expect_award().once().returning(move |award, _| {
            assert_eq!(award.multiplier, bp(expected));
            Ok(Outcome::new(entry(7, 5), vec![]))
        });
        crediting(mocks, 20_000).award(&award()).await.unwrap();
    }
}

struct Carnival;

#[async_trait]
impl EventMultiplier for Carnival {
    async fn product(
        &self,
        _: &dyn UnitOfWork,
        _: UserId,
        _: Timestamp,
    ) -> Result<BasisPoints, StorageError> {
        Ok(bp(70_000))
    }
}

#[tokio::test]
async fn own_rate_events_and_role_multiply_up_to_the_maximum() {
    for (own, expected) in [(10_000, 70_000), (20_000, 100_000)] {
        let mut mocks = MockUnitOfWork::default();
        mocks.points.expect_award().once().returning(move |award, _| {
            assert_eq!(award.multiplier, bp(expected));
            Ok(Outcome::new(entry(7, 5), vec![]))
        });
        let crediting = crediting(mocks, 10_000).events(Arc::new(Carnival));
        crediting.award(&Award { multiplier: bp(own), ..award() }).await.unwrap();
    }
}

#[tokio::test]
async fn a_used_key_is_judged_at_the_multiplier_of_its_first_use() {
    let mut mocks = MockUnitOfWork::default();
    mocks.points.expect_award().times(2).returning(|award, _| {
        if award.multiplier == bp(20_000) {
            Ok(Outcome::replayed(entry(7, 10)))
        } else {
            Err(StorageError::conflict("idem_key", "k", "10.00", "5.00"))
        }
    });
    mocks.points.expect_entry_by_key().once().returning(|_| {
        let mut first = entry(7, 10);
        first.multiplier = Some(bp(20_000));
        Ok(Some(first))
    });
    let keyed = award().key(IdemKey::parse("k").unwrap());
    let outcome = crediting(mocks, 10_000).award(&keyed).await.unwrap();
    assert!(outcome.replayed);
}

#[tokio::test]
async fn another_request_under_a_used_key_stays_a_conflict() {
    let mut mocks = MockUnitOfWork::default();
    let conflict = || StorageError::conflict("idem_key", "k", "10.00", "5.00");
    mocks.points.expect_award().once().returning(move |_, _| Err(conflict()));
    mocks.points.expect_entry_by_key().once().returning(|_| Ok(Some(entry(7, 10))));
    let keyed = award().key(IdemKey::parse("k").unwrap());
    let error = crediting(mocks, 10_000).award(&keyed).await.unwrap_err();
    assert!(matches!(error, StorageError::Conflict { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_unit_that_loses_is_tried_again_from_its_reads_on_and_at_most_three_times() {
    let mut mocks = MockUnitOfWork::default();
    mocks.users.expect_by_id().times(3).returning(|_| Ok(Some(user(7))));
    mocks.points.expect_award().times(3).returning(|_, _| Err(StorageError::Contention));
    let error = crediting(mocks, 20_000).award(&award()).await.unwrap_err();
    assert!(matches!(error, StorageError::Contention), "{error:?}");
}

#[tokio::test]
async fn a_check_in_counts_or_leaves_nothing() {
    let mut mocks =
        MockUnitOfWork { commit_error: Some(StorageError::Contention), ..Default::default() };
    mocks.points.expect_check_in().once().returning(|_, rules, _, now| {
        let (day, entry) = (rules.zone.day_of(now), entry(7, 10));
        let done = guildhall_domain::CheckIn { day, streak: 1, entry, bonus: None };
        Ok(Outcome::new(done, vec![]))
    });
    let lost = || StorageError::not_found("user", 7);
    mocks.activity.expect_bump_counters().once().returning(move |_, _, _| Err(lost()));
    // Committed, it would fail with `Contention`: so it is rolled back, with the counter's error.
    let error = crediting(mocks, 10_000).check_in(UserId(7)).await.unwrap_err();
    assert!(matches!(error, StorageError::NotFound { .. }), "{error:?}");
}

#[tokio::test]
async fn a_check_in_bumps_its_counter() {
    let mut mocks = MockUnitOfWork::default();
    mocks.points.expect_check_in().once().returning(|_, rules, _, now| {
        let (day, entry) = (rules.zone.day_of(now), entry(7, 10));
        let done = guildhall_domain::CheckIn { day, streak: 1, entry, bonus: None };
        Ok(Outcome::new(done, vec![]))
    });
    mocks.activity.expect_bump_counters().once().returning(|_, bumps, now| {
        assert_eq!((bumps[0].counter.as_str(), bumps[0].value), ("checkins", 1));
        let counter = Slug::parse("checkins").unwrap();
        Ok(vec![Counter { counter, value: 1, updated_at: now }])
    });
    crediting(mocks, 10_000).check_in(UserId(7)).await.unwrap();
}

#[tokio::test]
async fn a_bulk_of_credits_is_told_of_in_one_go() {
    let mut mocks = MockUnitOfWork::default();
    mocks.points.expect_award_bulk().once().returning(|awards, _, _| {
        let outcome = |award: &Award| match award.user {
            UserId(2) => Err(StorageError::not_found("user", 2)),
            user => Ok(Outcome::new(entry(user.0, 5), vec![DomainEvent::UserUpdated { user }])),
        };
        Ok(awards.iter().map(outcome).collect())
    });
    mocks.outbox.expect_append().once().returning(|events, _, _| {
        let users: Vec<_> = events.iter().map(DomainEvent::user).collect();
        assert_eq!(users, [UserId(1), UserId(3), UserId(4)], "of what succeeded, in its order");
        Ok(())
    });
    let awards: Vec<_> = (1..=4).map(|id| Award { user: UserId(id), ..award() }).collect();
    let crediting = crediting(mocks, 10_000).outbox(Outbox::on());
    let outcomes = crediting.award_all(&awards, BulkMode::BestEffort).await.unwrap();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 3);
}
