//! Members who change: whoever wants to hear of it does, once, and of nothing else.

use guildhall_domain::{Bio, DomainEvent, NewExternal, NewUser, Patch, UserId, UserPatch};
use guildhall_repository::{ErrorKind, LentUnit, RetryPolicy, StorageError, in_unit};
use guildhall_service::Outbox;
use guildhall_testkit::SeededRandom;
use guildhall_testkit::builder::{external, now, person, user, username};

use super::ground::Ground;

super::on_storages! {
    a_change_is_told_once_and_a_refused_one_never
    a_takeover_is_told_of_both
    twenty_takeovers_at_once_leave_one_holder
    an_administrator_is_told_of_once
    what_a_platform_fills_in_is_told
    a_change_in_a_units_body_is_told_by_its_owner
    without_the_outbox_a_change_is_in_the_outcome_only
}

fn renamed(name: &str) -> UserPatch {
    UserPatch { username: Patch::Set(username(name)), ..UserPatch::default() }
}

fn told(user: UserId) -> DomainEvent {
    DomainEvent::UserUpdated { user }
}

/// Whom the events in the outbox are about that nobody has claimed, which all tell of a change.
async fn in_outbox(ground: &Ground) -> Vec<UserId> {
    let lease = std::time::Duration::from_secs(60);
    let batch = ground.storage.outbox().claim(500, lease, now()).await.unwrap();
    assert!(batch.events.iter().all(|event| event.kind == "UserUpdated"), "{:?}", batch.events);
    batch.events.iter().map(|event| event.user).collect()
}

async fn a_change_is_told_once_and_a_refused_one_never(ground: Ground) {
    let (ada, bob) = (ground.member("ada").await, ground.member("bob").await);
    let members = &ground.members;
    let changed = members.update(ada, &renamed("Ada"), 1, false).await.unwrap();
    assert_eq!((changed.replayed, changed.value.version), (false, 2));
    assert_eq!(changed.events, [told(ada)]);
    assert_eq!(ground.storage.users().by_id(ada).await.unwrap(), Some(changed.value.clone()));

    let same = members.update(ada, &UserPatch::default(), 2, false).await.unwrap();
    assert_eq!((same.replayed, same.events.len(), same.value), (true, 0, changed.value));
    let nobody = UserId(ada.0 + 1_000);
    for (user, patch, version, kind) in [
        (ada, renamed("x"), 1, ErrorKind::Conflict),
        (ada, renamed("BOB"), 2, ErrorKind::AlreadyExists),
        (nobody, renamed("x"), 1, ErrorKind::NotFound),
        (nobody, UserPatch::default(), 1, ErrorKind::NotFound),
    ] {
        let refused = members.update(user, &patch, version, false).await.unwrap_err();
        assert_eq!(refused.kind(), kind, "{refused:?}");
    }
    assert!(ground.members.delete(bob).await.unwrap().value);
    let refused = members.update(bob, &renamed("x"), 2, true).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    let kinds = ground.outbox().await;
    assert_eq!(kinds, ["UserUpdated", "UserDeleted"]);
}

async fn a_takeover_is_told_of_both(ground: Ground) {
    let (ada, bob) = (ground.member("ada").await, ground.member("bob").await);
    let before = ground.storage.users().by_username(&username("ada")).await.unwrap().unwrap();
    assert_eq!(before.id, ada, "so that it is in the cache");
    let taken = ground.members.update(bob, &renamed("ADA"), 1, true).await.unwrap();
    assert_eq!(taken.events, [told(ada), told(bob)]);
    assert_eq!(ground.storage.users().by_id(ada).await.unwrap().unwrap().username, None);
    let found = ground.storage.users().by_username(&username("ada")).await.unwrap().unwrap();
    assert_eq!((found.id, found.version), (bob, 2));
    // A name of nobody, and one's own.
    for (name, version) in [("free", 2), ("FREE", 3)] {
        let taken = ground.members.update(bob, &renamed(name), version, true).await.unwrap();
        assert_eq!(taken.events, [told(bob)]);
    }
    // A refusal leaves the name with its holder.
    let refused = ground.members.update(ada, &renamed("free"), 9, true).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    let found = ground.storage.users().by_username(&username("free")).await.unwrap().unwrap();
    assert_eq!(found.id, bob);
    assert_eq!(in_outbox(&ground).await, [ada, bob, bob, bob]);
}

