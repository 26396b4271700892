//! Auditing ledgers for the rules L1 to L6, a page of members in four statements. Compiled once
//! per backend. Columns are read bare: what no domain value can hold must be reported all the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::run::RunQueryDsl;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use guildhall_domain::{LedgerBreak, LedgerReport, LedgerRule, UserId};
use guildhall_repository::{ListLimit, StorageError};

use super::Conn;
use crate::fault::Worked;
use crate::rows::count;
use crate::schema::point_accounts;

/// What the entries and active holds of a member add up to, in minor units.
#[derive(Default)]
pub(super) struct Figures {
    pub(super) entries: i64,
    pub(super) balance: i128,
    pub(super) earned: i128,
    pub(super) spent: i128,
    pub(super) held: i128,
    pub(super) last_seq: i64,
    /// The first entry that does not follow its predecessor in number.
    first_gap: Option<i64>,
    gaps: i64,
    /// The first entry whose balance does not follow from the one before.
    first_jump: Option<i64>,
    jumps: i64,
    /// The least balance after an entry.
    least_balance: i64,
    /// Transfers whose other half is missing: how many, and the first entry.
    torn: Option<(i64, i64)>,
}

impl Figures {
    /// How the entries contradict each other, if they do: rules L2 and L3 of the entries alone.
    pub(super) fn chain_break(&self) -> Option<String> {
        if let Some(seq) = self.first_gap {
            return Some(format!("{} gaps before entries, the first before {seq}", self.gaps));
        }
        if let Some(seq) = self.first_jump {
            let jumps = self.jumps;
            return Some(format!("{jumps} balances do not follow, the first at entry {seq}"));
        }
        let least = self.least_balance;
        (least < 0).then(|| format!("an entry leaves a balance of {least}"))
    }
}

/// The columns of `point_accounts` that the rules speak of.
#[derive(Queryable)]
struct Account {
    user_id: i64,
    balance: i64,
    held: i64,
    lifetime_earned: i64,
    lifetime_spent: i64,
    next_seq: i64,
}

/// Sums come in two halves of 32 bits, so that no tampered amount overflows them.
#[derive(Queryable)]
struct EntrySums {
    user_id: i64,
    entries: i64,
    last_seq: i64,
    sum: (i64, i64),
    earned: (i64, i64),
    spent: (i64, i64),
    /// How many, and the first.
    gaps: (i64, Option<i64>),
    jumps: (i64, Option<i64>),
    least_balance: i64,
}

fn whole((high, low): (i64, i64)) -> i128 {
    (i128::from(high) << 32) + i128::from(low)
}

/// Ids above the first and up to the second.
type Range = (i64, i64);

pub(super) async fn verify_on(conn: &mut Conn, user: UserId) -> Worked<LedgerReport> {
    let range = only(user);
    let accounts = accounts_on(conn, range, 1).await?;
    let figures = figures_on(conn, range, 1).await?;
    if accounts.is_empty() && figures.is_empty() {
        return Err(StorageError::not_found("user", user).into());
    }
    Ok(report([user.0], &accounts, &figures))
}

pub(super) async fn verify_page_on(
    conn: &mut Conn,
    after: Option<UserId>,
    limit: ListLimit,
) -> Worked<LedgerReport> {
    let (after, limit) = (after.map_or(i64::MIN, |user| user.0), usize::from(limit.get()));
    let accounts = accounts_on(conn, (after, i64::MAX), limit + 1).await?;
    // What stands without an account is looked for beside the accounts, and behind the last one.
    let last = match accounts.get(limit) {
        Some(_) => accounts[limit - 1].user_id,
        None => i64::MAX,
    };
    let figures = figures_on(conn, (after, last), limit + 1).await?;
    let mut users: BTreeSet<i64> = accounts.iter().map(|account| account.user_id).collect();
    users.extend(figures.keys());
    let more = users.len() > limit;
    let users: Vec<i64> = users.into_iter().take(limit).collect();
    let next = users.last().copied().filter(|_| more).map(UserId);
    Ok(LedgerReport { next, ..report(users, &accounts, &figures) })
}

/// What the ledger of one member adds up to.
pub(super) async fn figures_of(conn: &mut Conn, user: UserId) -> Worked<Figures> {
    Ok(figures_on(conn, only(user), 1).await?.remove(&user.0).unwrap_or_default())
}

const fn only(user: UserId) -> Range {
    (user.0.saturating_sub(1), user.0)
}

