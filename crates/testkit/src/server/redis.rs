use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::binary;
use super::directory::ServerDirectory;
use super::process::{self, PATIENCE, Process, free_cluster_port, free_port, wait_until};

/// What a server loads when it starts, and writes when it is told to.
const DUMP: &str = "dump.rdb";
/// A copy of it that no server knows of.
const SNAPSHOT: &str = "snapshot.rdb";

/// A Redis server of a test's own, on a free port of 127.0.0.1, to be killed, stopped and paused.
///
/// It keeps nothing on disk unless told to (`SAVE`, or [`Self::take_snapshot`]): restarted, it is
/// empty. It ends with the handle, and with the test process however that ends.
#[derive(Debug)]
pub struct PrivateRedis {
    process: Option<Process>, // Ends before its files go: fields are dropped in this order.
    directory: Arc<ServerDirectory>,
    port: u16,
    is_sentinel: bool,
}

impl PrivateRedis {
    /// Starts a server and waits until it answers.
    ///
    /// # Panics
    /// When neither `redis-server` nor `valkey-server` is installed, or it does not start.
    pub async fn start() -> Self {
        Self::start_with("", &[]).await
    }

    /// The same with further settings, the text of a `redis.conf`, and with files that these
    /// settings name, relative to the server's directory. With `sentinel monitor` it is a Sentinel,
    /// with `cluster-enabled yes` a node of a Cluster.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub async fn start_with(settings: &str, files: &[(&str, &str)]) -> Self {
        let settings = settings.to_owned();
        let files: Vec<_> =
            files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        process::blocking(move || {
            let directory = Arc::new(ServerDirectory::create());
            directory.write(CONFIG, &settings);
            files.iter().for_each(|(name, text)| directory.write(name, text));
            let is_sentinel = settings.contains("sentinel monitor");
            let choose = match settings.contains("cluster-enabled") {
                true => free_cluster_port,
                false => free_port,
            };
            for _ in 0..10 {
                // Between the choice of a port and the start someone else may take it.
                let port = choose();
                if let Some(process) = launch(&directory, port, is_sentinel) {
                    return Self { process: Some(process), directory, port, is_sentinel };
                }
            }
            panic!("Redis did not start:\n{}", directory.log_tail());
        })
        .await
    }

    /// Sends a command as it would be typed, and gives the answer as text, one line for each of
    /// its parts; an error begins with `-`.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn command(&self, line: &str) -> String {
        self.try_command(line).await.expect("an answer")
    }

    /// The same where the server may just be breaking its connections, as one does that is demoted:
    /// `None` without an answer.
    pub async fn try_command(&self, line: &str) -> Option<String> {
        let (port, line) = (self.port, line.to_owned());
        process::blocking(move || typed(port, &line)).await.ok()
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

    /// Starts it again on the same port, empty or with what `SAVE` kept; a server that still runs is
    /// stopped first.
    ///
    /// # Panics
    /// When it does not start, for instance because someone else has taken the port.
    pub async fn restart(&mut self) {
        self.stop();
        self.launch_again().await;
    }

    /// Keeps a copy of all it holds now, in place of an earlier one, for
    /// [`Self::restart_from_snapshot`].
    ///
    /// # Panics
    /// When it does not run or cannot write.
    pub async fn take_snapshot(&self) {
        let (port, directory) = (self.port, Arc::clone(&self.directory));
        process::blocking(move || {
            let answer = ask(port, b"SAVE\r\n").and_then(|mut lines| lines.next());
            assert_eq!(answer.as_deref(), Some("+OK"), "{}", directory.log_tail());
            let directory = directory.path();
            fs::rename(directory.join(DUMP), directory.join(SNAPSHOT)).unwrap();
        })
        .await;
    }

    /// Starts it again with what it held at the last [`Self::take_snapshot`], empty if there was
    /// none, on the same port; a server that still runs is stopped first.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn restart_from_snapshot(&mut self) {
        self.stop();
        let snapshot = self.directory.path().join(SNAPSHOT);
        let dump = self.directory.path().join(DUMP);
        match snapshot.exists() {
            true => drop(fs::copy(&snapshot, &dump).unwrap()),
            false => remove_if_there(&dump),
        }
        self.launch_again().await;
        remove_if_there(&dump); // It has been read; the next restart is of an empty one again.
    }

    async fn launch_again(&mut self) {
        let (port, is_sentinel) = (self.port, self.is_sentinel);
        let directory = Arc::clone(&self.directory);
        self.process = process::blocking(move || launch(&directory, port, is_sentinel)).await;
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
fn launch(directory: &ServerDirectory, port: u16, is_sentinel: bool) -> Option<Process> {
    let mut command = directory.command(binary::redis());
    command.arg(directory.path().join(CONFIG));
    if is_sentinel {
        command.arg("--sentinel");
    }
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
    command.args(["--save", "", "--appendonly", "no"]);
    command.arg("--dir").arg(directory.path());
    let mut process = Process::spawn(&mut command, directory.path(), "TERM");
    let id = process.id();
    wait_until(PATIENCE, || !process.is_running() || process_behind(port) == Some(id));
    process.is_running().then_some(process)
}

const CONFIG: &str = "redis.conf";

fn typed(port: u16, line: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(line.as_bytes())?;
    stream.write_all(b"\r\n")?;
    let mut parts = Vec::new();
    read_answer(&mut BufReader::new(stream), &mut parts)?;
    Ok(parts.join("\n"))
}

/// One value of the RESP2 protocol, its nested parts in order.
fn read_answer(stream: &mut impl BufRead, parts: &mut Vec<String>) -> std::io::Result<()> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let (kind, rest) = line.trim_end().split_at_checked(1).unwrap_or_default();
    let number = rest.parse::<i64>().unwrap_or(-1);
    match kind {
        "$" if number >= 0 => {
            let len = usize::try_from(number).expect("not negative");
            let mut bytes = vec![0; len + 2];
            stream.read_exact(&mut bytes)?;
            parts.push(String::from_utf8_lossy(&bytes[..len]).into_owned());
        }
        "*" => {
            for _ in 0..number {
                read_answer(stream, parts)?;
            }
        }
        "-" => parts.push(line.trim_end().to_owned()),
        "+" | ":" | "$" => parts.push(rest.to_owned()),
        _ => return Err(std::io::ErrorKind::UnexpectedEof.into()),
    }
    Ok(())
}

