//! Databases of a measurement's own, filled by plain SQL.

use std::ops::RangeInclusive;
use std::sync::Arc;

use diesel::SqliteConnection;
use diesel::connection::{Connection, SimpleConnection};
use guildhall_diesel::{PostgresStorage, SqliteDurability, SqliteStorage, StoreOptions};
use guildhall_domain::{SystemRandom, UserId};
use guildhall_insight::{Profiler, profile};
use guildhall_repository::Storage;
use guildhall_testkit::server::{TempSqlite, TestSchema, postgres_schema, sqlite_file};
use secrecy::SecretString;
use tokio_postgres::{Client, NoTls};

/// A storage on a PostgreSQL schema that ends with the measurement.
pub(crate) struct Postgres {
    schema: TestSchema,
    pub(crate) storage: Arc<dyn Storage>,
}

/// A storage on a PostgreSQL database, as an application opens it.
pub(crate) async fn postgres_storage(url: &str) -> PostgresStorage {
    let url = SecretString::from(url);
    PostgresStorage::connect(&url, StoreOptions::default(), Arc::new(SystemRandom)).await.unwrap()
}

/// The same with every statement recorded by a profiler, as the adapter has it by default.
pub(crate) async fn recorded_storage(url: &str) -> PostgresStorage {
    let url = SecretString::from(url);
    let profiler = Profiler::new(profile::Options::default());
    let options = StoreOptions { profiler, ..StoreOptions::default() };
    PostgresStorage::connect(&url, options, Arc::new(SystemRandom)).await.unwrap()
}

impl Postgres {
    /// With the tables and nobody in them.
    pub(crate) async fn start() -> Self {
        let schema = postgres_schema().await;
        let storage = postgres_storage(&schema.url()).await;
        storage.migrate().await.unwrap();
        Self { schema, storage: Arc::new(storage) }
    }

    /// With members 1 to `members`.
    pub(crate) async fn with_members(members: i64) -> Self {
        let postgres = Self::start().await;
        postgres.fill(1..=members).await;
        postgres
    }

    pub(crate) fn url(&self) -> String {
        self.schema.url()
    }

    /// A bare connection.
    pub(crate) async fn client(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url(), NoTls).await.unwrap();
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                eprintln!("a connection ended: {error}");
            }
        });
        client
    }

    pub(crate) async fn clients(&self, count: usize) -> Vec<Client> {
        let mut clients = Vec::with_capacity(count);
        for _ in 0..count {
            clients.push(self.client().await);
        }
        clients
    }

    pub(crate) async fn fill(&self, members: RangeInclusive<i64>) {
        let client = self.client().await;
        client.batch_execute("SET synchronous_commit = off").await.unwrap();
        for sql in fill_sql(&POSTGRES, members) {
            client.batch_execute(&sql).await.unwrap();
        }
        self.tidy().await;
    }

    /// What autovacuum would have done by now.
    pub(crate) async fn tidy(&self) {
        let client = self.client().await;
        for table in ["users", "external_accounts", "point_accounts", "point_entries"] {
            client.batch_execute(&format!("VACUUM ANALYZE {table}")).await.unwrap();
        }
    }

    pub(crate) async fn remove(self) {
        drop(self.storage);
        self.schema.remove().await;
    }
}

/// A storage on a SQLite file that ends with the measurement.
pub(crate) struct Sqlite {
    file: TempSqlite,
    pub(crate) storage: Arc<dyn Storage>,
    durability: SqliteDurability,
}

impl Sqlite {
    pub(crate) async fn with_members(members: i64, durability: SqliteDurability) -> Self {
        let file = sqlite_file();
        let options = StoreOptions { sqlite_durability: durability, ..StoreOptions::default() };
        let storage = SqliteStorage::connect(file.path(), options, Arc::new(SystemRandom));
        let storage = storage.await.unwrap();
        storage.migrate().await.unwrap();
        let sqlite = Self { file, storage: Arc::new(storage), durability };
        if members > 0 {
            sqlite.fill(1..=members);
        }
        sqlite
    }

