//! Storages made for one test each, which leave nothing behind.

use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use guildhall_cache::{Cache, RedisBackend, RedisOptions, RelayOptions};
use guildhall_cached::{CachedOptions, CachedStorage};
use guildhall_diesel::{Faults, PostgresStorage, SqliteDurability, SqliteStorage, StoreOptions};
use guildhall_repository::Storage;
use guildhall_testkit::server::{
    TempSqlite, TestSchema, postgres_schema, redis_cluster_url, redis_prefix, redis_url,
};
use guildhall_testkit::{SeededRandom, TestStorage};
use tokio_postgres::{Client, NoTls, Row};

/// Options for tests: few connections, so that callers queue, and waits that a busy machine does
/// not exceed. Files need not survive a power cut.
pub(crate) fn options() -> StoreOptions {
    StoreOptions {
        pool_max: 8,
        acquire_timeout: Duration::from_secs(60),
        statement_timeout: Duration::from_secs(60),
        sqlite_durability: SqliteDurability::Process,
        ..StoreOptions::default()
    }
}

/// A migrated storage on `file`.
pub(crate) async fn sqlite_on(file: &TempSqlite, options: StoreOptions) -> SqliteStorage {
    let random = Arc::new(SeededRandom::new(1));
    let storage = SqliteStorage::connect(file.path(), options, random).await.unwrap();
    storage.migrate().await.unwrap();
    storage
}

/// A migrated storage at `url`.
pub(crate) async fn postgres_at(url: &str, options: StoreOptions) -> PostgresStorage {
    let random = Arc::new(SeededRandom::new(1));
    let storage = PostgresStorage::connect(&url.into(), options, random).await.unwrap();
    storage.migrate().await.unwrap();
    storage
}

/// What a storage stands on, open to SQL of any kind: for what no storage would do.
#[derive(Debug)]
pub(crate) enum Ground {
    /// A file.
    Sqlite(TempSqlite),
    /// A schema.
    Postgres(TestSchema),
}

impl Ground {
    /// Runs statements past every rule that the database lets a superuser break: foreign keys and
    /// checks are off on SQLite.
    pub(crate) async fn run(&self, sql: &str) -> Result<(), String> {
        match self {
            Self::Sqlite(file) => {
                let path = file.path().to_str().unwrap();
                let mut connection = SqliteConnection::establish(path).unwrap();
                let loose = "PRAGMA busy_timeout = 10000; PRAGMA foreign_keys = OFF; \
                             PRAGMA ignore_check_constraints = ON;";
                connection.batch_execute(loose).unwrap();
                connection.batch_execute(sql).map_err(|error| error.to_string())
            }
            Self::Postgres(schema) => {
                let client = connect(&schema.url()).await;
                let outcome = client.batch_execute(sql).await;
                outcome.map_err(|error| format!("{:?}", error.as_db_error()))
            }
        }
    }

    /// Rows of a query on PostgreSQL.
    pub(crate) async fn query(&self, sql: &str) -> Vec<Row> {
        match self {
            Self::Sqlite(_) => panic!("only PostgreSQL is asked this way"),
            Self::Postgres(schema) => connect(&schema.url()).await.query(sql, &[]).await.unwrap(),
        }
    }
}

/// A plain connection.
pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// SQLite in a file of its own, and the file.
pub(crate) async fn ground_sqlite() -> (Arc<dyn Storage>, Arc<Ground>) {
    let file = guildhall_testkit::server::sqlite_file();
    let storage = Arc::new(sqlite_on(&file, options()).await);
    (storage, Arc::new(Ground::Sqlite(file)))
}

/// PostgreSQL in a schema of its own, and the schema.
pub(crate) async fn ground_postgres() -> (Arc<dyn Storage>, Arc<Ground>) {
    let schema = postgres_schema().await;
    let storage = Arc::new(postgres_at(&schema.url(), options()).await);
    (storage, Arc::new(Ground::Postgres(schema)))
}

/// SQLite.
pub(crate) async fn sqlite_file() -> TestStorage {
    let (storage, ground) = ground_sqlite().await;
    TestStorage::new(storage, ground)
}

/// PostgreSQL.
pub(crate) async fn postgres_schema_of_its_own() -> TestStorage {
    let (storage, ground) = ground_postgres().await;
    TestStorage::new(storage, ground)
}

