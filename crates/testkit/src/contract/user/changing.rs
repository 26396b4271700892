use std::sync::Arc;

use guildhall_domain::{
    Bio, LanguageTag, MatchId, NewUser, Patch, UiState, Url, UserId, UserPatch,
};
use guildhall_repository::{ErrorKind, Storage, StorageError};

use super::super::expect::{refused, winners};
use super::super::given;
use crate::builder::{display_name, email, hours, now, person, phone, seconds, user, username};

fn renamed(name: &str) -> UserPatch {
    UserPatch { username: Patch::Set(username(name)), ..UserPatch::default() }
}

/// As [`UserPatch::applied_to`] says, from the call and from the store.
pub async fn an_update_changes_what_its_patch_says(storage: Arc<dyn Storage>) {
    let before = given::registered(&storage, "ada").await;
    let patch = UserPatch {
        username: Patch::Set(username("lovelace")),
        first_name: Patch::Set(person("Ada")),
        last_name: Patch::Set(person("King")),
        display_name: Patch::Set(display_name("Ada 🦀")),
        bio: Patch::Set(Bio::parse("Notes").unwrap()),
        avatar_url: Patch::Set(Url::parse("https://example.org/a.png").unwrap()),
        email: Patch::Set(email("ada@example.org")),
        email_verified: Some(true),
        phone: Patch::Set(phone("+4915112345678")),
        phone_verified: Some(true),
        language: Some(LanguageTag::parse("es").unwrap()),
        is_active: Some(false),
        notifications_enabled: Some(false),
        last_reminder_sent_at: Patch::Set(now()),
    };
    let later = now().plus(hours(1));
    let after = storage.users().update(before.id, &patch, 1, false, later).await.unwrap();
    assert_eq!(after, patch.applied_to(before.clone(), later));
    assert_eq!((after.version, after.created_at, after.updated_at), (2, now(), later));
    assert_eq!(storage.users().by_id(before.id).await.unwrap(), Some(after));
    assert_eq!(storage.users().by_username(&username("ada")).await.unwrap(), None);
}

/// Every optional field.
pub async fn an_update_can_clear(storage: Arc<dyn Storage>) {
    let new = NewUser {
        email: Some(email("ada@example.org")),
        phone: Some(phone("+4915112345678")),
        bio: Some(Bio::parse("Notes").unwrap()),
        ..user("ada")
    };
    let before = storage.users().create(&new, now()).await.unwrap();
    let patch = UserPatch {
        username: Patch::Clear,
        email: Patch::Clear,
        phone: Patch::Clear,
        bio: Patch::Clear,
        ..UserPatch::default()
    };
    let after = storage.users().update(before.id, &patch, 1, false, now()).await.unwrap();
    assert_eq!(after, patch.applied_to(before, now()));
    assert_eq!(storage.users().by_id(after.id).await.unwrap(), Some(after));
    assert_eq!(storage.users().by_email(&email("ada@example.org")).await.unwrap(), None);
    given::member(&storage, "ADA2").await;
    storage.users().create(&NewUser { externals: Vec::new(), ..new }, now()).await.unwrap();
}

/// Not even the version or the time of change.
pub async fn an_empty_patch_changes_nothing(storage: Arc<dyn Storage>) {
    let ada = given::registered(&storage, "ada").await;
    let patch = UserPatch::default();
    let later = now().plus(hours(1));
    let same = storage.users().update(ada.id, &patch, ada.version, false, later).await.unwrap();
    assert_eq!(same, ada);
    assert_eq!(storage.users().by_id(ada.id).await.unwrap(), Some(ada));
}

