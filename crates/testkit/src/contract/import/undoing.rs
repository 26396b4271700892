use std::sync::Arc;

use guildhall_domain::{ImportedMember, Points};
use guildhall_repository::{
    ErrorKind, HeldFilter, ImportId, ImportedRows, PageRequest, Storage, UserFilter,
};

use super::super::expect::{all_sound, refused};
use super::super::given;
use crate::builder::{
    achievement, award, hours, imported, imported_entry, now, points, telegram, unlock,
};

fn member(source_key: &str, name: &str) -> ImportedMember {
    let mut member = imported(source_key, name);
    member.entries = vec![imported_entry(&format!("{source_key}.1"), 10)];
    member.balance = points(10);
    member
}

/// Created and joined members, entries, and what they sum up to.
pub async fn rows_carry_their_tag(storage: Arc<dyn Storage>) {
    given::funded(&storage, "ada", 5).await;
    let run = given::running(&storage, "a.db").await;
    let none = storage.imports().rows(run.id).await.unwrap();
    assert_eq!(none, ImportedRows::default());
    let members = [member("1", "ada"), member("2", "bob"), imported("3", "eve")];
    let lease = now().plus(hours(1));
    storage.imports().write_members(&run, &members, "3", lease, now()).await.unwrap();
    let rows = storage.imports().rows(run.id).await.unwrap();
    assert_eq!((rows.members, rows.merged, rows.entries), (2, 1, 2));
    assert_eq!(rows.balance, points(20));
    let unknown = storage.imports().rows(ImportId(999_999)).await.unwrap();
    assert_eq!(unknown, ImportedRows::default());
}

/// Ledger and account included; other members stay.
pub async fn undoing_deletes_what_was_created(storage: Arc<dyn Storage>) {
    given::funded(&storage, "zoe", 5).await;
    let run = given::running(&storage, "a.db").await;
    let members = [member("1", "ada"), member("2", "bob")];
    let lease = now().plus(hours(1));
    storage.imports().write_members(&run, &members, "2", lease, now()).await.unwrap();
    storage.imports().finish(&run, now()).await.unwrap();
    let undone = storage.imports().undo_page(run.id, 500, now()).await.unwrap();
    assert_eq!(undone, (2, vec![], false));
    let everybody = UserFilter { include_inactive: true, ..UserFilter::default() };
    assert_eq!(storage.users().count(&everybody, now()).await.unwrap(), 1);
    let totals = storage.rankings().totals().await.unwrap();
    assert_eq!((totals.members, totals.entries, totals.sum), (1, 1, points(5)));
    assert_eq!(storage.imports().rows(run.id).await.unwrap().balance, Points::ZERO);
    assert_eq!(all_sound(&*storage).await, (1, 1));
    given::member(&storage, "ada").await;
}

/// Honours and the story are no movement of points: they go with the member, from every list too.
pub async fn undoing_deletes_what_was_won_since(storage: Arc<dyn Storage>) {
    let run = given::running(&storage, "a.db").await;
    let lease = now().plus(hours(1));
    storage.imports().write_members(&run, &[member("1", "ada")], "1", lease, now()).await.unwrap();
    storage.imports().finish(&run, now()).await.unwrap();
    let ada = telegram("ada");
    let ada = storage.users().by_external(&ada.provider, &ada.external_id).await.unwrap();
    let ada = ada.unwrap().id;
    storage.achievements().create(&achievement("first", &[]), now()).await.unwrap();
    storage.user_achievements().unlock(&unlock(ada, "first"), now()).await.unwrap();
    storage.story().ensure_state(ada, now()).await.unwrap();
    let lists = async || {
        let achievements = storage.user_achievements();
        let held = HeldFilter::default();
        let held = achievements.list(ada, &held, &PageRequest::default()).await.unwrap();
        let recent = achievements.recent(30, 10, now()).await.unwrap();
        let story = storage.story().state(ada).await.unwrap();
        (held.items.len(), recent.len(), story.is_some())
    };
    assert_eq!(lists().await, (1, 1, true));
    let undone = storage.imports().undo_page(run.id, 500, now()).await.unwrap();
    assert_eq!(undone, (1, vec![], false));
    assert_eq!(lists().await, (0, 0, false));
}

/// They are listed, and keep everything.
pub async fn undoing_keeps_who_moved_or_was_here_before(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 5).await;
    let run = given::running(&storage, "a.db").await;
    let members = [member("1", "ada"), member("2", "bob"), member("3", "eve")];
    let lease = now().plus(hours(1));
    storage.imports().write_members(&run, &members, "3", lease, now()).await.unwrap();
    storage.imports().finish(&run, now()).await.unwrap();
    let bob = telegram("bob");
    let bob = storage.users().by_external(&bob.provider, &bob.external_id).await.unwrap();
    let bob = bob.unwrap().id;
    storage.points().award(&award(bob, 1), now()).await.unwrap();
    let (undone, mut kept, more) = storage.imports().undo_page(run.id, 500, now()).await.unwrap();
    kept.sort();
    assert_eq!((undone, kept, more), (1, vec![ada, bob], false));
    assert_eq!(given::balance(&storage, ada).await, points(15));
    assert_eq!(given::balance(&storage, bob).await, points(11));
    all_sound(&*storage).await;
}

/// Of 1 to 500 members, until nothing is left.
pub async fn undoing_goes_page_by_page(storage: Arc<dyn Storage>) {
    let run = given::running(&storage, "a.db").await;
    let members: Vec<_> = (0..5).map(|n| member(&n.to_string(), &format!("m{n}"))).collect();
    let lease = now().plus(hours(1));
    storage.imports().write_members(&run, &members, "5", lease, now()).await.unwrap();
    storage.imports().finish(&run, now()).await.unwrap();
    for limit in [0, 501] {
        let outcome = storage.imports().undo_page(run.id, limit, now()).await;
        refused(outcome, ErrorKind::Validation);
    }
    let (mut total, mut pages) = (0, 0);
    loop {
        let (undone, kept, more) = storage.imports().undo_page(run.id, 2, now()).await.unwrap();
        assert!(undone <= 2 && kept.is_empty() && pages < 9);
        total += undone;
        pages += 1;
        if !more {
            break;
        }
    }
    assert_eq!(total, 5);
    let everybody = UserFilter { include_inactive: true, ..UserFilter::default() };
    assert_eq!(storage.users().count(&everybody, now()).await.unwrap(), 0);
}