async fn accounts_on(
    conn: &mut Conn,
    (after, last): Range,
    limit: usize,
) -> QueryResult<Vec<Account>> {
    use point_accounts::dsl as a;
    a::point_accounts
        .filter(a::user_id.gt(after).and(a::user_id.le(last)))
        .order(a::user_id)
        .limit(limit as i64)
        .select((
            a::user_id,
            a::balance,
            a::held,
            a::lifetime_earned,
            a::lifetime_spent,
            a::next_seq,
        ))
        .load(conn)
        .await
}

/// The query builder has no window functions.
const ENTRY_SUMS: [&str; 4] = [
    "WITH chained AS (SELECT user_id, seq, amount, balance_after, kind, \
     COALESCE(LAG(seq) OVER w, 0) AS seq_before, \
     COALESCE(LAG(balance_after) OVER w, 0) AS balance_before \
     FROM point_entries WHERE user_id > ",
    " AND user_id <= ",
    " WINDOW w AS (PARTITION BY user_id ORDER BY seq)) SELECT user_id, COUNT(*), MAX(seq), \
     CAST(SUM(amount / 4294967296) AS BIGINT), CAST(SUM(amount % 4294967296) AS BIGINT), \
     CAST(SUM(CASE WHEN kind = 'award' THEN amount / 4294967296 ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN kind = 'award' THEN amount % 4294967296 ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN kind IN ('spend', 'hold_capture') THEN amount / -4294967296 ELSE 0 END) \
     AS BIGINT), \
     CAST(SUM(CASE WHEN kind IN ('spend', 'hold_capture') THEN -(amount % 4294967296) ELSE 0 END) \
     AS BIGINT), \
     COUNT(CASE WHEN seq - 1 <> seq_before THEN 1 END), \
     MIN(CASE WHEN seq - 1 <> seq_before THEN seq END), \
     COUNT(CASE WHEN balance_after - balance_before <> amount THEN 1 END), \
     MIN(CASE WHEN balance_after - balance_before <> amount THEN seq END), \
     MIN(balance_after) FROM chained GROUP BY user_id ORDER BY user_id LIMIT ",
    "",
];

const HOLD_SUMS: [&str; 4] = [
    "SELECT user_id, CAST(SUM(amount / 4294967296) AS BIGINT), \
     CAST(SUM(amount % 4294967296) AS BIGINT) FROM point_holds WHERE status = 'active' \
     AND user_id > ",
    " AND user_id <= ",
    " GROUP BY user_id ORDER BY user_id LIMIT ",
    "",
];

/// Whose counterpart was purged lost the other half lawfully; ids are never given twice.
const TORN_TRANSFERS: [&str; 4] = [
    "SELECT e.user_id, COUNT(*), MIN(e.seq) FROM point_entries AS e \
     WHERE e.transfer_id IS NOT NULL AND e.user_id > ",
    " AND e.user_id <= ",
    " AND NOT EXISTS (SELECT 1 FROM point_entries AS o WHERE o.transfer_id = e.transfer_id \
     AND o.user_id = e.counterpart_user_id AND o.amount + e.amount = 0) \
     AND EXISTS (SELECT 1 FROM users AS u WHERE u.id = e.counterpart_user_id) \
     GROUP BY e.user_id ORDER BY e.user_id LIMIT ",
    "",
];

/// What entries and active holds add up to for the first `limit` members who have any.
async fn figures_on(
    conn: &mut Conn,
    (after, last): Range,
    limit: usize,
) -> QueryResult<BTreeMap<i64, Figures>> {
    type Halves = (BigInt, BigInt);
    type Flaw = (BigInt, Nullable<BigInt>);
    let entries: Vec<EntrySums> =
        sql::<(BigInt, BigInt, BigInt, Halves, Halves, Halves, Flaw, Flaw, BigInt)>(ENTRY_SUMS[0])
            .bind::<BigInt, _>(after)
            .sql(ENTRY_SUMS[1])
            .bind::<BigInt, _>(last)
            .sql(ENTRY_SUMS[2])
            .bind::<BigInt, _>(limit as i64)
            .sql(ENTRY_SUMS[3])
            .load(conn)
            .await?;
    let holds: Vec<(i64, (i64, i64))> = sql::<(BigInt, Halves)>(HOLD_SUMS[0])
        .bind::<BigInt, _>(after)
        .sql(HOLD_SUMS[1])
        .bind::<BigInt, _>(last)
        .sql(HOLD_SUMS[2])
        .bind::<BigInt, _>(limit as i64)
        .sql(HOLD_SUMS[3])
        .load(conn)
        .await?;
    let torn: Vec<(i64, i64, i64)> = sql::<(BigInt, BigInt, BigInt)>(TORN_TRANSFERS[0])
        .bind::<BigInt, _>(after)
        .sql(TORN_TRANSFERS[1])
        .bind::<BigInt, _>(last)
        .sql(TORN_TRANSFERS[2])
        .bind::<BigInt, _>(limit as i64)
        .sql(TORN_TRANSFERS[3])
        .load(conn)
        .await?;
    let mut figures: BTreeMap<i64, Figures> =
        entries.into_iter().map(|sums| (sums.user_id, Figures::from(sums))).collect();
    for (user, amount) in holds {
        figures.entry(user).or_default().held = whole(amount);
    }
    for (user, transfers, first) in torn {
        figures.entry(user).or_default().torn = Some((transfers, first));
    }
    Ok(figures)
}

