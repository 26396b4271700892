//! Writing a batch of imported members: what is known is read, the rest worked out in memory, and
//! everything written by a fixed number of statements. Compiled once per backend.

use std::collections::{HashMap, HashSet};

use crate::run::RunQueryDsl;
use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use guildhall_domain::{ImportedMember, Timestamp, UserStats, Vip};
use guildhall_repository::{ImportRun, MemberImport, StorageError};

use super::bulk::level_table_on;
use super::import::{keep_lock, ongoing_on};
use super::import_plan::{External, Joined, Known, Plan, TagRow, external, is_key};
use super::member::{allocate_user_ids, batch, lock_user};
use super::user_register::insert_members_on;
use super::{Conn, insert_entries, lock_accounts, store_accounts};
use crate::fault::{Fault, Worked};
use crate::kept::Keep;
use crate::rows::{UserRow, column};
use crate::schema::{external_accounts, imported_members, imports, user_stats, users};

/// One call of `write_members`.
pub(super) struct Batch {
    pub(super) run: ImportRun,
    pub(super) members: Vec<ImportedMember>,
    pub(super) checkpoint: String,
    pub(super) leased_until: Timestamp,
    pub(super) now: Timestamp,
}

/// Values of one look-up, and rows of one statement: below SQLite's 32 766 parameters.
const VALUES: usize = 10_000;
const ROWS: usize = 1000;

pub(super) async fn write_members_on(conn: &mut Conn, batch: &Batch) -> Worked<Vec<MemberImport>> {
    let attempted = "write members";
    keep_lock(conn, &batch.run, Some(batch.leased_until), attempted).await?;
    ongoing_on(conn, &batch.run, attempted).await?;
    diesel::update(imports::table.find(batch.run.id.0))
        .set(imports::checkpoint.eq(&batch.checkpoint))
        .kept()
        .execute(conn)
        .await?;
    if batch.members.is_empty() {
        return Ok(Vec::new());
    }
    write_on(conn, batch).await.map_err(overtaken)
}

/// Somebody registered with a name or account between the look and the write: look again.
pub(super) fn overtaken(fault: Fault) -> Fault {
    match fault {
        Fault::Refused(StorageError::AlreadyExists { .. })
        | Fault::Database(DieselError::DatabaseError(
            DatabaseErrorKind::UniqueViolation | DatabaseErrorKind::ForeignKeyViolation,
            _,
        )) => Fault::Raced,
        fault => fault,
    }
}

async fn write_on(conn: &mut Conn, batch: &Batch) -> Worked<Vec<MemberImport>> {
    let known = known_on(conn, batch).await?;
    let is_new = |member: &&ImportedMember| {
        let accounts = &mut member.user.externals.iter().map(external);
        !known.tags.contains_key(&member.source_key)
            && !accounts.any(|account| known.holders.contains_key(&account))
    };
    let ids = match batch.members.iter().filter(is_new).count() {
        0 => Vec::new(),
        new => allocate_user_ids(conn, new).await?,
    };
    let mut plan = Plan::new(batch.run.id.0, &batch.run.source, known, ids, batch.now);
    let outcomes = batch.members.iter().map(|member| plan.member(member)).collect();
    store_on(conn, plan, batch.now).await?;
    Ok(outcomes)
}

async fn store_on(conn: &mut Conn, plan: Plan<'_>, now: Timestamp) -> Worked<()> {
    let Plan { created, stats, mut joined, links, accounts, entries, tags, .. } = plan;
    insert_members_on(conn, &created, now).await?;
    if !stats.is_empty() {
        // The rows that registration has just made hold zeros.
        let users: Vec<i64> = stats.iter().map(|row| row.user_id).collect();
        let zeros = user_stats::table.filter(user_stats::user_id.eq_any(users));
        diesel::delete(zeros).execute(conn).await?;
        batch!(conn, execute, stats, diesel::insert_into(user_stats::table).values(stats))?;
    }
    for links in links.chunks(ROWS) {
        let links = links.to_vec();
        let insert = diesel::insert_into(external_accounts::table);
        batch!(conn, execute, links, insert.values(links))?;
    }
    // Ascending, like everybody who locks several members.
    joined.sort_by_key(|joined| joined.user);
    for joined in &joined {
        join_on(conn, joined, now).await?;
    }
    if !accounts.is_empty() {
        store_accounts(conn, accounts.into_values().collect()).await?;
    }
    if !entries.is_empty() {
        insert_entries(conn, entries).await?;
    }
    if !tags.is_empty() {
        let insert = diesel::insert_into(imported_members::table);
        batch!(conn, execute, tags, insert.values(tags))?;
    }
    Ok(())
}

/// Members who were here before keep what is newer, and gain what adds up.
async fn join_on(conn: &mut Conn, joined: &Joined, now: Timestamp) -> Worked<()> {
    if joined.vip != Vip::None
        && let Some(user) = lock_user(conn, joined.user).await?
    {
        let mut user = user.into_user()?;
        let longest = user.vip.longest(joined.vip);
        if longest != user.vip {
            (user.vip, user.updated_at, user.version) = (longest, now, user.version + 1);
            diesel::update(users::table.find(user.id.0))
                .set(UserRow::of(&user))
                .kept()
                .execute(conn)
                .await?;
        }
    }
    if let Some(stats) = &joined.stats {
        join_stats_on(conn, joined.user, stats).await?;
    }
    Ok(())
}

