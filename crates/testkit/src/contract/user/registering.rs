use std::collections::BTreeSet;
use std::sync::Arc;

use guildhall_domain::{
    BasisPoints, Bio, DomainEvent, Json, LanguageTag, NewUser, Patch, Rule, UiState, Url,
    UserPatch, Vip,
};
use guildhall_repository::{ErrorKind, Storage, StorageError};

use super::super::expect::{invalid, refused, winners};
use super::super::given;
use crate::builder::{
    display_name, email, external, nickname, now, person, phone, points, telegram, time, user,
    username, xp,
};

/// Every field of a registration comes back, from the call and from the store.
pub async fn a_new_member_has_everything_given(storage: Arc<dyn Storage>) {
    let mut steam = external("other:steam", "7656119").nickname(nickname("Ada ⚔"));
    steam.email = Some(email("ada@steam.example"));
    steam.data = Some(Json::new(serde_json::json!({"level": 7, "tags": ["é", null]})).unwrap());
    let new = NewUser {
        username: Some(username("Ada")),
        first_name: Some(person("Augusta Ada")),
        last_name: Some(person("King")),
        display_name: Some(display_name("Countess of Lovelace")),
        bio: Some(Bio::parse("Notes on the engine").unwrap()),
        avatar_url: Some(Url::parse("https://example.org/ada.png").unwrap()),
        email: Some(email("Ada@Example.org")),
        phone: Some(phone("+4915112345678")),
        language: Some(LanguageTag::parse("pt-BR").unwrap()),
        is_admin: true,
        externals: vec![steam.clone(), telegram("ada")],
    };
    let made = storage.users().create(&new, now()).await.unwrap();
    assert_eq!(
        (&made.username, &made.first_name, &made.last_name, &made.display_name),
        (&new.username, &new.first_name, &new.last_name, &new.display_name)
    );
    assert_eq!(
        (&made.bio, &made.avatar_url, &made.email, &made.phone),
        (&new.bio, &new.avatar_url, &new.email, &new.phone)
    );
    assert_eq!((Some(&made.language), made.is_admin), (new.language.as_ref(), true));
    assert_eq!(storage.users().by_id(made.id).await.unwrap().as_ref(), Some(&made));
    let linked = storage.users().external_accounts(made.id).await.unwrap();
    assert_eq!(linked.len(), 2);
    assert_eq!((linked[0].user, linked[0].linked_at), (made.id, now()));
    assert_eq!(
        (&linked[0].provider, &linked[0].external_id),
        (&steam.provider, &steam.external_id)
    );
    assert_eq!(
        (&linked[0].nickname, &linked[0].email, &linked[0].data),
        (&steam.nickname, &steam.email, &steam.data)
    );
}

/// Nothing given is a valid registration.
pub async fn a_bare_member_has_the_defaults(storage: Arc<dyn Storage>) {
    let made = storage.users().create(&NewUser::default(), now()).await.unwrap();
    assert_eq!((made.username, made.email, made.phone), (None, None, None));
    assert_eq!((made.first_name, made.last_name, made.display_name), (None, None, None));
    assert_eq!((made.bio, made.avatar_url, made.last_checked_match_id), (None, None, None));
    assert_eq!((made.language, made.ui_state), (LanguageTag::english(), UiState::root()));
    assert_eq!((made.is_admin, made.is_active, made.notifications_enabled), (false, true, true));
    assert_eq!((made.email_verified, made.phone_verified), (false, false));
    assert_eq!((made.vip, made.total_requests, made.version), (Vip::None, 0, 1));
    assert_eq!((made.created_at, made.updated_at, made.deleted_at), (now(), now(), None));
    assert_eq!((made.last_active_at, made.last_login_at), (None, None));
    assert_eq!(made.last_reminder_sent_at, None);
}

