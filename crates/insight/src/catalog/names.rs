//! Names of tables, and how names and texts stand in SQL.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A table, as the catalogue spells it: no quotes, case as stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TableName {
    /// Its schema. `None` on SQLite, and where the statement named none.
    pub schema: Option<String>,
    /// Its name.
    pub name: String,
}

impl TableName {
    /// A name without a schema.
    #[must_use]
    pub fn bare(name: impl Into<String>) -> Self {
        Self { schema: None, name: name.into() }
    }

    /// A name in a schema.
    #[must_use]
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: Some(schema.into()), name: name.into() }
    }

    pub(super) fn is_in_default_schema(&self) -> bool {
        matches!(self.schema.as_deref(), None | Some("public" | "main"))
    }

    /// The name as SQL: each part quoted, so that no name can end the identifier it stands in.
    #[must_use]
    pub fn quoted(&self) -> String {
        match &self.schema {
            Some(schema) => {
                format!("{}.{}", quote_identifier(schema), quote_identifier(&self.name))
            }
            None => quote_identifier(&self.name),
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.schema.as_deref() {
            None | Some("public" | "main") => write!(out, "{}", self.name),
            Some(schema) => write!(out, "{schema}.{}", self.name),
        }
    }
}

/// An identifier as SQL, always quoted: `we"ird` becomes `"we""ird"`.
#[must_use]
pub fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as an SQL literal: `it's` becomes `'it''s'`.
///
/// A backslash needs no escape: both databases read it as itself in a plain literal.
#[must_use]
pub fn quote_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
