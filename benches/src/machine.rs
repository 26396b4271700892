//! What the figures were measured on.

use diesel::prelude::*;
use diesel::sql_types::Text;
use guildhall_testkit::server;
use tokio_postgres::NoTls;

use crate::host;

/// One line: processor, cores, kernel, servers, compiler.
pub(crate) async fn describe() -> String {
    let (postgres, sqlite) = (postgres().await, sqlite());
    let redis = host::redis(&server::redis_url()).await;
    let (hardware, compiler) = (host::hardware(), host::compiler());
    format!("{hardware}; PostgreSQL {postgres}; SQLite {sqlite}; Redis {redis}; {compiler}")
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
