use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use super::binary;
use super::directory::ServerDirectory;
use super::process::{self, PATIENCE, Process, free_port, wait_until};

/// A PostgreSQL server of a test's own, on a free port of 127.0.0.1, to be killed, stopped and
/// paused. It takes about a second to start; a test that does no harm uses
/// [`postgres_schema`](super::postgres_schema).
///
/// It ends with the handle, and with the test process however that ends.
#[derive(Debug)]
pub struct PrivatePostgres {
    process: Option<Process>, // Ends before its files go: fields are dropped in this order.
    cluster: Arc<Cluster>,
    port: u16,
}

/// The files of the server and the programs that know them.
#[derive(Debug)]
struct Cluster {
    directory: ServerDirectory,
    programs: PathBuf,
}

impl PrivatePostgres {
    /// The password of the role `guildhall_password`.
    pub const PASSWORD: &str = "guildhall";

    /// Creates an empty database and starts a server for it.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start.
    pub async fn start() -> Self {
        process::blocking(|| {
            let cluster = Arc::new(Cluster::create());
            for _ in 0..10 {
                // Between the choice of a port and the start someone else may take it.
                let port = free_port();
                if let Some(process) = cluster.launch(port) {
                    return Self { process: Some(process), cluster, port };
                }
            }
            panic!("PostgreSQL did not start:\n{}", cluster.directory.log_tail());
        })
        .await
    }

    /// Where it listens, also while it is down: as `guildhall`, who may do everything.
    pub fn url(&self) -> String {
        format!("postgres://guildhall@127.0.0.1:{}/guildhall", self.port)
    }

    /// The same as the role `guildhall_password`, whose password is asked for;
    /// [`Self::PASSWORD`] is the right one.
    pub fn url_with_password(&self, password: &str) -> String {
        format!("postgres://guildhall_password:{password}@127.0.0.1:{}/guildhall", self.port)
    }

    /// Its port, which a restart keeps.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it at once, as a crash would. Connections break; new ones are refused.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            // PostgreSQL's own word for a crash. SIGKILL would leave shared memory behind.
            process.end("QUIT");
        }
    }

    /// Ends it in good order: open transactions are rolled back.
    pub fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            process.end("INT");
        }
    }

    /// Starts it again with what was committed, on the same port; a server that still runs is
    /// stopped first.
    ///
    /// # Panics
    /// When it does not start, for instance because someone else has taken the port.
    pub async fn restart(&mut self) {
        self.stop();
        let (port, cluster) = (self.port, Arc::clone(&self.cluster));
        self.process = process::blocking(move || cluster.launch(port)).await;
        let log = || self.cluster.directory.log_tail();
        assert!(self.process.is_some(), "PostgreSQL did not start again:\n{}", log());
    }

    /// Lets it hang, by SIGSTOP: connections stay open, new ones are accepted, none is answered.
    /// On systems without `/proc`, connections that are open already go on.
    ///
    /// # Panics
    /// When it does not run.
    pub fn pause(&self) {
        self.process.as_ref().expect("a running server").signal_all("STOP");
    }

    /// Ends [`Self::pause`].
    ///
    /// # Panics
    /// When it does not run.
    pub fn resume(&self) {
        self.process.as_ref().expect("a running server").signal_all("CONT");
    }
}

