use std::sync::Arc;

use guildhall_domain::{EntryKind, HoldId, HoldRequest, HoldStatus, PointHold, UserId};
use guildhall_repository::{EntryFilter, ErrorKind, Storage, StorageError};

use super::super::expect::{refused, sound, winners};
use super::super::given;
use crate::builder::{amount, hold, hours, now, page, points, reason, reference, seconds};

async fn figures(storage: &Arc<dyn Storage>, user: UserId) -> (i64, i64) {
    let account = storage.points().account(user).await.unwrap().unwrap();
    (account.balance().minor() / 100, account.held().minor() / 100)
}

async fn stored(storage: &Arc<dyn Storage>, id: HoldId) -> PointHold {
    storage.points().hold_by_id(id).await.unwrap().unwrap()
}

/// The balance stays and no entry is written.
pub async fn a_hold_keeps_points_back(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let later = now().plus(hours(1));
    let request = HoldRequest { expires_at: Some(later), ..hold(ada, 7, "lot 7 ü") };
    let held = storage.points().hold(&request, now()).await.unwrap();
    assert_eq!((held.user, held.amount, held.status), (ada, amount(7), HoldStatus::Active));
    assert_eq!((&held.reason, &held.reference), (&request.reason, &request.reference));
    assert_eq!((held.created_at, held.expires_at, held.settled_at), (now(), Some(later), None));
    assert_eq!(stored(&storage, held.id).await, held);
    assert_eq!(figures(&storage, ada).await, (10, 7));
    let entries = storage.ledger().transactions(ada, &EntryFilter::default(), &page(9)).await;
    assert_eq!(entries.unwrap().items.len(), 1);
    sound(&*storage, &[ada]).await;
}

/// Those that are not held already.
pub async fn a_hold_needs_points(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    storage.points().hold(&hold(ada, 7, "a1"), now()).await.unwrap();
    let refusal = storage.points().hold(&hold(ada, 4, "a2"), now()).await;
    match refused(refusal, ErrorKind::InsufficientBalance) {
        StorageError::InsufficientBalance { available, required } => {
            assert_eq!((available, required), (points(3), points(4)));
        }
        other => panic!("{other:?}"),
    }
    storage.points().hold(&hold(ada, 3, "a2"), now()).await.unwrap();
    assert_eq!(figures(&storage, ada).await, (10, 10));
    sound(&*storage, &[ada]).await;
}

/// Another member, reason or thing is another matter, and a settled hold is past.
pub async fn one_thing_is_held_once_at_a_time(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let bob = given::funded(&storage, "bob", 10).await;
    let first = storage.points().hold(&hold(ada, 1, "a1"), now()).await.unwrap();
    let again = storage.points().hold(&hold(ada, 2, "a1"), now()).await;
    refused(again, ErrorKind::AlreadyExists);
    let raffle = HoldRequest { reason: reason("raffle"), ..hold(ada, 1, "a1") };
    let shouted = HoldRequest { reference: reference("A1"), ..hold(ada, 1, "a1") };
    for request in [hold(bob, 1, "a1"), raffle, shouted, hold(ada, 1, "a2")] {
        storage.points().hold(&request, now()).await.unwrap();
    }
    assert_eq!(figures(&storage, ada).await, (10, 4));
    storage.points().release_hold(first.id, now()).await.unwrap();
    storage.points().hold(&hold(ada, 2, "a1"), now()).await.unwrap();
    assert_eq!(figures(&storage, ada).await, (10, 5));
    sound(&*storage, &[ada, bob]).await;
}

