use std::sync::Arc;

use guildhall_domain::{ActivityRecord, CommunityZone, NewUser, UserId, UserPatch};
use guildhall_repository::{ErrorKind, SearchField, Storage};

use super::super::expect::refused;
use super::super::given;
use crate::builder::{
    at_most, display_name, external, nickname, now, person, seconds, user, username,
};

const EVERYWHERE: [SearchField; 3] =
    [SearchField::Name, SearchField::Username, SearchField::Nickname];

async fn found(storage: &Arc<dyn Storage>, text: &str, fields: &[SearchField]) -> Vec<UserId> {
    let users = storage.users().search(text, fields, at_most(50)).await.unwrap();
    users.iter().map(|user| user.id).collect()
}

async fn named(storage: &Arc<dyn Storage>, name: &str) -> UserId {
    let new = NewUser { username: Some(username(name)), ..NewUser::default() };
    storage.users().create(&new, now()).await.unwrap().id
}

/// In the middle of any of the fields, in Unicode case.
pub async fn a_search_looks_anywhere_and_ignores_case(storage: Arc<dyn Storage>) {
    let new = NewUser {
        username: Some(username("aaÉTÉzz")),
        first_name: Some(person("Жанна")),
        last_name: Some(person("d'Arc")),
        display_name: Some(display_name("La Große 🦀 Pucelle")),
        externals: vec![external("faceit", "f1").nickname(nickname("xXKatyaXx"))],
        ..NewUser::default()
    };
    let id = storage.users().create(&new, now()).await.unwrap().id;
    given::member(&storage, "bystander").await;
    for text in ["été", "ÉTÉ", "жан", "АННА", "D'ARC", "große 🦀", "GROẞE", "KATYA", " été "]
    {
        assert_eq!(found(&storage, text, &EVERYWHERE).await, [id], "{text}");
    }
    assert_eq!(found(&storage, "grosse", &EVERYWHERE).await, []);
    assert_eq!(found(&storage, "nobody", &EVERYWHERE).await, []);
}

/// Each field by itself.
pub async fn a_search_looks_only_where_told(storage: Arc<dyn Storage>) {
    let by_username = named(&storage, "needle1").await;
    let new = NewUser { last_name: Some(person("Needle 2")), ..NewUser::default() };
    let by_name = storage.users().create(&new, now()).await.unwrap().id;
    let account = external("faceit", "f1").nickname(nickname("needle3"));
    let new = NewUser { externals: vec![account], ..NewUser::default() };
    let by_nickname = storage.users().create(&new, now()).await.unwrap().id;
    assert_eq!(found(&storage, "needle", &[SearchField::Username]).await, [by_username]);
    assert_eq!(found(&storage, "needle", &[SearchField::Name]).await, [by_name]);
    assert_eq!(found(&storage, "needle", &[SearchField::Nickname]).await, [by_nickname]);
    assert_eq!(found(&storage, "needle", &EVERYWHERE).await, [by_username, by_name, by_nickname]);
}

/// However old the better match is.
pub async fn a_search_puts_exact_before_prefix_before_the_rest(storage: Arc<dyn Storage>) {
    let inside = named(&storage, "xxÑoñoxx").await;
    let prefix = named(&storage, "ñoño2").await;
    let exact = named(&storage, "ÑOÑO").await;
    let record = |user| ActivityRecord { user, at: now(), requests: 1 };
    storage.activity().record(&[record(inside)], &CommunityZone::utc()).await.unwrap();
    assert_eq!(found(&storage, "ñoño", &EVERYWHERE).await, [exact, prefix, inside]);
}

/// Among equal matches; then the lower id.
pub async fn a_search_puts_the_last_active_first(storage: Arc<dyn Storage>) {
    let ids = [
        named(&storage, "match1").await,
        named(&storage, "match2").await,
        named(&storage, "match3").await,
        named(&storage, "match4").await,
    ];
    let record = |user, age| ActivityRecord { user, at: now().plus(seconds(age)), requests: 1 };
    let records = [record(ids[1], 5), record(ids[2], 9), record(ids[3], 5)];
    storage.activity().record(&records, &CommunityZone::utc()).await.unwrap();
    assert_eq!(found(&storage, "match", &EVERYWHERE).await, [ids[2], ids[1], ids[3], ids[0]]);
}

/// `%`, `_` and `\` are what they look like.
pub async fn a_search_takes_wildcards_literally(storage: Arc<dyn Storage>) {
    let percent = named(&storage, "a%b").await;
    let underscore = named(&storage, "a_b").await;
    let backslash = named(&storage, "a\\b").await;
    named(&storage, "acb").await;
    assert_eq!(found(&storage, "a%", &EVERYWHERE).await, [percent]);
    assert_eq!(found(&storage, "a_", &EVERYWHERE).await, [underscore]);
    assert_eq!(found(&storage, "a\\", &EVERYWHERE).await, [backslash]);
    assert_eq!(found(&storage, "%%", &EVERYWHERE).await, []);
    assert_eq!(found(&storage, "__", &EVERYWHERE).await, []);
}

/// Neither the inactive nor the deleted.
pub async fn a_search_finds_active_members_only(storage: Arc<dyn Storage>) {
    let hidden = given::registered(&storage, "needle1").await;
    let deleted = given::member(&storage, "needle2").await;
    let shown = given::member(&storage, "needle3").await;
    let patch = UserPatch { is_active: Some(false), ..UserPatch::default() };
    storage.users().update(hidden.id, &patch, hidden.version, false, now()).await.unwrap();
    assert!(storage.users().delete(deleted, now()).await.unwrap());
    assert_eq!(found(&storage, "needle", &EVERYWHERE).await, [shown]);
}

/// Whatever limit is asked for.
pub async fn a_search_finds_at_most_50(storage: Arc<dyn Storage>) {
    let new: Vec<_> = (0..60).map(|n| user(&format!("same{n:02}"))).collect();
    storage.users().create_batch(&new, now()).await.unwrap();
    let search = async |limit| {
        let outcome = storage.users().search("same", &EVERYWHERE, at_most(limit)).await;
        outcome.unwrap().len()
    };
    assert_eq!((search(200).await, search(50).await, search(7).await), (50, 50, 7));
}

/// White space around them does not count.
pub async fn a_search_needs_two_to_200_characters(storage: Arc<dyn Storage>) {
    for text in ["", "a", " a ", "🦀", "a\0b", &"x".repeat(201), &"x".repeat(1 << 20)] {
        let outcome = storage.users().search(text, &EVERYWHERE, at_most(5)).await;
        refused(outcome, ErrorKind::Validation);
    }
    assert_eq!(found(&storage, "🦀🦀", &EVERYWHERE).await, []);
    assert_eq!(found(&storage, &"🦀".repeat(200), &EVERYWHERE).await, []);
}