/// Point account and statistics begin with the member, at zero on level 1.
pub async fn a_new_member_has_an_account_and_statistics(storage: Arc<dyn Storage>) {
    let id = given::member(&storage, "ada").await;
    let account = storage.points().account(id).await.unwrap().unwrap();
    assert_eq!((account.user(), account.balance(), account.held()), (id, points(0), points(0)));
    assert_eq!((account.xp(), account.level()), (xp(0), 1));
    assert_eq!((account.lifetime_earned(), account.lifetime_spent()), (points(0), points(0)));
    assert_eq!((account.parts().next_seq, account.parts().xp_boost), (1, BasisPoints::ONE));
    let stats = storage.activity().stats(id).await.unwrap().unwrap();
    assert_eq!((stats.user, stats.messages_sent, stats.version), (id, 0, 1));
    assert_eq!((stats.checkin_streak, stats.longest_streak, stats.days_active), (0, 0, 0));
    assert_eq!((stats.last_checkin_day, stats.last_gift_at), (None, None));
    assert_eq!((stats.content_read, stats.reading_minutes, stats.reading_streak), (0, 0, 0));
}

/// Ids are more than zero and rise.
pub async fn ids_ascend_in_the_order_of_registration(storage: Arc<dyn Storage>) {
    let first = given::member(&storage, "zoe").await;
    let second = given::member(&storage, "ada").await;
    assert!(first.0 > 0 && second > first);
}

/// Unicode case, not ASCII case; ß is a letter of its own, whose capital is ẞ.
pub async fn a_taken_username_is_refused_whatever_its_case(storage: Arc<dyn Storage>) {
    for (taken, same) in [("Élodie", "éLODIE"), ("Straße", "STRAẞE"), ("ЖУК", "жук")] {
        given::member(&storage, taken).await;
        let new = NewUser { username: Some(username(same)), ..NewUser::default() };
        refused(storage.users().create(&new, now()).await, ErrorKind::AlreadyExists);
    }
    for other in ["Elodie", "STRASSE"] {
        given::member(&storage, other).await;
    }
}

/// Addresses are compared in Unicode lower case too.
pub async fn a_taken_address_is_refused_whatever_its_case(storage: Arc<dyn Storage>) {
    let with = |raw| NewUser { email: Some(email(raw)), ..NewUser::default() };
    storage.users().create(&with("José@Example.org"), now()).await.unwrap();
    let again = storage.users().create(&with("JOSÉ@EXAMPLE.ORG"), now()).await;
    refused(again, ErrorKind::AlreadyExists);
    storage.users().create(&with("jose@example.org"), now()).await.unwrap();
}

/// One member a telephone number.
pub async fn a_taken_number_is_refused(storage: Arc<dyn Storage>) {
    let with = |raw| NewUser { phone: Some(phone(raw)), ..NewUser::default() };
    storage.users().create(&with("+34600111222"), now()).await.unwrap();
    let again = storage.users().create(&with("+34600111222"), now()).await;
    refused(again, ErrorKind::AlreadyExists);
    storage.users().create(&with("+34600111223"), now()).await.unwrap();
}

/// All or nothing: the name of the refused registration is still free.
pub async fn a_taken_account_elsewhere_is_refused_and_leaves_nothing(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let mut thief = user("bob");
    thief.externals.push(external("faceit", "f-1"));
    thief.externals[0] = telegram("ada");
    refused(storage.users().create(&thief, now()).await, ErrorKind::AlreadyExists);
    let faceit = &thief.externals[1];
    let found = storage.users().by_external(&faceit.provider, &faceit.external_id).await;
    assert_eq!(found.unwrap(), None);
    assert_eq!(storage.users().by_username(&username("bob")).await.unwrap(), None);
    let bob = given::member(&storage, "bob").await;
    assert!(bob > ada);
}

/// A member has at most one account a provider.
pub async fn two_accounts_of_one_provider_are_refused(storage: Arc<dyn Storage>) {
    let mut twins = user("ada");
    twins.externals.push(telegram("eve"));
    invalid(storage.users().create(&twins, now()).await, "externals");
    given::member(&storage, "ada").await;
}

/// Absent names, addresses and numbers are not equal to each other.
pub async fn members_without_names_do_not_meet(storage: Arc<dyn Storage>) {
    let first = storage.users().create(&NewUser::default(), now()).await.unwrap();
    let second = storage.users().create(&NewUser::default(), now()).await.unwrap();
    assert_ne!(first.id, second.id);
}

