//! What the explorer says about what it found.

use guildhall_cache_model::{Breach, explore, table};

#[test]
fn a_counterexample_is_a_shortest_way_told_in_words() {
    let table = table();
    let row = table.iter().find(|row| row.name == "V3").expect("the row exists");
    let report = explore(&row.cells[0]);
    let found = report.counterexamples.iter().find(|found| found.breach == Breach::RestShared);
    let steps = &found.expect("an old value stays in the shared level").steps;
    let place = |what: &str| {
        let at = steps.iter().position(|step| step.contains(what));
        at.unwrap_or_else(|| panic!("no step {what:?} in {steps:#?}"))
    };
    let (loads, commits) = (place("loads v0"), place("commits v1"));
    let (changes, takes) = (place("changes nonces"), place("takes the nonces only now"));
    assert!(loads < commits && commits < changes && changes < takes, "{steps:#?}");
    assert!(steps.last().is_some_and(|step| step.ends_with("<== REST shared")), "{steps:#?}");
}

#[test]
fn the_same_cell_gives_the_same_report() {
    let table = table();
    let cell = &table[0].cells[0];
    let (first, second) = (explore(cell), explore(cell));
    assert!(first.states == second.states && first.breaches == second.breaches);
    assert!(first.states > 10_000, "{} states are too few to mean anything", first.states);
}
