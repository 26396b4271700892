//! Reading the ledger, and taking an account's figures from it anew. Compiled once per backend.

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{
    AccountParts, EntryId, LedgerReport, PointEntry, Points, Timestamp, UserId,
};
use guildhall_repository::{
    EntryFilter, Keyset, LedgerRepository, ListLimit, Page, PageRequest, RebuiltAccount,
    StorageError,
};

use super::lease::{Lease, Mode};
use super::ledger_audit::{Figures, figures_of, verify_on, verify_page_on};
use super::{Backend, Conn, columns, lock_accounts};
use crate::fault::Worked;
use crate::kept::Keep;
use crate::queries::queries;
use crate::rows::{AccountRow, EntryRow};
use crate::schema::{point_accounts, point_entries};
use crate::types::DbTime;

/// Names the list of [`LedgerRepository::transactions`] in its cursors.
const TRANSACTIONS: Keyset<i64> = Keyset::new("ledger.seq");

queries! {
    impl LedgerRepository by ledger, |lease| {
        Bare transactions(user: UserId, filter: &EntryFilter, page: &PageRequest)
            -> Page<PointEntry> {
            let (filter, below, limit) = (filter.clone(), TRANSACTIONS.after(page)?, page.limit());
        } => transactions_on(user, filter, below, limit);
        Bare entry(id: EntryId) -> Option<PointEntry> => entry_on;
        Snapshot verify(user: UserId) -> LedgerReport => verify_on;
        Snapshot verify_page(after: Option<UserId>, limit: ListLimit) -> LedgerReport
            => verify_page_on;
        Transaction rebuild_account(user: UserId, dry_run: bool, now: Timestamp)
            -> RebuiltAccount => rebuild_on;
    }
}

async fn transactions_on(
    conn: &mut Conn,
    user: UserId,
    filter: &EntryFilter,
    below: Option<i64>,
    limit: u16,
) -> Worked<Page<PointEntry>> {
    use point_entries::dsl as e;
    let mut query = e::point_entries
        .filter(e::user_id.eq(user.0))
        .order(e::seq.desc())
        .limit(i64::from(limit) + 1)
        .select(columns::<EntryRow>())
        .into_boxed::<Backend>();
    if let Some(source) = &filter.source {
        query = query.filter(e::source.eq(source.as_str()));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(e::kind.eq(kind.as_str()));
    }
    if let Some(from) = filter.from {
        query = query.filter(e::created_at.ge(DbTime(from)));
    }
    if let Some(before) = filter.before {
        query = query.filter(e::created_at.lt(DbTime(before)));
    }
    if let Some(below) = below {
        query = query.filter(e::seq.lt(below));
    }
    let rows: Vec<EntryRow> = query.load(conn).await?;
    Ok(TRANSACTIONS.page(rows, limit, |row| row.seq).try_map(EntryRow::into_entry)?)
}

async fn entry_on(conn: &mut Conn, id: EntryId) -> Worked<Option<PointEntry>> {
    let row = point_entries::table
        .find(id.0)
        .select(columns::<EntryRow>())
        .first(conn)
        .await
        .optional()?;
    Ok(row.map(EntryRow::into_entry).transpose()?)
}

async fn rebuild_on(
    conn: &mut Conn,
    user: UserId,
    dry_run: bool,
    now: Timestamp,
) -> Worked<RebuiltAccount> {
    let locked = lock_accounts(conn, &[user.0]).await?.pop();
    let before = locked.map(AccountRow::into_parts).transpose()?;
    let before = before.ok_or_else(|| StorageError::not_found("user", user))?;
    let mut after = rebuilt(before, &figures_of(conn, user).await?)?;
    let stored = !dry_run && after != before;
    if after != before {
        after.version += 1;
        after.updated_at = now;
    }
    if stored {
        use point_accounts::dsl as a;
        diesel::update(a::point_accounts.find(user.0))
            .set((
                a::balance.eq(after.balance.minor()),
                a::held.eq(after.held.minor()),
                a::lifetime_earned.eq(after.lifetime_earned.minor()),
                a::lifetime_spent.eq(after.lifetime_spent.minor()),
                a::next_seq.eq(after.next_seq),
                a::version.eq(after.version),
                a::updated_at.eq(DbTime(now)),
            ))
            .kept()
            .execute(conn)
            .await?;
    }
    Ok(RebuiltAccount { before, after, stored })
}

/// The account as its entries and holds say. Refused when they contradict each other: then nobody
/// knows what is true, and a wrong figure is not replaced by another.
fn rebuilt(before: AccountParts, figures: &Figures) -> Result<AccountParts, StorageError> {
    let broken = |detail: String| StorageError::integrity("ledger", before.user, detail);
    if let Some(detail) = figures.chain_break() {
        return Err(broken(detail));
    }
    let points = |what: &str, sum: i128| {
        i64::try_from(sum)
            .ok()
            .and_then(|minor| Points::from_minor(minor).ok())
            .filter(|points| *points >= Points::ZERO)
            .ok_or_else(|| broken(format!("{what} would be {sum}")))
    };
    let after = AccountParts {
        balance: points("balance", figures.balance)?,
        held: points("held", figures.held)?,
        lifetime_earned: points("lifetime earned", figures.earned)?,
        lifetime_spent: points("lifetime spent", figures.spent)?,
        next_seq: figures.last_seq + 1,
        ..before
    };
    if after.held > after.balance {
        let (held, balance) = (after.held.minor(), after.balance.minor());
        return Err(broken(format!("active holds of {held} exceed the balance of {balance}")));
    }
    Ok(after)
}
