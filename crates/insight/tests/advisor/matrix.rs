//! Reads selection problems in AMPL data form: sizes, sets of indexes, costs of queries.

use std::collections::BTreeMap;

/// What remains at best, as a share of the cost without indexes, by problem and megabytes.
pub(crate) const TABLE: &[(&str, &[(u64, f64)])] = &[
    (
        "tpch",
        &[
            (250, 0.9895),
            (500, 0.9733),
            (1_000, 0.9548),
            (2_000, 0.8128),
            (5_000, 0.7206),
            (10_000, 0.6763),
        ],
    ),
    ("job", &[(250, 0.8653), (500, 0.7962), (1_000, 0.6336), (2_000, 0.5320), (5_000, 0.2992)]),
];

/// A query: its cost without any index, then sets of indexes and the cost with each.
pub(crate) type Costs = (f64, Vec<(Vec<usize>, f64)>);

/// Sizes of the indexes in bytes, and the queries.
pub(crate) fn parse(text: &str) -> (Vec<u64>, Vec<Costs>) {
    let mut sizes = Vec::new();
    let mut sets: Vec<Vec<usize>> = Vec::new();
    let mut queries: BTreeMap<u32, Costs> = BTreeMap::new();
    let mut asked: Vec<u32> = Vec::new();
    let mut part = "";
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(set) = line.strip_prefix("set QUERIES :=") {
            asked = set.trim_end_matches(';').split_whitespace().map(number).collect();
        } else if let Some(set) = line.strip_prefix("set indexes_per_combination[") {
            let members = set.split(":=").nth(1).expect("a set").trim_end_matches(';');
            sets.push(members.split_whitespace().map(|m| number::<usize>(m) - 1).collect());
        } else if let Some(rest) = line.strip_prefix("param ") {
            part = rest.split_whitespace().next().unwrap_or_default().trim_end_matches(':');
        } else if line == ";" {
            part = "";
        } else if part == "size" && !line.is_empty() {
            sizes.push(number(line.split_whitespace().nth(1).expect("a size")));
        } else if !part.is_empty() && line.split_whitespace().count() == 3 {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (query, set, cost) =
                (number(words[0]), number::<usize>(words[1]), number(words[2]));
            let held = queries.entry(query).or_insert((f64::NAN, Vec::new()));
            if set == 0 { held.0 = cost } else { held.1.push((sets[set].clone(), cost)) }
        }
    }
    queries.retain(|query, _| asked.contains(query));
    (sizes, queries.into_values().collect())
}

fn number<N: std::str::FromStr>(word: &str) -> N {
    word.parse().unwrap_or_else(|_| panic!("not a number: {word}"))
}
