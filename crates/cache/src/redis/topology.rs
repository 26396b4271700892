//! Which node of a Cluster has which slot, learnt from the nodes.
//!
//! Not by the driver's own client for Clusters: that one repeats commands by itself, which may
//! apply a nonce twice, and does not tell which node answered.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use redis::{RedisError, Value, pipe};

use super::address::{Dialer, Endpoint};
use super::answer::decode;
use super::link::{Manager, Place};
use super::node::Node;
use super::slots::SLOTS;
use super::{Means, unavailable};
use crate::backend::BackendError;

const NOBODY: u16 = u16::MAX;
const REFRESH_PAUSE_NS: u64 = 200_000_000;

/// A primary of the map.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) endpoint: Endpoint,
    pub(super) node: Arc<Node>,
}

/// One view of the Cluster.
#[derive(Clone)]
pub(super) struct Map {
    /// By slot, an index into `members`.
    owners: Vec<u16>,
    pub(super) members: Vec<Member>,
}

impl Map {
    fn empty() -> Self {
        Self { owners: vec![NOBODY; usize::from(SLOTS)], members: Vec::new() }
    }

    pub(super) fn owner(&self, slot: u16) -> Option<&Member> {
        self.members.get(usize::from(*self.owners.get(usize::from(slot))?))
    }

    fn assign(&mut self, slots: std::ops::RangeInclusive<u16>, member: &Member) {
        let known = self.members.iter().position(|known| known.endpoint == member.endpoint);
        let index = known.unwrap_or_else(|| {
            self.members.push(member.clone());
            self.members.len() - 1
        });
        for slot in slots {
            if let Some(owner) = self.owners.get_mut(usize::from(slot)) {
                *owner = u16::try_from(index).unwrap_or(NOBODY);
            }
        }
    }
}

/// The current map, kept up to date by what nodes say and by their silence.
pub(super) struct Topology {
    dialer: Dialer,
    seeds: Vec<Endpoint>,
    pub(super) means: Means,
    map: RwLock<Arc<Map>>,
    /// One refresh at a time.
    refreshing: tokio::sync::Mutex<()>,
    next_refresh_ns: AtomicU64,
}

impl Topology {
    pub(super) fn new(dialer: Dialer, seeds: Vec<Endpoint>, means: Means) -> Self {
        Self {
            dialer,
            seeds,
            means,
            map: RwLock::new(Arc::new(Map::empty())),
            refreshing: tokio::sync::Mutex::default(),
            next_refresh_ns: AtomicU64::new(0),
        }
    }

