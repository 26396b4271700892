//! What the demo shows at the end.

use std::time::Duration;

use guildhall_adapter::cache::CacheStats;
use guildhall_adapter::domain::{LeaderboardMetric, LeaderboardRow};
use guildhall_adapter::repository::Ranked;
use guildhall_adapter::service::Audit;
use serde::Serialize;

use super::advice::Advice;
use super::generate::Community;
use super::load::{Doing, Load};
use super::playing::{self, Played, Step};
use crate::commands::user::Glance;
use crate::commands::{leaderboard, verify};
use crate::json::{Leaderboard, Shown, Verified};
use crate::output::{grouped, plain, right, short, table};

const METRIC: LeaderboardMetric = LeaderboardMetric::Balance;

/// Everything measured and found.
pub(crate) struct Report {
    pub(crate) database: String,
    pub(crate) community: Community,
    pub(crate) played: Played,
    /// Whose journey is shown.
    pub(crate) player: Option<String>,
    pub(crate) load: Load,
    pub(crate) cache: CacheStats,
    pub(crate) top: Ranked<LeaderboardRow>,
    pub(crate) leader: Glance,
    pub(crate) audit: Audit,
    /// `None` where the database stays.
    pub(crate) advice: Option<Advice>,
}

/// `demo`.
#[derive(Serialize)]
pub(crate) struct Told<'r> {
    database: String,
    members: u64,
    entries: u64,
    created_in_ms: u64,
    play: playing::Told,
    journey: Option<Journey<'r>>,
    load: Operations,
    latencies: Vec<Latency>,
    cache: Hits,
    leaderboard: Leaderboard,
    member: Shown,
    ledger: Verified,
    advice: Option<&'r Advice>,
}

#[derive(Serialize)]
struct Journey<'r> {
    user_id: i64,
    name: &'r str,
    steps: &'r [Step],
}

#[derive(Serialize)]
struct Operations {
    tasks: u32,
    seconds: f64,
    operations: u64,
    per_second: f64,
    reads: u64,
    writes: u64,
    refused: u64,
    failed: u64,
}

#[derive(Serialize)]
struct Latency {
    operation: &'static str,
    through: &'static str,
    count: u64,
    p50_ns: u64,
    p99_ns: u64,
}

#[derive(Serialize)]
struct Hits {
    reads: u64,
    hits: u64,
    hit_rate_bp: u64,
    statements_saved: u64,
    hit_p50_ns: u64,
    hit_p99_ns: u64,
}

impl Report {
    fn latencies(&self) -> Vec<Latency> {
        let measured = |doing: &Doing| {
            let histogram = self.load.of(*doing);
            let through = match (doing.is_write(), doing.is_uncached()) {
                (true, _) => "database and cache",
                (false, true) => "database alone",
                (false, false) => "cache",
            };
            Latency {
                operation: doing.name(),
                through,
                count: histogram.len(),
                p50_ns: histogram.value_at_quantile(0.5),
                p99_ns: histogram.value_at_quantile(0.99),
            }
        };
        Doing::ALL.iter().map(measured).filter(|latency| latency.count > 0).collect()
    }

    fn hits(&self) -> Hits {
        let total = &self.cache.total;
        // Of members, by the commonest read; other kinds of entries would mix several sizes.
        let member = self.cache.namespaces.get("user").unwrap_or(total);
        Hits {
            reads: total.reads(),
            hits: total.hits,
            hit_rate_bp: total.hit_rate_bp(),
            statements_saved: total.reads().saturating_sub(total.loads),
            hit_p50_ns: member.hit_ns.p50,
            hit_p99_ns: member.hit_ns.p99,
        }
    }

    fn operations(&self) -> Operations {
        let load = &self.load;
        let operations = load.count(|_| true);
        let writes = load.count(Doing::is_write);
        let seconds = load.took.as_secs_f64();
        Operations {
            tasks: load.tasks,
            seconds,
            operations,
            per_second: operations as f64 / seconds,
            reads: operations - writes,
            writes,
            refused: load.refused,
            failed: load.failed,
        }
    }

    fn journey(&self) -> Option<Journey<'_>> {
        let (journey, name) = (self.played.journey.as_ref()?, self.player.as_deref()?);
        Some(Journey { user_id: journey.user.0, name, steps: &journey.steps })
    }

    pub(crate) fn to_json(&self) -> Told<'_> {
        Told {
            database: self.database.clone(),
            members: self.community.members.len() as u64,
            entries: self.community.entries,
            created_in_ms: u64::try_from(self.community.took.as_millis()).unwrap_or(u64::MAX),
            play: self.played.to_json(),
            journey: self.journey(),
            load: self.operations(),
            latencies: self.latencies(),
            cache: self.hits(),
            leaderboard: Leaderboard::new(METRIC, &self.top),
            member: self.leader.to_json(),
            ledger: Verified::from(&self.audit),
            advice: self.advice.as_ref(),
        }
    }

    pub(crate) fn render(&self) -> String {
        let load = self.operations();
        let mut parts = vec![format!(
            "\n{} tasks for {:.1} s: {} operations, {} a second; {} reads, {} writes, of which \
             {} were refused by a rule.",
            load.tasks,
            load.seconds,
            grouped(load.operations),
            grouped(load.per_second as u64),
            grouped(load.reads),
            grouped(load.writes),
            grouped(load.refused),
        )];
        if let Some(failure) = &self.load.failure {
            parts.push(format!("{} operations failed, the first with: {failure}.", load.failed));
        }
        parts.push(self.latency_table());
        let hits = self.hits();
        let percent = hits.hit_rate_bp as f64 / 100.0;
        parts.push(format!(
            "The cache answered {percent:.1} % of {} reads and saved {} statements; a hit takes {} \
             (p99 {}).",
            grouped(hits.reads),
            grouped(hits.statements_saved),
            short(Duration::from_nanos(hits.hit_p50_ns)),
            short(Duration::from_nanos(hits.hit_p99_ns)),
        ));
        parts.push(format!("\nThe top ten of {}:", grouped(self.top.total)));
        parts.push(leaderboard::render(METRIC, &self.top));
        parts.push("\nWho leads:".to_owned());
        parts.push(self.leader.render());
        if let (Some(journey), Some(name)) = (&self.played.journey, &self.player) {
            parts.push(format!("\nThe journey of {}:", plain(name)));
            parts.push(journey.render());
        }
        if let Some(failure) = &self.played.failure {
            let failed = self.played.failed;
            parts.push(format!("{failed} acts of players failed, the first with: {failure}."));
        }
        if let Some(advice) = &self.advice {
            parts.push(advice.render());
        }
        parts.push(format!("\n{}\n", verify::render(&self.audit)));
        parts.join("\n")
    }

    fn latency_table(&self) -> String {
        let mut rows = table(&["operation", "through", "count", "p50", "p99"]);
        for latency in self.latencies() {
            rows.add_row([
                latency.operation.to_owned(),
                latency.through.to_owned(),
                grouped(latency.count),
                short(Duration::from_nanos(latency.p50_ns)),
                short(Duration::from_nanos(latency.p99_ns)),
            ]);
        }
        right(&mut rows, &[2, 3, 4]);
        rows.to_string()
    }
}
