//! How many reads are hits when there is room for few of the keys.

use std::fmt::Write as _;

use futures_util::{StreamExt, stream};

use crate::Bench;
use crate::policies::{Make, OURS, POLICIES, REFERENCES};
use crate::table::{Row, Unit};
use crate::traces::{Request, Trace};

const ROOM_PERCENT: [usize; 2] = [1, 10];
const WRITES_PERCENT: [u32; 3] = [0, 5, 20];

/// The hit ratio of every policy under the same requests, in percent.
struct Line {
    what: String,
    percent: Vec<f64>,
}

/// Rows for ours, and a table of all policies.
pub(crate) struct Ratios {
    pub(crate) rows: Vec<Row>,
    pub(crate) table: String,
}

pub(crate) async fn run(bench: Bench, traces: &[Trace]) -> Ratios {
    let mut lines = Vec::new();
    for trace in traces {
        for writes in WRITES_PERCENT {
            let requests: std::sync::Arc<[Request]> = trace.requests(writes).into();
            for room in ROOM_PERCENT {
                let capacity = (trace.keys() * room / 100).max(1);
                let runs = POLICIES.map(|(_, make)| {
                    let requests = std::sync::Arc::clone(&requests);
                    tokio::task::spawn_blocking(move || percent(make, capacity, &requests))
                });
                let percent = stream::iter(runs).buffered(bench.cores);
                let percent = percent.map(|ratio| ratio.unwrap()).collect().await;
                let what = format!(
                    "{}: room for {room} % of {} keys ({capacity}), {writes} % writes",
                    trace.name,
                    trace.keys()
                );
                lines.push(Line { what, percent });
            }
        }
    }
    Ratios { rows: lines.iter().map(row).collect(), table: table(&lines) }
}

fn percent(make: Make, capacity: usize, requests: &[Request]) -> f64 {
    let mut policy = make(capacity);
    let (mut reads, mut hits) = (0_u64, 0_u64);
    for request in requests {
        match *request {
            Request::Read(key) => {
                reads += 1;
                hits += u64::from(policy.read(key));
            }
            Request::Write(key) => policy.write(key),
        }
    }
    100.0 * hits as f64 / reads.max(1) as f64
}

fn row(line: &Line) -> Row {
    let references = POLICIES.iter().zip(&line.percent).take(REFERENCES);
    let better = references.max_by(|(_, one), (_, other)| one.total_cmp(other));
    let row = Row::once("hit_ratio", line.what.clone(), line.percent[OURS], Unit::Share);
    match better {
        Some(((name, _), percent)) => row.against_once(*name, *percent).points_below(1.0),
        None => row,
    }
}

fn table(lines: &[Line]) -> String {
    let mut text = String::from("| hit ratio, % |");
    POLICIES.iter().for_each(|(name, _)| write!(text, " {name} |").unwrap());
    text.push_str("\n|---|");
    text.push_str(&"---:|".repeat(POLICIES.len()));
    for Line { what, percent } in lines {
        write!(text, "\n| {what} |").unwrap();
        percent.iter().for_each(|percent| write!(text, " {percent:.2} |").unwrap());
    }
    text.push('\n');
    text
}