/// Emoji, right-to-left, combining marks, quotes, and 500 characters of four bytes each.
pub async fn text_comes_back_as_it_went_in(storage: Arc<dyn Storage>) {
    let texts = [
        "👩‍👩‍👧‍👦 🇪🇸 🦀".to_owned(),
        "שלום عليكم \u{202e}abc".to_owned(),
        "e\u{301} é ﬁ Ω\u{3c9} İ ı".to_owned(),
        "'; DROP TABLE users; -- \" \\ % _ \u{1} \r\n\t|".to_owned(),
        "🦀".repeat(500),
    ];
    for text in texts {
        let new = NewUser { bio: Some(Bio::parse(&text).unwrap()), ..NewUser::default() };
        let made = storage.users().create(&new, now()).await.unwrap();
        let stored = storage.users().by_id(made.id).await.unwrap().unwrap();
        assert_eq!(stored.bio.unwrap().as_str(), text);
    }
}

/// From the year 1 to the end of the year 9999, also before 1970.
pub async fn instants_come_back_to_the_microsecond(storage: Arc<dyn Storage>) {
    let mut ada = given::registered(&storage, "ada").await;
    for raw in [
        "0001-01-01T00:00:00.000001Z",
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00Z",
        "2026-10-25T00:59:59.999999Z",
        "2038-01-19T03:14:08.5Z",
        "9999-12-30T21:59:59.999999Z",
    ] {
        let at = time(raw);
        let patch = UserPatch { last_reminder_sent_at: Patch::Set(at), ..UserPatch::default() };
        ada = storage.users().update(ada.id, &patch, ada.version, false, at).await.unwrap();
        let stored = storage.users().by_id(ada.id).await.unwrap().unwrap();
        assert_eq!((stored.last_reminder_sent_at, stored.updated_at), (Some(at), at), "{raw}");
    }
}

/// 1000 at once, with accounts elsewhere, point accounts and statistics.
pub async fn a_batch_registers_everybody_in_order(storage: Arc<dyn Storage>) {
    let new: Vec<_> = (0..1000).rev().map(|n| user(&format!("m{n}"))).collect();
    let made = storage.users().create_batch(&new, now()).await.unwrap();
    assert_eq!(made.len(), 1000);
    for (made, new) in made.iter().zip(&new) {
        assert_eq!(made.username, new.username);
    }
    assert!(made.windows(2).all(|pair| pair[0].id < pair[1].id));
    let last = made.last().unwrap();
    let telegram = telegram("m0");
    let found = storage.users().by_external(&telegram.provider, &telegram.external_id).await;
    assert_eq!(found.unwrap().as_ref(), Some(last));
    assert!(storage.points().account(last.id).await.unwrap().is_some());
    assert!(storage.activity().stats(last.id).await.unwrap().is_some());
    assert_eq!(storage.users().create_batch(&[], now()).await.unwrap(), []);
}

/// All or none.
pub async fn a_batch_with_a_taken_name_registers_nobody(storage: Arc<dyn Storage>) {
    given::member(&storage, "ada").await;
    let batch = [user("bob"), NewUser { externals: Vec::new(), ..user("ADA") }, user("eve")];
    refused(storage.users().create_batch(&batch, now()).await, ErrorKind::AlreadyExists);
    assert_eq!(storage.users().count(&Default::default(), now()).await.unwrap(), 1);
    let batch = [user("bob"), NewUser { username: None, ..user("ada") }];
    refused(storage.users().create_batch(&batch, now()).await, ErrorKind::AlreadyExists);
    assert_eq!(storage.users().by_username(&username("bob")).await.unwrap(), None);
}

/// A batch can collide with itself.
pub async fn a_batch_with_one_name_twice_registers_nobody(storage: Arc<dyn Storage>) {
    let batch = [user("ada"), NewUser { externals: Vec::new(), ..user("ADA") }];
    refused(storage.users().create_batch(&batch, now()).await, ErrorKind::AlreadyExists);
    assert_eq!(storage.users().count(&Default::default(), now()).await.unwrap(), 0);
}

