use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use super::binary;
use super::directory::ServerDirectory;
use super::process::{self, PATIENCE, Process, free_port, wait_until};

/// A Redis server of a test's own, on a free port of 127.0.0.1, to be killed, stopped and paused.
///
/// It keeps nothing on disk: restarted, it is empty. It ends with the handle, and with the test
/// process however that ends.
#[derive(Debug)]
pub struct PrivateRedis {
    process: Option<Process>, // Ends before its files go: fields are dropped in this order.
    directory: Arc<ServerDirectory>,
    port: u16,
}

impl PrivateRedis {
    /// Starts a server and waits until it answers.
    ///
    /// # Panics
    /// When neither `redis-server` nor `valkey-server` is installed, or it does not start.
    pub async fn start() -> Self {
        process::blocking(|| {
            let directory = Arc::new(ServerDirectory::create());
            for _ in 0..10 {
                // Between the choice of a port and the start someone else may take it.
                let port = free_port();
                if let Some(process) = launch(&directory, port) {
                    return Self { process: Some(process), directory, port };
                }
            }
            panic!("Redis did not start:\n{}", directory.log_tail());
        })
        .await
    }

    /// Where it listens, also while it is down.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Its port, which a restart keeps.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it at once, by SIGKILL. Connections break; new ones are refused.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.end("KILL");
        }
    }

    /// Ends it in good order.
    pub fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            process.end("TERM");
        }
    }

    /// Starts it again, empty, on the same port; a server that still runs is stopped first.
    ///
    /// # Panics
    /// When it does not start, for instance because someone else has taken the port.
    pub async fn restart(&mut self) {
        self.stop();
        let (port, directory) = (self.port, Arc::clone(&self.directory));
        self.process = process::blocking(move || launch(&directory, port)).await;
        assert!(
            self.process.is_some(),
            "Redis did not start again:\n{}",
            self.directory.log_tail()
        );
    }

    /// Lets it hang, by SIGSTOP: connections stay open, new ones are accepted, none is answered.
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

/// The server, once it answers; `None` when it has ended instead.
fn launch(directory: &ServerDirectory, port: u16) -> Option<Process> {
    let mut command = directory.command(binary::redis());
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
    command.args(["--save", "", "--appendonly", "no"]);
    command.arg("--dir").arg(directory.path());
    let mut process = Process::spawn(&mut command, directory.path(), "TERM");
    let id = process.id();
    wait_until(PATIENCE, || !process.is_running() || process_behind(port) == Some(id));
    process.is_running().then_some(process)
}

/// The process that answers on a port: another test's server may have been quicker.
fn process_behind(port: u16) -> Option<u32> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
    stream.write_all(b"INFO server\r\n").ok()?;
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    let mut ids = lines.filter_map(|line| line.strip_prefix("process_id:")?.trim().parse().ok());
    ids.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(redis: &PrivateRedis) -> bool {
        process_behind(redis.port()).is_some()
    }

    #[tokio::test]
    async fn it_can_be_killed_and_started_again_on_its_port() {
        let mut redis = PrivateRedis::start().await;
        let url = redis.url();
        assert!(answers(&redis));
        redis.kill();
        assert!(!answers(&redis));
        redis.restart().await;
        assert!(answers(&redis));
        assert_eq!(redis.url(), url);
        redis.stop();
        assert!(!answers(&redis));
    }

    #[tokio::test]
    async fn paused_it_accepts_but_does_not_answer() {
        let redis = PrivateRedis::start().await;
        redis.pause();
        assert!(TcpStream::connect(("127.0.0.1", redis.port())).is_ok());
        assert!(!answers(&redis));
        redis.resume();
        assert!(answers(&redis));
    }

    #[tokio::test]
    async fn paused_it_still_ends_with_the_handle() {
        let redis = PrivateRedis::start().await;
        let (port, directory) = (redis.port(), redis.directory.path().to_owned());
        redis.pause();
        drop(redis);
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
        assert!(!directory.exists());
    }
}
