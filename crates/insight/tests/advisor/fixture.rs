//! Databases to advise on: one of its own for every test, on the PostgreSQL test server.

use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use guildhall_testkit::server::postgres_url;

/// A database on the test server. It goes with [`Database::remove`]; a failed test leaves it to the
/// server, which goes with the tests.
pub(crate) struct Database {
    name: String,
}

impl Database {
    /// An empty one.
    pub(crate) async fn empty(of: &str) -> Self {
        let name = format!("gh_insight_{of}_{}", std::process::id());
        run(&postgres_url(), &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        run(&postgres_url(), &format!("CREATE DATABASE {name}")).await;
        Self { name }
    }

    /// One that a script has filled.
    pub(crate) async fn with(of: &str, script: &str) -> Self {
        let database = Self::empty(of).await;
        let mut conn = database.connect().await;
        // A transaction cannot vacuum, so statements are sent one by one.
        for statement in script.split(";\n").map(str::trim).filter(|text| !text.is_empty()) {
            conn.batch_execute(statement)
                .await
                .unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
        settle(&mut conn).await;
        database
    }

    pub(crate) fn url(&self) -> String {
        let url = postgres_url();
        let (server, rest) = url.rsplit_once('/').expect("a URL with a database");
        let options = rest.split_once('?').map(|(_, options)| format!("?{options}"));
        format!("{server}/{}{}", self.name, options.unwrap_or_default())
    }

    pub(crate) async fn connect(&self) -> AsyncPgConnection {
        AsyncPgConnection::establish(&self.url()).await.expect("the test database")
    }

    /// The same as a role that may do nothing but what `grants` allow, `ROLE` standing for its name.
    pub(crate) async fn connect_as_nobody(&self, grants: &str) -> AsyncPgConnection {
        let role = format!("{}_role", self.name);
        let mut conn = self.connect().await;
        let sql = format!("DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN; {grants}");
        conn.batch_execute(&sql.replace("ROLE_NAME", &role)).await.unwrap();
        conn.batch_execute(&format!("SET SESSION AUTHORIZATION {role}")).await.unwrap();
        conn
    }

    /// HypoPG, if the machine has it.
    pub(crate) async fn has_hypopg(&self) -> bool {
        let mut conn = self.connect().await;
        conn.batch_execute("CREATE EXTENSION IF NOT EXISTS hypopg").await.is_ok()
    }

    pub(crate) async fn remove(self) {
        run(&postgres_url(), &format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }
}

/// Makes what a test sees the same whenever it runs. The server would vacuum and analyse a young table
/// again at any moment; and a vacuum marks no page as visible to all while any session of the server
/// that is just beginning may still see an older state.
async fn settle(conn: &mut AsyncPgConnection) {
    const KEEP: &str = "DO $$ DECLARE one regclass; BEGIN \
        FOR one IN SELECT oid FROM pg_class \
            WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP \
            EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = false)', one); \
        END LOOP; END $$";
    const HIDDEN: &str = "SELECT oid::regclass::text AS name FROM pg_class \
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace \
          AND reltuples > 0 AND relallvisible < relpages";
    // A vacuum of the server's that is under way is waited for, or gives way.
    conn.batch_execute(KEEP).await.unwrap();
    for _ in 0..1_000 {
        let tables: Vec<NameRow> = diesel::sql_query(HIDDEN).load(conn).await.unwrap();
        if tables.is_empty() {
            return;
        }
        for NameRow { name } in tables {
            conn.batch_execute(&format!("VACUUM {name}")).await.unwrap();
        }
    }
    panic!("some pages stay hidden");
}

#[derive(QueryableByName)]
struct NameRow {
    #[diesel(sql_type = Text)]
    name: String,
}

async fn run(url: &str, sql: &str) {
    let mut conn = AsyncPgConnection::establish(url).await.expect("the test server");
    diesel::sql_query(sql)
        .execute(&mut conn)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// The large fixture that lies beside the repository on a developer's machine, its rows divided by
/// `divisor`.
pub(crate) fn large(divisor: u32) -> Option<String> {
    let beside = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/insight/fixture.sql");
    let path = std::env::var_os("INSIGHT_FIXTURE").map_or(beside, std::path::PathBuf::from);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("NOT TESTED on the large fixture: {} is absent", path.display());
        return None;
    };
    if divisor == 1 {
        return Some(text);
    }
    let mut scaled = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("generate_series(1,") {
        let digits = after.find(')').expect("a closing bracket");
        let rows: u32 = after[..digits].parse().expect("a count");
        let rows = if rows >= 50_000 { rows / divisor } else { rows };
        scaled.push_str(&format!("{before}generate_series(1,{rows}"));
        rest = &after[digits..];
    }
    scaled.push_str(rest);
    // Keys of parents that are there.
    for rows in [200_000, 300_000] {
        let (whole, part) = (rows - 1, rows / divisor - 1);
        scaled = scaled.replace(&format!("random()*{whole}"), &format!("random()*{part}"));
    }
    Some(scaled)
}
