//! The audit of every ledger.

use guildhall_domain::LedgerBreak;
use guildhall_repository::{ListLimit, Storage, StorageError};

/// What the audit of all ledgers has found so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Members audited.
    pub members: u64,
    /// Entries read.
    pub entries: u64,
    /// Broken rules in all.
    pub breaks_total: u64,
    /// The first of them, by member and rule: at most [`Audit::BREAKS_MAX`].
    pub breaks: Vec<LedgerBreak>,
}

impl Audit {
    /// How many broken rules are listed; the rest is only counted.
    pub const BREAKS_MAX: usize = 10_000;

    /// Whether nothing is broken.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.breaks_total == 0
    }
}

/// Audits every member's ledger for the rules L1 to L6, page by page in ascending order, each page
/// in a snapshot of its own, so that writers are never held up. `progress` hears after each page
/// what was found so far.
pub async fn audit(
    storage: &dyn Storage,
    mut progress: impl FnMut(&Audit) + Send,
) -> Result<Audit, StorageError> {
    let limit = ListLimit::new(ListLimit::MAX)?;
    let mut found = Audit::default();
    let mut after = None;
    loop {
        let page = storage.ledger().verify_page(after, limit).await?;
        found.members += page.members;
        found.entries += page.entries;
        found.breaks_total += page.breaks.len() as u64;
        let room = Audit::BREAKS_MAX.saturating_sub(found.breaks.len());
        found.breaks.extend(page.breaks.into_iter().take(room));
        progress(&found);
        match page.next {
            // A storage that does not move on would be asked for ever.
            Some(next) if after < Some(next) => after = Some(next),
            Some(_) => {
                return Err(StorageError::Internal { operation: "ledger.verify", source: None });
            }
            None => return Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use guildhall_domain::{LedgerReport, LedgerRule, UserId};
    use guildhall_repository::{MockStorage, MockUnitOfWork};

    use super::*;

    fn page(members: u64, next: Option<i64>) -> LedgerReport {
        let at = UserId(members as i64);
        let broken = LedgerBreak { user: at, rule: LedgerRule::L1, detail: "1, not 2".into() };
        LedgerReport { members, entries: 10, breaks: vec![broken], next: next.map(UserId) }
    }

    #[tokio::test]
    async fn pages_are_added_up_in_order() {
        let mut mocks = MockUnitOfWork::default();
        mocks
            .ledger
            .expect_verify_page()
            .withf(|after, _| after.is_none())
            .returning(|_, _| Ok(page(200, Some(200))));
        mocks
            .ledger
            .expect_verify_page()
            .withf(|after, _| *after == Some(UserId(200)))
            .returning(|_, _| Ok(page(7, None)));
        let mut heard = Vec::new();
        let found = audit(&MockStorage::new(mocks), |so_far| heard.push(so_far.members)).await;
        let found = found.unwrap();
        assert_eq!((found.members, found.entries, found.breaks_total), (207, 20, 2));
        assert_eq!(heard, [200, 207]);
        assert!(!found.is_clean());
    }

    #[tokio::test]
    async fn a_storage_that_stands_still_is_an_error() {
        let mut mocks = MockUnitOfWork::default();
        mocks.ledger.expect_verify_page().times(2).returning(|_, _| Ok(page(1, Some(1))));
        let error = audit(&MockStorage::new(mocks), |_| {}).await.unwrap_err();
        assert!(matches!(error, StorageError::Internal { .. }), "{error:?}");
    }
}
