//! Advice on a workload file, from definitions alone: no database is asked.
//!
//! `cargo run -p guildhall-insight --example advise -- schema.sql workload.sql [sqlite]`
//!
//! Without arguments it advises on a small library. A table's size is told in a comment of the
//! schema, `-- rows letters: 2000000`; the rest is guessed, and the advice says so.

use std::error::Error;

use guildhall_insight::advise::{Limits, advise, recommend_by_rule};
use guildhall_insight::catalog::{Catalog, TableName};
use guildhall_insight::fingerprint::System;
use guildhall_insight::workload::read_workload;

const SCHEMA: &str = "
    -- rows letters: 2000000
    create table letters (
        id bigint primary key, reader bigint not null, sent timestamptz not null, body text);
    -- rows stamps: 4000000
    create table stamps (
        id bigint primary key, letter bigint not null references letters, worth int not null);";

const WORKLOAD: &str = "
    -- calls: 120000, mean_ms: 3.5, operation: inbox
    select * from letters where reader = $1 order by sent desc limit 20;
    -- calls: 5000, mean_ms: 20, operation: postage
    select sum(s.worth) from letters l join stamps s on s.letter = l.id where l.reader = $1;
    -- calls: 300, mean_ms: 900, operation: report
    select count(*) from letters where date_trunc('day', sent) = $1;
    -- calls: 90, mean_ms: 8, operation: tidy
    delete from letters where id = $1;";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let read = |place: usize, built_in: &str| match arguments.get(place) {
        Some(path) => std::fs::read_to_string(path),
        None => Ok(built_in.to_owned()),
    };
    let (schema, workload) = (read(0, SCHEMA)?, read(1, WORKLOAD)?);
    let sqlite = arguments.get(2).is_some_and(|system| system == "sqlite");
    let system = if sqlite { System::Sqlite } else { System::Postgres };

    let mut catalog = Catalog::from_ddl(&schema, system)?;
    sizes(&mut catalog, &schema)?;
    let workload = read_workload(&workload, system)?;
    let advice = advise(&catalog, &workload, &Limits::default());

    for caveat in &advice.caveats {
        println!("Mind: {caveat}.");
    }
    for (place, reason) in &advice.parsed.not_understood {
        println!("Statement {} was not understood: {reason}.", place + 1);
    }
    println!("\nIndexes, by rule:");
    for index in recommend_by_rule(&advice, &catalog, &workload, "app_")? {
        println!("  {};", index.ddl);
        for helped in &index.helped {
            let time = helped.total_time.map(|time| format!(", {time}")).unwrap_or_default();
            println!("      {}: {} calls{time}", helped.operations.join(", "), helped.calls);
        }
        index.caveats.iter().for_each(|caveat| println!("      {caveat}"));
    }
    println!("\nWrite otherwise:");
    for advised in &advice.rewrites {
        println!("  statement {}: {}", advised.statement + 1, advised.rewrite);
    }
    println!("\nNot proposed:");
    for rejected in &advice.rejected {
        println!("  on {}: {}", rejected.table, rejected.why);
    }
    println!("\nIndexes there are:");
    for finding in &advice.findings {
        let index = finding.index.as_deref().unwrap_or("missing");
        println!("  {}, {index}: {}", finding.table, finding.problem);
    }
    Ok(())
}

/// Reads `-- rows TABLE: NUMBER`; a page is taken to hold 50 rows.
fn sizes(catalog: &mut Catalog, schema: &str) -> Result<(), Box<dyn Error>> {
    for line in schema.lines() {
        let Some(told) = line.trim().strip_prefix("-- rows ") else { continue };
        let (name, rows) = told.split_once(':').ok_or("a size is `-- rows TABLE: NUMBER`")?;
        let rows: f64 = rows.trim().parse()?;
        let table = catalog.table_mut(&TableName::bare(name.trim()));
        let table = table.ok_or_else(|| format!("no table {}", name.trim()))?;
        table.rows = Some(rows);
        table.pages = (rows / 50.0).ceil() as u64;
    }
    Ok(())
}
