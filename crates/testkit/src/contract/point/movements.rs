use std::sync::Arc;

use guildhall_domain::{Amount, Award, BasisPoints, DomainEvent, EntryKind, Points, UserId};
use guildhall_repository::{EntryFilter, ErrorKind, Storage, StorageError};

use super::super::expect::{invalid, refused, sound};
use super::super::given;
use crate::builder::{
    adjustment, amount, award, deduct, description, hold, hours, key, now, page, points, reference,
    source, transfer, xp,
};

/// Its balance is zero, and it has nothing to spend.
pub async fn an_account_of_nobody_is_absent(storage: Arc<dyn Storage>) {
    let nobody = UserId(999_999);
    assert_eq!(storage.points().account(nobody).await.unwrap(), None);
    assert_eq!(storage.points().balance(nobody).await.unwrap(), Points::ZERO);
    assert!(!storage.points().has_balance(nobody, amount(1)).await.unwrap());
}

/// The entry is given back as it is stored, and an event tells of it.
pub async fn an_award_credits_and_writes_its_entry(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let later = now().plus(hours(1));
    let outcome = storage.points().award(&award(ada, 12), later).await.unwrap();
    let entry = &outcome.value;
    assert!(!outcome.replayed);
    assert_eq!((entry.user, entry.seq, entry.kind), (ada, 1, EntryKind::Award));
    assert_eq!((entry.amount, entry.balance_after), (points(12), points(12)));
    assert_eq!((&entry.source, entry.created_at), (&source("test"), later));
    let told = DomainEvent::PointsCredited {
        user: ada,
        entry: entry.id,
        amount: points(12),
        source: source("test"),
    };
    assert_eq!(outcome.events, [told]);
    assert_eq!(storage.ledger().entry(entry.id).await.unwrap().as_ref(), Some(entry));
    let second = storage.points().award(&award(ada, 3), later).await.unwrap().value;
    assert_eq!((second.seq, second.balance_after), (2, points(15)));
    assert!(second.id > entry.id);
    let account = storage.points().account(ada).await.unwrap().unwrap();
    assert_eq!((account.balance(), account.lifetime_earned()), (points(15), points(15)));
    assert_eq!((account.parts().updated_at, account.parts().next_seq), (later, 3));
    sound(&*storage, &[ada]).await;
}

/// Towards zero, but at least one minor unit; what was before is kept beside it.
pub async fn an_award_is_multiplied_and_truncated(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    for (minor, rate, credited) in [(333, 15_000, 499), (1, 1, 1), (250, 0, 1)] {
        let base = Amount::from_minor(minor).unwrap();
        let multiplier = BasisPoints::new(rate).unwrap();
        let request = Award { multiplier, ..Award::new(ada, base, source("event")) };
        let entry = storage.points().award(&request, now()).await.unwrap().value;
        assert_eq!(entry.amount.minor(), credited);
        assert_eq!((entry.base_amount, entry.multiplier), (Some(base), Some(multiplier)));
        assert_eq!(storage.ledger().entry(entry.id).await.unwrap(), Some(entry));
    }
    assert_eq!(given::balance(&storage, ada).await.minor(), 501);
    sound(&*storage, &[ada]).await;
}

/// By what was credited.
pub async fn an_award_earns_experience(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let multiplier = BasisPoints::new(20_000).unwrap();
    let request = Award { multiplier, ..award(ada, 10) };
    storage.points().award(&request, now()).await.unwrap();
    let account = storage.points().account(ada).await.unwrap().unwrap();
    assert_eq!((account.xp(), account.balance()), (xp(20), points(20)));
}

/// A member is needed for every movement.
pub async fn nobody_is_awarded_nothing(storage: Arc<dyn Storage>) {
    let (nobody, ada) = (UserId(999_999), given::funded(&storage, "ada", 5).await);
    let repository = storage.points();
    refused(repository.award(&award(nobody, 1), now()).await, ErrorKind::NotFound);
    refused(repository.deduct(&deduct(nobody, 1), now()).await, ErrorKind::NotFound);
    refused(repository.adjust(&adjustment(nobody, 1), now()).await, ErrorKind::NotFound);
    refused(repository.transfer(&transfer(ada, nobody, 1), now()).await, ErrorKind::NotFound);
    refused(repository.transfer(&transfer(nobody, ada, 1), now()).await, ErrorKind::NotFound);
    refused(repository.hold(&hold(nobody, 1, "a1"), now()).await, ErrorKind::NotFound);
    assert_eq!(given::balance(&storage, ada).await, points(5));
    sound(&*storage, &[ada]).await;
}

