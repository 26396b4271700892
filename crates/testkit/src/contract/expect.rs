//! What promises are checked with.

use std::fmt::Debug;

use guildhall_domain::UserId;
use guildhall_repository::{ErrorKind, ListLimit, Page, PageRequest, Repositories, StorageError};

/// The error of a call that must be refused as `kind`.
#[track_caller]
pub(super) fn refused<T: Debug>(outcome: Result<T, StorageError>, kind: ErrorKind) -> StorageError {
    match outcome {
        Err(error) if error.kind() == kind => error,
        other => panic!("expected {kind}, got {other:?}"),
    }
}

/// That a call is refused because of what stands in `field`.
#[track_caller]
pub(super) fn invalid<T: Debug>(outcome: Result<T, StorageError>, field: &str) {
    match refused(outcome, ErrorKind::Validation) {
        StorageError::Validation(violation) => assert_eq!(violation.field, field, "{violation}"),
        other => panic!("{other:?}"),
    }
}

/// Parts calls that succeeded from those refused as `kind`; any other error breaks the promise.
#[track_caller]
pub(super) fn winners<T: Debug>(
    outcomes: Vec<Result<T, StorageError>>,
    kind: ErrorKind,
) -> (Vec<T>, Vec<StorageError>) {
    let (mut won, mut lost) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome {
            Ok(value) => won.push(value),
            Err(error) if error.kind() == kind => lost.push(error),
            Err(error) => panic!("expected success or {kind}, got {error:?}"),
        }
    }
    (won, lost)
}

/// All items of a list, fetched in pages of `limit`. Every page but the last is full.
pub(super) async fn walk<T>(
    limit: u32,
    fetch: impl AsyncFn(PageRequest) -> Result<Page<T>, StorageError>,
) -> Vec<T> {
    let mut items = Vec::new();
    let mut request = PageRequest::first(limit).unwrap();
    loop {
        let page = fetch(request.clone()).await.unwrap();
        let count = u32::try_from(page.items.len()).unwrap();
        items.extend(page.items);
        let Some(cursor) = page.next_cursor else {
            assert!(count <= limit, "{count} items on a page of {limit}");
            return items;
        };
        assert_eq!(count, limit, "a page with a successor is full");
        assert!(items.len() < 10_000, "the list does not end");
        request = request.after(cursor);
    }
}

/// That the ledgers of `members` keep L1 to L6.
pub(super) async fn sound<R: Repositories + ?Sized>(storage: &R, members: &[UserId]) {
    for &member in members {
        let report = storage.ledger().verify(member).await.unwrap();
        assert!(report.is_clean(), "{report:?}");
    }
}

/// That every ledger of the storage keeps L1 to L6. Gives the number of members and entries.
pub(super) async fn all_sound<R: Repositories + ?Sized>(storage: &R) -> (u64, u64) {
    let (mut members, mut entries, mut after) = (0, 0, None);
    loop {
        let report = storage.ledger().verify_page(after, ListLimit::default()).await.unwrap();
        assert!(report.is_clean(), "{report:?}");
        members += report.members;
        entries += report.entries;
        match report.next {
            Some(next) => after = Some(next),
            None => return (members, entries),
        }
    }
}
