use tokio_postgres::{Client, NoTls};

use super::{postgres_url, unique_name};

/// A PostgreSQL schema of a test's own: all that is created through [`Self::url`] is in it.
///
/// Dropped, it is removed, which blocks the thread for some milliseconds; [`Self::remove`] is
/// the same and blocks nothing.
#[derive(Debug)]
pub struct TestSchema {
    server: String,
    name: String,
    removed: bool,
}

/// Creates a schema on the PostgreSQL test server.
///
/// # Panics
/// When `TEST_DATABASE_URL` is not set or its server refuses.
pub async fn postgres_schema() -> TestSchema {
    TestSchema::on(&postgres_url()).await
}

impl TestSchema {
    /// Creates a schema on the server and in the database that `url` names.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn on(url: &str) -> Self {
        let name = unique_name();
        execute(url, &format!("CREATE SCHEMA {name}"))
            .await
            .unwrap_or_else(|error| panic!("no schema can be created on the test server: {error}"));
        Self { server: url.to_owned(), name, removed: false }
    }

    /// The schema's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server's URL with the schema as the only one on `search_path`.
    ///
    /// It also names the schema as `application_name`, by which [`Self::remove`] finds the
    /// connections that are still open.
    pub fn url(&self) -> String {
        let Self { server, name, .. } = self;
        if server.contains("options=") {
            let options = format!("options=-csearch_path%3D{name}%20");
            format!("{}&application_name={name}", server.replacen("options=", &options, 1))
        } else {
            let separator = if server.contains('?') { '&' } else { '?' };
            format!("{server}{separator}options=-csearch_path%3D{name}&application_name={name}")
        }
    }

    /// Ends the connections that were opened with [`Self::url`] and removes the schema with all
    /// that is in it.
    ///
    /// # Panics
    /// When the server refuses, or when someone else holds a lock in the schema for 10 seconds.
    pub async fn remove(mut self) {
        self.removed = true;
        remove(&self.server, &self.name).await.unwrap();
    }
}

impl Drop for TestSchema {
    fn drop(&mut self) {
        if self.removed {
            return;
        }
        let (server, name) = (self.server.clone(), self.name.clone());
        // A thread of its own: the test's runtime cannot be blocked on from inside, and may be
        // on its way down.
        let removal = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(remove(&server, &name))
        });
        // Not a panic: the test may be unwinding already.
        match removal.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("schema {} stays behind: {error}", self.name),
            Err(_) => eprintln!("schema {} stays behind", self.name),
        }
    }
}

/// A connection left open, or an open unit in it, would make the removal wait.
async fn remove(server: &str, name: &str) -> Result<(), tokio_postgres::Error> {
    let ends = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE application_name = '{name}' AND pid <> pg_backend_pid()"
    );
    let drops = format!("DROP SCHEMA IF EXISTS {name} CASCADE");
    let quietly = "SET client_min_messages = warning; SET lock_timeout = '10s'";
    execute(server, &format!("{quietly}; {ends}; {drops}")).await
}

async fn execute(url: &str, sql: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection): (Client, _) = tokio_postgres::connect(url, NoTls).await?;
    let (outcome, _) = tokio::join!(
        async move {
            let outcome = client.batch_execute(sql).await;
            drop(client); // Which ends the connection beside.
            outcome
        },
        connection,
    );
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn text(url: &str, sql: &str) -> Option<String> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        let (row, _) = tokio::join!(
            async move { client.query_one(sql, &[]).await.unwrap().get(0) },
            connection
        );
        row
    }

    async fn exists(name: &str) -> bool {
        let sql = format!("SELECT to_regnamespace('{name}')::text");
        text(&postgres_url(), &sql).await.is_some()
    }

    #[tokio::test]
    async fn what_is_created_through_the_url_is_in_the_schema() {
        let schema = postgres_schema().await;
        execute(&schema.url(), "CREATE TABLE t (id bigint)").await.unwrap();
        let found = "SELECT table_schema::text FROM information_schema.tables \
                     WHERE table_name = 't' AND table_schema = current_schema()";
        assert_eq!(text(&schema.url(), found).await.as_deref(), Some(schema.name()));
        let name = schema.name().to_owned();
        schema.remove().await;
        assert!(!exists(&name).await);
    }

    #[tokio::test]
    async fn dropped_it_goes_although_a_transaction_is_open() {
        let schema = postgres_schema().await;
        let name = schema.name().to_owned();
        let (client, connection) = tokio_postgres::connect(&schema.url(), NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        client.batch_execute("BEGIN; CREATE TABLE held (id bigint)").await.unwrap();
        drop(schema);
        assert!(!exists(&name).await);
        assert!(connection.await.unwrap().is_err(), "the server ended it");
    }

    #[test]
    fn options_of_the_server_are_kept() {
        let url = |server: &str| {
            let name = "s".to_owned();
            TestSchema { server: server.to_owned(), name, removed: true }.url()
        };
        let config = |url: String| url.parse::<tokio_postgres::Config>().unwrap();
        let plain = config(url("postgres://u@h/d?connect_timeout=3"));
        assert_eq!(plain.get_options(), Some("-csearch_path=s"));
        let more = config(url("postgres://u@h/d?options=-cjit%3Doff"));
        assert_eq!(more.get_options(), Some("-csearch_path=s -cjit=off"));
        assert_eq!(more.get_application_name(), Some("s"));
    }
}