/// Past the greatest amount nothing is written.
pub async fn a_balance_has_an_end(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let most = Award::new(ada, Amount::new(Points::MAX).unwrap(), source("test"));
    storage.points().award(&most, now()).await.unwrap();
    let one = Award::new(ada, Amount::from_minor(1).unwrap(), source("test"));
    for request in [one, most] {
        refused(storage.points().award(&request, now()).await, ErrorKind::Validation);
    }
    let bob = given::funded(&storage, "bob", 1).await;
    refused(storage.points().transfer(&transfer(bob, ada, 1), now()).await, ErrorKind::Validation);
    refused(storage.points().adjust(&adjustment(ada, 1), now()).await, ErrorKind::Validation);
    assert_eq!(given::balance(&storage, ada).await, Points::MAX);
    assert_eq!(given::balance(&storage, bob).await, points(1));
    sound(&*storage, &[ada, bob]).await;
}

/// Experience stays.
pub async fn a_deduction_debits_and_counts_as_spent(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let outcome = storage.points().deduct(&deduct(ada, 4), now()).await.unwrap();
    let entry = outcome.value;
    assert_eq!((entry.kind, entry.seq, entry.amount), (EntryKind::Spend, 2, points(-4)));
    assert_eq!(entry.balance_after, points(6));
    let told = DomainEvent::PointsDebited {
        user: ada,
        entry: entry.id,
        amount: points(4),
        source: source("test"),
    };
    assert_eq!(outcome.events, [told]);
    let account = storage.points().account(ada).await.unwrap().unwrap();
    assert_eq!((account.lifetime_spent(), account.lifetime_earned()), (points(4), points(10)));
    assert_eq!(account.xp(), xp(10));
    assert_eq!(storage.ledger().entry(entry.id).await.unwrap(), Some(entry));
    sound(&*storage, &[ada]).await;
}

