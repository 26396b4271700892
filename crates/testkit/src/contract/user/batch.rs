use std::sync::Arc;

use guildhall_domain::{NewUser, Patch, User, UserId, UserPatch};
use guildhall_repository::{BATCH_MAX, Change, ErrorKind, Storage, UserFilter};

use super::super::expect::{invalid, refused, sound};
use super::super::given;
use crate::builder::{
    email, hold, hours, language, now, person, phone, telegram, topic, user, username,
};

async fn registered(storage: &Arc<dyn Storage>, count: usize) -> Vec<User> {
    let new: Vec<_> = (0..count).map(|n| user(&format!("m{n}"))).collect();
    storage.users().create_batch(&new, now()).await.unwrap()
}

fn renamed(user: &User, name: &str, expected_version: i64) -> Change<UserId, UserPatch> {
    let change = UserPatch { username: Patch::Set(username(name)), ..UserPatch::default() };
    Change { key: user.id, change, expected_version }
}

async fn listed(storage: &Arc<dyn Storage>) -> u64 {
    storage.users().count(&UserFilter::default(), now()).await.unwrap()
}

/// In the order of their ids, and every read of them is fresh.
pub async fn many_members_are_changed_at_once_or_none(storage: Arc<dyn Storage>) {
    let users = storage.users();
    let made = registered(&storage, 3).await;
    let name = async |at: usize| {
        users.by_id(made[at].id).await.unwrap().unwrap().username.unwrap().to_string()
    };
    assert_eq!(name(2).await, "m2");
    assert_eq!(users.update_batch(&[], now()).await.unwrap(), 0);
    let hidden = UserPatch { is_active: Some(false), ..UserPatch::default() };
    let hidden = Change { key: made[1].id, change: hidden, expected_version: 1 };
    // The name that the first gives up, the last may have.
    let (a, b) = (renamed(&made[0], "a", 1), renamed(&made[0], "b", 2));
    let later = now().plus(hours(1));
    let changes = [renamed(&made[2], "a", 1), a, b, hidden];
    assert_eq!(users.update_batch(&changes, later).await.unwrap(), 4);
    assert_eq!((name(0).await, name(2).await), ("b".to_owned(), "a".to_owned()));
    assert_eq!(users.by_username(&username("m0")).await.unwrap(), None);
    let found = users.by_username(&username("A")).await.unwrap().unwrap();
    assert_eq!((found.id, found.version, found.updated_at), (made[2].id, 2, later));
    assert_eq!(listed(&storage).await, 2);

    let x = || renamed(&made[1], "x", 2);
    let stale = [x(), renamed(&made[2], "y", 1)];
    refused(users.update_batch(&stale, now()).await, ErrorKind::Conflict);
    let nobody = User { id: UserId(999_999), ..made[0].clone() };
    refused(users.update_batch(&[x(), renamed(&nobody, "y", 1)], now()).await, ErrorKind::NotFound);
    let taken = [x(), renamed(&made[2], "B", 2)];
    refused(users.update_batch(&taken, now()).await, ErrorKind::AlreadyExists);
    invalid(users.update_batch(&vec![x(); BATCH_MAX + 1], now()).await, "changes");
    assert_eq!((name(1).await, name(2).await), ("m1".to_owned(), "a".to_owned()));
}

/// Each as if one by one: emptied, hidden, and with its ledger; others are left alone.
pub async fn many_members_are_deleted_at_once(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 4, 10).await;
    let full = NewUser {
        first_name: Some(person("Ada")),
        email: Some(email("ada@example.org")),
        phone: Some(phone("+4915112345678")),
        ..user("ada")
    };
    let ada = storage.users().create(&full, now()).await.unwrap().id;
    storage.users().set_admin(ada, true, now()).await.unwrap();
    for id in [ada, ids[3]] {
        storage.languages().add(id, &language("de"), None, true, now()).await.unwrap();
        let category = storage.interests().create_category(&topic(&format!("t{}", id.0))).await;
        let level = guildhall_domain::InterestLevel::default();
        storage.interests().add(id, category.unwrap().id, level, now()).await.unwrap();
    }
    for id in &ids {
        assert!(storage.users().by_id(*id).await.unwrap().is_some(), "so that it is in the cache");
    }
    let later = now().plus(hours(1));
    let asked = [ids[2], ada, UserId(999_999), ids[0], ids[0]];
    assert_eq!(storage.users().delete_batch(&asked, later).await.unwrap(), 3);
    let one_by_one = ids[1];
    assert!(storage.users().delete(one_by_one, later).await.unwrap());
    for id in [ids[0], one_by_one, ids[2], ada] {
        let left = storage.users().by_id(id).await.unwrap().unwrap();
        let by_hand = storage.users().by_id(one_by_one).await.unwrap().unwrap();
        let expected = User { id, version: left.version, ..by_hand };
        assert_eq!(left, expected, "many are deleted as one is");
        assert_eq!(left.deleted_at, Some(later));
        assert_eq!(storage.users().external_accounts(id).await.unwrap(), []);
        assert_eq!(storage.languages().of_user(id).await.unwrap(), []);
        assert!(!storage.users().exists(id).await.unwrap());
    }
    assert_eq!(listed(&storage).await, 1);
    assert_eq!(storage.languages().of_user(ids[3]).await.unwrap().len(), 1);
    assert!(storage.users().exists(ids[3]).await.unwrap());
    assert!(!storage.users().exists(UserId(999_999)).await.unwrap());
    assert_eq!(storage.users().delete_batch(&asked, later).await.unwrap(), 0);
    let back = storage.users().ensure(&telegram("ada"), &full, now()).await.unwrap();
    assert!(!back.replayed);
    sound(&*storage, &ids).await;
}

/// Who holds points stays, and with that one all others; as many as fit.
pub async fn many_members_are_deleted_wholly_or_not(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 3, 10).await;
    let held = storage.points().hold(&hold(ids[1], 5, "a1"), now()).await.unwrap();
    let work = storage.begin().await.unwrap();
    let error = refused(work.users().delete_batch(&ids, now()).await, ErrorKind::InvalidState);
    assert!(error.to_string().contains(&ids[1].to_string()), "{error}");
    assert_eq!(work.users().delete_batch(&ids[2..], now()).await.unwrap(), 1);
    work.commit().await.unwrap();
    assert_eq!(listed(&storage).await, 2);
    storage.points().release_hold(held.id, now()).await.unwrap();
    let many: Vec<_> = (1..=1001).map(UserId).collect();
    invalid(storage.users().delete_batch(&many, now()).await, "ids");
    assert_eq!(storage.users().delete_batch(&[], now()).await.unwrap(), 0);
    assert_eq!(listed(&storage).await, 2);
    let made = registered(&storage, BATCH_MAX - 2).await;
    let all: Vec<_> = made.iter().map(|user| user.id).chain(ids[..2].to_vec()).collect();
    assert_eq!(storage.users().delete_batch(&all, now()).await.unwrap(), 1000);
    assert_eq!(listed(&storage).await, 0);
}
