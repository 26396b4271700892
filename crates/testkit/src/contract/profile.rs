//! Promises of [`ProfileRepository`](guildhall_repository::ProfileRepository).

use std::sync::Arc;

use guildhall_domain::{
    AccessibilityPatch, ActivityRecord, Amount, BasisPoints, CommunityZone, CorrelationId,
    CounterFold, EarningRules, GrantedReward, InterestLevel, OnboardingStep, Outcome, Patch,
    PreferencesPatch, ProfileStats, Reward, RewardKey, Role, TableStats, Theme, UserId, UserPatch,
    Vip,
};
use guildhall_repository::{
    Claim, EntryFilter, ErrorKind, OnceRequest, Repositories, Storage, StorageError,
};

use super::expect::{refused, sound};
use super::given;
use crate::builder::{
    award, bump, days, display_name, external, hold, hours, json, key, language, level_up, now,
    offer, page, points, seconds, source, telegram, topic, transfer, user,
};

#[doc(hidden)]
#[macro_export]
macro_rules! profile_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, profile as profile on MultiThread:
            a_profile_holds_what_its_parts_hold
            a_new_member_has_a_profile_of_defaults
            a_profile_is_fresh_after_every_change
            a_profile_says_how_complete_it_is
            engagement_counts_what_a_member_did
            nobody_has_no_profile
            totals_count_active_members
            the_table_is_counted
            a_purge_leaves_nothing
            a_purge_leaves_others_alone
            a_purge_waits_for_holds
            a_purge_can_be_rolled_back
        }
    };
}
#[doc(hidden)]
pub use crate::profile_promises as promises;

/// Writes something into every part of a member's profile.
async fn filled<R: Repositories + ?Sized>(storage: &R, id: UserId) {
    let theme = PreferencesPatch { theme: Some(Theme::Dark), ..Default::default() };
    storage.preferences().update_preferences(id, &theme, 0, now()).await.unwrap();
    let font = AccessibilityPatch { font_size: Some(20), ..Default::default() };
    storage.preferences().update_accessibility(id, &font, 0, now()).await.unwrap();
    let step = OnboardingStep::Language;
    storage.preferences().complete_onboarding_step(id, step, now()).await.unwrap();
    for tag in ["de", "en"] {
        storage.languages().add(id, &language(tag), None, tag == "en", now()).await.unwrap();
    }
    for name in ["music", "art"] {
        let category = storage.interests().create_category(&topic(&format!("{name} {id}"))).await;
        let level = InterestLevel::default();
        storage.interests().add(id, category.unwrap().id, level, now()).await.unwrap();
    }
    storage.users().link_external(id, &external("faceit", &id.to_string()), now()).await.unwrap();
}

/// Each as its own repository gives it.
pub async fn a_profile_holds_what_its_parts_hold(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let bob = given::member(&storage, "bob").await;
    filled(&*storage, ada).await;
    filled(&*storage, bob).await;
    let profile = storage.profiles().full_profile(ada).await.unwrap();
    let preferences = storage.preferences();
    assert_eq!(Some(profile.user), storage.users().by_id(ada).await.unwrap());
    assert_eq!(Some(profile.preferences), preferences.preferences(ada).await.unwrap());
    assert_eq!(Some(profile.accessibility), preferences.accessibility(ada).await.unwrap());
    assert_eq!(Some(profile.onboarding), preferences.onboarding(ada).await.unwrap());
    assert_eq!(profile.languages, storage.languages().of_user(ada).await.unwrap());
    assert_eq!(profile.interests, storage.interests().of_user(ada).await.unwrap());
    assert_eq!(profile.externals, storage.users().external_accounts(ada).await.unwrap());
    let counts = (profile.languages.len(), profile.interests.len(), profile.externals.len());
    assert_eq!(counts, (2, 2, 2));
}

/// Nothing was said yet.
pub async fn a_new_member_has_a_profile_of_defaults(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let profile = storage.profiles().full_profile(ada).await.unwrap();
    assert_eq!((profile.preferences.version, profile.accessibility.version), (0, 0));
    assert!(profile.languages.is_empty() && profile.interests.is_empty());
    assert_eq!(profile.onboarding.taken().count(), 0);
    assert_eq!(profile.externals.len(), 1);
}

