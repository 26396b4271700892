//! What the advisor knows of a database: tables, statistics, indexes, counters.
//!
//! Plain data, read once per run. A reader fills it from a live database; [`Catalog::from_ddl`] from
//! a file of `CREATE` statements; a test by hand. Nothing here asks the database anything.

mod column;
mod ddl;
mod index;
mod names;
mod order;
mod selectivity;
mod shape;
mod stats;
mod table;

pub use column::{Column, TypeClass};
pub use ddl::DdlError;
pub use index::{ConstraintKind, Index, Usage};
pub use names::{TableName, quote_identifier, quote_literal};
pub use order::{Ordinal, ordinal};
pub use selectivity::{Kept, RangeBounds, default_kept};
pub use shape::{Direction, IndexKey, IndexShape, KeyPart, Method, Nulls};
pub use stats::{ColumnStats, Common, ExtendedStatistics, StatisticsSource};
pub use table::{ForeignKey, ReferentialAction, Table, TableKind, WriteCounters};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::fingerprint::System;

/// The server, or the library, that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// Which database. The rules differ.
    pub system: System,
    /// Major version: 15 of PostgreSQL 15.18, 3 of SQLite 3.40.1.
    pub major: u32,
    /// Minor version: 18 of PostgreSQL 15.18, 40 of SQLite 3.40.1.
    pub minor: u32,
    /// As the server tells it, for the report: it names a library and its options too.
    pub description: String,
    /// Whether this is a standby: its scan counters are its own.
    pub standby: bool,
    /// How many standbys read from it. An index unused here may be used there.
    pub standbys: u32,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            system: System::Postgres,
            major: 0,
            minor: 0,
            description: String::new(),
            standby: false,
            standbys: 0,
        }
    }
}

/// How a function's result depends on things other than its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Volatility {
    /// On nothing: it may be indexed.
    Immutable,
    /// On settings or on the statement's snapshot, such as the time zone: not indexable.
    Stable,
    /// On anything: not indexable.
    Volatile,
}

/// A view: statements about it are statements about what it reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Its name.
    pub name: TableName,
    /// The query behind it, as SQL.
    pub definition: String,
}

/// An installed extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// Such as `pg_trgm`.
    pub name: String,
    /// As installed, such as `1.6`.
    pub version: String,
}

/// All that the advisor knows of one database.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    /// Who was asked.
    pub server: Server,
    /// Tables, in any order.
    pub tables: Vec<Table>,
    /// Views whose definition could be read.
    pub views: Vec<View>,
    /// Installed extensions.
    pub extensions: Vec<Extension>,
    /// Functions by lower-case name, where the database told. Built-in ones are known without.
    pub functions: BTreeMap<String, Volatility>,
    /// Schemas searched for an unqualified name, first hit wins. Empty: any schema, `public` first.
    pub search_path: Vec<String>,
    /// The collation of columns that name none. `None`: unknown, taken as not `C`.
    pub default_collation: Option<String>,
    /// How long ago the counters began to count. `None`: unknown.
    pub counters_age_seconds: Option<u64>,
}

impl Catalog {
    /// The table of that name: of the schema given, else of the search path.
    #[must_use]
    pub fn table(&self, name: &TableName) -> Option<&Table> {
        let named = || self.tables.iter().filter(|table| table.name.name == name.name);
        if name.schema.is_some() {
            // What was defined without a schema lies in the default one.
            return named().find(|table| table.name == *name).or_else(|| {
                let in_default = name.is_in_default_schema();
                named().find(|table| in_default && table.name.schema.is_none())
            });
        }
        if self.search_path.is_empty() {
            return named().find(|table| table.name.is_in_default_schema()).or(named().next());
        }
        named().find(|table| table.name.schema.is_none()).or_else(|| {
            self.search_path.iter().find_map(|schema| {
                named().find(|table| table.name.schema.as_deref() == Some(schema.as_str()))
            })
        })
    }

    /// The same, to change: a reader adds what it sampled.
    #[must_use]
    pub fn table_mut(&mut self, name: &TableName) -> Option<&mut Table> {
        let full = self.table(name)?.name.clone();
        self.tables.iter_mut().find(|table| table.name == full)
    }

    /// The view of that name.
    #[must_use]
    pub fn view(&self, name: &TableName) -> Option<&View> {
        self.views.iter().find(|view| {
            view.name.name == name.name
                && (name.schema.is_none() || view.name.schema == name.schema)
        })
    }

    /// Whether an extension is installed.
    #[must_use]
    pub fn has_extension(&self, name: &str) -> bool {
        self.extensions.iter().any(|extension| extension.name == name)
    }

    /// Which database it is, which most rules ask for.
    #[must_use]
    pub fn system(&self) -> System {
        self.server.system
    }

    /// The same catalogue without statistics and counters: what it would be on an empty database.
    #[must_use]
    pub fn without_statistics(mut self) -> Self {
        for table in &mut self.tables {
            table.rows = None;
            for column in &mut table.columns {
                column.stats = None;
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_looked_up_along_the_search_path() {
        let table = |schema: Option<&str>, rows: f64| {
            let name = TableName { schema: schema.map(str::to_owned), name: "t".to_owned() };
            Table::new(name, rows, 1, Vec::new())
        };
        let mut catalog = Catalog {
            tables: vec![table(Some("b"), 1.0), table(Some("public"), 2.0), table(Some("a"), 3.0)],
            ..Catalog::default()
        };
        let rows =
            |catalog: &Catalog, name: TableName| catalog.table(&name).and_then(|one| one.rows);
        assert_eq!(rows(&catalog, TableName::bare("t")), Some(2.0));
        catalog.search_path = vec!["x".to_owned(), "a".to_owned(), "b".to_owned()];
        assert_eq!(rows(&catalog, TableName::bare("t")), Some(3.0));
        assert_eq!(rows(&catalog, TableName::new("b", "t")), Some(1.0));
        assert_eq!(rows(&catalog, TableName::new("c", "t")), None);
        catalog.search_path = vec!["x".to_owned()];
        assert_eq!(rows(&catalog, TableName::bare("t")), None);
        catalog.tables = vec![table(None, 4.0)];
        assert_eq!(rows(&catalog, TableName::new("public", "t")), Some(4.0));
        assert_eq!(rows(&catalog, TableName::new("a", "t")), None);
    }
}
