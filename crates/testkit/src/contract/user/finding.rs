use std::sync::Arc;

use guildhall_domain::{NewUser, Role, UserId};
use guildhall_repository::{ErrorKind, Storage};

use super::super::expect::refused;
use super::super::given;
use crate::builder::{
    email, external, hours, nickname, now, points, provider, seconds, telegram, user, username,
};

/// No look-up fails because there is nothing.
pub async fn absence_is_an_answer(storage: Arc<dyn Storage>) {
    given::member(&storage, "ada").await;
    for id in [i64::MIN, -1, 0, 999_999, i64::MAX] {
        assert_eq!(storage.users().by_id(UserId(id)).await.unwrap(), None);
    }
    let users = storage.users();
    assert_eq!(users.by_username(&username("bob")).await.unwrap(), None);
    assert_eq!(users.by_email(&email("bob@example.org")).await.unwrap(), None);
    let bob = telegram("bob");
    assert_eq!(users.by_external(&bob.provider, &bob.external_id).await.unwrap(), None);
    assert_eq!(users.by_external_nickname(&bob.provider, &nickname("bob")).await.unwrap(), []);
    assert_eq!(users.external_accounts(UserId(999_999)).await.unwrap(), []);
}

/// Whatever was asked about the id before.
pub async fn who_was_absent_is_found_once_registered(storage: Arc<dyn Storage>) {
    let last = given::member(&storage, "ada").await;
    let coming: Vec<UserId> = (1..=50).map(|step| UserId(last.0 + step)).collect();
    assert_eq!(storage.users().by_ids(&coming).await.unwrap(), []);
    for &id in &coming {
        assert_eq!(storage.users().by_id(id).await.unwrap(), None);
        assert_eq!(storage.users().ui_state(id).await.unwrap(), None);
        assert_eq!(storage.users().overview(id, now()).await.unwrap(), None);
        assert_eq!(storage.users().external_accounts(id).await.unwrap(), []);
        assert_eq!(storage.points().account(id).await.unwrap(), None);
        assert_eq!(storage.activity().stats(id).await.unwrap(), None);
    }
    let made = storage.users().create(&user("bob"), now()).await.unwrap();
    assert!(coming.contains(&made.id), "ids are not given out in such leaps: {}", made.id);
    assert_eq!(storage.users().by_ids(&coming).await.unwrap(), std::slice::from_ref(&made));
    assert_eq!(storage.users().by_id(made.id).await.unwrap().as_ref(), Some(&made));
    assert!(storage.users().ui_state(made.id).await.unwrap().is_some());
    assert!(storage.users().overview(made.id, now()).await.unwrap().is_some());
    assert_eq!(storage.users().external_accounts(made.id).await.unwrap().len(), 1);
    assert!(storage.points().account(made.id).await.unwrap().is_some());
    assert!(storage.activity().stats(made.id).await.unwrap().is_some());
}

/// Repetitions and unknown ids are passed over.
pub async fn ids_are_answered_once_each_in_the_order_asked(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 3, 0).await;
    let asked = [ids[2], UserId(999_999), ids[0], ids[2], UserId(-1), ids[1], ids[0]];
    let found = storage.users().by_ids(&asked).await.unwrap();
    let found: Vec<_> = found.iter().map(|user| user.id).collect();
    assert_eq!(found, [ids[2], ids[0], ids[1]]);
    assert_eq!(storage.users().by_ids(&[]).await.unwrap(), []);
}

/// 500 are answered, 501 refused.
pub async fn at_most_500_ids_are_looked_up(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 501, 0).await;
    assert_eq!(storage.users().by_ids(&ids[..500]).await.unwrap().len(), 500);
    refused(storage.users().by_ids(&ids).await, ErrorKind::Validation);
}

/// Unicode case, for names and addresses.
pub async fn names_are_found_without_regard_to_case(storage: Arc<dyn Storage>) {
    let new = NewUser { email: Some(email("Straße@Bücher.example")), ..user("Élodie") };
    let made = storage.users().create(&new, now()).await.unwrap();
    for name in ["Élodie", "élodie", "ÉLODIE"] {
        let found = storage.users().by_username(&username(name)).await.unwrap();
        assert_eq!(found.as_ref(), Some(&made), "{name}");
    }
    for address in ["straße@bücher.example", "STRAẞE@BÜCHER.EXAMPLE"] {
        let found = storage.users().by_email(&email(address)).await.unwrap();
        assert_eq!(found.as_ref(), Some(&made), "{address}");
    }
    assert_eq!(storage.users().by_username(&username("elodie")).await.unwrap(), None);
    assert_eq!(storage.users().by_email(&email("strasse@bücher.example")).await.unwrap(), None);
}

