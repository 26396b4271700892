//! Recommended indexes as a script for a person, or as Diesel migrations.

use super::name_of;
use crate::advise::{DdlOptions, DdlRefused, create_index};
use crate::catalog::{Catalog, IndexShape, KeyPart, TableName, quote_identifier};
use crate::fingerprint::System;

/// How every one of them is built: writers go on, and a repeated run does nothing.
pub(super) const BUILD: DdlOptions =
    DdlOptions { concurrently: true, if_not_exists: true, only_parent: false };

/// The statements of a script, to be run one by one outside a transaction, as `psql -f` does.
pub fn script(catalog: &Catalog, shapes: &[IndexShape]) -> Result<String, DdlRefused> {
    let mut text = String::new();
    if catalog.system() == System::Postgres {
        text.push_str("SET lock_timeout = '2s';\n");
    }
    for shape in shapes {
        text.push_str(&create_index(catalog, shape, &name_of(shape), BUILD)?);
        text.push_str(";\n");
    }
    for table in analysed(catalog.system(), shapes) {
        text.push_str(&format!("ANALYZE {};\n", table.quoted()));
    }
    Ok(text)
}

/// Tables to analyse afterwards: those with a new expression, whose statistics start empty. SQLite
/// takes an index for better than it is until it has been analysed, so there it is all of them.
pub(super) fn analysed(system: System, shapes: &[IndexShape]) -> Vec<TableName> {
    let is_new = |shape: &&IndexShape| {
        system == System::Sqlite
            || shape.keys.iter().any(|key| matches!(key.part, KeyPart::Expression(_)))
    };
    let mut tables: Vec<TableName> =
        shapes.iter().filter(is_new).map(|shape| shape.table.clone()).collect();
    tables.sort();
    tables.dedup();
    tables
}

/// A Diesel migration: the files of one folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// The folder's name, such as `2025-01-01-000000_gix_...`.
    pub folder: String,
    /// `up.sql`.
    pub up: String,
    /// `down.sql`.
    pub down: String,
    /// `metadata.toml`, where one is needed.
    pub metadata: Option<String>,
}

/// One migration for each index: PostgreSQL builds concurrently only outside a transaction and only
/// where the statement is sent by itself, and Diesel sends a file as one.
///
/// `version` is the date that the folders' names begin with; they are numbered behind it.
pub fn migrations(
    catalog: &Catalog,
    shapes: &[IndexShape],
    version: &str,
) -> Result<Vec<Migration>, DdlRefused> {
    let is_postgres = catalog.system() == System::Postgres;
    let concurrently = if is_postgres { "CONCURRENTLY " } else { "" };
    let one = |(place, shape): (usize, &IndexShape)| {
        let name = name_of(shape);
        let schema = catalog.table(&shape.table).and_then(|table| table.name.schema.as_deref());
        let full = match schema {
            Some(schema) => format!("{}.{}", quote_identifier(schema), quote_identifier(&name)),
            None => quote_identifier(&name),
        };
        Ok(Migration {
            up: format!("{};\n", create_index(catalog, shape, &name, BUILD)?),
            down: format!("DROP INDEX {concurrently}IF EXISTS {full};\n"),
            folder: format!("{version}-{place:06}_{name}"),
            metadata: is_postgres.then(|| "run_in_transaction = false\n".to_owned()),
        })
    };
    shapes.iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Column, IndexKey, Table};

    fn catalog() -> Catalog {
        let columns = vec![Column::new("a", "bigint"), Column::new("b", "text")];
        let table = Table::new(TableName::new("public", "t"), 1e6, 10_000, columns);
        Catalog { tables: vec![table], ..Catalog::default() }
    }

    fn shapes() -> [IndexShape; 2] {
        let table = TableName::new("public", "t");
        let plain = IndexShape::btree(table, ["a"]);
        let expression =
            IndexShape { keys: vec![IndexKey::expression("lower(b)")], ..plain.clone() };
        [plain, expression]
    }

    #[test]
    fn a_migration_runs_outside_a_transaction_and_one_statement_a_file() {
        let made = migrations(&catalog(), &shapes(), "2025-01-01").unwrap();
        assert_eq!(made[1].metadata.as_deref(), Some("run_in_transaction = false\n"));
        assert!(made.iter().all(|m| m.up.matches(';').count() == 1));
        assert!(
            made.iter()
                .all(|m| m.down.starts_with("DROP INDEX CONCURRENTLY IF EXISTS \"public\"."))
        );
        assert_ne!(made[0].folder, made[1].folder);
    }

    #[test]
    fn a_script_limits_the_wait_and_analyses_expressions() {
        let text = script(&catalog(), &shapes()).unwrap();
        assert!(text.starts_with("SET lock_timeout"), "{text}");
        assert_eq!(text.matches("CREATE INDEX CONCURRENTLY IF NOT EXISTS").count(), 2, "{text}");
        assert!(text.ends_with("ANALYZE \"public\".\"t\";\n"), "{text}");
    }

    #[test]
    fn what_the_catalogue_does_not_know_is_not_rendered() {
        let unknown = IndexShape::btree(TableName::bare("t"), ["a", "b\" desc"]);
        assert!(script(&catalog(), &[unknown]).is_err());
    }
}