/// `storage` behind `cache`. Reports and boards, which may lag behind by their time to live, do not.
async fn behind((storage, ground): (Arc<dyn Storage>, Arc<Ground>), cache: Cache) -> TestStorage {
    let options = CachedOptions {
        leaderboard_live: true,
        totals: Duration::ZERO,
        ..CachedOptions::default()
    };
    let storage = durable(CachedStorage::new(storage, cache, options)).await;
    TestStorage::new(Arc::new(storage), ground)
}

/// A cache in the Redis at `url`, under a prefix of its own.
pub(crate) fn redis_cache(url: &str) -> Cache {
    redis_cache_under(url, &redis_prefix())
}

/// A cache in the Redis at `url`, shared with others under the same prefix.
pub(crate) fn redis_cache_under(url: &str, prefix: &str) -> Cache {
    let backend = RedisBackend::new(url, RedisOptions::default()).unwrap();
    Cache::builder().shared(Arc::new(backend)).prefix(prefix).build()
}

/// `storage` with durable invalidation, which has relayed what it found.
pub(crate) async fn durable(storage: CachedStorage) -> CachedStorage {
    let storage = storage.durable(RelayOptions::default());
    while storage.cache().stats().draining {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    storage
}

/// SQLite behind a cache in memory.
pub(crate) async fn cached_memory_sqlite() -> TestStorage {
    behind(ground_sqlite().await, Cache::builder().memory().build()).await
}

/// PostgreSQL behind a cache in memory.
pub(crate) async fn cached_memory_postgres() -> TestStorage {
    behind(ground_postgres().await, Cache::builder().memory().build()).await
}

/// PostgreSQL behind a cache in Redis, with durable invalidation.
pub(crate) async fn cached_redis_postgres() -> TestStorage {
    behind(ground_postgres().await, redis_cache(&redis_url())).await
}

/// PostgreSQL behind a cache in a Redis Cluster, with durable invalidation.
pub(crate) async fn cached_cluster_postgres() -> TestStorage {
    behind(ground_postgres().await, redis_cache(&redis_cluster_url())).await
}

/// SQLite in a file of its own, whose operations fail on cue.
pub(crate) async fn faulty_sqlite(faults: Arc<dyn Faults>) -> (Arc<dyn Storage>, TempSqlite) {
    let file = guildhall_testkit::server::sqlite_file();
    let storage = sqlite_on(&file, options()).await.with_faults(faults);
    (Arc::new(storage), file)
}

/// PostgreSQL in a schema of its own, whose operations fail on cue.
pub(crate) async fn faulty_postgres(faults: Arc<dyn Faults>) -> (Arc<dyn Storage>, TestSchema) {
    let schema = postgres_schema().await;
    let storage = postgres_at(&schema.url(), options()).await.with_faults(faults);
    (Arc::new(storage), schema)
}

/// The migrated database that another process made, whose operations fail on cue: a PostgreSQL
/// address, or the path of a file.
pub(crate) async fn faulty_at(database: &str, faults: Arc<dyn Faults>) -> Arc<dyn Storage> {
    let random = Arc::new(SeededRandom::new(1));
    if database.starts_with("postgres") {
        let storage = PostgresStorage::connect(&database.into(), options(), random).await;
        Arc::new(storage.unwrap().with_faults(faults))
    } else {
        let path = std::path::Path::new(database);
        let storage = SqliteStorage::connect(path, options(), random).await;
        Arc::new(storage.unwrap().with_faults(faults))
    }
}

/// A migrated database to be opened again and again, here and by other processes.
pub(crate) struct Place {
    ground: Ground,
    url: String,
}

impl Place {
    pub(crate) async fn new(on_postgres: bool) -> Self {
        if on_postgres {
            let schema = postgres_schema().await;
            let url = schema.url();
            drop(postgres_at(&url, options()).await);
            return Self { ground: Ground::Postgres(schema), url };
        }
        let file = guildhall_testkit::server::sqlite_file();
        drop(sqlite_on(&file, options()).await);
        let url = file.path().to_str().unwrap().to_owned();
        Self { ground: Ground::Sqlite(file), url }
    }

    /// For [`faulty_at`].
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) async fn open(&self) -> Arc<dyn Storage> {
        match &self.ground {
            Ground::Sqlite(file) => Arc::new(sqlite_on(file, options()).await),
            Ground::Postgres(schema) => Arc::new(postgres_at(&schema.url(), options()).await),
        }
    }
}
