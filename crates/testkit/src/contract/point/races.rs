use std::sync::Arc;

use guildhall_repository::{EntryFilter, ErrorKind, Storage};

use super::super::expect::{sound, walk, winners};
use super::super::given;
use crate::builder::{award, deduct, now, points};

/// To 200 points and entries 1 to 200.
pub async fn two_hundred_awards_add_up(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    given::at_once(200, &storage, |storage, _| async move {
        storage.points().award(&award(ada, 1), now()).await.unwrap();
    })
    .await;
    assert_eq!(given::balance(&storage, ada).await, points(200));
    let (ledger, filter) = (storage.ledger(), EntryFilter::default());
    let entries = walk(99, async |page| ledger.transactions(ada, &filter, &page).await).await;
    let numbers: Vec<_> = entries.iter().map(|entry| entry.seq).collect();
    assert_eq!(numbers, (1..=200).rev().collect::<Vec<_>>());
    sound(&*storage, &[ada]).await;
}

/// Fifty of ten points fit into five hundred.
pub async fn a_hundred_deductions_stop_at_zero(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 500).await;
    let outcomes = given::at_once(100, &storage, |storage, _| async move {
        storage.points().deduct(&deduct(ada, 10), now()).await
    })
    .await;
    let (won, lost) = winners(outcomes, ErrorKind::InsufficientBalance);
    assert_eq!((won.len(), lost.len()), (50, 50));
    assert_eq!(given::balance(&storage, ada).await, points(0));
    sound(&*storage, &[ada]).await;
}

/// Ten of ten points fit into a hundred.
pub async fn sixty_four_debits_never_overdraw(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 100).await;
    let outcomes = given::at_once(64, &storage, |storage, _| async move {
        storage.points().deduct(&deduct(ada, 10), now()).await
    })
    .await;
    let (won, lost) = winners(outcomes, ErrorKind::InsufficientBalance);
    assert_eq!((won.len(), lost.len()), (10, 54));
    assert_eq!(given::balance(&storage, ada).await, points(0));
    sound(&*storage, &[ada]).await;
}
