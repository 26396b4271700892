//! A door between one process and its Redis. Closed, it keeps connections open and swallows what
//! the process says: the moment between a commit and its word to the cache then lasts for ever.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// A door on a port of its own.
pub(crate) struct Gate {
    address: String,
    door: Arc<Door>,
}

#[derive(Debug, Default)]
struct Door {
    closed: AtomicBool,
    /// Something was said to the closed door.
    knocked: AtomicBool,
}

impl Gate {
    /// In front of this server, a host and a port.
    pub(crate) async fn before(server: String) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, door) = (listener.local_addr()?.to_string(), Arc::<Door>::default());
        tokio::spawn(admit(listener, server, Arc::clone(&door)));
        Ok(Self { address, door })
    }

    /// The URL of the Redis behind it.
    pub(crate) fn url(&self) -> String {
        format!("redis://{}/", self.address)
    }

    /// From now on nothing gets through.
    pub(crate) fn close(&self) {
        self.door.closed.store(true, Ordering::SeqCst);
    }

    /// Whether anything was swallowed yet.
    pub(crate) fn was_knocked_at(&self) -> bool {
        self.door.knocked.load(Ordering::SeqCst)
    }
}

async fn admit(listener: TcpListener, server: String, door: Arc<Door>) {
    while let Ok((client, _)) = listener.accept().await {
        let Ok(server) = TcpStream::connect(&server).await else { continue };
        let ((from_client, to_client), (from_server, to_server)) =
            (client.into_split(), server.into_split());
        tokio::spawn(pass(from_client, to_server, Some(Arc::clone(&door))));
        tokio::spawn(pass(from_server, to_client, None));
    }
}

/// Passes bytes on until either end is gone.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, door: Option<Arc<Door>>) {
    let mut buffer = vec![0; 1 << 14];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if let Some(door) = door.as_ref().filter(|door| door.closed.load(Ordering::SeqCst)) {
            door.knocked.store(true, Ordering::SeqCst);
            continue;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_closed_door_lets_nothing_through_and_tells_who_knocked() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gate = Gate::before(listener.local_addr().unwrap().to_string()).await.unwrap();
        let mut client = TcpStream::connect(&gate.address).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        client.write_all(b"a").await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), b'a');
        server.write_all(b"b").await.unwrap();
        assert_eq!(client.read_u8().await.unwrap(), b'b');
        gate.close();
        assert!(!gate.was_knocked_at());
        client.write_all(b"c").await.unwrap();
        drop(client);
        let mut rest = Vec::new();
        server.read_to_end(&mut rest).await.unwrap();
        assert!(rest.is_empty() && gate.was_knocked_at());
    }
}
