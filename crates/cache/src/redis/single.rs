//! One primary that has everything.

use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, Pipeline, Value, cmd, pipe};

use super::answer::{self, Found, PROBE, accepted, decode, stamped};
use super::breaker::BreakerState;
use super::node::{Answer, Node};
use crate::backend::{BackendError, Nonce, Reading, Sealed, Stamp};

/// Keys in one `UNLINK`.
pub(super) const REMOVED_MAX: usize = 500;
/// How many keys a server looks at for one `SCAN`, which holds up its other clients.
const SCANNED: usize = 500;

pub(super) struct Single {
    pub(super) node: Arc<Node>,
}

impl Single {
    pub(super) fn breaker_state(&self) -> BreakerState {
        self.node.breaker_state()
    }

    pub(super) async fn read(
        &self,
        keys: &[String],
        tags: &[String],
    ) -> Result<Reading, BackendError> {
        let names = || keys.iter().chain(tags);
        let mut mget = Cmd::with_capacity(names().count() + 1, names().map(String::len).sum());
        mget.arg("MGET").arg(keys).arg(tags);
        let mut commands = Pipeline::with_capacity(1);
        commands.add_command(mget);
        let (value, server) = one(self.node.send(&commands).await?);
        let mut entries: Vec<Option<Vec<u8>>> = decode(value)?;
        if entries.len() != keys.len() + tags.len() {
            return Err(BackendError::Protocol("MGET gave another number of values".to_owned()));
        }
        let nonces = entries.split_off(keys.len());
        let stamps = nonces.into_iter().map(|nonce| stamped(nonce, server)).collect();
        Ok(Reading { entries, stamps })
    }

    pub(super) async fn adopt(&self, tags: &[(String, Nonce)]) -> Result<Vec<Stamp>, BackendError> {
        let mut commands = pipe();
        for (tag, nonce) in tags {
            commands.cmd("SET").arg(tag).arg(&nonce.0[..]).arg("NX");
        }
        commands.cmd("MGET");
        for (tag, _) in tags {
            commands.arg(tag);
        }
        let Answer { mut values, server } = self.node.send(&commands).await?;
        let read_back = values.pop().unwrap_or(Value::Nil);
        accepted(values)?;
        let nonces: Vec<Option<Vec<u8>>> = decode(read_back)?;
        let stamps: Option<Vec<_>> =
            nonces.into_iter().map(|nonce| stamped(nonce, server)).collect();
        stamps.ok_or_else(answer::lost_nonce)
    }

    /// One connection keeps the order: the message leaves when the nonces have changed.
    pub(super) async fn renew(
        &self,
        tags: &[(String, Nonce)],
        message: Option<(&str, &[u8])>,
    ) -> Result<(), BackendError> {
        let mut commands = pipe();
        commands.cmd("MSET");
        for (tag, nonce) in tags {
            commands.arg(tag).arg(&nonce.0[..]);
        }
        if let Some((channel, message)) = message {
            commands.cmd("PUBLISH").arg(channel).arg(message);
        }
        self.all(&commands).await
    }

    pub(super) async fn store(&self, entries: &[Sealed]) -> Result<(), BackendError> {
        let mut commands = pipe();
        for Sealed { key, bytes, ttl } in entries {
            commands.cmd("SET").arg(key).arg(&bytes[..]).arg("PX").arg(milliseconds(*ttl));
        }
        self.all(&commands).await
    }

    pub(super) async fn ping(&self, key: &str) -> Result<(), BackendError> {
        let mut commands = pipe();
        commands.cmd("SET").arg(key).arg(PROBE).arg("PX").arg(10_000);
        commands.cmd("GET").arg(key);
        commands.cmd("DEL").arg(key);
        answer::probed(self.node.send(&commands).await?.values)
    }

    pub(super) async fn publish(&self, channel: &str, message: &[u8]) -> Result<(), BackendError> {
        let mut commands = pipe();
        commands.cmd("PUBLISH").arg(channel).arg(message);
        self.all(&commands).await
    }

    pub(super) async fn try_lock(
        &self,
        key: &str,
        token: Nonce,
        ttl: Duration,
    ) -> Result<bool, BackendError> {
        let mut commands = pipe();
        commands.cmd("SET").arg(key).arg(&token.0[..]).arg("NX").arg("PX").arg(milliseconds(ttl));
        let (value, _) = one(self.node.send(&commands).await?);
        Ok(decode::<Option<String>>(value)?.is_some())
    }

    pub(super) async fn unlock(&self, key: &str, token: Nonce) -> Result<(), BackendError> {
        let mut commands = pipe();
        commands.cmd("GET").arg(key);
        let (holder, _) = one(self.node.send(&commands).await?);
        if decode::<Option<Vec<u8>>>(holder)?.as_deref() != Some(&token.0[..]) {
            return Ok(());
        }
        let mut commands = pipe();
        commands.cmd("DEL").arg(key);
        self.all(&commands).await
    }

    pub(super) async fn remove(&self, keys: &[String]) -> Result<u64, BackendError> {
        let mut removed = 0;
        for chunk in keys.chunks(REMOVED_MAX) {
            let mut commands = pipe();
            commands.cmd("UNLINK").arg(chunk);
            let (value, _) = one(self.node.send(&commands).await?);
            removed += decode::<u64>(value)?;
        }
        Ok(removed)
    }

    pub(super) async fn find(
        &self,
        pattern: &str,
        limit: usize,
    ) -> Result<Vec<String>, BackendError> {
        let mut found = Found::new(limit);
        scan(&self.node, pattern, &mut found).await?;
        Ok(found.into_sorted())
    }

    async fn all(&self, commands: &Pipeline) -> Result<(), BackendError> {
        accepted(self.node.send(commands).await?.values)
    }
}

/// Walks over the keys of one node, until there are enough.
pub(super) async fn scan(
    node: &Arc<Node>,
    pattern: &str,
    found: &mut Found,
) -> Result<(), BackendError> {
    let mut cursor = 0;
    while !found.is_full() {
        let mut question = cmd("SCAN");
        question.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(SCANNED);
        let mut commands = pipe();
        commands.add_command(question);
        let (value, _) = one(node.send(&commands).await?);
        let page = answer::page(value)?;
        found.add(page.keys);
        cursor = page.cursor;
        if cursor == 0 {
            break;
        }
    }
    Ok(())
}

fn one(answer: Answer) -> (Value, crate::backend::ServerId) {
    let Answer { values, server } = answer;
    (values.into_iter().next().unwrap_or(Value::Nil), server)
}

pub(super) fn milliseconds(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1)
}