/// 1001 are too many.
pub async fn a_batch_has_at_most_1000_members(storage: Arc<dyn Storage>) {
    let batch = vec![NewUser::default(); 1001];
    let outcome = storage.users().create_batch(&batch, now()).await;
    match refused(outcome, ErrorKind::Validation) {
        StorageError::Validation(found) => {
            assert!(
                matches!(
                    found.rule,
                    Rule::TooLong { max: 1000 } | Rule::OutOfRange { max: 1000, .. }
                ),
                "{found}"
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(storage.users().count(&Default::default(), now()).await.unwrap(), 0);
}

/// Concurrent registrations of one name: one member, 49 refusals.
pub async fn fifty_creators_of_one_name_make_one_member(storage: Arc<dyn Storage>) {
    let outcomes = given::at_once(50, &storage, |storage, _| async move {
        storage.users().create(&user("ada"), now()).await
    })
    .await;
    let (won, lost) = winners(outcomes, ErrorKind::AlreadyExists);
    assert_eq!((won.len(), lost.len()), (1, 49));
}

/// The first call registers, the second finds.
pub async fn ensure_registers_once(storage: Arc<dyn Storage>) {
    let seed = NewUser { externals: Vec::new(), ..user("ada") };
    let first = storage.users().ensure(&telegram("ada"), &seed, now()).await.unwrap();
    assert!(!first.replayed);
    assert_eq!(first.events, [DomainEvent::UserCreated { user: first.value.id }]);
    let again = storage.users().ensure(&telegram("ada"), &seed, now()).await.unwrap();
    assert!(again.replayed && again.events.is_empty());
    assert_eq!(again.value, first.value);
    let linked = storage.users().external_accounts(first.value.id).await.unwrap();
    assert_eq!(linked[0].external_id, telegram("ada").external_id);
    assert!(storage.points().account(first.value.id).await.unwrap().is_some());
}

/// A member who exists keeps what it has.
pub async fn ensure_fills_empty_fields_only(storage: Arc<dyn Storage>) {
    let ada = given::registered(&storage, "ada").await;
    let seed = NewUser {
        username: Some(username("other")),
        first_name: Some(person("Ada")),
        email: Some(email("ada@example.org")),
        ..NewUser::default()
    };
    let filled = storage.users().ensure(&telegram("ada"), &seed, now()).await.unwrap();
    assert!(filled.replayed);
    assert_eq!(filled.events, [DomainEvent::UserUpdated { user: ada.id }]);
    let again = storage.users().ensure(&telegram("ada"), &seed, now()).await.unwrap();
    assert_eq!((&again.value, again.events), (&filled.value, Vec::new()));
    assert_eq!((filled.value.id, filled.value.username.clone()), (ada.id, ada.username));
    assert_eq!((&filled.value.first_name, &filled.value.email), (&seed.first_name, &seed.email));
    assert_eq!(storage.users().by_id(ada.id).await.unwrap(), Some(filled.value));
}

/// A name or address that is taken never stops anybody from coming in.
pub async fn ensure_leaves_out_what_somebody_else_has(storage: Arc<dyn Storage>) {
    let ada = NewUser { email: Some(email("ada@example.org")), ..user("ada") };
    storage.users().create(&ada, now()).await.unwrap();
    let seed = NewUser {
        username: Some(username("ADA")),
        email: Some(email("Ada@example.org")),
        first_name: Some(person("Eve")),
        ..NewUser::default()
    };
    for replayed in [false, true] {
        let eve = storage.users().ensure(&telegram("eve"), &seed, now()).await.unwrap();
        assert_eq!((eve.replayed, &eve.value.first_name), (replayed, &seed.first_name));
        assert_eq!((eve.value.username, eve.value.email), (None, None));
    }
}

/// The account by which the member is known is the one that counts.
pub async fn ensure_ignores_the_externals_of_its_seed(storage: Arc<dyn Storage>) {
    let made = storage.users().ensure(&telegram("ada"), &user("bob"), now()).await.unwrap();
    let linked = storage.users().external_accounts(made.value.id).await.unwrap();
    assert_eq!(linked.len(), 1);
    assert_eq!(linked[0].external_id, telegram("ada").external_id);
}

/// One of the concurrent callers registers, and all get the same member.
pub async fn fifty_ensures_make_one_member(storage: Arc<dyn Storage>) {
    let outcomes = given::at_once(50, &storage, |storage, _| async move {
        let seed = NewUser { externals: Vec::new(), ..user("ada") };
        storage.users().ensure(&telegram("ada"), &seed, now()).await.unwrap()
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| !outcome.replayed).count(), 1);
    let ids: BTreeSet<_> = outcomes.iter().map(|outcome| outcome.value.id).collect();
    assert_eq!(ids.len(), 1);
    assert!(outcomes.iter().all(|outcome| outcome.value.username == Some(username("ada"))));
    assert_eq!(storage.users().count(&Default::default(), now()).await.unwrap(), 1);
}
