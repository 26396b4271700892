//! The rules, on a catalogue made up for them: a lending library.

mod candidates;
mod hygiene;
mod library;
mod postgres;
mod properties;
mod refusals;
mod rewrites;
mod sqlite;
mod workloads;

use super::{Advice, Limits, Refusal, Rewrite, advise};
use crate::catalog::{Catalog, Index};
use crate::workload::{Statement, Workload};

/// Advice for one statement.
fn ask(catalog: &Catalog, sql: &str) -> Advice {
    ask_for(catalog, Statement::new(sql))
}

fn ask_for(catalog: &Catalog, statement: Statement) -> Advice {
    let workload = Workload { statements: vec![statement], ..Workload::default() };
    let advice = advise(catalog, &workload, &Limits::default());
    assert!(advice.parsed.not_understood.is_empty(), "{:?}", advice.parsed);
    advice
}

/// The candidates as text, first choices before alternatives.
fn shapes(advice: &Advice) -> Vec<String> {
    let mut ranked: Vec<(u8, String)> = advice
        .candidates
        .iter()
        .map(|one| {
            (one.serves.iter().map(|own| own.rank).min().unwrap_or(0), one.shape.to_string())
        })
        .collect();
    ranked.sort();
    ranked.into_iter().map(|(_, shape)| shape).collect()
}

#[track_caller]
fn proposes(catalog: &Catalog, sql: &str, expected: &[&str]) {
    let advice = ask(catalog, sql);
    assert_eq!(shapes(&advice), expected, "{sql}\n{:#?}", advice.rejected);
}

/// No candidate, and the one reason.
#[track_caller]
fn refuses(catalog: &Catalog, sql: &str) -> Refusal {
    refused(&ask(catalog, sql))
}

#[track_caller]
fn refused(advice: &Advice) -> Refusal {
    assert_eq!(shapes(advice), [""; 0]);
    let reasons: Vec<&Refusal> = advice.rejected.iter().map(|one| &one.why).collect();
    let first = reasons.first().copied().cloned();
    first.unwrap_or_else(|| panic!("no candidate, and no reason"))
}

fn rewrites(advice: &Advice) -> Vec<&Rewrite> {
    advice.rewrites.iter().map(|one| &one.rewrite).collect()
}

/// The catalogue with an index more.
fn with(mut catalog: Catalog, index: Index) -> Catalog {
    let table = catalog.table_mut(&index.shape.table.clone()).unwrap();
    table.indexes.push(index);
    catalog
}
