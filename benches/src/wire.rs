//! What goes over the wire to PostgreSQL, counted by a proxy: statements and round trips.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio_postgres::config::Host;

/// A proxy on a port of its own.
pub(crate) struct Proxy {
    url: String,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    statements: AtomicU64,
    trips: AtomicU64,
}

/// What an operation costs on the wire.
pub(crate) struct Cost {
    statements: f64,
    trips: f64,
}

impl std::fmt::Display for Cost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plural = |count: f64| if count == 1.0 { "" } else { "s" };
        let Self { statements, trips } = self;
        let (many, more) = (plural(*statements), plural(*trips));
        write!(f, "{statements} statement{many}, {trips} round trip{more}")
    }
}

impl Proxy {
    /// In front of the server of this URL.
    pub(crate) async fn before(url: &str) -> Self {
        let config: tokio_postgres::Config = url.parse().unwrap();
        let (Some(Host::Tcp(host)), Some(port)) =
            (config.get_hosts().first(), config.get_ports().first())
        else {
            panic!("TEST_DATABASE_URL must name a host and a port");
        };
        let server = format!("{host}:{port}");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().to_string();
        let counts = Arc::new(Counts::default());
        let url = url.replacen(&server, &own, 1);
        tokio::spawn(accept(listener, server, Arc::clone(&counts)));
        Self { url, counts }
    }

    /// The URL that leads through the proxy.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What one operation costs, once everything is prepared.
    pub(crate) async fn cost(&self, mut operation: impl AsyncFnMut()) -> Cost {
        const TIMES: u32 = 100;
        for _ in 0..10 {
            operation().await;
        }
        let count = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        let before = (count(&self.counts.statements), count(&self.counts.trips));
        for _ in 0..TIMES {
            operation().await;
        }
        let each = |after: u64, before: u64| (after - before) as f64 / f64::from(TIMES);
        Cost {
            statements: each(count(&self.counts.statements), before.0),
            trips: each(count(&self.counts.trips), before.1),
        }
    }
}

async fn accept(listener: TcpListener, server: String, counts: Arc<Counts>) {
    while let Ok((client, _)) = listener.accept().await {
        let server = TcpStream::connect(&server).await.unwrap();
        client.set_nodelay(true).unwrap();
        server.set_nodelay(true).unwrap();
        let ((from_client, to_client), (from_server, to_server)) =
            (client.into_split(), server.into_split());
        let answered = Arc::new(AtomicBool::new(true));
        let asks = Asks { counts: Arc::clone(&counts), answered: Arc::clone(&answered) };
        let mut messages = Messages::default();
        tokio::spawn(pass(from_client, to_server, move |bytes| asks.count(&mut messages, bytes)));
        tokio::spawn(pass(from_server, to_client, move |_| answered.store(true, Ordering::SeqCst)));
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut see: impl FnMut(&[u8])) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        see(&buffer[..length]);
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

/// What the client asks.
struct Asks {
    counts: Arc<Counts>,
    /// Whether the server has said something since the client last did.
    answered: Arc<AtomicBool>,
}

impl Asks {
    fn count(&self, messages: &mut Messages, bytes: &[u8]) {
        if self.answered.swap(false, Ordering::SeqCst) {
            self.counts.trips.fetch_add(1, Ordering::SeqCst);
        }
        messages.feed(bytes, |kind| {
            // A simple query, or the execution of a prepared statement.
            if matches!(kind, b'Q' | b'E') {
                self.counts.statements.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
}

/// Cuts the client's stream into messages: a byte for the kind, four for the length.
#[derive(Default)]
struct Messages {
    started: bool,
    head: Vec<u8>,
    skip: usize,
}

impl Messages {
    fn feed(&mut self, mut bytes: &[u8], mut see: impl FnMut(u8)) {
        while !bytes.is_empty() {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = &bytes[skipped..];
            let Some((first, rest)) = bytes.split_first().filter(|_| self.skip == 0) else {
                return;
            };
            // The first message of all has no kind.
            if !self.started && self.head.is_empty() {
                self.head.push(b' ');
            }
            self.head.push(*first);
            bytes = rest;
            if let [kind, a, b, c, d] = self.head[..] {
                see(kind);
                self.skip = u32::from_be_bytes([a, b, c, d]) as usize - 4;
                self.head.clear();
                self.started = true;
            }
        }
    }
}
