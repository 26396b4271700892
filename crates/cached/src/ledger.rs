//! The ledger through the cache: first pages only; audits go to the database.

use guildhall_domain::{EntryId, LedgerReport, PointEntry, Timestamp, UserId};
use guildhall_repository::{
    EntryFilter, LedgerRepository, ListLimit, Page, PageRequest, RebuiltAccount,
};

use crate::decorate::decorate;
use crate::keys::{key, tag};

decorate! {
    impl LedgerRepository by ledger, |link| {
        page transactions(user: UserId, filter: &EntryFilter, page: &PageRequest)
            -> Page<PointEntry>
            = (page, key::history(user, filter, page), [tag::points(user)], history);
        pass entry(id: EntryId) -> Option<PointEntry>;
        pass verify(user: UserId) -> LedgerReport;
        pass verify_page(after: Option<UserId>, limit: ListLimit) -> LedgerReport;
        write rebuild_account(user: UserId, dry_run: bool, now: Timestamp) -> RebuiltAccount
            = ([tag::points(user), tag::leaderboard(), tag::totals()]);
    }
}
