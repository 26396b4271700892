//! What goes over the wire to PostgreSQL, counted by a proxy: statements and round trips.

use tokio_postgres::config::Host;

pub(crate) use crate::proxy::Cost;
use crate::proxy::{self, Reader};

/// A proxy on a port of its own.
pub(crate) struct Proxy {
    url: String,
    proxy: proxy::Proxy,
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
        let proxy = proxy::Proxy::before(server.clone(), statements).await;
        Self { url: url.replacen(&server, proxy.address(), 1), proxy }
    }

    /// The URL that leads through the proxy.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What one operation costs, once everything is prepared.
    pub(crate) async fn cost(&self, operation: impl AsyncFnMut()) -> Cost {
        self.proxy.cost(operation).await
    }
}

fn statements() -> Reader {
    let mut messages = Messages::default();
    Box::new(move |bytes| {
        let mut statements = 0;
        // A simple query, or the execution of a prepared statement.
        messages.feed(bytes, |kind| statements += u64::from(matches!(kind, b'Q' | b'E')));
        statements
    })
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
