//! A Cluster: every key's command goes to the primary of its slot, all of a node in one round
//! trip, all nodes at once.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use redis::{Cmd, Value, cmd, pipe};

use super::address::{Dialer, Endpoint};
use super::answer::{self, Found, PROBE, accepted, decode, stamped};
use super::breaker::BreakerState;
use super::node::Answer;
use super::single::{REMOVED_MAX, milliseconds, scan};
use super::slots::slot;
use super::topology::{Map, Member, Referral, Topology, referral};
use super::{Means, unavailable};
use crate::backend::{BackendError, Nonce, Reading, Sealed, ServerId, Stamp};

/// How often a command may be sent on to another node.
const REFERRALS_MAX: usize = 5;

pub(super) struct Cluster {
    topology: Arc<Topology>,
    /// Which node tells this process' messages, so that they keep their order.
    herald: usize,
}

/// A command about one key, and what was answered.
struct Task {
    slot: u16,
    command: Cmd,
    answer: Option<(Value, ServerId)>,
    /// Where it goes next, unless to the owner of its slot.
    ask: Option<Endpoint>,
}

impl Cluster {
    pub(super) fn new(dialer: Dialer, seeds: Vec<Endpoint>, means: Means) -> Self {
        let herald = usize::try_from(means.random.next_u64() >> 33).unwrap_or(0);
        Self { topology: Arc::new(Topology::new(dialer, seeds, means)), herald }
    }

    pub(super) fn core(&self) -> Arc<Topology> {
        Arc::clone(&self.topology)
    }

    pub(super) fn breaker_state(&self) -> BreakerState {
        let map = self.topology.known();
        let states = map.members.iter().map(|member| member.node.breaker_state());
        states.max().unwrap_or(BreakerState::Closed)
    }

    pub(super) async fn read(
        &self,
        keys: &[String],
        tags: &[String],
    ) -> Result<Reading, BackendError> {
        let commands = keys.iter().chain(tags).map(|key| (key, get(key)));
        let mut entries = self.scatter(commands).await?;
        let stamps = entries.split_off(keys.len()).into_iter();
        let stamp = |(value, server)| Ok(stamped(decode(value)?, server));
        let stamps: Result<_, BackendError> = stamps.map(stamp).collect();
        let entries: Result<_, _> = entries.into_iter().map(|(value, _)| decode(value)).collect();
        Ok(Reading { entries: entries?, stamps: stamps? })
    }

    pub(super) async fn adopt(&self, tags: &[(String, Nonce)]) -> Result<Vec<Stamp>, BackendError> {
        let commands = tags.iter().flat_map(|(tag, nonce)| {
            let mut set = set(tag, &nonce.0);
            set.arg("NX");
            [(tag, set), (tag, get(tag))]
        });
        let mut answers = self.scatter(commands).await?.into_iter();
        let mut stamps = Vec::with_capacity(tags.len());
        while let (Some((set, _)), Some((nonce, server))) = (answers.next(), answers.next()) {
            accepted(vec![set])?;
            stamps.push(stamped(decode(nonce)?, server).ok_or_else(answer::lost_nonce)?);
        }
        Ok(stamps)
    }

    pub(super) async fn renew(&self, tags: &[(String, Nonce)]) -> Result<(), BackendError> {
        self.all(tags.iter().map(|(tag, nonce)| (tag, set(tag, &nonce.0)))).await
    }

    pub(super) async fn store(&self, entries: &[Sealed]) -> Result<(), BackendError> {
        let commands = entries.iter().map(|Sealed { key, bytes, ttl }| {
            let mut set = set(key, bytes);
            set.arg("PX").arg(milliseconds(*ttl));
            (key, set)
        });
        self.all(commands).await
    }

    pub(super) async fn ping(&self, key: &str) -> Result<(), BackendError> {
        let key = key.to_owned();
        let mut set = set(&key, PROBE.as_bytes());
        set.arg("PX").arg(10_000);
        let commands = [set, get(&key), delete(&key)].map(|command| (&key, command));
        let answers = self.scatter(commands).await?;
        answer::probed(answers.into_iter().map(|(value, _)| value).collect())
    }

    /// By any node, which tells all others. One whose own link to another is down loses it there
    /// without a sign.
    pub(super) async fn publish(&self, channel: &str, message: &[u8]) -> Result<(), BackendError> {
        let map = self.topology.map().await?;
        let count = map.members.len();
        let turn = (0..count).map(|turn| &map.members[(self.herald % count + turn) % count]);
        let mut sound = turn.filter(|member| member.node.breaker_state() == BreakerState::Closed);
        let herald = sound.next().ok_or_else(|| unavailable("the breaker is open"))?;
        let mut commands = pipe();
        commands.cmd("PUBLISH").arg(channel).arg(message);
        match herald.node.send(&commands).await {
            Ok(answer) => accepted(answer.values),
            Err(error) => {
                self.topology.suspect();
                Err(error)
            }
        }
    }

    pub(super) async fn try_lock(
        &self,
        key: &str,
        token: Nonce,
        ttl: Duration,
    ) -> Result<bool, BackendError> {
        let key = key.to_owned();
        let mut set = set(&key, &token.0);
        set.arg("NX").arg("PX").arg(milliseconds(ttl));
        Ok(decode::<Option<String>>(self.one(&key, set).await?)?.is_some())
    }

    pub(super) async fn unlock(&self, key: &str, token: Nonce) -> Result<(), BackendError> {
        let key = key.to_owned();
        let holder: Option<Vec<u8>> = decode(self.one(&key, get(&key)).await?)?;
        if holder.as_deref() != Some(&token.0[..]) {
            return Ok(());
        }
        accepted(vec![self.one(&key, delete(&key)).await?])
    }