/// The process that answers on a port: another test's server may have been quicker.
fn process_behind(port: u16) -> Option<u32> {
    let mut lines = ask(port, b"INFO server\r\n")?;
    lines.find_map(|line| line.strip_prefix("process_id:")?.trim().parse().ok())
}

/// The lines of the answer to a command; they end when none has come for a second.
fn ask(port: u16, command: &[u8]) -> Option<impl Iterator<Item = String>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
    stream.write_all(command).ok()?;
    Some(BufReader::new(stream).lines().map_while(Result::ok))
}

fn remove_if_there(file: &Path) {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
        _ => {}
    }
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

    fn holds_the_key(redis: &PrivateRedis) -> bool {
        ask(redis.port(), b"EXISTS key\r\n").unwrap().next().unwrap() == ":1"
    }

    #[tokio::test]
    async fn it_can_be_taken_back_to_a_snapshot_or_to_nothing() {
        let mut redis = PrivateRedis::start().await;
        ask(redis.port(), b"SET key old\r\n").unwrap().next().unwrap();
        redis.take_snapshot().await;
        ask(redis.port(), b"DEL key\r\n").unwrap().next().unwrap();
        redis.kill();
        redis.restart_from_snapshot().await;
        assert!(holds_the_key(&redis));
        redis.restart().await;
        assert!(!holds_the_key(&redis));
        redis.restart_from_snapshot().await;
        assert!(holds_the_key(&redis));
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