/// The refusal says what there is and what it takes; the last point can be spent.
pub async fn a_deduction_never_overdraws(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let refusal = storage.points().deduct(&deduct(ada, 11), now()).await;
    match refused(refusal, ErrorKind::InsufficientBalance) {
        StorageError::InsufficientBalance { available, required } => {
            assert_eq!((available, required), (points(10), points(11)));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(given::balance(&storage, ada).await, points(10));
    storage.points().deduct(&deduct(ada, 10), now()).await.unwrap();
    refused(storage.points().deduct(&deduct(ada, 1), now()).await, ErrorKind::InsufficientBalance);
    assert_eq!(given::balance(&storage, ada).await, points(0));
    sound(&*storage, &[ada]).await;
}

/// Neither to spend nor to send.
pub async fn held_points_are_not_available(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let bob = given::member(&storage, "bob").await;
    storage.points().hold(&hold(ada, 7, "a1"), now()).await.unwrap();
    assert!(storage.points().has_balance(ada, amount(3)).await.unwrap());
    assert!(!storage.points().has_balance(ada, amount(4)).await.unwrap());
    let refusal = storage.points().deduct(&deduct(ada, 4), now()).await;
    match refused(refusal, ErrorKind::InsufficientBalance) {
        StorageError::InsufficientBalance { available, required } => {
            assert_eq!((available, required), (points(3), points(4)));
        }
        other => panic!("{other:?}"),
    }
    let refusal = storage.points().transfer(&transfer(ada, bob, 4), now()).await;
    refused(refusal, ErrorKind::InsufficientBalance);
    storage.points().deduct(&deduct(ada, 3), now()).await.unwrap();
    assert_eq!(given::balance(&storage, ada).await, points(7));
    sound(&*storage, &[ada]).await;
}

/// Two entries that name each other's member and share an id.
pub async fn a_transfer_moves_between_two(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let bob = given::funded(&storage, "bob", 1).await;
    // In both directions: the order of locks is not the order of the entries.
    for (from, to, left, got) in [(ada, bob, 6, 5), (bob, ada, 1, 10)] {
        let mut request = transfer(from, to, 4);
        request.description = Some(description("For the tea 🍵"));
        let outcome = storage.points().transfer(&request, now()).await.unwrap();
        let (sent, received) = (&outcome.value.sent, &outcome.value.received);
        assert_eq!((sent.kind, received.kind), (EntryKind::TransferOut, EntryKind::TransferIn));
        assert_eq!((sent.user, received.user), (from, to));
        assert_eq!((sent.counterpart, received.counterpart), (Some(to), Some(from)));
        assert_eq!((sent.amount, received.amount), (points(-4), points(4)));
        assert_eq!((sent.balance_after, received.balance_after), (points(left), points(got)));
        assert!(sent.transfer.is_some() && sent.transfer == received.transfer);
        assert_eq!(
            (&sent.description, &received.description),
            (&request.description, &request.description)
        );
        for entry in [sent, received] {
            assert_eq!(storage.ledger().entry(entry.id).await.unwrap().as_ref(), Some(entry));
        }
        assert_eq!(outcome.events.len(), 2, "{:?}", outcome.events);
    }
    sound(&*storage, &[ada, bob]).await;
}

/// What cannot leave does not arrive.
pub async fn a_transfer_is_both_or_neither(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 3).await;
    let bob = given::funded(&storage, "bob", 1).await;
    for request in [transfer(ada, bob, 4), transfer(bob, ada, 2)] {
        let outcome = storage.points().transfer(&request, now()).await;
        refused(outcome, ErrorKind::InsufficientBalance);
    }
    assert_eq!(given::balance(&storage, ada).await, points(3));
    assert_eq!(given::balance(&storage, bob).await, points(1));
    for user in [ada, bob] {
        let entries = storage.ledger().transactions(user, &EntryFilter::default(), &page(9)).await;
        assert_eq!(entries.unwrap().items.len(), 1);
    }
    sound(&*storage, &[ada, bob]).await;
}

/// And gives no experience.
pub async fn a_transfer_earns_and_spends_nothing(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let bob = given::member(&storage, "bob").await;
    storage.points().transfer(&transfer(ada, bob, 10), now()).await.unwrap();
    let account = storage.points().account(bob).await.unwrap().unwrap();
    assert_eq!((account.balance(), account.xp()), (points(10), xp(0)));
    assert_eq!(account.lifetime_earned(), points(0));
    let account = storage.points().account(ada).await.unwrap().unwrap();
    assert_eq!((account.lifetime_spent(), account.lifetime_earned()), (points(0), points(10)));
}

/// Without experience and without counting as earned or spent.
pub async fn an_adjustment_goes_either_way(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    for (whole, after) in [(10, 10), (-4, 6), (-6, 0)] {
        let outcome = storage.points().adjust(&adjustment(ada, whole), now()).await.unwrap();
        let entry = outcome.value;
        assert_eq!((entry.kind, entry.amount), (EntryKind::Adjustment, points(whole)));
        assert_eq!(
            (entry.balance_after, &entry.description),
            (points(after), &Some(description("test")))
        );
        assert_eq!(storage.ledger().entry(entry.id).await.unwrap(), Some(entry));
    }
    let account = storage.points().account(ada).await.unwrap().unwrap();
    assert_eq!((account.xp(), account.level()), (xp(0), 1));
    assert_eq!((account.lifetime_earned(), account.lifetime_spent()), (points(0), points(0)));
    sound(&*storage, &[ada]).await;
}

/// Not even an administrator takes what is held.
pub async fn an_adjustment_respects_holds(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    storage.points().hold(&hold(ada, 7, "a1"), now()).await.unwrap();
    let outcome = storage.points().adjust(&adjustment(ada, -4), now()).await;
    refused(outcome, ErrorKind::InsufficientBalance);
    storage.points().adjust(&adjustment(ada, -3), now()).await.unwrap();
    assert_eq!(given::balance(&storage, ada).await, points(7));
    sound(&*storage, &[ada]).await;
}

/// An entry over nothing would say nothing.
pub async fn an_adjustment_of_nothing_is_refused(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    invalid(storage.points().adjust(&adjustment(ada, 0), now()).await, "amount");
}

/// Reference, description, key and source; 500 characters of four bytes each.
pub async fn entries_keep_what_was_said_about_them(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let mut request = award(ada, 9).key(key("k-1 ✓")).reference(reference("msg:ü/1"));
    request.description = Some(description(&"🦀".repeat(500)));
    let entry = storage.points().award(&request, now()).await.unwrap().value;
    assert_eq!((&entry.source, &entry.source_ref), (&request.source, &request.source_ref));
    assert_eq!((&entry.description, &entry.idem_key), (&request.description, &request.idem_key));
    assert_eq!(storage.ledger().entry(entry.id).await.unwrap(), Some(entry));
    let mut request = deduct(ada, 9).key(key("k-2"));
    request.source_ref = Some(reference("שלום"));
    request.description = Some(description("'\"\\; --"));
    let entry = storage.points().deduct(&request, now()).await.unwrap().value;
    assert_eq!(
        (&entry.source_ref, &entry.description),
        (&request.source_ref, &request.description)
    );
    let stored = storage.points().entry_by_key(&key("k-2")).await.unwrap();
    assert_eq!(stored, Some(entry));
}
