//! Promises of [`LedgerRepository`](guildhall_repository::LedgerRepository).

use std::sync::Arc;

use guildhall_domain::{
    Award, BasisPoints, EarningRules, EntryId, EntryKind, Participation, UserId, Xp,
};
use guildhall_repository::{EntryFilter, ErrorKind, Storage, UserOrder};

use super::expect::{all_sound, invalid, refused, sound, walk};
use super::given;
use crate::builder::{
    adjustment, at_most, award, deduct, description, hold, hours, now, page, reference, seconds,
    source, transfer,
};

#[doc(hidden)]
#[macro_export]
macro_rules! ledger_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, ledger as ledger on MultiThread:
            entries_are_listed_newest_first
            entries_are_filtered
            entries_page_without_loss
            a_page_of_entries_stays_put_while_others_are_written
            a_cursor_of_another_ledger_is_refused
            nobody_has_no_entries
            every_movement_keeps_the_ledger_sound
            an_audit_counts_what_it_read
            an_audit_goes_page_by_page
            an_audit_of_moving_ledgers_finds_nothing
            rebuilding_a_sound_account_changes_nothing
            rebuilding_nobody_finds_nothing
        }
    };
}
#[doc(hidden)]
pub use crate::ledger_promises as promises;

/// By number, whatever the clocks said.
pub async fn entries_are_listed_newest_first(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let mut written = Vec::new();
    for age in [0, 50, 10] {
        let at = now().minus(seconds(age));
        written.push(storage.points().award(&award(ada, 1), at).await.unwrap().value);
    }
    written.reverse();
    let listed = storage.ledger().transactions(ada, &EntryFilter::default(), &page(9)).await;
    let listed = listed.unwrap();
    assert_eq!((listed.items, listed.next_cursor), (written, None));
}

/// From a time on, before another; filters combine.
pub async fn entries_are_filtered(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let at = |count| now().plus(hours(count));
    for (count, name) in [(0, "a"), (1, "b"), (2, "a"), (3, "b")] {
        let request = Award { source: source(name), ..award(ada, 10) };
        storage.points().award(&request, at(count)).await.unwrap();
    }
    storage.points().deduct(&deduct(ada, 1), at(4)).await.unwrap();
    let base = EntryFilter::default;
    for (filter, expected) in [
        (base(), vec![5, 4, 3, 2, 1]),
        (EntryFilter { source: Some(source("a")), ..base() }, vec![3, 1]),
        (EntryFilter { kind: Some(EntryKind::Spend), ..base() }, vec![5]),
        (EntryFilter { kind: Some(EntryKind::Import), ..base() }, vec![]),
        (EntryFilter { from: Some(at(2)), ..base() }, vec![5, 4, 3]),
        (EntryFilter { before: Some(at(2)), ..base() }, vec![2, 1]),
        (EntryFilter { from: Some(at(1)), before: Some(at(4)), ..base() }, vec![4, 3, 2]),
        (EntryFilter { from: Some(at(1)), source: Some(source("a")), ..base() }, vec![3]),
    ] {
        for limit in [1, 2, 200] {
            let ledger = storage.ledger();
            let found = walk(limit, async |page| ledger.transactions(ada, &filter, &page).await);
            let numbers: Vec<_> = found.await.iter().map(|entry| entry.seq).collect();
            assert_eq!(numbers, expected, "{filter:?}");
        }
    }
}

/// In pages of any size.
pub async fn entries_page_without_loss(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    for _ in 0..12 {
        storage.points().award(&award(ada, 1), now()).await.unwrap();
    }
    let (ledger, filter) = (storage.ledger(), EntryFilter::default());
    for limit in [1, 4, 5, 11, 12, 13] {
        let found = walk(limit, async |page| ledger.transactions(ada, &filter, &page).await).await;
        let numbers: Vec<_> = found.iter().map(|entry| entry.seq).collect();
        assert_eq!(numbers, (1..=12).rev().collect::<Vec<_>>(), "{limit}");
    }
}

/// The next page goes on where the last one ended.
pub async fn a_page_of_entries_stays_put_while_others_are_written(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    for _ in 0..4 {
        storage.points().award(&award(ada, 1), now()).await.unwrap();
    }
    let (ledger, filter) = (storage.ledger(), EntryFilter::default());
    let first = ledger.transactions(ada, &filter, &page(2)).await.unwrap();
    storage.points().award(&award(ada, 1), now()).await.unwrap();
    let request = page(2).after(first.next_cursor.unwrap());
    let second = ledger.transactions(ada, &filter, &request).await.unwrap();
    assert_eq!(second.items.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [2, 1]);
}

/// Another list's, or made up.
pub async fn a_cursor_of_another_ledger_is_refused(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 2, 5).await;
    let users = storage.users().list(&Default::default(), UserOrder::Id, now(), &page(1)).await;
    let foreign = users.unwrap().next_cursor.unwrap();
    let made_up = "x~1~2".parse().unwrap();
    for cursor in [foreign, made_up] {
        let request = page(1).after(cursor);
        let filter = EntryFilter::default();
        invalid(storage.ledger().transactions(ids[0], &filter, &request).await, "cursor");
    }
}

/// And no entry has their id.
pub async fn nobody_has_no_entries(storage: Arc<dyn Storage>) {
    let listed =
        storage.ledger().transactions(UserId(999_999), &EntryFilter::default(), &page(9)).await;
    assert_eq!(listed.unwrap().items, []);
    assert_eq!(storage.ledger().entry(EntryId(999_999)).await.unwrap(), None);
}