/// An id belongs to its provider, and case matters in it.
pub async fn accounts_elsewhere_are_found_exactly(storage: Arc<dyn Storage>) {
    let new = |id| NewUser { externals: vec![external("faceit", id)], ..NewUser::default() };
    let upper = storage.users().create(&new("ABC"), now()).await.unwrap();
    let lower = storage.users().create(&new("abc"), now()).await.unwrap();
    let find = async |account: &str, id: &str| {
        let account = external(account, id);
        storage.users().by_external(&account.provider, &account.external_id).await.unwrap()
    };
    assert_eq!(find("faceit", "ABC").await, Some(upper));
    assert_eq!(find("faceit", "abc").await, Some(lower));
    assert_eq!(find("discord", "abc").await, None);
    assert_eq!(find("other:faceit", "abc").await, None);
}

/// Linked last first; of those linked together, the lower id.
pub async fn nicknames_find_those_linked_last_first(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 4, 0).await;
    for (index, age) in [(0, 20), (1, 10), (2, 10), (3, 0)] {
        let name = if index % 2 == 0 { "Ñandú" } else { "ñANDÚ" };
        let account = external("faceit", &format!("f{index}")).nickname(nickname(name));
        let at = now().plus(seconds(100 - age));
        storage.users().link_external(ids[index], &account, at).await.unwrap();
    }
    let faceit = provider("faceit");
    let found = storage.users().by_external_nickname(&faceit, &nickname("ñandú")).await.unwrap();
    let found: Vec<_> = found.iter().map(|user| user.id).collect();
    assert_eq!(found, [ids[3], ids[1], ids[2], ids[0]]);
    let discord = provider("discord");
    let none = storage.users().by_external_nickname(&discord, &nickname("ñandú")).await.unwrap();
    assert_eq!(none, []);
    let part = storage.users().by_external_nickname(&faceit, &nickname("ñand")).await.unwrap();
    assert_eq!(part, []);
}

/// Nicknames are not unique, so the list has an end of its own.
pub async fn nicknames_find_at_most_20(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 22, 0).await;
    for id in &ids {
        let account = external("faceit", &id.to_string()).nickname(nickname("same"));
        storage.users().link_external(*id, &account, now()).await.unwrap();
    }
    let found = storage.users().by_external_nickname(&provider("faceit"), &nickname("same")).await;
    let found: Vec<_> = found.unwrap().iter().map(|user| user.id).collect();
    assert_eq!(found, ids[..20]);
}

/// The same member, accounts, points and rank as read one by one.
pub async fn the_overview_holds_everything(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 3, 10).await;
    storage.points().award(&crate::builder::award(ids[1], 5), now()).await.unwrap();
    storage.users().set_admin(ids[0], true, now()).await.unwrap();
    let later = now().plus(hours(1));
    let first = storage.users().overview(ids[0], later).await.unwrap().unwrap();
    assert_eq!(Some(&first.user), storage.users().by_id(ids[0]).await.unwrap().as_ref());
    assert_eq!(first.externals, storage.users().external_accounts(ids[0]).await.unwrap());
    assert_eq!(Some(first.account), storage.points().account(ids[0]).await.unwrap());
    assert_eq!((first.account.balance(), first.role), (points(10), Role::Admin));
    let rank = first.rank.unwrap();
    assert_eq!((rank.rank, rank.total), (2, 3));
    let poor = given::member(&storage, "poor").await;
    let poor = storage.users().overview(poor, later).await.unwrap().unwrap();
    assert_eq!((poor.rank, poor.role), (None, Role::Free));
}

/// Also for an overview.
pub async fn the_overview_of_nobody_is_absent(storage: Arc<dyn Storage>) {
    assert_eq!(storage.users().overview(UserId(999_999), now()).await.unwrap(), None);
}