impl From<EntrySums> for Figures {
    fn from(sums: EntrySums) -> Self {
        Self {
            entries: sums.entries,
            balance: whole(sums.sum),
            earned: whole(sums.earned),
            spent: whole(sums.spent),
            held: 0,
            last_seq: sums.last_seq,
            gaps: sums.gaps.0,
            first_gap: sums.gaps.1,
            jumps: sums.jumps.0,
            first_jump: sums.jumps.1,
            least_balance: sums.least_balance,
            torn: None,
        }
    }
}

fn report(
    users: impl IntoIterator<Item = i64>,
    accounts: &[Account],
    figures: &BTreeMap<i64, Figures>,
) -> LedgerReport {
    let none = Figures::default();
    let mut report = LedgerReport::default();
    for user in users {
        let account = accounts.iter().find(|account| account.user_id == user);
        let figures = figures.get(&user).unwrap_or(&none);
        report.members += 1;
        report.entries += count(figures.entries);
        let broken = match account {
            Some(account) => broken_rules(account, figures),
            None => broken_without_account(figures),
        };
        let named = |(rule, detail)| LedgerBreak { user: UserId(user), rule, detail };
        report.breaks.extend(broken.into_iter().map(named));
    }
    report
}

type Broken = Vec<(LedgerRule, String)>;

fn broken_without_account(figures: &Figures) -> Broken {
    let mut broken: Broken =
        figures.chain_break().map(|detail| (LedgerRule::L2, detail)).into_iter().collect();
    let (entries, held) = (figures.entries, figures.held);
    broken.push((
        LedgerRule::L6,
        format!("{entries} entries and active holds of {held} without an account"),
    ));
    broken
}

fn broken_rules(account: &Account, figures: &Figures) -> Broken {
    let Account { balance, held, next_seq, lifetime_earned, lifetime_spent, .. } = *account;
    let mut broken = Broken::new();
    let mut unless = |sound: bool, rule, detail: &dyn Fn() -> String| {
        if !sound {
            broken.push((rule, detail()));
        }
    };
    let sum = figures.balance;
    unless(i128::from(balance) == sum, LedgerRule::L1, &|| {
        format!("the balance is {balance}, the entries add up to {sum}")
    });
    let chained = figures.first_gap.or(figures.first_jump).is_none();
    let expected = figures.last_seq.saturating_add(1);
    unless(chained, LedgerRule::L2, &|| figures.chain_break().unwrap_or_default());
    unless(!chained || next_seq == expected, LedgerRule::L2, &|| {
        format!("the next number is {next_seq}, should be {expected}")
    });
    let least = figures.least_balance;
    unless(0 <= held && held <= balance && least >= 0, LedgerRule::L3, &|| {
        format!("balance {balance}, held {held}, least balance after an entry {least}")
    });
    unless(i128::from(held) == figures.held, LedgerRule::L4, &|| {
        format!("held is {held}, the active holds add up to {}", figures.held)
    });
    let sums = (figures.earned, figures.spent);
    let lifetime = (i128::from(lifetime_earned), i128::from(lifetime_spent));
    unless(lifetime == sums, LedgerRule::L5, &|| {
        format!("earned and spent are {lifetime:?}, the entries add up to {sums:?}")
    });
    unless(figures.torn.is_none(), LedgerRule::L6, &|| {
        let (transfers, first) = figures.torn.unwrap_or_default();
        format!("{transfers} transfers without their other half, the first at entry {first}")
    });
    unless(balance == 0 || figures.entries > 0, LedgerRule::L6, &|| {
        format!("a balance of {balance} without an entry")
    });
    broken
}
