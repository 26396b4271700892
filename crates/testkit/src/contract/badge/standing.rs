use std::sync::Arc;

use guildhall_domain::{DomainEvent, Role, Vip, VipTerm};
use guildhall_repository::Storage;

use super::super::expect::walk;
use super::super::given;
use super::{defined, given_to, vip_badge, vip_of};
use crate::builder::{badge_award, days, now, page, seconds};

/// For so many days, or for ever; the events say so.
pub async fn a_badge_makes_a_vip(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let bob = given::member(&storage, "bob").await;
    let ten = defined(&storage, vip_badge("ten", VipTerm::Days(10))).await;
    let ever = defined(&storage, vip_badge("ever", VipTerm::Lifetime)).await;
    let outcome = storage.badges().give(&badge_award(ada, ten), now()).await.unwrap();
    assert!(outcome.value.vip_grant.is_some());
    let expected = [
        DomainEvent::BadgeAwarded { user: ada, badge: ten },
        DomainEvent::VipGranted { user: ada },
    ];
    assert_eq!(outcome.events, expected);
    let user = storage.users().by_id(ada).await.unwrap().unwrap();
    assert_eq!((user.vip, user.version), (Vip::Until(now().plus(days(10))), 2));
    assert_eq!(user.role(now()), Role::Vip);
    given_to(&storage, bob, ever).await;
    assert_eq!(vip_of(&storage, bob).await, Vip::Lifetime);
}

/// From its end on; a lifetime has none to extend.
pub async fn a_badge_extends_a_standing(storage: Arc<dyn Storage>) {
    let until = now().plus(days(5));
    let ada = given::vip(&storage, "ada", Vip::Until(until)).await;
    let past = given::vip(&storage, "past", Vip::Until(now().minus(days(5)))).await;
    let ever = given::vip(&storage, "ever", Vip::Lifetime).await;
    let ten = defined(&storage, vip_badge("ten", VipTerm::Days(10))).await;
    for member in [ada, past, ever] {
        given_to(&storage, member, ten).await;
    }
    assert_eq!(vip_of(&storage, ada).await, Vip::Until(now().plus(days(15))));
    assert_eq!(vip_of(&storage, past).await, Vip::Until(now().plus(days(10))));
    assert_eq!(vip_of(&storage, ever).await, Vip::Lifetime);
}

/// None is lost to another that was given at the same moment.
pub async fn twenty_badges_at_once_add_up(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let mut ids = Vec::new();
    for n in 0..20 {
        ids.push(defined(&storage, vip_badge(&format!("b{n}"), VipTerm::Days(10))).await);
    }
    given::at_once(20, &storage, |storage, task| {
        let id = ids[task];
        async move { storage.badges().give(&badge_award(ada, id), now()).await.unwrap() }
    })
    .await;
    assert_eq!(vip_of(&storage, ada).await, Vip::Until(now().plus(days(200))));
    given::at_once(20, &storage, |storage, task| {
        let id = ids[task];
        async move { storage.badges().take(ada, id, None, None, now()).await.unwrap() }
    })
    .await;
    assert_eq!(vip_of(&storage, ada).await, Vip::None);
}

/// And says so, unless it was over already.
pub async fn taking_a_badge_takes_its_grant(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let ten = defined(&storage, vip_badge("ten", VipTerm::Days(10))).await;
    let revoked = DomainEvent::BadgeRevoked { user: ada, badge: ten };
    for (at, events) in [
        (now().plus(days(1)), vec![revoked.clone(), DomainEvent::VipRevoked { user: ada }]),
        (now().plus(days(10)), vec![revoked]),
    ] {
        given_to(&storage, ada, ten).await;
        let taken = storage.badges().take(ada, ten, None, None, at).await.unwrap();
        assert_eq!(taken.events, events);
        assert!(!vip_of(&storage, ada).await.is_active(at));
        assert_eq!(storage.badges().vip_standing(ada, at).await.unwrap(), Vip::None);
    }
}

/// Until the end it was granted for.
pub async fn what_others_granted_stays(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let ten = defined(&storage, vip_badge("ten", VipTerm::Days(10))).await;
    let five = defined(&storage, vip_badge("five", VipTerm::Days(5))).await;
    let ever = defined(&storage, vip_badge("ever", VipTerm::Lifetime)).await;
    for badge in [ten, five, ever] {
        given_to(&storage, ada, badge).await;
    }
    assert_eq!(vip_of(&storage, ada).await, Vip::Lifetime);
    let take = async |badge| storage.badges().take(ada, badge, None, None, now()).await.unwrap();
    take(ever).await;
    assert_eq!(vip_of(&storage, ada).await, Vip::Until(now().plus(days(15))));
    take(five).await;
    assert_eq!(vip_of(&storage, ada).await, Vip::Until(now().plus(days(10))));
    take(ten).await;
    assert_eq!(vip_of(&storage, ada).await, Vip::None);
}

/// What was brought along with no grant is not taken with one that it outlasts.
pub async fn a_standing_from_elsewhere_stays(storage: Arc<dyn Storage>) {
    let ten = defined(&storage, vip_badge("ten", VipTerm::Days(10))).await;
    let ada = given::vip(&storage, "ada", Vip::Lifetime).await;
    given_to(&storage, ada, ten).await;
    storage.badges().take(ada, ten, None, None, now()).await.unwrap();
    assert_eq!(vip_of(&storage, ada).await, Vip::Lifetime);
}

/// Active members only, each once.
pub async fn vip_holders_are_listed_while_it_lasts(storage: Arc<dyn Storage>) {
    let ten = defined(&storage, vip_badge("ten", VipTerm::Days(10))).await;
    let five = defined(&storage, vip_badge("five", VipTerm::Days(5))).await;
    let ever = defined(&storage, vip_badge("ever", VipTerm::Lifetime)).await;
    let plain = defined(&storage, crate::builder::badge("plain")).await;
    let ids = given::crowd(&storage, 5, 0).await;
    for (member, badge) in [(0, ten), (0, five), (1, ever), (2, five), (3, plain), (4, five)] {
        given_to(&storage, ids[member], badge).await;
    }
    storage.badges().take(ids[4], five, None, None, now()).await.unwrap();
    let holders = async |at, limit| {
        let badges = storage.badges();
        walk(limit, async |page| badges.vip_holders(at, &page).await).await
    };
    for limit in [1, 2, 50] {
        assert_eq!(holders(now(), limit).await, ids[..3]);
    }
    assert_eq!(holders(now().plus(days(5)), 1).await, ids[..2]);
    assert_eq!(holders(now().plus(days(15)), 1).await, [ids[1]]);
    let standing = async |member: usize| {
        let at = now().plus(seconds(1));
        storage.badges().vip_standing(ids[member], at).await.unwrap()
    };
    assert_eq!(standing(0).await, Vip::Until(now().plus(days(15))));
    assert_eq!(standing(1).await, Vip::Lifetime);
    assert_eq!(standing(3).await, Vip::None);
    let foreign = page(5).after("users.id~1".parse().unwrap());
    let refusal = storage.badges().vip_holders(now(), &foreign).await;
    super::super::expect::invalid(refusal, "cursor");
}