/// It counts as spent.
pub async fn a_capture_takes_for_good(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let held = storage.points().hold(&hold(ada, 7, "a1"), now()).await.unwrap();
    let later = now().plus(hours(1));
    let outcome = storage.points().capture_hold(held.id, later).await.unwrap();
    let entry = outcome.value;
    assert_eq!((entry.user, entry.kind, entry.seq), (ada, EntryKind::HoldCapture, 2));
    assert_eq!((entry.amount, entry.balance_after), (points(-7), points(3)));
    assert_eq!((outcome.replayed, entry.created_at), (false, later));
    assert_eq!(storage.ledger().entry(entry.id).await.unwrap(), Some(entry));
    let settled = stored(&storage, held.id).await;
    assert_eq!((settled.status, settled.settled_at), (HoldStatus::Captured, Some(later)));
    assert_eq!(figures(&storage, ada).await, (3, 0));
    let account = storage.points().account(ada).await.unwrap().unwrap();
    assert_eq!(account.lifetime_spent(), points(7));
    sound(&*storage, &[ada]).await;
}

/// Without an entry.
pub async fn a_release_gives_back(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let held = storage.points().hold(&hold(ada, 7, "a1"), now()).await.unwrap();
    let later = now().plus(hours(1));
    let released = storage.points().release_hold(held.id, later).await.unwrap();
    assert_eq!((released.status, released.settled_at), (HoldStatus::Released, Some(later)));
    assert_eq!(stored(&storage, held.id).await, released);
    assert_eq!(figures(&storage, ada).await, (10, 0));
    sound(&*storage, &[ada]).await;
}

/// However it was settled.
pub async fn a_hold_is_settled_once(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 30).await;
    let later = now().plus(hours(1));
    let mut ids = Vec::new();
    for thing in ["captured", "released", "expired"] {
        let request = HoldRequest { expires_at: Some(later), ..hold(ada, 5, thing) };
        ids.push(storage.points().hold(&request, now()).await.unwrap().id);
    }
    storage.points().capture_hold(ids[0], now()).await.unwrap();
    storage.points().release_hold(ids[1], now()).await.unwrap();
    assert_eq!(storage.points().expire_holds(later.plus(seconds(1)), 10).await.unwrap().len(), 1);
    for id in ids {
        let before = stored(&storage, id).await;
        refused(storage.points().capture_hold(id, later).await, ErrorKind::InvalidState);
        refused(storage.points().release_hold(id, later).await, ErrorKind::InvalidState);
        assert_eq!(stored(&storage, id).await, before);
    }
    assert_eq!(figures(&storage, ada).await, (25, 0));
    sound(&*storage, &[ada]).await;
}

/// Reading one that does not exist is no error.
pub async fn unknown_holds_are_not_found(storage: Arc<dyn Storage>) {
    let unknown = HoldId(999_999);
    assert_eq!(storage.points().hold_by_id(unknown).await.unwrap(), None);
    refused(storage.points().capture_hold(unknown, now()).await, ErrorKind::NotFound);
    refused(storage.points().release_hold(unknown, now()).await, ErrorKind::NotFound);
}

/// Not before, and never without one.
pub async fn holds_lapse_at_their_time(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 30).await;
    let end = now().plus(hours(1));
    let ending = HoldRequest { expires_at: Some(end), ..hold(ada, 5, "ending") };
    let ending = storage.points().hold(&ending, now()).await.unwrap();
    let endless = storage.points().hold(&hold(ada, 7, "endless"), now()).await.unwrap();
    assert_eq!(storage.points().expire_holds(end.minus(seconds(1)), 10).await.unwrap().len(), 0);
    let later = end.plus(seconds(1));
    assert_eq!(storage.points().expire_holds(later, 10).await.unwrap().len(), 1);
    let lapsed = stored(&storage, ending.id).await;
    assert_eq!((lapsed.status, lapsed.settled_at), (HoldStatus::Expired, Some(later)));
    assert_eq!(stored(&storage, endless.id).await, endless);
    assert_eq!(figures(&storage, ada).await, (30, 7));
    assert_eq!(storage.points().expire_holds(later, 10).await.unwrap().len(), 0);
    sound(&*storage, &[ada]).await;
}

