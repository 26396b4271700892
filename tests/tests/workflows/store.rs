//! Buying: one piece, one price, however many clicks.

use std::sync::Arc;

use guildhall_domain::{Label, Points, StoreItemId, StoreItemKind, StoreOffer, UserId};
use guildhall_repository::ErrorKind;
use guildhall_testkit::builder::{award, key, now, points};

use super::ground::Ground;

super::on_storages! {
    a_hundred_clicks_buy_one_thing
    a_stock_of_five_is_sold_five_times
    a_purchase_that_is_refused_leaves_the_stock
    a_boost_makes_experience_grow_faster
}

async fn offered(ground: &Ground, offer: StoreOffer) -> StoreItemId {
    ground.storage.store().create(&offer, now()).await.unwrap().id
}

fn hat(cost: i64) -> StoreOffer {
    let title = Label::parse("Straw hat 👒").unwrap();
    StoreOffer::new(title, StoreItemKind::Avatar, points(cost))
}

async fn rich(ground: &Ground, name: &str, whole: i64) -> UserId {
    let member = ground.member(name).await;
    ground.storage.points().award(&award(member, whole), now()).await.unwrap();
    member
}

async fn a_hundred_clicks_buy_one_thing(ground: Ground) {
    let ground = Arc::new(ground);
    let member = rich(&ground, "ada", 100).await;
    let item = offered(&ground, hat(30)).await;
    let calls = (0..100).map(|_| {
        let ground = Arc::clone(&ground);
        tokio::spawn(async move { ground.store.purchase(member, item, None).await })
    });
    let (mut bought, mut refused) = (0, 0);
    for call in futures_util::future::join_all(calls).await {
        match call.unwrap() {
            Ok(outcome) => {
                bought += 1;
                assert!(outcome.value.value.equipped);
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::AlreadyExists);
                refused += 1;
            }
        }
    }
    assert_eq!((bought, refused), (1, 99));
    assert_eq!(ground.balance(member).await, 7_000);
    ground.verify().await;
}

async fn a_stock_of_five_is_sold_five_times(ground: Ground) {
    let ground = Arc::new(ground);
    let item = offered(&ground, StoreOffer { stock: Some(5), ..hat(1) }).await;
    let mut members = Vec::new();
    for n in 0..20 {
        members.push(rich(&ground, &format!("member{n}"), 10).await);
    }
    let calls = members.into_iter().map(|member| {
        let ground = Arc::clone(&ground);
        tokio::spawn(async move {
            let once = key(&format!("buy:{member}"));
            let first = ground.store.purchase(member, item, Some(&once)).await;
            let again = ground.store.purchase(member, item, Some(&once)).await;
            match (first, again) {
                (Ok(first), Ok(again)) => {
                    assert!(again.replayed && again.value == first.value);
                    true
                }
                (Err(first), Err(again)) => {
                    assert_eq!(first.kind(), ErrorKind::InvalidState);
                    assert_eq!(again.kind(), ErrorKind::InvalidState);
                    false
                }
                (first, again) => panic!("{first:?} {again:?}"),
            }
        })
    });
    let sold = futures_util::future::join_all(calls).await;
    assert_eq!(sold.into_iter().filter(|sold| *sold.as_ref().unwrap()).count(), 5);
    let left = ground.storage.store().by_id(item).await.unwrap().unwrap();
    assert_eq!(left.offer.stock, Some(0));
    ground.verify().await;
}

async fn a_purchase_that_is_refused_leaves_the_stock(ground: Ground) {
    let member = rich(&ground, "ada", 10).await;
    for (offer, expected) in [
        (hat(11), ErrorKind::InsufficientBalance),
        (StoreOffer { required_level: 9, ..hat(1) }, ErrorKind::AccessDenied),
        (StoreOffer { required_points: points(11), ..hat(1) }, ErrorKind::AccessDenied),
        (StoreOffer { is_active: false, ..hat(1) }, ErrorKind::InvalidState),
    ] {
        let title = Label::parse(&format!("{expected:?} {}", offer.required_level)).unwrap();
        let item = offered(&ground, StoreOffer { stock: Some(3), title, ..offer }).await;
        let refused = ground.store.purchase(member, item, None).await.unwrap_err();
        assert_eq!(refused.kind(), expected);
        let left = ground.storage.store().by_id(item).await.unwrap().unwrap();
        assert_eq!(left.offer.stock, Some(3), "{expected:?}");
    }
    let nothing = ground.store.purchase(member, StoreItemId(1_000_000), None).await.unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::NotFound);
    assert_eq!(ground.balance(member).await, 1_000);
    ground.verify().await;
}

async fn a_boost_makes_experience_grow_faster(ground: Ground) {
    let member = rich(&ground, "ada", 10).await;
    let effect = serde_json::json!({ "xp_boost_bp": 20_000 });
    let boost = StoreOffer {
        effect: Some(guildhall_domain::Json::new(effect).unwrap()),
        ..StoreOffer::new(Label::parse("Elixir").unwrap(), StoreItemKind::XpBoost, Points::ZERO)
    };
    let item = offered(&ground, boost).await;
    ground.store.purchase(member, item, None).await.unwrap();
    let before = ground.storage.points().account(member).await.unwrap().unwrap();
    ground.storage.points().award(&award(member, 10), now()).await.unwrap();
    let after = ground.storage.points().account(member).await.unwrap().unwrap();
    assert_eq!(after.balance().minor() - before.balance().minor(), 1_000);
    assert_eq!(after.xp().minor() - before.xp().minor(), 2_000);
    ground.verify().await;
}