/// Of whatever part, by whatever call.
pub async fn a_profile_is_fresh_after_every_change(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    filled(&*storage, ada).await;
    let profiles = storage.profiles();
    let mut before = profiles.full_profile(ada).await.unwrap();
    macro_rules! changes {
        ($($part:ident by $write:expr;)+) => {$(
            $write.await.unwrap();
            let after = profiles.full_profile(ada).await.unwrap();
            assert_ne!(after.$part, before.$part, stringify!($part));
            before = after;
        )+};
    }
    let patch =
        UserPatch { display_name: Patch::Set(display_name("Ada 🦀")), ..Default::default() };
    let theme = PreferencesPatch { theme: Some(Theme::Blue), ..Default::default() };
    let font = AccessibilityPatch { font_size: Some(30), ..Default::default() };
    let step = OnboardingStep::Celebration;
    let (version, category) = (before.user.version, before.interests[0].category.clone());
    let (german, italian) = (language("de"), language("it"));
    let preferences = storage.preferences();
    let record = ActivityRecord { user: ada, at: now(), requests: 3 };
    let (zone, faceit) = (CommunityZone::utc(), "faceit".parse().unwrap());
    let steam = external("other:steam", "1");
    changes! {
        user by storage.users().update(ada, &patch, version, false, now());
        user by storage.activity().record(std::slice::from_ref(&record), &zone);
        preferences by preferences.update_preferences(ada, &theme, 1, now());
        accessibility by preferences.update_accessibility(ada, &font, 1, now());
        onboarding by preferences.complete_onboarding_step(ada, step, now());
        languages by storage.languages().set_primary(ada, &german);
        languages by storage.languages().add(ada, &italian, None, false, now());
        languages by storage.languages().remove(ada, &italian);
        interests by storage.interests().update_category(category.id, &topic("new name"), 1);
        interests by storage.interests().remove(ada, category.id);
        interests by storage.interests().add(ada, category.id, InterestLevel::default(), now());
        externals by storage.users().link_external(ada, &steam, now());
        externals by storage.users().unlink_external(ada, &faceit, now());
    }
    assert_eq!(before.externals.len(), 2);
    storage.users().delete(ada, now()).await.unwrap();
    refused(profiles.full_profile(ada).await, ErrorKind::NotFound);
}

/// And is fresh, too.
pub async fn a_profile_says_how_complete_it_is(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let profiles = storage.profiles();
    let stats = profiles.profile_stats(ada).await.unwrap();
    let bare = ProfileStats {
        user: ada,
        has_preferences: false,
        has_accessibility: false,
        languages: 0,
        interests: 0,
        onboarding_steps: 0,
        externals: 1,
    };
    assert_eq!((stats, stats.completion().get()), (bare, 0));
    storage.languages().add(ada, &language("it"), None, false, now()).await.unwrap();
    assert_eq!(profiles.profile_stats(ada).await.unwrap().completion().get(), 2_500);
    filled(&*storage, ada).await;
    let full = ProfileStats {
        has_preferences: true,
        has_accessibility: true,
        languages: 3,
        interests: 2,
        onboarding_steps: 1,
        externals: 2,
        ..bare
    };
    let stats = profiles.profile_stats(ada).await.unwrap();
    assert_eq!((stats, stats.completion().get()), (full, 10_000));
}

/// Up to the moment it is asked for.
pub async fn engagement_counts_what_a_member_did(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let rules = EarningRules::default();
    let one = BasisPoints::ONE;
    for _ in 0..3 {
        storage.points().record_message(ada, &rules, one, now()).await.unwrap();
    }
    for day in 0..2 {
        storage.points().check_in(ada, &rules, one, now().plus(days(day))).await.unwrap();
    }
    storage.points().award(&award(ada, 1_600), now()).await.unwrap();
    let later = now().plus(days(9)).plus(hours(23));
    let engagement = storage.profiles().engagement(ada, later).await.unwrap();
    let account = storage.points().account(ada).await.unwrap().unwrap();
    assert_eq!((engagement.points, engagement.level), (account.balance(), account.level()));
    assert_eq!((engagement.messages, engagement.streak), (3, 2));
    assert_eq!((engagement.days_registered, engagement.badges), (9, 0));
    assert!(engagement.level > 1 && engagement.points > points(1_600));
}

