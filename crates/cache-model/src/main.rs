//! Checks the rows and prints one table: what was tried, how many states, what was found.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use comfy_table::{CellAlignment, Table, presets};
use guildhall_cache_model::{Breaches, Cell, Report, Row, explore, table};

/// Checks the cache protocol by trying every interleaving of small cases.
#[derive(Parser)]
#[command(name = "cache-model")]
struct Args {
    /// Only these rows.
    rows: Vec<String>,
    /// The large cells too, which take minutes.
    #[arg(long)]
    all: bool,
    /// Prints a shortest way to everything that is found.
    #[arg(long)]
    trace: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let asked = |row: &Row| args.rows.is_empty() || args.rows.iter().any(|name| name == row.name);
    let mut lines = Table::new();
    lines.load_style(presets::ASCII_MARKDOWN);
    lines.set_header(["row", "", "cell", "states", "seconds", "found", ""]);
    for at in [3, 4] {
        if let Some(column) = lines.column_mut(at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let (mut states, mut wrong, begun) = (0, 0, Instant::now());
    for row in table().iter().filter(|row| asked(row)) {
        for cell in row.cells.iter().filter(|cell| args.all || !cell.large) {
            let (report, took) = timed(cell);
            states += report.states;
            let verdict = verdict(cell.expected, report.breaches);
            wrong += usize::from(!verdict.is_empty());
            if args.trace {
                retell(row, cell, &report);
            }
            lines.add_row([
                row.name.to_owned(),
                row.about.to_owned(),
                cell.name.to_owned(),
                report.states.to_string(),
                format!("{:.1}", took.as_secs_f64()),
                report.breaches.to_string(),
                verdict,
            ]);
        }
    }
    println!("{lines}");
    println!("{states} states in {:.0} s, {wrong} not as expected", begun.elapsed().as_secs_f64());
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn timed(cell: &Cell) -> (Report, Duration) {
    let begun = Instant::now();
    (explore(cell), begun.elapsed())
}

fn verdict(expected: Breaches, found: Breaches) -> String {
    if expected == found { String::new() } else { format!("EXPECTED {expected}") }
}

fn retell(row: &Row, cell: &Cell, report: &Report) {
    for found in &report.counterexamples {
        println!("{} {}, {}: {}", row.name, row.about, cell.name, found.breach);
        found.steps.iter().for_each(|step| println!("    {step}"));
    }
}