/// Of 1 to 500 holds, earliest first.
pub async fn holds_lapse_page_by_page(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 3, 10).await;
    let mut ends = Vec::new();
    for (n, &id) in ids.iter().cycle().take(7).enumerate() {
        let end = now().plus(seconds(60 - 5 * n as u64));
        let request = HoldRequest { expires_at: Some(end), ..hold(id, 1, &format!("a{n}")) };
        ends.push((end, storage.points().hold(&request, now()).await.unwrap().id));
    }
    let later = now().plus(hours(1));
    assert_eq!(storage.points().expire_holds(later, 3).await.unwrap().len(), 3);
    ends.sort();
    for (n, (_, id)) in ends.iter().enumerate() {
        let expected = if n < 3 { HoldStatus::Expired } else { HoldStatus::Active };
        assert_eq!(stored(&storage, *id).await.status, expected);
    }
    assert_eq!(storage.points().expire_holds(later, 500).await.unwrap().len(), 4);
    assert_eq!(storage.points().expire_holds(later, 500).await.unwrap().len(), 0);
    for limit in [0, 501] {
        refused(storage.points().expire_holds(later, limit).await, ErrorKind::Validation);
    }
    sound(&*storage, &ids).await;
}

/// Settled ones are left out, and other members' too.
pub async fn active_holds_are_listed_oldest_first(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 2, 10).await;
    let mut held = Vec::new();
    for (user, thing, age) in [(0, "a", 9), (1, "b", 8), (0, "c", 3), (0, "d", 2), (0, "e", 1)] {
        let at = now().minus(hours(age));
        held.push(storage.points().hold(&hold(ids[user], 1, thing), at).await.unwrap());
    }
    storage.points().release_hold(held[3].id, now()).await.unwrap();
    let listed = storage.points().active_holds(ids[0]).await.unwrap();
    assert_eq!(listed, [held[0].clone(), held[2].clone(), held[4].clone()]);
    assert_eq!(storage.points().active_holds(UserId(999_999)).await.unwrap(), []);
}

/// Each of forty holds is settled by exactly one of the three, and the sums are right.
pub async fn capture_release_and_expiry_race_for_one_win(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 100).await;
    let end = now().plus(seconds(1));
    let mut ids = Vec::new();
    for n in 0..40 {
        let request = HoldRequest { expires_at: Some(end), ..hold(ada, 2, &format!("a{n}")) };
        ids.push(storage.points().hold(&request, now()).await.unwrap().id);
    }
    let later = now().plus(hours(1));
    let outcomes = given::at_once(120, &storage, |storage, n| {
        let id = ids[n / 3];
        async move {
            match n % 3 {
                0 => storage.points().capture_hold(id, later).await.map(|_| (1, 0)),
                1 => storage.points().release_hold(id, later).await.map(|_| (0, 1)),
                _ => storage
                    .points()
                    .expire_holds(later, 1)
                    .await
                    .map(|expired| (0, expired.len() as u64)),
            }
        }
    })
    .await;
    let (won, _) = winners(outcomes, ErrorKind::InvalidState);
    let captured: u64 = won.iter().map(|(captured, _)| captured).sum();
    let given_back: u64 = won.iter().map(|(_, given_back)| given_back).sum();
    assert_eq!(captured + given_back, 40);
    let mut by_status = [0; 2];
    for id in ids {
        match stored(&storage, id).await.status {
            HoldStatus::Active => panic!("hold {id} is still active"),
            HoldStatus::Captured => by_status[0] += 1,
            HoldStatus::Released | HoldStatus::Expired => by_status[1] += 1,
        }
    }
    assert_eq!(by_status, [captured, given_back]);
    let left = 100 - 2 * i64::try_from(captured).unwrap();
    assert_eq!(figures(&storage, ada).await, (left, 0));
    sound(&*storage, &[ada]).await;
}

/// Ten of ten points fit into a hundred.
pub async fn sixty_four_holds_never_exceed_the_balance(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 100).await;
    let outcomes = given::at_once(64, &storage, |storage, n| async move {
        storage.points().hold(&hold(ada, 10, &format!("a{n}")), now()).await
    })
    .await;
    let (won, lost) = winners(outcomes, ErrorKind::InsufficientBalance);
    assert_eq!((won.len(), lost.len()), (10, 54));
    assert_eq!(figures(&storage, ada).await, (100, 100));
    sound(&*storage, &[ada]).await;
}