/// Whether never there or deleted.
pub async fn nobody_has_no_profile(storage: Arc<dyn Storage>) {
    let gone = given::member(&storage, "gone").await;
    storage.profiles().full_profile(gone).await.unwrap();
    storage.profiles().profile_stats(gone).await.unwrap();
    storage.users().delete(gone, now()).await.unwrap();
    for nobody in [UserId(999_999), gone] {
        let profiles = storage.profiles();
        refused(profiles.full_profile(nobody).await, ErrorKind::NotFound);
        refused(profiles.profile_stats(nobody).await, ErrorKind::NotFound);
        refused(profiles.engagement(nobody, now()).await, ErrorKind::NotFound);
    }
}

/// By provider, language and role, at the time asked for.
pub async fn totals_count_active_members(storage: Arc<dyn Storage>) {
    let mut ids = given::crowd(&storage, 5, 0).await;
    ids.push(given::vip(&storage, "brief", Vip::Until(now().plus(hours(1)))).await);
    ids.push(given::vip(&storage, "long", Vip::Lifetime).await);
    storage.users().set_admin(ids[0], true, now()).await.unwrap();
    storage.users().set_admin(ids[6], true, now()).await.unwrap();
    storage.users().delete(ids[1], now()).await.unwrap();
    let german = UserPatch { language: Some(language("de")), ..Default::default() };
    for id in &ids[2..4] {
        let version = storage.users().by_id(*id).await.unwrap().unwrap().version;
        storage.users().update(*id, &german, version, false, now()).await.unwrap();
    }
    storage.users().link_external(ids[2], &external("faceit", "x"), now()).await.unwrap();
    let zone = CommunityZone::utc();
    for (id, at) in [(ids[2], now()), (ids[3], now().minus(days(7)))] {
        let record = ActivityRecord { user: id, at, requests: 1 };
        storage.activity().record(&[record], &zone).await.unwrap();
    }
    let totals = storage.profiles().user_totals(now()).await.unwrap();
    assert_eq!((totals.total, totals.active_7d, totals.new_24h), (6, 1, 6));
    let by_provider = [("telegram".parse().unwrap(), 6), ("faceit".parse().unwrap(), 1)];
    assert_eq!(totals.by_provider, by_provider);
    assert_eq!(totals.by_language, [(language("en"), 4), (language("de"), 2)]);
    assert_eq!(totals.by_role, [(Role::Free, 3), (Role::Vip, 1), (Role::Admin, 2)]);
    assert_eq!(totals.active_rate().get(), 1_666);
    assert_eq!(totals.linked_rate(&"faceit".parse().unwrap()).get(), 1_666);
    given::member(&storage, "late").await;
    assert_eq!(storage.profiles().user_totals(now()).await.unwrap().total, 7);
}

/// Deleted members among them.
pub async fn the_table_is_counted(storage: Arc<dyn Storage>) {
    let before = now().minus(days(1));
    for (name, at) in [("old", before), ("new", before.plus(seconds(1))), ("gone", now())] {
        storage.users().create(&user(name), at).await.unwrap();
    }
    let gone = storage.users().by_username(&"gone".parse().unwrap()).await.unwrap().unwrap();
    storage.users().delete(gone.id, now()).await.unwrap();
    let stats = storage.profiles().table_stats(now()).await.unwrap();
    assert_eq!(stats, TableStats { total: 3, created_24h: 2 });
}

/// Something of everything that a member can have.
async fn lived(storage: &Arc<dyn Storage>, name: &str) -> UserId {
    let id = given::funded(storage, name, 100).await;
    filled(&**storage, id).await;
    let item = storage.store().create(&offer(&format!("thing of {id}"), 1), now()).await.unwrap();
    storage.store().own(id, &item, points(1), now()).await.unwrap();
    let held = storage.points().hold(&hold(id, 5, "1"), now()).await.unwrap();
    storage.points().release_hold(held.id, now()).await.unwrap();
    let record = ActivityRecord { user: id, at: now(), requests: 1 };
    storage.activity().record(&[record], &CommunityZone::utc()).await.unwrap();
    let bumps = [bump("messages", 1, CounterFold::Sum)];
    storage.activity().bump_counters(id, &bumps, now()).await.unwrap();
    let reward = Reward::Points(Amount::whole(1).unwrap());
    let once_key = RewardKey::parse(&format!("test:{id}")).unwrap();
    let source = source("test");
    let granted = GrantedReward { user: id, reward, source, once_key, granted_at: now() };
    assert!(storage.rewards().record(&granted).await.unwrap());
    let correlation = Some(CorrelationId::parse("c").unwrap());
    storage.outbox().append(&[level_up(id, 2)], correlation, now()).await.unwrap();
    let request = OnceRequest::new(&key(&format!("once {id}")), "test", id, "").unwrap();
    storage.once().claim(&request, now()).await.unwrap();
    storage.once().keep(request.key(), &json("[]")).await.unwrap();
    id
}