/// It says which version was expected and which was found, and changes nothing.
pub async fn an_update_of_an_old_version_is_a_conflict(storage: Arc<dyn Storage>) {
    let ada = given::registered(&storage, "ada").await;
    let second = storage.users().update(ada.id, &renamed("ada2"), 1, false, now()).await.unwrap();
    let refusal = storage.users().update(ada.id, &renamed("ada3"), 1, false, now()).await;
    match refused(refusal, ErrorKind::Conflict) {
        StorageError::Conflict { expected, actual, .. } => {
            assert_eq!((expected.as_str(), actual.as_str()), ("1", "2"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(storage.users().by_id(ada.id).await.unwrap(), Some(second));
}

/// Neither unknown nor deleted members can be changed.
pub async fn an_update_of_nobody_finds_nothing(storage: Arc<dyn Storage>) {
    let unknown = storage.users().update(UserId(999_999), &renamed("eve"), 1, false, now()).await;
    refused(unknown, ErrorKind::NotFound);
    let ada = given::registered(&storage, "ada").await;
    assert!(storage.users().delete(ada.id, now()).await.unwrap());
    let stored = storage.users().by_id(ada.id).await.unwrap().unwrap();
    let deleted =
        storage.users().update(ada.id, &renamed("eve"), stored.version, false, now()).await;
    refused(deleted, ErrorKind::NotFound);
}

/// Name, address and number; nothing of the patch is stored.
pub async fn an_update_to_a_taken_name_is_refused(storage: Arc<dyn Storage>) {
    let taken = NewUser {
        email: Some(email("ada@example.org")),
        phone: Some(phone("+4915112345678")),
        ..user("ada")
    };
    storage.users().create(&taken, now()).await.unwrap();
    let bob = given::registered(&storage, "bob").await;
    let patches = [
        renamed("ADA"),
        UserPatch { email: Patch::Set(email("ADA@example.org")), ..UserPatch::default() },
        UserPatch { phone: Patch::Set(phone("+4915112345678")), ..UserPatch::default() },
    ];
    for patch in patches {
        let patch = UserPatch { first_name: Patch::Set(person("Bob")), ..patch };
        let outcome = storage.users().update(bob.id, &patch, 1, false, now()).await;
        refused(outcome, ErrorKind::AlreadyExists);
    }
    assert_eq!(storage.users().by_id(bob.id).await.unwrap(), Some(bob));
}

/// Nobody collides with oneself.
pub async fn a_member_may_change_the_case_of_its_own_name(storage: Arc<dyn Storage>) {
    let ada = given::registered(&storage, "élodie").await;
    for (version, name) in [(1, "Élodie"), (2, "Élodie"), (3, "ÉLODIE")] {
        let after = storage.users().update(ada.id, &renamed(name), version, false, now()).await;
        assert_eq!(after.unwrap().username, Some(username(name)));
    }
}

/// The old holder stays, without the name.
pub async fn a_takeover_frees_the_name_first(storage: Arc<dyn Storage>) {
    let old = given::registered(&storage, "ada").await;
    let new = given::registered(&storage, "bob").await;
    let after = storage.users().update(new.id, &renamed("ADA"), 1, true, now()).await.unwrap();
    assert_eq!(after.username, Some(username("ADA")));
    let old = storage.users().by_id(old.id).await.unwrap().unwrap();
    assert_eq!((old.username, old.is_active), (None, true));
    assert_eq!(storage.users().by_username(&username("ada")).await.unwrap(), Some(after));
    let nobodys = storage.users().update(new.id, &renamed("eve"), 2, true, now()).await.unwrap();
    assert_eq!(nobodys.username, Some(username("eve")));
}

/// Unless the proof comes with it; the same address again keeps its proof.
pub async fn a_changed_address_is_no_longer_proved(storage: Arc<dyn Storage>) {
    let ada = given::registered(&storage, "ada").await;
    let with = |address: &str, number: &str, proved| UserPatch {
        email: Patch::Set(email(address)),
        phone: Patch::Set(phone(number)),
        email_verified: proved,
        phone_verified: proved,
        ..UserPatch::default()
    };
    for (version, patch, proved) in [
        (1, with("a@example.org", "+34600111222", Some(true)), true),
        (2, with("a@example.org", "+34600111222", None), true),
        (3, with("b@example.org", "+34600111333", None), false),
    ] {
        storage.users().update(ada.id, &patch, version, false, now()).await.unwrap();
        let stored = storage.users().by_id(ada.id).await.unwrap().unwrap();
        assert_eq!((stored.email_verified, stored.phone_verified), (proved, proved));
    }
}

/// The others conflict.
pub async fn fifty_updates_of_one_version_let_one_win(storage: Arc<dyn Storage>) {
    let ada = given::registered(&storage, "ada").await;
    let outcomes = given::at_once(50, &storage, |storage, n| async move {
        let patch = renamed(&format!("ada{n}"));
        storage.users().update(ada.id, &patch, 1, false, now()).await
    })
    .await;
    let (won, lost) = winners(outcomes, ErrorKind::Conflict);
    assert_eq!((won.len(), lost.len()), (1, 49));
    assert_eq!(storage.users().by_id(ada.id).await.unwrap().as_ref(), won.first());
}

/// As often as one likes; creates nobody.
pub async fn admins_are_made_and_unmade(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    for is_admin in [true, true, false, false] {
        let set = storage.users().set_admin(ada, is_admin, now()).await.unwrap();
        assert_eq!(set.is_admin, is_admin);
        assert_eq!(storage.users().by_id(ada).await.unwrap(), Some(set));
    }
    let unknown = storage.users().set_admin(UserId(999_999), true, now()).await;
    refused(unknown, ErrorKind::NotFound);
}

/// `None` without the member, or for a deleted one; moving nobody finds nothing.
pub async fn the_menu_state_is_kept(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    assert_eq!(storage.users().ui_state(ada).await.unwrap(), Some(UiState::root()));
    let state = UiState::parse("missions › №2").unwrap();
    storage.users().set_ui_state(ada, &state).await.unwrap();
    assert_eq!(storage.users().ui_state(ada).await.unwrap(), Some(state.clone()));
    assert_eq!(storage.users().by_id(ada).await.unwrap().unwrap().ui_state, state);
    assert_eq!(storage.users().ui_state(UserId(999_999)).await.unwrap(), None);
    let unknown = storage.users().set_ui_state(UserId(999_999), &state).await;
    refused(unknown, ErrorKind::NotFound);
    storage.users().delete(ada, now()).await.unwrap();
    assert_eq!(storage.users().ui_state(ada).await.unwrap(), None);
    refused(storage.users().set_ui_state(ada, &state).await, ErrorKind::NotFound);
}

/// Remembering for nobody finds nothing.
pub async fn the_last_match_is_kept(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let found = MatchId::parse("1-abc").unwrap();
    storage.users().set_last_checked_match(ada, &found).await.unwrap();
    let stored = storage.users().by_id(ada).await.unwrap().unwrap();
    assert_eq!(stored.last_checked_match_id.as_ref(), Some(&found));
    let unknown = storage.users().set_last_checked_match(UserId(999_999), &found).await;
    refused(unknown, ErrorKind::NotFound);
}

/// Whatever order the news of them arrives in.
pub async fn a_login_never_moves_back(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let later = now().plus(seconds(10));
    for (at, last) in [(now(), now()), (later, later), (now(), later)] {
        storage.users().touch_login(ada, at).await.unwrap();
        let stored = storage.users().by_id(ada).await.unwrap().unwrap();
        assert_eq!(stored.last_login_at, Some(last));
    }
}
