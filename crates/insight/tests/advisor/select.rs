//! Selection against proven optima.

use guildhall_insight::select::{Item, Limits, Plan, Problem, Query, choose};

use crate::matrix::{Costs, TABLE, parse};

/// No worse than this above the proven optimum.
const GAP_MAX: f64 = 0.025;

fn problem(sizes: &[u64], queries: Vec<Costs>) -> Problem {
    let item = |&bytes: &u64| Item { bytes, upkeep: 0.0, table: 0 };
    let plan = |(items, cost)| Plan { items, cost };
    let query = |(cost, plans): Costs| Query {
        weight: 1.0,
        cost,
        plans: plans.into_iter().map(plan).collect(),
    };
    Problem {
        items: sizes.iter().map(item).collect(),
        queries: queries.into_iter().map(query).collect(),
    }
}

/// The cost left by taking what saves most per byte, one at a time, and nothing more.
fn greedy_by_bytes(problem: &Problem, budget: u64) -> f64 {
    let mut of_item: Vec<Vec<(usize, &Plan)>> = vec![Vec::new(); problem.items.len()];
    for (query, one) in problem.queries.iter().enumerate() {
        for plan in &one.plans {
            for &item in &plan.items {
                of_item[item].push((query, plan));
            }
        }
    }
    let mut held = vec![false; problem.items.len()];
    let mut bytes = 0;
    let mut costs: Vec<f64> = problem.queries.iter().map(|query| query.cost).collect();
    loop {
        let with = |item: usize| {
            let mut costs = costs.clone();
            for (query, plan) in &of_item[item] {
                if plan.items.iter().all(|&other| other == item || held[other]) {
                    costs[*query] = costs[*query].min(plan.cost);
                }
            }
            costs
        };
        let now: f64 = costs.iter().sum();
        let best = (0..held.len())
            .filter(|&item| !held[item] && bytes + problem.items[item].bytes <= budget)
            .map(|item| {
                let gain = now - with(item).iter().sum::<f64>();
                (gain / problem.items[item].bytes as f64, item)
            })
            .max_by(|a, b| a.0.total_cmp(&b.0));
        match best {
            Some((gain, item)) if gain > 0.0 => {
                costs = with(item);
                held[item] = true;
                bytes += problem.items[item].bytes;
            }
            _ => return now,
        }
    }
}

fn cost_with(problem: &Problem, held: &[usize]) -> f64 {
    let cost = |query: &Query| {
        let open = query.plans.iter().filter(|plan| plan.items.iter().all(|i| held.contains(i)));
        query.weight * open.map(|plan| plan.cost).fold(query.cost, f64::min)
    };
    problem.queries.iter().map(cost).sum()
}

/// Reads the public matrices that lie beside the repository on a developer's machine.
fn shared(name: &str) -> Option<Problem> {
    let beside = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/insight/matrices")
        .join(format!("{name}.txt"));
    let path = match std::env::var_os("INSIGHT_MATRICES") {
        Some(folder) => std::path::PathBuf::from(folder).join(format!("{name}.txt")),
        None => beside,
    };
    let text = std::fs::read_to_string(path).ok()?;
    let (sizes, queries) = parse(&text);
    Some(problem(&sizes, queries))
}

#[test]
fn the_choice_is_close_to_the_proven_optimum_on_public_matrices() {
    for (name, budgets) in TABLE {
        let Some(problem) = shared(name) else {
            println!(
                "{name}: its matrix is not on this machine, so only our own is tested; INSIGHT_MATRICES names its folder"
            );
            continue;
        };
        let before: f64 = problem.queries.iter().map(|query| query.cost).sum();
        for &(megabytes, optimum) in *budgets {
            let budget = megabytes * 1_000_000;
            let choice = choose(&problem, &Limits::bytes(budget)).unwrap();
            let left = choice.cost_after / before;
            assert!(choice.bytes <= budget, "{name} {megabytes} MB");
            assert_eq!(choice.cost_after, cost_with(&problem, &choice.chosen));
            assert!(
                left <= optimum * (1.0 + GAP_MAX),
                "{name} {megabytes} MB: {left} of {optimum}"
            );
            // The table has four digits.
            assert!(left >= optimum - 0.00006, "{name} {megabytes} MB: {left} beats the proof");
            let greedy = greedy_by_bytes(&problem, budget) / before;
            assert!(left <= greedy + 1e-12, "{name} {megabytes} MB: greedy {greedy} beats {left}");
        }
    }
}

