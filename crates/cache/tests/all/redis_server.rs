//! A real Redis of this test's own, which may be killed.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use guildhall_cache::{BackendError, Cache, RedisBackend, RedisOptions};

use crate::fake::{Failed, Loads, key, tag};

const TTL: Duration = Duration::from_secs(100);

/// Killed when dropped.
struct Server {
    child: Child,
    port: u16,
    _dir: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        Self::start_at(
            free.local_addr()
                .map(|at| {
                    drop(free);
                    at.port()
                })
                .unwrap(),
        )
    }

    fn start_at(port: u16) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--requirepass", "hunter2", "--dir"])
            .arg(dir.path())
            .stdout(Stdio::null())
            .spawn()
            .expect(
                "these tests need the redis-server binary in PATH: please install redis-server",
            );
        let server = Self { child, port, _dir: dir };
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::yield_now();
        }
        server
    }

    fn url(&self) -> String {
        format!("redis://:hunter2@127.0.0.1:{}", self.port)
    }

    fn cache(&self) -> Cache {
        // Generous: a test machine may be busy, and nothing here depends on the deadline.
        let options = RedisOptions { deadline: Duration::from_secs(5), ..RedisOptions::default() };
        let backend = RedisBackend::new(&self.url(), options).unwrap();
        Cache::builder().shared(Arc::new(backend)).shared_deadline(Duration::from_secs(10)).build()
    }

    async fn command(&self, words: &[&str]) {
        let client = redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut command = redis::cmd(words[0]);
        words[1..].iter().for_each(|word| {
            command.arg(word);
        });
        let _: redis::Value = command.query_async(&mut connection).await.unwrap();
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

async fn read(cache: &Cache, id: i64, truth: u32) -> u32 {
    let entry = cache.entry::<u32>(key(id), [tag(id)], TTL);
    entry.get_or_load(async || Loads::Ok(truth)).await.unwrap()
}

#[tokio::test]
async fn two_processes_share_entries_and_invalidations() {
    let server = Server::start();
    let (here, there) = (server.cache(), server.cache());
    here.ping().await.unwrap();
    assert_eq!(read(&here, 1, 1).await, 1);
    assert_eq!(read(&there, 1, 2).await, 1);
    assert!(there.invalidate([tag(1)]).await);
    assert_eq!(read(&here, 1, 3).await, 3);
    assert_eq!(read(&there, 1, 4).await, 3);
    assert!(here.clear().await);
    assert_eq!(read(&there, 1, 5).await, 5);
    let ids: Vec<i64> = (0..700).collect();
    let describe = |id: &i64| (key(1_000 + id), [tag(1_000 + id)]);
    let load = |ids: Vec<i64>| async { Loads::Ok(ids.into_iter().map(|id| (id, id)).collect()) };
    let loaded = here.get_or_load_many(&ids, TTL, describe, load).await.unwrap();
    let fail = |_: Vec<i64>| async { Err::<Vec<(i64, i64)>, _>(Failed) };
    assert_eq!(there.get_or_load_many(&ids, TTL, describe, fail).await.unwrap(), loaded);
    assert_eq!(here.stats().total.errors + there.stats().total.errors, 0);
}

#[tokio::test]
async fn a_flush_beside_a_load_leaves_nothing_stale() {
    let server = Server::start();
    let cache = server.cache();
    let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
    let loaded = entry.get_or_load(async || {
        server.command(&["FLUSHALL"]).await;
        Loads::Ok(1)
    });
    assert_eq!(loaded.await, Ok(1));
    assert_eq!(read(&cache, 1, 2).await, 2, "stored under a nonce that is gone");
    assert_eq!(read(&cache, 1, 3).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_restarted_it_costs_no_call_and_serves_nothing_old() {
    let mut server = Server::start();
    let (cache, port) = (server.cache(), server.port);
    assert_eq!(read(&cache, 1, 1).await, 1);
    server.kill();
    assert_eq!(read(&cache, 1, 2).await, 2);
    assert!(!cache.begin_write([tag(1)]).committed().await);
    assert_eq!(read(&cache, 1, 3).await, 3);
    assert!(cache.ping().await.is_err() && cache.stats().quarantined_tags == 1);
    let _again = Server::start_at(port);
    while cache.stats().quarantined_tags > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(read(&cache, 1, 4).await, 4);
    assert_eq!(read(&cache, 1, 5).await, 4);
}

#[tokio::test]
async fn the_address_is_in_no_message() {
    let told = |error: &dyn std::error::Error| {
        let source = error.source().map(ToString::to_string);
        format!("{error} {error:?} {source:?}")
    };
    let options = RedisOptions::default();
    let broken = RedisBackend::new("redis://:hunter2@[", options).unwrap_err();
    let server = Server::start();
    let wrong = format!("redis://:hunter3@127.0.0.1:{}", server.port);
    let backend = RedisBackend::new(&wrong, options).unwrap();
    assert!(!format!("{backend:?}").contains("hunter"));
    let refused: BackendError =
        Cache::builder().shared(Arc::new(backend)).build().ping().await.unwrap_err();
    assert!(!told(&broken).contains("hunter") && !told(&refused).contains("hunter"));
}
