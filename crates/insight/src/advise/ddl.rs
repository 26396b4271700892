//! The statements that make and drop an index. Nothing is spelled that the catalogue does not have.

use thiserror::Error;

use super::canon::{canonical, read_expression};
use super::recommendation::RecommendationId;
use crate::catalog::{
    Catalog, Direction, IndexKey, IndexShape, KeyPart, Method, Nulls, Table, quote_identifier,
};
use crate::fingerprint::System;

/// The longest identifier of PostgreSQL, in bytes; SQLite has no such limit.
const IDENTIFIER_BYTES_MAX: usize = 63;

/// Why no statement was made.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DdlRefused {
    /// The catalogue has no such table.
    #[error("table {table} is not in the catalogue")]
    NoSuchTable {
        /// As asked.
        table: String,
    },
    /// The table has no such column.
    #[error("table {table} has no column {column}")]
    NoSuchColumn {
        /// The table.
        table: String,
        /// As asked.
        column: String,
    },
    /// An expression or a condition that is not one over the table's columns.
    #[error("{sql:?} is no expression over columns of {table}")]
    NotAnExpression {
        /// The table.
        table: String,
        /// As asked.
        sql: String,
    },
    /// Not a plain word where one must stand: an operator class, a collation, a method.
    #[error("{word:?} is no name of a {what}")]
    NotAWord {
        /// What it should name.
        what: &'static str,
        /// As asked.
        word: String,
    },
    /// An index without keys.
    #[error("an index needs a key")]
    NoKeys,
    /// Not on SQLite: methods, operator classes, carried columns.
    #[error("SQLite has no {what}")]
    NotOnSqlite {
        /// What was asked for.
        what: &'static str,
    },
}

/// How an index is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DdlOptions {
    /// PostgreSQL: without locking writers out. Must not run in a transaction.
    pub concurrently: bool,
    /// Nothing happens if the name is taken.
    pub if_not_exists: bool,
    /// PostgreSQL: of a partitioned table, only its own definition.
    pub only_parent: bool,
}

/// A name for an index: table, columns and the recommendation's id, at most 63 bytes.
///
/// The id tells apart what the words do not, and ours from others.
#[must_use]
pub fn index_name(prefix: &str, shape: &IndexShape) -> String {
    let mut words = vec![shape.table.name.clone()];
    for key in &shape.keys {
        let text = match &key.part {
            KeyPart::Column(name) => name.as_str(),
            KeyPart::Expression(sql) => sql.as_str(),
        };
        let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
        let word: String = text.chars().map(plain).collect();
        words.push(word.split('_').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_"));
    }
    let id = RecommendationId::of(shape).to_string();
    let id = id.get(..8).unwrap_or_default();
    let mut name = format!("{prefix}{}", words.join("_")).to_ascii_lowercase();
    let room = IDENTIFIER_BYTES_MAX - id.len() - 1;
    while name.len() > room {
        name.pop();
    }
    format!("{}_{id}", name.trim_end_matches('_'))
}

/// `CREATE INDEX`, without a semicolon.
pub fn create_index(
    catalog: &Catalog,
    shape: &IndexShape,
    name: &str,
    options: DdlOptions,
) -> Result<String, DdlRefused> {
    let table = catalog
        .table(&shape.table)
        .ok_or_else(|| DdlRefused::NoSuchTable { table: shape.table.to_string() })?;
    let writer = Writer { table, system: catalog.system() };
    if shape.keys.is_empty() {
        return Err(DdlRefused::NoKeys);
    }
    let keys: Vec<String> =
        shape.keys.iter().map(|key| writer.key(key)).collect::<Result<_, _>>()?;
    let mut sql = String::from("CREATE INDEX ");
    if options.concurrently && writer.system == System::Postgres {
        sql.push_str("CONCURRENTLY ");
    }
    if options.if_not_exists {
        sql.push_str("IF NOT EXISTS ");
    }
    sql.push_str(&format!("{} ON ", quote_identifier(name)));
    match writer.system {
        System::Postgres => {
            if options.only_parent {
                sql.push_str("ONLY ");
            }
            sql.push_str(&table.name.quoted());
            if shape.method != Method::BTree {
                sql.push_str(&format!(" USING {}", word("method", shape.method.as_sql())?));
            }
        }
        // An index lies in its table's schema; the table is named without one.
        System::Sqlite => sql.push_str(&quote_identifier(&table.name.name)),
    }
    if writer.system == System::Sqlite && shape.method != Method::BTree {
        return Err(DdlRefused::NotOnSqlite { what: "index methods" });
    }
    sql.push_str(&format!(" ({})", keys.join(", ")));
    if !shape.include.is_empty() {
        if writer.system == System::Sqlite {
            return Err(DdlRefused::NotOnSqlite { what: "carried columns" });
        }
        let columns: Vec<String> =
            shape.include.iter().map(|name| writer.column(name)).collect::<Result<_, _>>()?;
        sql.push_str(&format!(" INCLUDE ({})", columns.join(", ")));
    }
    if let Some(predicate) = &shape.predicate {
        sql.push_str(&format!(" WHERE {}", writer.expression(predicate)?));
    }
    Ok(sql)
}

/// `DROP INDEX` of an index that the catalogue has, without a semicolon.
pub fn drop_index(catalog: &Catalog, table: &Table, index: &str) -> Result<String, DdlRefused> {
    let known = catalog
        .table(&table.name)
        .and_then(|table| table.indexes.iter().find(|own| own.name == index));
    if known.is_none() {
        return Err(DdlRefused::NotAWord { what: "known index", word: index.to_owned() });
    }
    let quoted = match &table.name.schema {
        Some(schema) => format!("{}.{}", quote_identifier(schema), quote_identifier(index)),
        None => quote_identifier(index),
    };
    Ok(match catalog.system() {
        System::Postgres => format!("DROP INDEX CONCURRENTLY IF EXISTS {quoted}"),
        System::Sqlite => format!("DROP INDEX IF EXISTS {quoted}"),
    })
}

struct Writer<'a> {
    table: &'a Table,
    system: System,
}