    pub(super) async fn remove(&self, keys: &[String]) -> Result<u64, BackendError> {
        let mut removed = 0;
        for chunk in keys.chunks(REMOVED_MAX) {
            let commands = chunk.iter().map(|key| {
                let mut unlink = cmd("UNLINK");
                unlink.arg(key);
                (key, unlink)
            });
            for (value, _) in self.scatter(commands).await? {
                removed += decode::<u64>(value)?;
            }
        }
        Ok(removed)
    }

    pub(super) async fn find(
        &self,
        pattern: &str,
        limit: usize,
    ) -> Result<Vec<String>, BackendError> {
        let mut found = Found::new(limit);
        for member in &self.topology.map().await?.members {
            if let Err(error) = scan(&member.node, pattern, &mut found).await {
                self.topology.suspect();
                return Err(error);
            }
        }
        Ok(found.into_sorted())
    }

    async fn one(&self, key: &String, command: Cmd) -> Result<Value, BackendError> {
        let answers = self.scatter([(key, command)]).await?;
        Ok(answers.into_iter().next().map_or(Value::Nil, |(value, _)| value))
    }

    async fn all(
        &self,
        commands: impl IntoIterator<Item = (&String, Cmd)>,
    ) -> Result<(), BackendError> {
        let answers = self.scatter(commands).await?;
        accepted(answers.into_iter().map(|(value, _)| value).collect())
    }

    /// Answers in the order of the commands; those of one slot are carried out in order. A
    /// command that a node refused as not its own was not applied, so it is sent on; nothing else
    /// is sent twice.
    async fn scatter(
        &self,
        commands: impl IntoIterator<Item = (&String, Cmd)>,
    ) -> Result<Vec<(Value, ServerId)>, BackendError> {
        let task = |(key, command): (&String, Cmd)| Task {
            slot: slot(key.as_bytes()),
            command,
            answer: None,
            ask: None,
        };
        let mut tasks: Vec<_> = commands.into_iter().map(task).collect();
        for _ in 0..=REFERRALS_MAX {
            let map = self.topology.map().await?;
            let shares = self.shares(&map, &tasks)?;
            if shares.is_empty() {
                break;
            }
            let answers = join_all(shares.iter().map(|share| share.send(&tasks))).await;
            for (share, answer) in shares.iter().zip(answers) {
                match answer {
                    Ok(answer) => self.take(&mut tasks, share, answer),
                    Err(error) => {
                        self.topology.suspect();
                        return Err(error);
                    }
                }
            }
        }
        let answers: Option<Vec<_>> = tasks.into_iter().map(|task| task.answer).collect();
        answers
            .ok_or_else(|| unavailable("the nodes of the cluster refer to each other in a circle"))
    }

    /// Who gets which of the tasks that have no answer yet.
    fn shares(&self, map: &Map, tasks: &[Task]) -> Result<Vec<Share>, BackendError> {
        let mut shares: Vec<Share> = Vec::new();
        for (index, task) in tasks.iter().enumerate().filter(|(_, task)| task.answer.is_none()) {
            let member = match &task.ask {
                Some(endpoint) => self.topology.member(map, endpoint),
                None => match map.owner(task.slot) {
                    Some(member) => member.clone(),
                    None => {
                        self.topology.suspect();
                        return Err(unavailable("a slot of the cluster is served by no node"));
                    }
                },
            };
            match shares.iter_mut().find(|share| share.member.endpoint == member.endpoint) {
                Some(share) => share.indexes.push(index),
                None => shares.push(Share { member, indexes: vec![index] }),
            }
        }
        Ok(shares)
    }

    fn take(&self, tasks: &mut [Task], share: &Share, answer: Answer) {
        let host = &share.member.endpoint.host;
        for (index, value) in share.indexes.iter().zip(share.answers(tasks, answer.values)) {
            let task = &mut tasks[*index];
            task.ask = None;
            match referral(&value, host) {
                Some(Referral::Moved(slot, to)) => self.topology.moved(slot, &to),
                Some(Referral::Ask(to)) => task.ask = Some(to),
                None => {
                    if is_down(&value) {
                        self.topology.suspect();
                    }
                    task.answer = Some((value, answer.server));
                }
            }
        }
    }
}

/// What one node has to do.
struct Share {
    member: Member,
    indexes: Vec<usize>,
}

impl Share {
    async fn send(&self, tasks: &[Task]) -> Result<Answer, BackendError> {
        let mut commands = pipe();
        for task in self.indexes.iter().map(|index| &tasks[*index]) {
            if task.ask.is_some() {
                commands.cmd("ASKING");
            }
            commands.add_command(task.command.clone());
        }
        self.member.node.send(&commands).await
    }

    /// Without those to `ASKING`.
    fn answers(&self, tasks: &[Task], values: Vec<Value>) -> Vec<Value> {
        let mut values = values.into_iter();
        let mut answer = |index: &usize| {
            if tasks[*index].ask.is_some() {
                values.next();
            }
            values.next().unwrap_or(Value::Nil)
        };
        self.indexes.iter().map(&mut answer).collect()
    }
}

fn is_down(value: &Value) -> bool {
    use redis::ServerErrorKind::{ClusterDown, MasterDown, ReadOnly};
    let Value::ServerError(error) = value else { return false };
    matches!(error.kind(), Some(ClusterDown | MasterDown | ReadOnly))
}

fn get(key: &str) -> Cmd {
    let mut get = cmd("GET");
    get.arg(key);
    get
}

fn set(key: &str, value: &[u8]) -> Cmd {
    let mut set = cmd("SET");
    set.arg(key).arg(value);
    set
}

fn delete(key: &str) -> Cmd {
    let mut delete = cmd("DEL");
    delete.arg(key);
    delete
}
