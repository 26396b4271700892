use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::random;

/// How long a server may take to start or to end.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// A server's process. It ends with the handle, and with the test process however that ends.
#[derive(Debug)]
pub(super) struct Process {
    server: Child,
    guard: Child,
    /// What ends the server at once, in good order.
    quit: &'static str,
}

/// Waits for the end of its standard input. Told so by a line, the server has ended in good
/// order; without a line the test process is gone, and the guard ends the server for it.
const GUARD: &str = r#"
trap '' INT TERM HUP QUIT
read -r line && exit 0
kill -CONT "$1"; kill -"$2" "$1"
for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$1" || break; sleep 0.5; done
kill -KILL "$1"
rm -rf "$3"
"#;

impl Process {
    /// Starts `command`, whose files are in `directory`.
    pub(super) fn spawn(command: &mut Command, directory: &Path, quit: &'static str) -> Self {
        let server = command.spawn().unwrap();
        let guard = Command::new("sh")
            .args(["-c", GUARD, "guard", &server.id().to_string(), quit])
            .arg(directory)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { server, guard, quit }
    }

    pub(super) fn id(&self) -> u32 {
        self.server.id()
    }

    pub(super) fn is_running(&mut self) -> bool {
        self.server.try_wait().unwrap().is_none()
    }

    /// Sends a signal, by its name, to the server and to the processes it has started.
    pub(super) fn signal_all(&self, signal: &str) {
        // The parent first: stopped, it starts no more of them.
        send(signal, &[self.id()]);
        send(signal, &children(self.id()));
    }

    /// Sends a signal and waits for the end of the server.
    pub(super) fn end(mut self, signal: &str) {
        self.end_by(signal);
    }

    fn end_by(&mut self, signal: &str) {
        if self.is_running() {
            self.signal_all("CONT"); // A stopped process hears nothing else.
            send(signal, &[self.id()]);
        }
        if !wait_until(PATIENCE, || !self.is_running()) {
            self.server.kill().unwrap();
            self.server.wait().unwrap();
        }
        if let Some(mut line) = self.guard.stdin.take() {
            line.write_all(b"\n").unwrap();
        }
        self.guard.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.guard.stdin.is_some() {
            self.end_by(self.quit);
        }
    }
}

/// Runs what blocks the thread where that holds up no other task.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Repeats a question until it is answered with yes; `false` when the time is over.
pub(super) fn wait_until(limit: Duration, mut question: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if question() {
            return true;
        }
        if start.elapsed() > limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A port that nothing listens on now, below those that outgoing connections are given, so that
/// it is still free for the restart of a stopped server.
pub(super) fn free_port() -> u16 {
    const FIRST: u64 = 20_000;
    const END: u64 = 32_768;
    loop {
        let port = u16::try_from(FIRST + random() % (END - FIRST)).expect("below 32 768");
        if is_free(port) {
            return port;
        }
    }
}

/// The same, where the port for the talk among the nodes of a Redis Cluster, which is 10 000
/// higher, is free and below that range as well.
pub(super) fn free_cluster_port() -> u16 {
    const FIRST: u64 = 20_000;
    const END: u64 = 22_768;
    loop {
        let port = u16::try_from(FIRST + random() % (END - FIRST)).expect("below 22 768");
        if is_free(port) && is_free(port + 10_000) {
            return port;
        }
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

/// The shell's own `kill`: it is always there, and safe Rust has none.
fn send(signal: &str, ids: &[u32]) {
    if ids.is_empty() {
        return;
    }
    let ids = ids.iter().map(u32::to_string);
    // A process that has ended meanwhile is no failure.
    Command::new("sh")
        .args(["-c", r#"kill -s "$0" "$@" 2>/dev/null; exit 0"#, signal])
        .args(ids)
        .status()
        .unwrap();
}

/// The processes that `parent` has started, where the system tells (Linux).
fn children(parent: u32) -> Vec<u32> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let ids = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id: &u32| parent_of(*id) == Some(parent)).collect()
}

fn parent_of(id: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}