/// Not even a name that is taken, a key that was used, or an entry of the ledger.
pub async fn a_purge_leaves_nothing(storage: Arc<dyn Storage>) {
    let ada = lived(&storage, "ada").await;
    let deleted = lived(&storage, "deleted").await;
    storage.users().delete(deleted, now()).await.unwrap();
    for id in [ada, deleted] {
        assert!(storage.profiles().purge_user(id).await.unwrap());
        assert!(!storage.profiles().purge_user(id).await.unwrap());
        assert_eq!(storage.users().by_id(id).await.unwrap(), None);
        assert_eq!(storage.points().account(id).await.unwrap(), None);
        assert_eq!(storage.activity().stats(id).await.unwrap(), None);
        assert_eq!(storage.activity().counters(id).await.unwrap(), []);
        assert_eq!(storage.preferences().preferences(id).await.unwrap(), None);
        assert_eq!(storage.languages().of_user(id).await.unwrap(), []);
        assert_eq!(storage.interests().of_user(id).await.unwrap(), []);
        assert_eq!(storage.rewards().of_user(id, &page(9)).await.unwrap().items, []);
        assert_eq!(storage.store().user_items(id, &page(9)).await.unwrap().items, []);
        let entries = storage.ledger().transactions(id, &EntryFilter::default(), &page(9)).await;
        assert_eq!(entries.unwrap().items, []);
        let request = OnceRequest::new(&key(&format!("once {id}")), "test", id, "").unwrap();
        assert_eq!(storage.once().claim(&request, now()).await.unwrap(), Claim::Mine);
    }
    assert_eq!(storage.outbox().status(now()).await.unwrap().pending, 0);
    let again = given::member(&storage, "ada").await;
    assert!(again > ada, "an id is never given twice");
    let Outcome { replayed, .. } =
        storage.users().ensure(&telegram("deleted"), &user("deleted"), now()).await.unwrap();
    assert!(!replayed);
}

/// What they did with the member stays in their ledgers.
pub async fn a_purge_leaves_others_alone(storage: Arc<dyn Storage>) {
    let ada = lived(&storage, "ada").await;
    let bob = lived(&storage, "bob").await;
    let pair = storage.points().transfer(&transfer(ada, bob, 7), now()).await.unwrap().value;
    let before = storage.profiles().full_profile(bob).await.unwrap();
    storage.profiles().purge_user(ada).await.unwrap();
    assert_eq!(storage.profiles().full_profile(bob).await.unwrap(), before);
    assert_eq!(given::balance(&storage, bob).await, points(107));
    let received = storage.ledger().entry(pair.received.id).await.unwrap().unwrap();
    assert_eq!(received.counterpart, Some(ada));
    assert_eq!(storage.rewards().of_user(bob, &page(9)).await.unwrap().items.len(), 1);
    assert_eq!(storage.outbox().status(now()).await.unwrap().pending, 1);
    sound(&*storage, &[bob]).await;
}

/// That keep points back for something.
pub async fn a_purge_waits_for_holds(storage: Arc<dyn Storage>) {
    let ada = lived(&storage, "ada").await;
    let held = storage.points().hold(&hold(ada, 5, "2"), now()).await.unwrap();
    let refusal = refused(storage.profiles().purge_user(ada).await, ErrorKind::InvalidState);
    assert!(matches!(refusal, StorageError::InvalidState { attempted: "be purged", .. }));
    storage.points().release_hold(held.id, now()).await.unwrap();
    assert!(storage.profiles().purge_user(ada).await.unwrap());
}

/// Then everything is there.
pub async fn a_purge_can_be_rolled_back(storage: Arc<dyn Storage>) {
    let ada = lived(&storage, "ada").await;
    let before = storage.profiles().full_profile(ada).await.unwrap();
    let work = storage.begin().await.unwrap();
    assert!(work.profiles().purge_user(ada).await.unwrap());
    refused(work.profiles().full_profile(ada).await, ErrorKind::NotFound);
    work.rollback().await.unwrap();
    assert_eq!(storage.profiles().full_profile(ada).await.unwrap(), before);
    sound(&*storage, &[ada]).await;
}
