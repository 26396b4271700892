use super::PrivateRedis;
use super::process::PATIENCE;

/// Between two looks at what the nodes think.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(20);

/// A Redis Cluster of a test's own: primaries that share all slots, and replicas of them.
///
/// A node that ends stays out until a test starts it again; no replica takes over by itself
/// within [`Self::NODE_TIMEOUT_MS`], so that a test decides when.
#[derive(Debug)]
pub struct PrivateRedisCluster {
    nodes: Vec<PrivateRedis>,
    primaries: usize,
}

impl PrivateRedisCluster {
    /// After this long, in milliseconds, the nodes take one that is silent for dead.
    pub const NODE_TIMEOUT_MS: u32 = 15_000;
    const SLOTS: usize = 16_384;

    /// Starts `primaries` nodes, each with `replicas` replicas, and waits until all of them agree.
    ///
    /// # Panics
    /// When the nodes do not start or do not agree in time.
    pub async fn start(primaries: usize, replicas: usize) -> Self {
        let settings = format!(
            "cluster-enabled yes\ncluster-node-timeout {}\nrepl-diskless-sync yes\n\
             repl-diskless-sync-delay 0\ncluster-require-full-coverage no\n",
            Self::NODE_TIMEOUT_MS
        );
        let mut nodes = Vec::new();
        for _ in 0..primaries * (1 + replicas) {
            nodes.push(PrivateRedis::start_with(&settings, &[]).await);
        }
        let cluster = Self { nodes, primaries };
        for (index, node) in cluster.nodes.iter().enumerate() {
            expect_ok(node, &format!("CLUSTER SET-CONFIG-EPOCH {}", index + 1)).await;
            if index < primaries {
                let (first, end) = (Self::SLOTS * index, Self::SLOTS * (index + 1));
                let slots: Vec<String> =
                    (first / primaries..end / primaries).map(|slot| slot.to_string()).collect();
                expect_ok(node, &format!("CLUSTER ADDSLOTS {}", slots.join(" "))).await;
            }
            let first = cluster.nodes[0].port();
            expect_ok(node, &format!("CLUSTER MEET 127.0.0.1 {first}")).await;
        }
        let known = format!("cluster_known_nodes:{}", cluster.nodes.len());
        let agreed = ["cluster_state:ok", "cluster_slots_ok:16384", &known];
        for node in &cluster.nodes {
            says(node, "CLUSTER INFO", &agreed).await;
        }
        for node in &cluster.nodes {
            // A message for a node whose link is still being made is lost.
            until(async || {
                let known = node.command("CLUSTER NODES").await;
                known.lines().all(|line| line.contains(" connected") && !line.contains("handshake"))
            })
            .await;
        }
        for index in primaries..cluster.nodes.len() {
            let primary = cluster.nodes[index % primaries].command("CLUSTER MYID").await;
            expect_ok(&cluster.nodes[index], &format!("CLUSTER REPLICATE {primary}")).await;
        }
        for node in &cluster.nodes[primaries..] {
            says(node, "INFO replication", &["role:slave", "master_link_status:up"]).await;
        }
        cluster
    }

    /// The primaries' addresses, as `redis+cluster://host:port,host:port`.
    pub fn url(&self) -> String {
        let hosts: Vec<_> = self.nodes[..self.primaries]
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.port()))
            .collect();
        format!("redis+cluster://{}", hosts.join(","))
    }

    /// The node that began as this primary, counted from 0.
    pub fn primary(&mut self, index: usize) -> &mut PrivateRedis {
        &mut self.nodes[..self.primaries][index]
    }

    /// Any node, counted from 0: first the primaries, then the replicas.
    pub fn node(&self, index: usize) -> &PrivateRedis {
        &self.nodes[index]
    }

    /// The first replica of that primary.
    ///
    /// # Panics
    /// When it was started without replicas.
    pub fn replica(&mut self, index: usize) -> &mut PrivateRedis {
        &mut self.nodes[self.primaries + index]
    }

    /// Kills a primary and has its first replica take over at once; waits until the surviving
    /// primaries know.
    pub async fn fail_over(&mut self, index: usize) {
        self.primary(index).kill();
        let replica = self.replica(index);
        expect_ok(replica, "CLUSTER FAILOVER TAKEOVER").await;
        let address = format!("127.0.0.1:{}@", replica.port());
        for other in (0..self.primaries).filter(|other| *other != index) {
            let node = &self.nodes[other];
            let knows = async || {
                let nodes = node.command("CLUSTER NODES").await;
                nodes.lines().any(|line| line.contains(&address) && line.contains(" master "))
            };
            until(knows).await;
        }
    }

    /// Announces the move of a slot from one primary to another: keys that are gone from the old
    /// node are from now on asked for at the new one (`ASK`).
    pub async fn begin_migration(&self, slot: u16, from: usize, to: usize) {
        let (source, target) = (&self.nodes[from], &self.nodes[to]);
        let (source_id, target_id) =
            (source.command("CLUSTER MYID").await, target.command("CLUSTER MYID").await);
        expect_ok(target, &format!("CLUSTER SETSLOT {slot} IMPORTING {source_id}")).await;
        expect_ok(source, &format!("CLUSTER SETSLOT {slot} MIGRATING {target_id}")).await;
    }

    /// Moves the slot's keys, then the slot (`MOVED`).
    pub async fn end_migration(&self, slot: u16, from: usize, to: usize) {
        let (source, target) = (&self.nodes[from], &self.nodes[to]);
        let target_id = target.command("CLUSTER MYID").await;
        loop {
            let keys = source.command(&format!("CLUSTER GETKEYSINSLOT {slot} 100")).await;
            if keys.is_empty() {
                break;
            }
            for key in keys.lines() {
                let moved = source
                    .command(&format!("MIGRATE 127.0.0.1 {} \"{key}\" 0 5000", target.port()))
                    .await;
                assert!(["OK", "NOKEY"].contains(&moved.as_str()), "{moved}");
            }
        }
        for node in [target, source] {
            expect_ok(node, &format!("CLUSTER SETSLOT {slot} NODE {target_id}")).await;
        }
    }
}

async fn says(node: &PrivateRedis, question: &str, words: &[&str]) {
    until(async || {
        let answer = node.command(question).await;
        words.iter().all(|word| answer.lines().any(|line| line.trim() == *word))
    })
    .await;
}

async fn expect_ok(node: &PrivateRedis, command: &str) {
    let answer = node.command(command).await;
    let name: String = command.chars().take(40).collect();
    assert_eq!(answer, "OK", "{name}");
}

async fn until(mut question: impl AsyncFnMut() -> bool) {
    let start = std::time::Instant::now();
    while !question().await {
        assert!(start.elapsed() < PATIENCE, "the nodes do not agree");
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn primaries_share_the_slots_and_a_replica_takes_over() {
        let mut cluster = PrivateRedisCluster::start(3, 1).await;
        assert_eq!(cluster.url().matches(',').count(), 2);
        let info = cluster.primary(2).command("CLUSTER INFO").await;
        assert!(info.contains("cluster_slots_assigned:16384"), "{info}");
        cluster.fail_over(0).await;
        let info = cluster.replica(0).command("INFO replication").await;
        assert!(info.contains("role:master"), "{info}");
    }
}
