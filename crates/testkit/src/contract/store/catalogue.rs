use std::sync::Arc;

use guildhall_domain::{Points, StoreItemId, StoreItemKind, StoreOffer};
use guildhall_repository::{ErrorKind, Storage, StoreFilter};

use super::super::expect::{invalid, refused, walk};
use super::{offered, stocked};
use crate::builder::{json, label, now, offer, page, points, summary, url};

/// Everything in it, or nothing but what is needed.
pub async fn a_thing_comes_back_as_it_was_offered(storage: Arc<dyn Storage>) {
    let full = StoreOffer {
        title: label("Fackel 🔥 شعلة"),
        description: Some(summary("Twice the experience, \"for ever\"\nand a day")),
        kind: StoreItemKind::XpBoost,
        cost: Points::from_minor(12_345).unwrap(),
        required_points: points(7),
        required_level: 3,
        stock: Some(4_000_000_000),
        image_url: Some(url("https://example.org/torch.png")),
        effect: Some(json(r#"{"xp_boost_bp": 20000, "more": ["ü", 1.5, null]}"#)),
        is_active: false,
    };
    let bare = StoreOffer::new(label("Nothing"), StoreItemKind::Custom, Points::ZERO);
    for offer in [full, bare] {
        let item = storage.store().create(&offer, now()).await.unwrap();
        assert_eq!((&item.offer, item.created_at, item.version), (&offer, now(), 1));
        assert_eq!(storage.store().by_id(item.id).await.unwrap(), Some(item));
    }
    assert_eq!(storage.store().by_id(StoreItemId(999)).await.unwrap(), None);
}

/// Each once, absent ones left out; 500 at most.
pub async fn things_are_found_by_ids_in_order(storage: Arc<dyn Storage>) {
    let (a, b) = (offered(&storage, "a").await, offered(&storage, "b").await);
    let asked = [b.id, StoreItemId(999), a.id, b.id];
    assert_eq!(storage.store().by_ids(&asked).await.unwrap(), [b, a]);
    assert_eq!(storage.store().by_ids(&[]).await.unwrap(), []);
    let many: Vec<_> = (1..=501).map(StoreItemId).collect();
    invalid(storage.store().by_ids(&many).await, "ids");
}

/// Without regard to case; the unit goes on.
pub async fn a_title_is_taken_once(storage: Arc<dyn Storage>) {
    let torch = offered(&storage, "Ünlü Torch").await;
    let other = offered(&storage, "other").await;
    let work = storage.begin().await.unwrap();
    let same = offer("üNLÜ tORCH", 1);
    refused(work.store().create(&same, now()).await, ErrorKind::AlreadyExists);
    refused(work.store().update(other.id, &same, 1).await, ErrorKind::AlreadyExists);
    work.store().update(torch.id, &same, 1).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(storage.store().by_id(torch.id).await.unwrap().unwrap().offer, same);
    assert_eq!(storage.store().by_id(other.id).await.unwrap().unwrap(), other);
}

/// When it is put into the store and when it is changed.
pub async fn an_offer_that_makes_no_sense_is_refused(storage: Arc<dyn Storage>) {
    let good = offered(&storage, "good").await;
    let negative = Points::from_minor(-1).unwrap();
    for (bad, field) in [
        (StoreOffer { cost: negative, ..offer("bad", 1) }, "cost"),
        (StoreOffer { required_level: 0, ..offer("bad", 1) }, "required_level"),
        (StoreOffer { kind: StoreItemKind::XpBoost, ..offer("bad", 1) }, "effect"),
    ] {
        invalid(storage.store().create(&bad, now()).await, field);
        invalid(storage.store().update(good.id, &bad, 1).await, field);
    }
    assert_eq!(storage.store().by_id(good.id).await.unwrap(), Some(good));
}

/// And a thing that is there.
pub async fn a_change_needs_the_version_it_was_made_of(storage: Arc<dyn Storage>) {
    let item = stocked(&storage, "torch", 3).await;
    let dearer = StoreOffer { cost: points(20), stock: None, ..item.offer.clone() };
    refused(storage.store().update(StoreItemId(999), &dearer, 1).await, ErrorKind::NotFound);
    let changed = storage.store().update(item.id, &dearer, 1).await.unwrap();
    assert_eq!((&changed.offer, changed.version), (&dearer, 2));
    assert_eq!(storage.store().by_id(item.id).await.unwrap(), Some(changed));
    refused(storage.store().update(item.id, &item.offer, 1).await, ErrorKind::Conflict);
    // A piece that somebody bought meanwhile must not come back.
    let last = storage.store().update(item.id, &item.offer, 2).await.unwrap();
    storage.store().take_stock(item.id).await.unwrap();
    let stale = storage.store().update(item.id, &item.offer, last.version).await;
    refused(stale, ErrorKind::Conflict);
}

/// Without regard to case, by sort, with and without what cannot be bought.
pub async fn things_are_listed_by_title(storage: Arc<dyn Storage>) {
    for (title, kind, is_active) in [
        ("banana", StoreItemKind::Reward, true),
        ("Apple", StoreItemKind::Avatar, true),
        ("Éclair", StoreItemKind::Avatar, false),
        ("cherry", StoreItemKind::Avatar, true),
        ("100 % _x", StoreItemKind::Custom, true),
    ] {
        let offer = StoreOffer { kind, is_active, ..offer(title, 1) };
        storage.store().create(&offer, now()).await.unwrap();
    }
    let titles = async |filter: StoreFilter, limit| {
        let store = storage.store();
        let items = walk(limit, async |page| store.items(&filter, &page).await).await;
        items.into_iter().map(|item| item.offer.title.to_string()).collect::<Vec<_>>()
    };
    let all = StoreFilter { include_inactive: true, ..StoreFilter::default() };
    for limit in [1, 2, 5, 50] {
        let listed = titles(StoreFilter::default(), limit).await;
        assert_eq!(listed, ["100 % _x", "Apple", "banana", "cherry"], "pages of {limit}");
        let listed = titles(all, limit).await;
        assert_eq!(listed, ["100 % _x", "Apple", "banana", "cherry", "Éclair"]);
    }
    let avatars = StoreFilter { kind: Some(StoreItemKind::Avatar), ..StoreFilter::default() };
    assert_eq!(titles(avatars, 9).await, ["Apple", "cherry"]);
    let foreign = page(5).after("users.id~1".parse().unwrap());
    invalid(storage.store().items(&all, &foreign).await, "cursor");
}

/// Every variant of them, by whatever write.
pub async fn lists_of_the_store_are_fresh_after_every_change(storage: Arc<dyn Storage>) {
    let everything = StoreFilter { include_inactive: true, ..StoreFilter::default() };
    let stocks = async || {
        let mut lists = Vec::new();
        for filter in [StoreFilter::default(), everything] {
            for limit in [1, 10] {
                let listed = storage.store().items(&filter, &page(limit)).await.unwrap();
                lists.push(listed.items.first().map(|item| (item.offer.stock, item.version)));
            }
        }
        lists
    };
    assert_eq!(stocks().await, [None; 4]);
    let item = stocked(&storage, "torch", 2).await;
    assert_eq!(stocks().await, [Some((Some(2), 1)); 4]);
    storage.store().take_stock(item.id).await.unwrap();
    assert_eq!(stocks().await, [Some((Some(1), 2)); 4]);
    let hidden = StoreOffer { is_active: false, stock: Some(9), ..item.offer };
    storage.store().update(item.id, &hidden, 2).await.unwrap();
    assert_eq!(stocks().await, [None, None, Some((Some(9), 3)), Some((Some(9), 3))]);
}