async fn join_stats_on(conn: &mut Conn, user: i64, stats: &UserStats) -> QueryResult<usize> {
    use user_stats::dsl as s;
    let longest = i64::from(stats.longest_streak);
    diesel::update(s::user_stats.find(user))
        .set((
            s::messages_sent.eq(s::messages_sent + column(stats.messages_sent)),
            s::longest_streak
                .eq(case_when(s::longest_streak.gt(longest), s::longest_streak).otherwise(longest)),
            s::days_active.eq(s::days_active + column(stats.days_active)),
            s::content_read.eq(s::content_read + column(stats.content_read)),
            s::reading_minutes.eq(s::reading_minutes + column(stats.reading_minutes)),
            s::version.eq(s::version + 1),
        ))
        .kept()
        .execute(conn)
        .await
}

/// Which of these values of a unique column somebody has.
macro_rules! taken {
    ($conn:expr, $column:expr, $values:expr) => {
        if $values.is_empty() {
            HashSet::new()
        } else {
            let taken: Vec<Option<String>> =
                users::table.filter($column.eq_any($values)).select($column).load($conn).await?;
            taken.into_iter().flatten().collect::<HashSet<String>>()
        }
    };
}

/// Reads what the batch has to do with, and locks the accounts of those it may join.
async fn known_on(conn: &mut Conn, batch: &Batch) -> Worked<Known> {
    let members = &batch.members;
    let tags = tags_on(conn, batch).await?;
    let fresh = || members.iter().filter(|member| !tags.contains_key(&member.source_key));
    let accounts = distinct(fresh().flat_map(|member| member.user.externals.iter().map(external)));
    let holders = holders_on(conn, &accounts).await?;
    let joined: Vec<i64> = distinct(holders.values().copied());
    let linked = linked_on(conn, &joined).await?;
    let mut locked = HashMap::with_capacity(joined.len());
    if !joined.is_empty() {
        let rows = lock_accounts(conn, &joined).await?;
        locked.extend(rows.into_iter().map(|row| (row.user_id, row)));
    }
    let usernames = fresh().filter_map(|member| member.user.username.as_ref());
    let usernames = distinct(usernames.map(|name| name.folded()));
    let emails = fresh().filter_map(|member| member.user.email.as_ref());
    let emails = distinct(emails.map(|email| email.folded()));
    let phones = fresh().filter_map(|member| member.user.phone.as_ref());
    let phones = distinct(phones.map(|phone| phone.as_str().to_owned()));
    Ok(Known {
        usernames: taken!(conn, users::username_key, usernames),
        emails: taken!(conn, users::email_key, emails),
        phones: taken!(conn, users::phone, phones),
        levels: level_table_on(conn).await?,
        tags,
        holders,
        linked,
        accounts: locked,
    })
}

fn distinct<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values.dedup();
    values
}

async fn tags_on(conn: &mut Conn, batch: &Batch) -> QueryResult<HashMap<String, TagRow>> {
    let keys = batch.members.iter().map(|member| member.source_key.as_str());
    let keys: Vec<&str> = keys.filter(|key| is_key(key)).collect();
    let rows: Vec<TagRow> = imported_members::table
        .filter(imported_members::import_id.eq(batch.run.id.0))
        .filter(imported_members::source_key.eq_any(keys))
        .select(TagRow::as_select())
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(|row| (row.source_key.clone(), row)).collect())
}

/// Whose these accounts elsewhere are, where they are somebody's.
async fn holders_on(conn: &mut Conn, accounts: &[External]) -> QueryResult<HashMap<External, i64>> {
    let mut holders = HashMap::new();
    for accounts in accounts.chunks(VALUES) {
        let wanted: HashSet<&External> = accounts.iter().collect();
        let providers = distinct(accounts.iter().map(|account| account.0.as_str()));
        let ids: Vec<&str> = accounts.iter().map(|account| account.1.as_str()).collect();
        let rows: Vec<(String, String, i64)> = external_accounts::table
            .filter(external_accounts::provider.eq_any(providers))
            .filter(external_accounts::external_id.eq_any(ids))
            .select((
                external_accounts::provider,
                external_accounts::external_id,
                external_accounts::user_id,
            ))
            .load(conn)
            .await?;
        // An id of one provider may be somebody's at another.
        let rows = rows.into_iter().map(|(provider, id, user)| ((provider, id), user));
        holders.extend(rows.filter(|(account, _)| wanted.contains(account)));
    }
    Ok(holders)
}

/// All accounts elsewhere of these members, by provider.
async fn linked_on(
    conn: &mut Conn,
    users: &[i64],
) -> QueryResult<HashMap<i64, HashMap<String, String>>> {
    let mut linked: HashMap<i64, HashMap<String, String>> = HashMap::new();
    for users in users.chunks(VALUES) {
        let rows: Vec<(i64, String, String)> = external_accounts::table
            .filter(external_accounts::user_id.eq_any(users.to_vec()))
            .select((
                external_accounts::user_id,
                external_accounts::provider,
                external_accounts::external_id,
            ))
            .load(conn)
            .await?;
        for (user, provider, id) in rows {
            linked.entry(user).or_default().insert(provider, id);
        }
    }
    Ok(linked)
}