/// All of them, one after the other.
pub async fn every_movement_keeps_the_ledger_sound(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 2, 100).await;
    let (ada, bob) = (ids[0], ids[1]);
    let (repository, rules, why) = (storage.points(), EarningRules::default(), description("x"));
    let spent = repository.deduct(&deduct(ada, 10), now()).await.unwrap().value;
    repository.transfer(&transfer(ada, bob, 20), now()).await.unwrap();
    repository.adjust(&adjustment(ada, -5), now()).await.unwrap();
    repository.adjust(&adjustment(bob, 5), now()).await.unwrap();
    repository.grant_xp(ada, Xp::whole(600).unwrap(), now()).await.unwrap();
    let captured = repository.hold(&hold(ada, 7, "a1"), now()).await.unwrap();
    repository.hold(&hold(ada, 3, "a2"), now()).await.unwrap();
    sound(&*storage, &ids).await;
    let captured = repository.capture_hold(captured.id, now()).await.unwrap().value;
    sound(&*storage, &ids).await;
    repository.reverse_entry(spent.id, &why, now()).await.unwrap();
    sound(&*storage, &ids).await;
    let one = BasisPoints::ONE;
    repository.record_message(ada, &rules, one, now()).await.unwrap();
    repository.check_in(ada, &rules, one, now()).await.unwrap();
    repository.claim_daily_gift(ada, &rules, now()).await.unwrap();
    let (kind, thing) = (Participation::Post, reference("t"));
    repository.award_participation(ada, kind, &thing, &rules, one, now()).await.unwrap();
    sound(&*storage, &ids).await;
    // A refund of what a hold took, where the storage allows it.
    if repository.reverse_entry(captured.id, &why, now()).await.is_ok() {
        sound(&*storage, &ids).await;
    }
}

/// Members and entries of what was asked for.
pub async fn an_audit_counts_what_it_read(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let bob = given::funded(&storage, "bob", 10).await;
    storage.points().transfer(&transfer(ada, bob, 5), now()).await.unwrap();
    let report = storage.ledger().verify(ada).await.unwrap();
    assert_eq!((report.members, report.entries, report.next), (1, 2, None));
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(all_sound(&*storage).await, (2, 4));
}

/// Deleted members among them, as their ledgers stay.
pub async fn an_audit_goes_page_by_page(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 7, 5).await;
    storage.users().delete(ids[3], now()).await.unwrap();
    for limit in [1, 2, 3, 7, 8] {
        let (mut members, mut entries, mut after) = (0, 0, None);
        for page in 0.. {
            let report = storage.ledger().verify_page(after, at_most(limit)).await.unwrap();
            assert!(report.is_clean() && report.members <= u64::from(limit), "{report:?}");
            members += report.members;
            entries += report.entries;
            assert!(report.next.is_none_or(|next| Some(next) > after) && page < 10);
            after = report.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!((members, entries), (7, 7), "{limit}");
    }
}

/// A snapshot never sees half a movement.
pub async fn an_audit_of_moving_ledgers_finds_nothing(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 2, 100).await;
    given::at_once(4, &storage, |storage, n| {
        let (ada, bob) = (ids[0], ids[1]);
        async move {
            for round in 0..40 {
                match n {
                    0 => drop(storage.points().transfer(&transfer(ada, bob, 1), now()).await),
                    1 => drop(storage.points().transfer(&transfer(bob, ada, 1), now()).await),
                    2 => sound(&*storage, &[ada, bob]).await,
                    _ => {
                        let request = hold(ada, 1, &format!("a{round}"));
                        if let Ok(held) = storage.points().hold(&request, now()).await {
                            storage.points().release_hold(held.id, now()).await.unwrap();
                        }
                        all_sound(&*storage).await;
                    }
                }
            }
        }
    })
    .await;
    sound(&*storage, &ids).await;
}

/// Dry or not.
pub async fn rebuilding_a_sound_account_changes_nothing(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 2, 100).await;
    storage.points().transfer(&transfer(ids[0], ids[1], 30), now()).await.unwrap();
    storage.points().deduct(&deduct(ids[0], 10), now()).await.unwrap();
    storage.points().hold(&hold(ids[0], 7, "a1"), now()).await.unwrap();
    let account = storage.points().account(ids[0]).await.unwrap().unwrap();
    let rebuilt = storage.ledger().rebuild_account(ids[0], true, now()).await.unwrap();
    assert_eq!((&rebuilt.before, rebuilt.stored), (account.parts(), false));
    assert_eq!(storage.points().account(ids[0]).await.unwrap(), Some(account));
    let rebuilt = storage.ledger().rebuild_account(ids[0], false, now()).await.unwrap();
    assert_eq!(
        (rebuilt.after.balance, rebuilt.after.held, rebuilt.after.next_seq),
        (account.balance(), account.held(), account.parts().next_seq)
    );
    assert_eq!(
        (rebuilt.after.lifetime_earned, rebuilt.after.lifetime_spent, rebuilt.after.xp),
        (account.lifetime_earned(), account.lifetime_spent(), account.xp())
    );
    let after = storage.points().account(ids[0]).await.unwrap().unwrap();
    assert_eq!(after.balance(), account.balance());
    sound(&*storage, &ids).await;
}

/// There is no account to rebuild.
pub async fn rebuilding_nobody_finds_nothing(storage: Arc<dyn Storage>) {
    for dry_run in [true, false] {
        let outcome = storage.ledger().rebuild_account(UserId(999_999), dry_run, now()).await;
        refused(outcome, ErrorKind::NotFound);
    }
}
