use std::sync::Arc;

use guildhall_domain::{DomainEvent, Json, LoreId, NewLorePiece, UserId};
use guildhall_repository::{ErrorKind, NewUserLore, Storage};

use super::super::expect::{invalid, refused, walk};
use super::super::given;
use crate::builder::{hours, lore, now, page, slug, source};

/// The first time counts, with where it came from.
pub async fn a_piece_is_found_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let map = given::piece(&storage, "map").await;
    let context = Json::new(serde_json::json!({"where": "cellar 🕯️", "depth": [1, null]}));
    let first = NewUserLore {
        context: Some(context.unwrap()),
        source: source("hints"),
        ..given::find_of(ada, map)
    };
    assert!(!storage.lore().has(ada, map).await.unwrap());
    let found = storage.lore().unlock(&first, now()).await.unwrap();
    let event = DomainEvent::LoreUnlocked { user: ada, lore: slug("map") };
    assert_eq!((found.replayed, found.events), (false, vec![event]));
    let row = found.value;
    assert_eq!((row.user, row.lore, row.code.clone()), (ada, map, slug("map")));
    assert_eq!((row.unlocked_at, row.source.clone()), (now(), source("hints")));
    assert_eq!(row.context, first.context);
    assert!(storage.lore().has(ada, map).await.unwrap());
    let later = now().plus(hours(1));
    let again = storage.lore().unlock(&given::find_of(ada, map), later).await.unwrap();
    assert_eq!((again.value, again.replayed, again.events), (row, true, vec![]));
}

/// And one event tells of it.
pub async fn fifty_finders_at_once_find_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let map = given::piece(&storage, "map").await;
    let outcomes = given::at_once(50, &storage, |storage, _| async move {
        storage.lore().unlock(&given::find_of(ada, map), now()).await.unwrap()
    })
    .await;
    let events: usize = outcomes.iter().map(|outcome| outcome.events.len()).sum();
    let fresh = outcomes.iter().filter(|outcome| !outcome.replayed).count();
    assert_eq!((fresh, events), (1, 1));
    assert!(outcomes.iter().all(|outcome| outcome.value == outcomes[0].value));
}

/// And cannot be found any more.
pub async fn an_inactive_piece_stays_with_who_has_it(storage: Arc<dyn Storage>) {
    let (ada, bob) = (given::member(&storage, "ada").await, given::member(&storage, "bob").await);
    let map = given::piece(&storage, "map").await;
    let first = storage.lore().unlock(&given::find_of(ada, map), now()).await.unwrap();
    storage.lore().set_active(&slug("map"), false, now()).await.unwrap();
    refused(storage.lore().unlock(&given::find_of(bob, map), now()).await, ErrorKind::NotFound);
    let again = storage.lore().unlock(&given::find_of(ada, map), now()).await.unwrap();
    assert_eq!((again.value, again.replayed), (first.value, true));
    let listed = storage.lore().unlocked(ada, &page(9)).await.unwrap();
    assert_eq!((listed.items.len(), listed.items[0].piece.is_active), (1, false));
}

/// Neither who is not, nor what is not.
pub async fn nobody_finds_nothing(storage: Arc<dyn Storage>) {
    let (ada, gone) = (given::member(&storage, "ada").await, given::member(&storage, "gone").await);
    storage.users().delete(gone, now()).await.unwrap();
    let map = given::piece(&storage, "map").await;
    for (user, piece) in [(ada, LoreId(999_999)), (gone, map), (UserId(999_999), map)] {
        let outcome = storage.lore().unlock(&given::find_of(user, piece), now()).await;
        refused(outcome, ErrorKind::NotFound);
        assert!(!storage.lore().has(user, piece).await.unwrap());
    }
    let many: Vec<LoreId> = (1..=501).map(LoreId).collect();
    invalid(storage.lore().held(ada, &many).await, "lore");
    assert_eq!(storage.lore().held(ada, &[map, map]).await.unwrap(), [].into());
}

/// With the pieces as they are now, however many were found at one instant.
pub async fn found_pieces_are_listed_last_found_first(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let mut ids = Vec::new();
    for n in 0..6 {
        let id = given::piece(&storage, &format!("l{n}")).await;
        let at = now().plus(hours([0, 1, 1, 1, 2, 0][n]));
        if n < 5 {
            storage.lore().unlock(&given::find_of(ada, id), at).await.unwrap();
        }
        ids.push(id);
    }
    let held = storage.lore().held(ada, &[ids[5], ids[1], ids[4]]).await.unwrap();
    assert_eq!(held, [ids[1], ids[4]].into());
    let renamed = NewLorePiece { is_main_story: true, ..lore("l4") };
    storage.lore().update_piece(&renamed, 1, now()).await.unwrap();
    for limit in [1, 2, 4, 5, 6] {
        let lore = storage.lore();
        let found = walk(limit, async |page| lore.unlocked(ada, &page).await).await;
        let order: Vec<LoreId> = found.iter().map(|found| found.piece.id).collect();
        assert_eq!(order, [ids[4], ids[1], ids[2], ids[3], ids[0]], "{limit}");
        assert!(found[0].piece.is_main_story);
        assert_eq!(
            (found[0].unlocked_at, &found[0].source),
            (now().plus(hours(2)), &source("fragment"))
        );
    }
    for cursor in ["lore.pieces~1~2", "lore.unlocked~1"] {
        let request = page(1).after(cursor.parse().unwrap());
        invalid(storage.lore().unlocked(ada, &request).await, "cursor");
    }
}