/// Twelve candidates that overlap, pairs that only help together, a decoy with a good rate per byte.
fn small() -> Problem {
    let text = include_str!("small_matrix.txt");
    let (sizes, queries) = parse(text);
    problem(&sizes, queries)
}

/// All subsets of 12 candidates: the optimum beyond doubt.
fn optimum(problem: &Problem, budget: u64) -> f64 {
    let all = 1_u32 << problem.items.len();
    (0..all)
        .filter_map(|set| {
            let held: Vec<usize> =
                (0..problem.items.len()).filter(|item| set & (1 << item) != 0).collect();
            let bytes: u64 = held.iter().map(|&item| problem.items[item].bytes).sum();
            (bytes <= budget).then(|| cost_with(problem, &held))
        })
        .fold(f64::INFINITY, f64::min)
}

#[test]
fn the_choice_is_the_optimum_of_a_small_problem_at_every_budget() {
    let problem = small();
    let mut greedy_was_worse = 0;
    for budget in (0..=400).step_by(10) {
        let choice = choose(&problem, &Limits::bytes(budget)).unwrap();
        let best = optimum(&problem, budget);
        assert!(choice.bytes <= budget);
        assert!(
            choice.cost_after <= best * 1.005,
            "budget {budget}: {} instead of {best}",
            choice.cost_after
        );
        greedy_was_worse += u32::from(greedy_by_bytes(&problem, budget) > best * 1.05);
    }
    assert!(greedy_was_worse >= 5, "the problem is too easy: {greedy_was_worse}");
}

#[test]
fn upkeep_table_limits_and_small_gains_keep_items_out() {
    let item = |upkeep, table| Item { bytes: 10, upkeep, table };
    let query = |cost, items: Vec<usize>, after| Query {
        weight: 1.0,
        cost,
        plans: vec![Plan { items, cost: after }],
    };
    let problem = Problem {
        items: vec![item(60.0, 0), item(0.0, 0), item(0.0, 0), item(0.0, 1)],
        queries: vec![
            query(100.0, vec![0], 50.0), // Its upkeep eats the gain.
            query(100.0, vec![1], 10.0),
            query(100.0, vec![2], 20.0), // One a table.
            query(100.0, vec![3], 99.0), // Not worth it.
        ],
    };
    let limits = Limits { per_table_max_default: 1, gain_share_min: 0.01, ..Limits::bytes(1_000) };
    assert_eq!(choose(&problem, &limits).unwrap().chosen, [1]);
    let wide = choose(&problem, &Limits::bytes(1_000)).unwrap();
    assert_eq!(wide.chosen, [1, 2, 3]);
    assert_eq!(wide.marginal, [90.0, 80.0, 1.0]);
}

#[test]
fn a_set_is_taken_whole_or_not_at_all() {
    let problem = Problem {
        items: vec![Item { bytes: 10, upkeep: 0.0, table: 0 }; 3],
        queries: vec![Query {
            weight: 1.0,
            cost: 100.0,
            plans: vec![Plan { items: vec![0, 1, 2], cost: 1.0 }],
        }],
    };
    assert_eq!(choose(&problem, &Limits::bytes(29)).unwrap().chosen, Vec::<usize>::new());
    assert_eq!(choose(&problem, &Limits::bytes(30)).unwrap().chosen, [0, 1, 2]);
}

#[test]
fn a_problem_that_makes_no_sense_is_refused() {
    let query = |cost, items| Query { weight: 1.0, cost, plans: vec![Plan { items, cost: 0.0 }] };
    let mut problem = Problem { items: Vec::new(), queries: vec![query(1.0, vec![7])] };
    assert!(choose(&problem, &Limits::bytes(1)).is_err());
    problem.queries = vec![query(f64::NAN, Vec::new())];
    assert!(choose(&problem, &Limits::bytes(1)).is_err());
}