    /// A bare connection with the settings of the storage's own.
    pub(crate) fn connection(&self) -> SqliteConnection {
        let level = match self.durability {
            SqliteDurability::Full => "FULL",
            SqliteDurability::Process => "NORMAL",
        };
        let mut conn = SqliteConnection::establish(self.file.path().to_str().unwrap()).unwrap();
        let settings = format!(
            "PRAGMA busy_timeout = 10000; PRAGMA foreign_keys = ON; PRAGMA journal_mode = WAL; \
             PRAGMA synchronous = {level};"
        );
        conn.batch_execute(&settings).unwrap();
        conn
    }

    pub(crate) fn fill(&self, members: RangeInclusive<i64>) {
        let mut conn = self.connection();
        conn.batch_execute("PRAGMA synchronous = OFF; BEGIN IMMEDIATE").unwrap();
        for sql in fill_sql(&SQLITE, members) {
            conn.batch_execute(&sql).unwrap();
        }
        conn.batch_execute("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    }
}

/// Where the databases' words differ.
struct Dialect {
    now: &'static str,
    newline: &'static str,
    series: fn(i64, i64) -> String,
}

const POSTGRES: Dialect = Dialect {
    now: "'2026-03-01T12:00:00Z'::timestamptz",
    newline: "chr(10)",
    series: |from, to| format!("generate_series({from}::bigint, {to}::bigint) AS s (n)"),
};

const SQLITE: Dialect = Dialect {
    now: "1772366400000000",
    newline: "char(10)",
    series: |from, to| {
        format!(
            "(WITH RECURSIVE s (n) AS (VALUES ({from}) UNION ALL SELECT n + 1 FROM s \
             WHERE n < {to}) SELECT n FROM s) AS s"
        )
    },
};

/// Members as they come from Telegram, who passed all levels long ago and have a million points or
/// more; every balance is shared by ten. Each has an entry in the ledger: a server that has seen an
/// empty one plans to read it from end to end, and keeps that plan while it grows.
fn fill_sql(dialect: &Dialect, members: RangeInclusive<i64>) -> [String; 5] {
    let Dialect { now, newline, series } = dialect;
    let series = series(*members.start(), *members.end());
    let balance = "100000000 + n * 7919 % 1000003 / 10 * 10";
    [
        format!(
            "INSERT INTO users (id, username, username_key, first_name, last_name, name_key, \
             email_verified, phone_verified, language, is_admin, is_active, \
             notifications_enabled, vip_kind, ui_state, total_requests, last_active_at, \
             created_at, updated_at, version) SELECT n, 'member_' || n, 'member_' || n, 'Ada', \
             'Lovelace', {newline} || 'ada lovelace' || {newline}, false, false, 'en', false, \
             true, true, 'none', 'root', n % 500, {now}, {now}, {now}, 1 FROM {series}"
        ),
        format!(
            "INSERT INTO external_accounts (user_id, provider, external_id, linked_at) \
             SELECT n, 'telegram', 700000000 + n, {now} FROM {series}"
        ),
        format!(
            "INSERT INTO user_stats (user_id, messages_sent, checkin_streak, longest_streak, \
             days_active, content_read, reading_minutes, reading_streak, version) \
             SELECT n, 0, 0, 0, 0, 0, 0, 0, 1 FROM {series}"
        ),
        format!(
            "INSERT INTO point_accounts (user_id, balance, held, lifetime_earned, \
             lifetime_spent, xp, level, xp_boost_bp, next_seq, is_listed, is_closed, updated_at, \
             version) SELECT n, {balance}, 0, {balance}, 0, {balance}, 20, 10000, 2, true, false, \
             {now}, 1 FROM {series}"
        ),
        format!(
            "INSERT INTO point_entries (user_id, seq, amount, balance_after, kind, source, \
             created_at) SELECT n, 1, {balance}, {balance}, 'award', 'opening', {now} FROM {series}"
        ),
    ]
}

/// Ids from a range, each call another, in no order that a page cache would like.
pub(crate) struct Ids {
    count: i64,
    at: i64,
}

impl Ids {
    /// From 1 to `count`.
    pub(crate) fn upto(count: i64) -> Self {
        Self { count, at: fastrand::i64(0..count) }
    }

    pub(crate) fn next(&mut self) -> UserId {
        self.at = (self.at + 7_919) % self.count;
        UserId(self.at + 1)
    }
}
