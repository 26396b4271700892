//! What the figures were measured on.

use diesel::prelude::*;
use diesel::sql_types::Text;
use guildhall_testkit::server;
use tokio_postgres::NoTls;

/// One line: processor, cores, kernel, servers, compiler.
pub(crate) async fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let (postgres, sqlite, redis) = (postgres().await, sqlite(), redis().await);
    format!(
        "{}, {cores} cores shared by client and servers; Linux {}; PostgreSQL {postgres}; \
         SQLite {sqlite}; Redis {redis}; {}",
        field("/proc/cpuinfo", "model name", ':').unwrap_or_else(|| "unknown processor".to_owned()),
        read("/proc/sys/kernel/osrelease").unwrap_or_default().trim(),
        rustc().unwrap_or_else(|| "rustc unknown".to_owned()),
    )
}

fn read(file: &str) -> Option<String> {
    std::fs::read_to_string(file).ok()
}

fn field(file: &str, name: &str, separator: char) -> Option<String> {
    let text = read(file)?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(separator)?.1.trim().to_owned())
}

fn rustc() -> Option<String> {
    let output = std::process::Command::new("rustc").arg("--version").output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

async fn postgres() -> String {
    let (client, connection) =
        tokio_postgres::connect(&server::postgres_url(), NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let settings = "SELECT split_part(current_setting('server_version'), ' ', 1) || ' (fsync ' \
                    || current_setting('fsync') || ', synchronous_commit ' \
                    || current_setting('synchronous_commit') || ')'";
    let text = client.query_one(settings, &[]).await.unwrap().get(0);
    drop(client);
    connection.await.unwrap().unwrap();
    text
}

fn sqlite() -> String {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    diesel::select(diesel::dsl::sql::<Text>("sqlite_version()")).get_result(&mut conn).unwrap()
}

async fn redis() -> String {
    let client = redis::Client::open(server::redis_url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let info: String = redis::cmd("INFO").arg("server").query_async(&mut connection).await.unwrap();
    let version = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
    version.unwrap_or("unknown").trim().to_owned()
}