    /// What is known now, which may be nothing.
    pub(super) fn known(&self) -> Arc<Map> {
        Arc::clone(&self.map.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, change: impl FnOnce(&Map) -> Map) {
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        *map = Arc::new(change(&map));
    }

    /// The map, asked for when there is none yet.
    pub(super) async fn map(&self) -> Result<Arc<Map>, BackendError> {
        let map = self.known();
        if !map.members.is_empty() {
            return Ok(map);
        }
        let deadline = self.means.options.deadline;
        let asked = async {
            let _turn = self.refreshing.lock().await;
            if self.known().members.is_empty() {
                self.refresh().await?;
            }
            Ok(self.known())
        };
        // Those behind the first would otherwise wait for one attempt after the other.
        tokio::time::timeout(deadline, asked).await.unwrap_or_else(|_| {
            let after_ms = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
            Err(BackendError::Timeout { after_ms })
        })
    }

    /// A node said that the slot is elsewhere now.
    pub(super) fn moved(self: &Arc<Self>, slot: u16, endpoint: &Endpoint) {
        self.replace(|map| {
            let mut map = map.clone();
            map.assign(slot..=slot, &self.member(&map, endpoint));
            map
        });
        self.suspect();
    }

    /// Something is not as the map says: looks again in the background, not too often.
    pub(super) fn suspect(self: &Arc<Self>) {
        let now_ns = self.means.clock.monotonic_ns();
        let due_ns = self.next_refresh_ns.load(Ordering::Relaxed);
        let next_ns = now_ns.saturating_add(REFRESH_PAUSE_NS);
        let claim = |from| {
            self.next_refresh_ns.compare_exchange(
                from,
                next_ns,
                Ordering::Relaxed,
                Ordering::Relaxed,
            )
        };
        if now_ns < due_ns || claim(due_ns).is_err() {
            return;
        }
        let topology = Arc::clone(self);
        tokio::spawn(async move {
            let _turn = topology.refreshing.lock().await;
            if let Err(error) = topology.refresh().await {
                tracing::debug!(%error, "no node told the slots of the cluster");
            }
        });
    }

    /// The node at an address: the one of the map, or a new one.
    pub(super) fn member(&self, map: &Map, endpoint: &Endpoint) -> Member {
        if let Some(known) = map.members.iter().find(|known| known.endpoint == *endpoint) {
            return known.clone();
        }
        let manager = Manager {
            place: Place::Fixed(Box::new(self.dialer.to(endpoint))),
            deadline: self.means.options.deadline,
            primaries_only: false,
        };
        let node = Node::new(manager, endpoint.to_string(), &self.means);
        Member { endpoint: endpoint.clone(), node }
    }

    /// Asks one node after the other, known ones first, until one tells.
    async fn refresh(&self) -> Result<(), BackendError> {
        let map = self.known();
        let others = self
            .seeds
            .iter()
            .filter(|seed| !map.members.iter().any(|known| known.endpoint == **seed));
        let mut asked = map.members.clone();
        asked.extend(others.map(|seed| self.member(&map, seed)));
        let mut last_error = unavailable("the address names no node");
        for member in asked {
            match slots_told_by(&member).await {
                Ok(ranges) => {
                    self.replace(|map| self.drawn(map, &member, ranges));
                    return Ok(());
                }
                Err(error) => last_error = error,
            }
        }
        Err(last_error)
    }

    fn drawn(&self, old: &Map, told_by: &Member, ranges: Vec<Range>) -> Map {
        let mut map = Map::empty();
        let mut nodes: HashMap<Endpoint, Member> = HashMap::new();
        nodes.insert(told_by.endpoint.clone(), told_by.clone());
        for Range { first, last, owner } in ranges {
            let known = nodes.entry(owner).or_insert_with_key(|owner| self.member(old, owner));
            map.assign(first..=last, known);
        }
        map
    }

    /// Settings for a connection to some node, for the bus.
    pub(super) fn somewhere(&self) -> (Endpoint, redis::ConnectionInfo) {
        let map = self.known();
        let members: Vec<_> = map.members.iter().map(|member| &member.endpoint).collect();
        let choices = if members.is_empty() { self.seeds.iter().collect() } else { members };
        let drawn = self.means.random.next_u64();
        let index = drawn % u64::try_from(choices.len().max(1)).unwrap_or(1);
        // An address without a host is refused when it is parsed, so there always is a seed.
        let endpoint = usize::try_from(index).ok().and_then(|index| choices.get(index).copied());
        let endpoint = endpoint.unwrap_or(&self.seeds[0]).clone();
        let info = self.dialer.to(&endpoint);
        (endpoint, info)
    }
}

struct Range {
    first: u16,
    last: u16,
    owner: Endpoint,
}

/// `CLUSTER SLOTS`: of `SHARDS`, its successor, version 6.2 knows nothing.
async fn slots_told_by(member: &Member) -> Result<Vec<Range>, BackendError> {
    let mut question = pipe();
    question.cmd("CLUSTER").arg("SLOTS");
    let answer = member.node.send(&question).await?;
    let rows: Vec<Vec<Value>> = decode(answer.values.into_iter().next().unwrap_or(Value::Nil))?;
    if rows.is_empty() {
        return Err(unavailable("the node knows no slots"));
    }
    rows.into_iter().map(|row| range(row, &member.endpoint.host)).collect()
}

/// First slot, last slot, primary (host, port, ..), replicas.
fn range(row: Vec<Value>, same_host: &str) -> Result<Range, BackendError> {
    let mut row = row.into_iter();
    let mut next = || row.next().unwrap_or(Value::Nil);
    let (first, last) = (decode(next())?, decode(next())?);
    let primary: Vec<Value> = decode(next())?;
    let mut primary = primary.into_iter();
    let mut next = || primary.next().unwrap_or(Value::Nil);
    let host: Option<String> = decode(next())?;
    let port = decode(next())?;
    let host = host.filter(|host| !host.is_empty()).unwrap_or_else(|| same_host.to_owned());
    Ok(Range { first, last, owner: Endpoint { host, port } })
}

/// Where a refused command has to go.
pub(super) enum Referral {
    /// For good: `MOVED`.
    Moved(u16, Endpoint),
    /// Once, announced by `ASKING`: `ASK`.
    Ask(Endpoint),
}

/// `None` for every other answer.
pub(super) fn referral(value: &Value, same_host: &str) -> Option<Referral> {
    let Value::ServerError(error) = value else { return None };
    let error = RedisError::from(error.clone());
    let (address, slot) = error.redirect_node()?;
    let endpoint = Endpoint::parse(address, same_host)?;
    match error.kind() {
        redis::ErrorKind::Server(redis::ServerErrorKind::Ask) => Some(Referral::Ask(endpoint)),
        _ => Some(Referral::Moved(slot, endpoint)),
    }
}
