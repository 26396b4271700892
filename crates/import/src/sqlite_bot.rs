//! SQLite databases of gamification bots.
//!
//! The schema is foreign and comes in several shapes, so this is raw SQL rather than Diesel's
//! typed one. Identifiers in it come from fixed lists; the names of tables that are only counted
//! are quoted. Nothing is ever written: files are opened read-only.

mod catalogue;
mod facts;
mod ledger;
mod level;
mod open;
mod schema;
mod side;
mod user;
mod vip;

use std::ops::ControlFlow;

use diesel::RunQueryDsl;
use diesel::connection::DefaultLoadingMode;
use diesel::sqlite::SqliteConnection;

use self::facts::FactSides;
use self::ledger::LedgerRow;
use self::open::{broken, connect};
use self::schema::Schema;
use self::side::Side;
use self::user::{Belongings, StatsRow, UserRow};
use self::vip::{AccessRow, SubscriptionRow, VipTransactionRow};
use crate::catalogue::Catalogue;
use crate::detect::SourceFile;
use crate::error::ImportError;
use crate::findings::Findings;
use crate::record::{ReadOptions, Record, Survey};

/// Checks the file, lists what is in it and reads its levels: everything but the members.
pub(crate) fn inspect(file: &SourceFile) -> Result<Survey, ImportError> {
    open::check_length(file)?;
    let mut conn = connect(file)?;
    let schema = Schema::read(&mut conn, file)?;
    schema.check_required(file)?;
    let mut survey = Survey::default();
    schema.check_health(&mut conn, file)?;
    schema.list_not_read(&mut conn, file, &mut survey.findings)?;
    survey.levels = level::read(&mut conn, file, &schema, &mut survey.findings)?;
    Ok(survey)
}

/// The rows of each table that is imported.
pub(crate) fn count(file: &SourceFile, survey: &mut Survey) -> Result<(), ImportError> {
    let mut conn = connect(file)?;
    let schema = Schema::read(&mut conn, file)?;
    for table in schema.tables_read() {
        let rows = schema::count_rows(&mut conn, file, table)?;
        survey.findings.table(table).read = rows;
    }
    Ok(())
}

/// What the bot defines for everybody.
pub(crate) fn catalogue(
    file: &SourceFile,
    options: &ReadOptions,
    findings: &mut Findings,
) -> Result<Catalogue, ImportError> {
    catalogue::read(file, options, findings)
}

/// Reads the members in ascending order of their ids, from just past `after`, each with everything
/// that belongs to it, until `each` has had enough.
///
/// Every table is one sorted stream, and the streams are merged: memory holds one member, however
/// large the tables are and whether or not they have indexes.
pub(crate) fn read(
    file: &SourceFile,
    options: &ReadOptions,
    after: Option<i64>,
    findings: &mut Findings,
    each: &mut dyn FnMut(Record) -> ControlFlow<()>,
) -> Result<(), ImportError> {
    let mut conns: [SqliteConnection; 6] = connections(file)?;
    let mut fact_conns: [SqliteConnection; facts::CONNECTIONS] = connections(file)?;
    let schema = Schema::read(&mut conns[0], file)?;
    for table in schema.tables_read() {
        findings.table(table); // Also of a table without rows something is to be said.
    }
    let [users, stats, ledger, subscriptions, transactions, access] = &mut conns;
    let mut stats = Side::<StatsRow>::open(stats, file, &schema, after)?;
    let mut ledger = Side::<LedgerRow>::open(ledger, file, &schema, after)?;
    let mut subscriptions = Side::<SubscriptionRow>::open(subscriptions, file, &schema, after)?;
    let mut transactions = Side::<VipTransactionRow>::open(transactions, file, &schema, after)?;
    let mut access = Side::<AccessRow>::open(access, file, &schema, after)?;

    let mut facts = FactSides::open(&mut fact_conns, file, &schema, after)?;

    let query = diesel::sql_query(user::query(&schema, after));
    let rows = query
        .load_iter::<UserRow, DefaultLoadingMode>(users)
        .map_err(|error| broken(file, "table users", &error))?;
    let mut previous = None;
    for (index, row) in rows.enumerate() {
        let row = row.map_err(|error| broken(file, "table users", &error))?;
        findings.read("users");
        let Some(id) = user::identify(&row, index, previous, findings) else { continue };
        previous = Some(id);
        let belongings = Belongings {
            stats: stats.take(id, findings)?,
            ledger: ledger.take(id, findings)?,
            subscriptions: subscriptions.take(id, findings)?,
            transactions: transactions.take(id, findings)?,
            access: access.take(id, findings)?,
        };
        let facts = facts.take(id, &row, options, findings)?;
        let record = user::member(id, &row, belongings, facts, options, findings);
        if each(record).is_break() {
            return Ok(());
        }
    }
    stats.rest(findings)?;
    ledger.rest(findings)?;
    subscriptions.rest(findings)?;
    transactions.rest(findings)?;
    access.rest(findings)?;
    facts.rest(findings)
}

/// One connection a stream.
fn connections<const N: usize>(file: &SourceFile) -> Result<[SqliteConnection; N], ImportError> {
    let conns: Vec<SqliteConnection> =
        (0..N).map(|_| connect(file)).collect::<Result<_, ImportError>>()?;
    conns.try_into().map_err(|_| ImportError::Internal { path: file.path.clone() })
}
