use std::sync::Arc;

use guildhall_domain::{NewUser, UserId};
use guildhall_repository::{EntryFilter, ErrorKind, SearchField, Storage, UserFilter, UserOrder};

use super::super::expect::{refused, sound};
use super::super::given;
use crate::builder::{
    at_most, award, deduct, email, hold, hours, nickname, now, page, person, phone, telegram,
    transfer, user, username,
};

/// Name, address, number, words and accounts elsewhere.
pub async fn deletion_empties_what_is_personal(storage: Arc<dyn Storage>) {
    let mut new = user("ada");
    new.first_name = Some(person("Ada"));
    new.email = Some(email("ada@example.org"));
    new.phone = Some(phone("+4915112345678"));
    let ada = storage.users().create(&new, now()).await.unwrap();
    let later = now().plus(hours(1));
    assert!(storage.users().delete(ada.id, later).await.unwrap());
    let left = storage.users().by_id(ada.id).await.unwrap().unwrap();
    assert_eq!((left.deleted_at, left.is_active), (Some(later), false));
    assert_eq!((left.username, left.email, left.phone), (None, None, None));
    assert_eq!((left.first_name, left.last_name, left.display_name), (None, None, None));
    assert_eq!((left.bio, left.avatar_url), (None, None));
    assert_eq!((left.email_verified, left.phone_verified), (false, false));
    assert_eq!(storage.users().external_accounts(ada.id).await.unwrap(), []);
}

/// The same person may come back as a new member.
pub async fn deletion_frees_names_and_accounts(storage: Arc<dyn Storage>) {
    let new = NewUser {
        email: Some(email("ada@example.org")),
        phone: Some(phone("+4915112345678")),
        ..user("ada")
    };
    let old = storage.users().create(&new, now()).await.unwrap();
    assert!(storage.users().delete(old.id, now()).await.unwrap());
    assert_eq!(storage.users().by_username(&username("ada")).await.unwrap(), None);
    assert_eq!(storage.users().by_email(&email("ada@example.org")).await.unwrap(), None);
    let back = storage.users().ensure(&telegram("ada"), &new, now()).await.unwrap();
    assert!(!back.replayed && back.value.id > old.id);
    assert_eq!((back.value.username, back.value.email), (new.username, new.email));
}

/// In every list but the one that asks for everybody.
pub async fn deletion_hides_the_member(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let bob = given::funded(&storage, "bob", 5).await;
    let account = telegram("ada").nickname(nickname("ada"));
    storage.users().link_external(ada, &account, now()).await.unwrap();
    assert!(storage.users().delete(ada, now()).await.unwrap());
    let users = storage.users();
    let all = UserFilter::default();
    let listed = users.list(&all, UserOrder::Id, now(), &page(10)).await.unwrap();
    assert_eq!(listed.items.iter().map(|user| user.id).collect::<Vec<_>>(), [bob]);
    assert_eq!(users.count(&all, now()).await.unwrap(), 1);
    assert!(users.top_active(at_most(10)).await.unwrap().iter().all(|user| user.id == bob));
    assert_eq!(users.search("ada", &[SearchField::Name], at_most(5)).await.unwrap(), []);
    let nicknamed = users.by_external_nickname(&account.provider, &nickname("ada")).await.unwrap();
    assert_eq!(nicknamed, []);
    let everybody = UserFilter { include_inactive: true, ..UserFilter::default() };
    assert_eq!(users.count(&everybody, now()).await.unwrap(), 2);
}

/// The second call, and one for nobody, has nothing to delete.
pub async fn deletion_happens_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    assert!(storage.users().delete(ada, now()).await.unwrap());
    let deleted = storage.users().by_id(ada).await.unwrap();
    assert!(!storage.users().delete(ada, now().plus(hours(1))).await.unwrap());
    assert_eq!(storage.users().by_id(ada).await.unwrap(), deleted);
    assert!(!storage.users().delete(UserId(999_999), now()).await.unwrap());
}

/// Points that are kept back are somebody's business.
pub async fn deletion_waits_for_active_holds(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let held = storage.points().hold(&hold(ada, 5, "a1"), now()).await.unwrap();
    refused(storage.users().delete(ada, now()).await, ErrorKind::InvalidState);
    let stored = storage.users().by_id(ada).await.unwrap().unwrap();
    assert_eq!((stored.username, stored.deleted_at), (Some(username("ada")), None));
    storage.points().release_hold(held.id, now()).await.unwrap();
    assert!(storage.users().delete(ada, now()).await.unwrap());
}

/// Its entries stay and stay sound, and nothing moves there any more.
pub async fn the_ledger_outlives_its_member(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let bob = given::funded(&storage, "bob", 10).await;
    storage.points().transfer(&transfer(ada, bob, 4), now()).await.unwrap();
    assert!(storage.users().delete(ada, now()).await.unwrap());
    let left = storage.ledger().transactions(ada, &EntryFilter::default(), &page(10)).await;
    assert_eq!(left.unwrap().items.len(), 2);
    let points = storage.points();
    refused(points.award(&award(ada, 1), now()).await, ErrorKind::NotFound);
    refused(points.deduct(&deduct(ada, 1), now()).await, ErrorKind::NotFound);
    refused(points.transfer(&transfer(bob, ada, 1), now()).await, ErrorKind::NotFound);
    refused(points.transfer(&transfer(ada, bob, 1), now()).await, ErrorKind::NotFound);
    refused(points.hold(&hold(ada, 1, "a1"), now()).await, ErrorKind::NotFound);
    sound(&*storage, &[ada, bob]).await;
}
