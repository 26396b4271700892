//! The shape of an index: of one that is there, or of one that might be.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::TableName;

/// An index method.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Method {
    /// The ordinary, ordered index; the only one on SQLite.
    #[default]
    BTree,
    /// Equality only.
    Hash,
    /// Inverted: elements of documents, arrays, texts.
    Gin,
    /// Generalised search tree.
    Gist,
    /// Space-partitioned.
    SpGist,
    /// Summaries of block ranges.
    Brin,
    /// Of an extension.
    Other(String),
}

impl Method {
    /// As it stands after `USING`.
    #[must_use]
    pub fn as_sql(&self) -> &str {
        match self {
            Self::BTree => "btree",
            Self::Hash => "hash",
            Self::Gin => "gin",
            Self::Gist => "gist",
            Self::SpGist => "spgist",
            Self::Brin => "brin",
            Self::Other(name) => name,
        }
    }

    /// From the name the database has for it.
    #[must_use]
    pub fn of(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "btree" => Self::BTree,
            "hash" => Self::Hash,
            "gin" => Self::Gin,
            "gist" => Self::Gist,
            "spgist" => Self::SpGist,
            "brin" => Self::Brin,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// What an index sorts by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum KeyPart {
    /// A column, by name.
    Column(String),
    /// An expression over columns of the table, as SQL, names unqualified and unquoted where they
    /// can be.
    Expression(String),
}

/// The direction of a key.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub enum Direction {
    /// Ascending.
    #[default]
    Asc,
    /// Descending.
    Desc,
}

/// Where nulls stand.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub enum Nulls {
    /// Where the database puts them by default: as the greatest value on PostgreSQL, as the
    /// smallest on SQLite.
    #[default]
    Default,
    /// The other end.
    Opposite,
}

/// One key of an index.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IndexKey {
    /// What it sorts by.
    pub part: KeyPart,
    /// Operator class; `None`: the type's default.
    pub opclass: Option<String>,
    /// Collation; `None`: the column's own.
    pub collation: Option<String>,
    /// Direction.
    pub direction: Direction,
    /// Where nulls stand.
    pub nulls: Nulls,
}

impl IndexKey {
    /// An ascending column.
    #[must_use]
    pub fn column(name: impl Into<String>) -> Self {
        Self::of(KeyPart::Column(name.into()))
    }

    /// An ascending expression.
    #[must_use]
    pub fn expression(sql: impl Into<String>) -> Self {
        Self::of(KeyPart::Expression(sql.into()))
    }

    /// An ascending part.
    #[must_use]
    pub fn of(part: KeyPart) -> Self {
        Self {
            part,
            opclass: None,
            collation: None,
            direction: Direction::Asc,
            nulls: Nulls::Default,
        }
    }

    /// The same key, descending.
    #[must_use]
    pub fn descending(mut self) -> Self {
        self.direction = Direction::Desc;
        self
    }

    /// The same key with an operator class.
    #[must_use]
    pub fn opclass(mut self, opclass: impl Into<String>) -> Self {
        self.opclass = Some(opclass.into());
        self
    }

    /// The same key under a collation.
    #[must_use]
    pub fn collated(mut self, collation: impl Into<String>) -> Self {
        self.collation = Some(collation.into());
        self
    }

    /// Its column, unless it is an expression.
    #[must_use]
    pub fn column_name(&self) -> Option<&str> {
        match &self.part {
            KeyPart::Column(name) => Some(name),
            KeyPart::Expression(_) => None,
        }
    }
}

/// What makes an index the index it is: two of one shape serve the same statements.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IndexShape {
    /// The table.
    pub table: TableName,
    /// The method.
    pub method: Method,
    /// The keys, in order; at least one.
    pub keys: Vec<IndexKey>,
    /// Columns carried without being sorted by.
    pub include: Vec<String>,
    /// The condition of a partial index, as SQL in the form of
    /// [`KeyPart::Expression`].
    pub predicate: Option<String>,
}

impl IndexShape {
    /// A btree over ascending columns.
    #[must_use]
    pub fn btree<S: Into<String>>(table: TableName, columns: impl IntoIterator<Item = S>) -> Self {
        let keys = columns.into_iter().map(IndexKey::column).collect();
        Self { table, method: Method::BTree, keys, include: Vec::new(), predicate: None }
    }

    /// The same shape, partial.
    #[must_use]
    pub fn filtered(mut self, predicate: impl Into<String>) -> Self {
        self.predicate = Some(predicate.into());
        self
    }

    /// Names of the key columns up to the first expression.
    #[must_use]
    pub fn leading_columns(&self) -> Vec<&str> {
        self.keys.iter().map_while(IndexKey::column_name).collect()
    }
}

impl fmt::Display for IndexKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.part {
            KeyPart::Column(name) => out.write_str(name)?,
            KeyPart::Expression(sql) => out.write_str(sql)?,
        }
        if let Some(collation) = &self.collation {
            write!(out, " collate {collation}")?;
        }
        if let Some(opclass) = &self.opclass {
            write!(out, " {opclass}")?;
        }
        match (self.direction, self.nulls) {
            (Direction::Asc, Nulls::Default) => Ok(()),
            (Direction::Desc, Nulls::Default) => out.write_str(" desc"),
            (Direction::Asc, Nulls::Opposite) => out.write_str(" nulls opposite"),
            (Direction::Desc, Nulls::Opposite) => out.write_str(" desc nulls opposite"),
        }
    }
}

/// For people: `letters (reader, sent) where (read IS NULL)`. What a database reads is made by
/// [`create_index`](crate::advise::create_index).
impl fmt::Display for IndexShape {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.table)?;
        if self.method != Method::BTree {
            write!(out, " {}", self.method.as_sql())?;
        }
        let keys: Vec<String> = self.keys.iter().map(ToString::to_string).collect();
        write!(out, " ({})", keys.join(", "))?;
        if !self.include.is_empty() {
            write!(out, " include ({})", self.include.join(", "))?;
        }
        match &self.predicate {
            Some(predicate) => write!(out, " where {predicate}"),
            None => Ok(()),
        }
    }
}
