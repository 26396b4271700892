use std::sync::Arc;

use guildhall_domain::{Json, MatchId, NewUser, UserId};
use guildhall_repository::{ErrorKind, Storage};

use super::super::expect::{refused, winners};
use super::super::given;
use crate::builder::{email, external, nickname, now, provider, telegram, user};

/// By the text of the provider, whatever the order of linking.
pub async fn accounts_are_listed_by_provider(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    for name in ["other:steam", "google", "faceit", "other:epic"] {
        let linked = storage.users().link_external(ada, &external(name, "1"), now()).await.unwrap();
        assert_eq!((linked.user, linked.provider, linked.linked_at), (ada, provider(name), now()));
    }
    let linked = storage.users().external_accounts(ada).await.unwrap();
    let names: Vec<_> = linked.iter().map(|account| account.provider.to_string()).collect();
    assert_eq!(names, ["faceit", "google", "other:epic", "other:steam", "telegram"]);
}

/// The same pair takes the new nickname, address and data.
pub async fn linking_again_refreshes(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let mut account = external("faceit", "f1").nickname(nickname("old"));
    storage.users().link_external(ada, &account, now()).await.unwrap();
    account.nickname = Some(nickname("new"));
    account.email = Some(email("ada@faceit.example"));
    account.data = Some(Json::new(serde_json::json!({"elo": [1, 2.5, "x"]})).unwrap());
    storage.users().link_external(ada, &account, now()).await.unwrap();
    let linked = storage.users().external_accounts(ada).await.unwrap();
    assert_eq!(linked.len(), 2);
    assert_eq!(
        (&linked[0].nickname, &linked[0].email, &linked[0].data),
        (&account.nickname, &account.email, &account.data)
    );
}

/// And stays theirs.
pub async fn an_account_of_somebody_else_is_refused(storage: Arc<dyn Storage>) {
    let ada = given::registered(&storage, "ada").await;
    let bob = storage.users().create(&NewUser::default(), now()).await.unwrap();
    let account = telegram("ada");
    let outcome = storage.users().link_external(bob.id, &account, now()).await;
    refused(outcome, ErrorKind::AlreadyExists);
    let holder = storage.users().by_external(&account.provider, &account.external_id).await;
    assert_eq!(holder.unwrap(), Some(ada));
    assert_eq!(storage.users().external_accounts(bob.id).await.unwrap(), []);
}

/// Unlink the first before.
pub async fn a_second_account_of_one_provider_is_refused(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let outcome = storage.users().link_external(ada, &telegram("other"), now()).await;
    refused(outcome, ErrorKind::AlreadyExists);
    let linked = storage.users().external_accounts(ada).await.unwrap();
    assert_eq!(linked[0].external_id, telegram("ada").external_id);
}

/// A link needs its member.
pub async fn nobody_links_nothing(storage: Arc<dyn Storage>) {
    let outcome = storage.users().link_external(UserId(999_999), &telegram("ada"), now()).await;
    refused(outcome, ErrorKind::NotFound);
    let provider = provider("telegram");
    assert!(!storage.users().unlink_external(UserId(999_999), &provider, now()).await.unwrap());
}

/// One account, fifty members who claim it.
pub async fn fifty_links_of_one_account_let_one_win(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 50, 0).await;
    let outcomes = given::at_once(50, &storage, |storage, n| {
        let id = ids[n];
        async move { storage.users().link_external(id, &external("faceit", "f1"), now()).await }
    })
    .await;
    let (won, lost) = winners(outcomes, ErrorKind::AlreadyExists);
    assert_eq!((won.len(), lost.len()), (1, 49));
}

/// Once; then there is none.
pub async fn unlinking_frees_the_account(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let bob = given::member(&storage, "bob").await;
    let account = external("faceit", "f1");
    storage.users().link_external(ada, &account, now()).await.unwrap();
    let unlink = || storage.users().unlink_external(ada, &account.provider, now());
    assert!(unlink().await.unwrap());
    assert!(!unlink().await.unwrap());
    storage.users().link_external(bob, &account, now()).await.unwrap();
}

/// Without an address one could never log in again.
pub async fn the_last_account_stays_without_an_address(storage: Arc<dyn Storage>) {
    let telegram = provider("telegram");
    let ada = given::member(&storage, "ada").await;
    let outcome = storage.users().unlink_external(ada, &telegram, now()).await;
    refused(outcome, ErrorKind::InvalidState);
    assert_eq!(storage.users().external_accounts(ada).await.unwrap().len(), 1);
    let new = NewUser { email: Some(email("bob@example.org")), ..user("bob") };
    let bob = storage.users().create(&new, now()).await.unwrap();
    assert!(storage.users().unlink_external(bob.id, &telegram, now()).await.unwrap());
}

/// Another provider's account does not touch it.
pub async fn unlinking_faceit_forgets_the_last_match(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let found = MatchId::parse("1-abc").unwrap();
    for (name, kept) in [("google", true), ("faceit", false)] {
        storage.users().link_external(ada, &external(name, "1"), now()).await.unwrap();
        storage.users().set_last_checked_match(ada, &found).await.unwrap();
        assert!(storage.users().unlink_external(ada, &provider(name), now()).await.unwrap());
        let stored = storage.users().by_id(ada).await.unwrap().unwrap();
        assert_eq!(stored.last_checked_match_id.is_some(), kept, "{name}");
    }
}