impl Writer<'_> {
    fn column(&self, name: &str) -> Result<String, DdlRefused> {
        match self.table.column(name) {
            Some(column) => Ok(quote_identifier(&column.name)),
            None => Err(DdlRefused::NoSuchColumn {
                table: self.table.name.to_string(),
                column: name.to_owned(),
            }),
        }
    }

    /// Read and written again: what is not an expression over the table's columns goes nowhere.
    fn expression(&self, sql: &str) -> Result<String, DdlRefused> {
        read_expression(sql, self.system)
            .and_then(|expr| canonical(&expr, self.table, self.system))
            .ok_or_else(|| DdlRefused::NotAnExpression {
                table: self.table.name.to_string(),
                sql: sql.to_owned(),
            })
    }

    fn key(&self, key: &IndexKey) -> Result<String, DdlRefused> {
        let mut sql = match &key.part {
            KeyPart::Column(name) => self.column(name)?,
            KeyPart::Expression(sql) => {
                let sql = self.expression(sql)?;
                if sql.starts_with('(') { sql } else { format!("({sql})") }
            }
        };
        if let Some(collation) = &key.collation {
            sql.push_str(&format!(" COLLATE {}", quote_identifier(word("collation", collation)?)));
        }
        if let Some(opclass) = &key.opclass {
            if self.system == System::Sqlite {
                return Err(DdlRefused::NotOnSqlite { what: "operator classes" });
            }
            sql.push_str(&format!(" {}", word("operator class", opclass)?));
        }
        if key.direction == Direction::Desc {
            sql.push_str(" DESC");
        }
        if key.nulls == Nulls::Opposite {
            if self.system == System::Sqlite {
                return Err(DdlRefused::NotOnSqlite {
                    what: "choice where nulls stand in an index",
                });
            }
            sql.push_str(match key.direction {
                Direction::Asc => " NULLS FIRST",
                Direction::Desc => " NULLS LAST",
            });
        }
        Ok(sql)
    }
}

/// A word of letters, digits, `_`, and, for collations, `-` and `.`.
fn word<'w>(what: &'static str, word: &'w str) -> Result<&'w str, DdlRefused> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let more = |letter: char| what == "collation" && matches!(letter, '-' | '.');
    let fits = !word.is_empty() && word.chars().all(|letter| plain(letter) || more(letter));
    fits.then_some(word).ok_or_else(|| DdlRefused::NotAWord { what, word: word.to_owned() })
}
