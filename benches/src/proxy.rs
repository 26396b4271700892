//! A proxy between client and server that counts what goes over the wire.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Counts the statements in what a client sends over one connection, piece by piece.
pub(crate) type Reader = Box<dyn FnMut(&[u8]) -> u64 + Send>;

/// A proxy on a port of its own.
pub(crate) struct Proxy {
    address: String,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    statements: AtomicU64,
    trips: AtomicU64,
}

/// What an operation costs on the wire.
pub(crate) struct Cost {
    pub(crate) statements: f64,
    pub(crate) trips: f64,
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
    /// In front of this server, a host and a port.
    pub(crate) async fn before(server: String, reader: fn() -> Reader) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let counts = Arc::new(Counts::default());
        tokio::spawn(accept(listener, server, reader, Arc::clone(&counts)));
        Self { address, counts }
    }

    /// The host and the port that lead through the proxy.
    pub(crate) fn address(&self) -> &str {
        &self.address
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

async fn accept(
    listener: TcpListener,
    server: String,
    reader: fn() -> Reader,
    counts: Arc<Counts>,
) {
    while let Ok((client, _)) = listener.accept().await {
        let server = TcpStream::connect(&server).await.unwrap();
        client.set_nodelay(true).unwrap();
        server.set_nodelay(true).unwrap();
        let ((from_client, to_client), (from_server, to_server)) =
            (client.into_split(), server.into_split());
        let answered = Arc::new(AtomicBool::new(true));
        let (mut statements, counts) = (reader(), Arc::clone(&counts));
        // Whether the server has said something since the client last did.
        let asked = Arc::clone(&answered);
        let count = move |bytes: &[u8]| {
            if asked.swap(false, Ordering::SeqCst) {
                counts.trips.fetch_add(1, Ordering::SeqCst);
            }
            counts.statements.fetch_add(statements(bytes), Ordering::SeqCst);
        };
        tokio::spawn(pass(from_client, to_server, count));
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