impl Cluster {
    fn create() -> Self {
        let cluster =
            Self { directory: ServerDirectory::create(), programs: binary::postgres_directory() };
        // Linguistic order, as of a usual production server; before version 15, or without ICU,
        // that of bytes.
        let linguistic = ["--locale-provider", "icu", "--icu-locale", "en-US"];
        let created = cluster.initialise(&linguistic) || cluster.initialise(&[]);
        assert!(created, "PostgreSQL's initdb failed:\n{}", cluster.directory.log_tail());
        let access = "host all guildhall_password 127.0.0.1/32 scram-sha-256\n\
                      host all all 127.0.0.1/32 trust\n";
        fs::write(cluster.data().join("pg_hba.conf"), access).unwrap();
        cluster.create_roles();
        cluster
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn initialise(&self, locale: &[&str]) -> bool {
        let mut command = self.directory.command(self.programs.join("initdb"));
        command.arg("-D").arg(self.data());
        command.args(["--username", "guildhall", "--auth", "trust", "--encoding", "UTF8"]);
        command.args(["--no-sync", "--locale", "C"]).args(locale);
        command.status().unwrap().success()
    }

    /// In single-user mode, which takes one statement a line and needs no client program.
    fn create_roles(&self) {
        let mut command = self.directory.command(self.programs.join("postgres"));
        command.arg("--single").arg("-D").arg(self.data()).arg("postgres").stdin(Stdio::piped());
        let mut server = command.spawn().unwrap();
        let password = PrivatePostgres::PASSWORD;
        let statements = format!(
            "CREATE ROLE guildhall_password LOGIN PASSWORD '{password}'\n\
             CREATE DATABASE guildhall OWNER guildhall\n\
             GRANT CREATE ON DATABASE guildhall TO guildhall_password\n"
        );
        server.stdin.take().expect("piped").write_all(statements.as_bytes()).unwrap();
        let ended = server.wait().unwrap();
        assert!(ended.success(), "no roles can be made:\n{}", self.directory.log_tail());
    }

    /// The server, once it is ready; `None` when it has ended instead.
    fn launch(&self, port: u16) -> Option<Process> {
        let data = self.data();
        let mut command = self.directory.command(self.programs.join("postgres"));
        command.arg("-D").arg(&data).args(["-p", &port.to_string()]);
        // It outlives no crash of the machine, and its path may be too long for a socket.
        for setting in ["fsync=off", "listen_addresses=127.0.0.1", "unix_socket_directories="] {
            command.args(["-c", setting]);
        }
        let mut process = Process::spawn(&mut command, self.directory.path(), "QUIT");
        let id = process.id();
        wait_until(PATIENCE, || !process.is_running() || is_ready(&data, id));
        process.is_running().then_some(process)
    }
}

/// Whether the server has said so, in its pid file.
fn is_ready(data: &Path, id: u32) -> bool {
    let Ok(file) = fs::read_to_string(data.join("postmaster.pid")) else { return false };
    let lines: Vec<&str> = file.lines().map(str::trim).collect();
    lines.first() == Some(&id.to_string().as_str()) && lines.get(7) == Some(&"ready")
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::time::Duration;

    use tokio_postgres::{Client, Error, NoTls};

    use super::*;

    async fn connect(url: &str) -> Result<Client, Error> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    #[tokio::test]
    async fn killed_and_started_again_it_has_what_was_committed() {
        let mut postgres = PrivatePostgres::start().await;
        let url = postgres.url();
        let client = connect(&url).await.unwrap();
        client.batch_execute("CREATE TABLE t AS SELECT 7::bigint AS kept").await.unwrap();
        postgres.kill();
        assert!(client.batch_execute("SELECT 1").await.is_err());
        assert!(connect(&url).await.is_err());
        postgres.restart().await;
        let row = connect(&url).await.unwrap().query_one("SELECT kept FROM t", &[]).await.unwrap();
        assert_eq!(row.get::<_, i64>(0), 7);
        postgres.stop();
        assert!(connect(&url).await.is_err());
    }

    #[tokio::test]
    async fn paused_it_answers_no_connection_until_it_is_resumed() {
        let postgres = PrivatePostgres::start().await;
        let client = connect(&postgres.url()).await.unwrap();
        postgres.pause();
        let question = client.batch_execute("SELECT 1");
        let mut question = std::pin::pin!(question);
        let limit = Duration::from_millis(200);
        assert!(tokio::time::timeout(limit, &mut question).await.is_err());
        assert!(TcpStream::connect(("127.0.0.1", postgres.port())).is_ok());
        postgres.resume();
        question.await.unwrap();
    }

    #[tokio::test]
    async fn paused_it_still_ends_with_the_handle() {
        let postgres = PrivatePostgres::start().await;
        let (port, directory) = (postgres.port(), postgres.cluster.directory.path().to_owned());
        postgres.pause();
        drop(postgres);
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
        assert!(!directory.exists());
    }

    #[tokio::test]
    async fn a_wrong_password_is_refused() {
        let postgres = PrivatePostgres::start().await;
        assert!(connect(&postgres.url_with_password(PrivatePostgres::PASSWORD)).await.is_ok());
        assert!(connect(&postgres.url_with_password("wrong")).await.is_err());
    }
}
