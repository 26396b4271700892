//! A lending library: a million loans, a hundred thousand readers.

use crate::catalog::{
    Catalog, Column, ColumnStats, Extension, ForeignKey, Index, IndexShape, ReferentialAction,
    Server, Table, TableName, WriteCounters,
};
use crate::fingerprint::System;

fn even(distinct: f64) -> ColumnStats {
    ColumnStats::distinct(distinct)
}

/// Moments over a hundred days, evenly.
fn days() -> Vec<String> {
    (0..=10)
        .map(|step| format!("2025-{:02}-{:02} 00:00:00+00", 1 + step / 3, 1 + step % 3 * 10))
        .collect()
}

fn name(name: &str, system: System) -> TableName {
    match system {
        System::Postgres => TableName::new("public", name),
        System::Sqlite => TableName::bare(name),
    }
}

fn loans(system: System) -> Table {
    let column = |name: &str, kind: &str, stats| Column::new(name, kind).with_stats(stats);
    let status = even(3.0).common(&[("back", 0.97), ("out", 0.025), ("lost", 0.005)]);
    let truth = even(2.0).common(&[("f", 0.998), ("t", 0.002)]);
    let columns = vec![
        column("id", "bigint", even(-1.0)),
        column("reader_id", "bigint", even(20_000.0).common(&[("1", 0.06)])),
        column("branch_id", "int", even(50.0).common(&[("1", 0.4)])),
        column("copy_id", "bigint", even(300_000.0)),
        column("status", "text", status),
        column("urgent", "boolean", truth),
        column("taken", "timestamptz", even(-1.0).histogram(days()).correlated(1.0)),
        column("due", "timestamptz", even(-0.9).histogram(days()).correlated(0.1)),
        column("returned", "timestamptz", even(-0.02).nulls(0.97)).nullable(),
        column("lost_at", "timestamptz", even(-0.004).nulls(0.996)).nullable(),
        Column {
            stats: Some(ColumnStats { avg_width: 120.0, ..even(-1.0) }),
            ..Column::new("note", "text")
        },
    ];
    let name = name("loans", system);
    let mut table = Table::new(name.clone(), 1_000_000.0, 20_000, columns);
    table.all_visible = Some(0.99);
    table.indexes.push(Index::primary_key("loans_pkey", IndexShape::btree(name, ["id"])));
    table
}

fn readers(system: System) -> Table {
    let column = |name: &str, kind: &str, stats| Column::new(name, kind).with_stats(stats);
    let ages: Vec<String> = (0..=10).map(|step| (step * 10).to_string()).collect();
    let columns = vec![
        column("id", "bigint", even(-1.0)),
        column("email", "text", even(-1.0)),
        column("phone", "text", even(-0.3).nulls(0.7)).nullable(),
        column("city", "text", even(400.0)),
        column("country", "text", even(40.0)),
        column("age", "int", even(100.0).histogram(ages)),
        column("joined", "timestamp", even(-1.0)),
        column("tags", "text[]", even(-0.1)),
        column("profile", "jsonb", even(-1.0)),
        column("words", "tsvector", even(-1.0)),
        column("stay", "tstzrange", even(-1.0)),
    ];
    let name = name("readers", system);
    let mut table = Table::new(name.clone(), 100_000.0, 4_000, columns);
    table.all_visible = Some(1.0);
    table.indexes.push(Index::primary_key("readers_pkey", IndexShape::btree(name, ["id"])));
    table
}

fn fines(system: System) -> Table {
    let column = |name: &str, kind: &str, stats| Column::new(name, kind).with_stats(stats);
    let columns = vec![
        column("id", "bigint", even(-1.0)),
        column("loan_id", "bigint", even(90_000.0)),
        column("amount", "numeric", even(500.0)),
        column("paid_at", "timestamptz", even(-1.0)),
    ];
    let own = name("fines", system);
    let mut table = Table::new(own.clone(), 200_000.0, 3_000, columns);
    table.all_visible = Some(1.0);
    table.indexes.push(Index::primary_key("fines_pkey", IndexShape::btree(own, ["id"])));
    table.foreign_keys.push(ForeignKey {
        name: "fines_loan".to_owned(),
        columns: vec!["loan_id".to_owned()],
        parent: name("loans", system),
        parent_columns: vec!["id".to_owned()],
        on_delete: ReferentialAction::Cascade,
    });
    table
}

fn of(system: System) -> Catalog {
    let shelves = {
        let columns = vec![Column::new("id", "int"), Column::new("room", "text")];
        Table::new(name("shelves", system), 30.0, 1, columns)
    };
    let fresh = Table {
        rows: None,
        ..Table::new(name("fresh", system), 0.0, 900, vec![Column::new("id", "int")])
    };
    Catalog {
        server: Server { system, major: 15, ..Server::default() },
        tables: vec![loans(system), readers(system), fines(system), shelves, fresh],
        ..Catalog::default()
    }
}

/// On PostgreSQL, with trigrams.
pub(super) fn postgres() -> Catalog {
    let trigrams = Extension { name: "pg_trgm".to_owned(), version: "1.6".to_owned() };
    Catalog {
        extensions: vec![trigrams],
        search_path: vec!["public".to_owned()],
        default_collation: Some("en_GB.utf8".to_owned()),
        ..of(System::Postgres)
    }
}

/// The same on SQLite: row ids, no counters.
pub(super) fn sqlite() -> Catalog {
    let mut catalog = of(System::Sqlite);
    for table in &mut catalog.tables {
        if table.indexes.pop().is_some() {
            table.rowid_column = Some("id".to_owned());
        }
        for column in &mut table.columns {
            if column.type_name == "boolean" {
                column.type_name = "integer".to_owned();
                column.class = crate::catalog::TypeClass::Integer;
                column.stats = Some(even(2.0).common(&[("0", 0.998), ("1", 0.002)]));
            }
        }
    }
    catalog
}

/// Counters as if so many rows had been written.
pub(super) fn written(catalog: &mut Catalog, table: &str, counters: WriteCounters) {
    let table = catalog.table_mut(&TableName::bare(table)).unwrap();
    table.writes = Some(counters);
}