async fn twenty_takeovers_at_once_leave_one_holder(ground: Ground) {
    let ids = ground.members(20).await;
    let takers = ids.iter().map(|id| {
        let (members, id) = (ground.members.clone(), *id);
        tokio::spawn(async move { members.update(id, &renamed("crown"), 1, true).await })
    });
    let takers: Vec<_> = takers.collect();
    let mut changes = 0;
    for taker in takers {
        match taker.await.unwrap() {
            Ok(taken) => changes += taken.events.len(),
            // Too many others were faster: nothing was written.
            Err(error) => assert_eq!(error.kind(), ErrorKind::Contention, "{error:?}"),
        }
    }
    let mut holders = 0;
    for id in &ids {
        let found = ground.storage.users().by_id(*id).await.unwrap().unwrap();
        holders += u32::from(found.username == Some(username("crown")));
    }
    assert_eq!(holders, 1);
    assert_eq!(in_outbox(&ground).await.len(), changes);
}

async fn an_administrator_is_told_of_once(ground: Ground) {
    let ada = ground.member("ada").await;
    for (is_admin, replayed) in [(false, true), (true, false), (true, true), (false, false)] {
        let outcome = ground.members.set_admin(ada, is_admin).await.unwrap();
        assert_eq!((outcome.value.is_admin, outcome.replayed), (is_admin, replayed));
        assert_eq!(outcome.events.is_empty(), replayed);
    }
    let nobody = ground.members.set_admin(UserId(ada.0 + 1_000), true).await.unwrap_err();
    assert_eq!(nobody.kind(), ErrorKind::NotFound);
    assert_eq!(in_outbox(&ground).await, [ada, ada]);
}

async fn what_a_platform_fills_in_is_told(ground: Ground) {
    let who = external("telegram", "700000001");
    let bare = NewUser::default();
    let ada = ground.registration.ensure(&who, &bare).await.unwrap().value.id;
    let seed = NewUser { first_name: Some(person("Ada")), ..NewUser::default() };
    let fill = || ground.registration.ensure(&who, &seed);
    let all = tokio::join!(fill(), fill(), fill(), fill());
    let all = [all.0.unwrap(), all.1.unwrap(), all.2.unwrap(), all.3.unwrap()];
    assert!(all.iter().all(|outcome| outcome.replayed && outcome.value.id == ada));
    assert_eq!(all.iter().map(|outcome| outcome.events.len()).sum::<usize>(), 1);
    assert!(ground.registration.ensure(&who, &bare).await.unwrap().events.is_empty());
    assert_eq!(ground.outbox().await, ["UserCreated", "UserUpdated"]);

    // Who was deleted comes back as somebody else.
    ground.members.delete(ada).await.unwrap();
    let back = ground.registration.ensure(&who, &seed).await.unwrap();
    assert_eq!(back.events, [DomainEvent::UserCreated { user: back.value.id }]);
}

async fn a_change_in_a_units_body_is_told_by_its_owner(ground: Ground) {
    let ada = ground.member("ada").await;
    let (members, outbox, random) = (&ground.members, &Outbox::on(), SeededRandom::new(4));
    let patch = UserPatch {
        bio: Patch::Set(Bio::parse("I mend clocks. ⏰").unwrap()),
        ..UserPatch::default()
    };
    let patch = &patch;
    for fails in [true, false] {
        let body = move |work: LentUnit| async move {
            let updated = members.update_in(&*work, ada, patch, 1, false, now()).await?;
            let made = members.set_admin_in(&*work, ada, true, now()).await?;
            outbox.publish_in(&*work, &updated.events, now()).await?;
            outbox.publish_in(&*work, &made.events, now()).await?;
            if fails { Err(StorageError::not_found("way", 1)) } else { Ok(()) }
        };
        let outcome = in_unit(&*ground.storage, RetryPolicy::default(), &random, body).await;
        assert_eq!(outcome.is_err(), fails);
        if fails {
            assert!(ground.outbox().await.is_empty());
        }
    }
    assert_eq!(in_outbox(&ground).await, [ada, ada]);
    let after = ground.storage.users().by_id(ada).await.unwrap().unwrap();
    assert_eq!((after.version, after.is_admin, after.bio.is_some()), (3, true, true));
}

async fn without_the_outbox_a_change_is_in_the_outcome_only(ground: Ground) {
    let quiet = Ground::with(&ground.storage, Outbox::off());
    let ada = quiet.member("ada").await;
    let changed = quiet.members.update(ada, &renamed("eve"), 1, true).await.unwrap();
    assert_eq!(changed.events, [told(ada)]);
    assert_eq!(quiet.members.set_admin(ada, true).await.unwrap().events, [told(ada)]);
    let bare = NewExternal::telegram(7);
    let bob = quiet.registration.ensure(&bare, &NewUser::default()).await.unwrap().value.id;
    let filled = quiet.registration.ensure(&bare, &user("bob")).await.unwrap();
    assert_eq!(filled.events, [told(bob)]);
    assert!(ground.outbox().await.is_empty());
}
