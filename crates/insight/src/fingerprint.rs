//! What statement is this? Statements that differ only in their values are the same.
//!
//! The text is read as tokens, not parsed: what no parser understands still has a fingerprint.
//! Identifiers stay, with their quotes stripped; literals and placeholders become `?`, lists of
//! them `(?+)`, the rows of `VALUES` one `(?)+`, and comments and names of savepoints go.
//!
//! ```
//! use guildhall_insight::fingerprint::{System, normalise};
//!
//! let one = normalise(r#"SELECT "name" FROM "users" WHERE "id" IN ($1, $2) LIMIT $3"#, System::Postgres);
//! let two = normalise("select name from users where id in (7) -- lucky\n limit 1", System::Sqlite);
//! assert_eq!(one.text, "SELECT name FROM users WHERE id IN (?+) LIMIT ?");
//! assert_eq!(one.fingerprint, two.fingerprint);
//! assert_eq!(one.summary, "SELECT users");
//! ```

mod spell;
mod token;
mod traits;

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use xxhash_rust::xxh3::xxh3_64;

/// Which database speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum System {
    /// PostgreSQL.
    #[serde(rename = "postgresql")]
    Postgres,
    /// SQLite.
    Sqlite,
}

impl System {
    /// Its name in the conventions of OpenTelemetry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgresql",
            Self::Sqlite => "sqlite",
        }
    }
}

/// Tells statements apart that differ in more than their values: XXH3 of the normal text, so it is
/// the same in every process and on both databases. Written as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub u64);

impl Fingerprint {
    /// Of a text that [`normalise`] gave.
    pub fn of_normal(text: &str) -> Self {
        Self(xxh3_64(text.as_bytes()))
    }
}

/// What is not the 16 hexadecimal digits of a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 16 hexadecimal digits")]
pub struct NoFingerprint;

impl std::str::FromStr for Fingerprint {
    type Err = NoFingerprint;

    fn from_str(raw: &str) -> Result<Self, NoFingerprint> {
        let is_hex = raw.len() == 16 && raw.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u64::from_str_radix(raw, 16).ok().filter(|_| is_hex);
        number.map(Self).ok_or(NoFingerprint)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StatementKind {
    /// Reads: `SELECT`, `VALUES`, `TABLE`.
    Select,
    /// `INSERT`, `REPLACE`, `MERGE`.
    Insert,
    /// `UPDATE`.
    Update,
    /// `DELETE`.
    Delete,
    /// Begins, ends or marks a transaction.
    Transaction,
    /// Anything else: `CREATE`, `SET`, `PRAGMA`, several statements in one text, what is not
    /// understood.
    Other,
}

impl StatementKind {
    /// Whether it changes rows.
    pub const fn writes(self) -> bool {
        matches!(self, Self::Insert | Self::Update | Self::Delete)
    }
}

/// Where a statement takes its `LIMIT` or `OFFSET` from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Slot {
    /// Written in the text.
    Literal(u64),
    /// The bind of this number, from 0.
    Bind(u16),
}

/// A statement without its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Normal {
    /// Of [`text`](Self::text).
    pub fingerprint: Fingerprint,
    /// The normal text: no literal, no comment, no bind in it. [`NOT_UNDERSTOOD`] for what cannot
    /// even be read as tokens.
    pub text: String,
    /// What and where, such as `SELECT users`: fit for a metric's label.
    pub summary: String,
    /// What it does. A query whose `WITH` writes is what the `WITH` does.
    pub kind: StatementKind,
    /// How many rows its `VALUES` lists; 1 where there is none.
    pub batch: u32,
    /// Its outermost `LIMIT`.
    pub limit: Option<Slot>,
    /// Its outermost `OFFSET`.
    pub offset: Option<Slot>,
    /// Whether it asks for one page of a sorted list: `ORDER BY` and `LIMIT` with a range
    /// comparison or an `OFFSET`.
    pub paged: bool,
    /// Whether it is one statement, not several in one text.
    pub single: bool,
    /// How many placeholders it has.
    pub placeholders: u16,
    /// Which of its values are bound, and to what place: a hash, equal for texts whose binds stand
    /// for the same. `a = 5 AND b = ?` and `a = ? AND b = 5` have one fingerprint and differ here.
    pub(crate) binding: u64,
    /// Whether it could be read as tokens.
    pub understood: bool,
}

impl Normal {
    /// Whether it takes locks on the rows it reads: asked again, it may rightly answer otherwise.
    pub fn locks(&self) -> bool {
        let for_what = ["FOR UPDATE", "FOR no key", "FOR share", "FOR key"];
        for_what.iter().any(|lock| self.text.contains(lock))
    }
}

/// The normal text of what cannot be read as tokens, such as a string that never ends. Nothing of
/// it is shown, since nobody knows what in it is a value.
pub const NOT_UNDERSTOOD: &str = "(not understood)";

/// Brings a statement into its normal form. Costs some microseconds for a statement of usual
/// length; callers keep what they got.
pub fn normalise(sql: &str, system: System) -> Normal {
    let Some(tokens) = token::tokens(sql, system) else {
        return Normal {
            fingerprint: Fingerprint::of_normal(NOT_UNDERSTOOD),
            text: NOT_UNDERSTOOD.to_owned(),
            summary: NOT_UNDERSTOOD.to_owned(),
            kind: StatementKind::Other,
            batch: 1,
            limit: None,
            offset: None,
            paged: false,
            single: false,
            placeholders: 0,
            binding: 0,
            understood: false,
        };
    };
    let traits = traits::read(&tokens);
    let (tokens, batch) = token::collapse(tokens);
    let text = spell::spell(&tokens);
    Normal {
        fingerprint: Fingerprint::of_normal(&text),
        text,
        summary: traits.summary,
        kind: traits.kind,
        batch,
        limit: traits.limit,
        offset: traits.offset,
        paged: traits.paged,
        single: traits.single,
        placeholders: traits.placeholders,
        binding: traits.binding,
        understood: true,
    }
}

#[cfg(test)]
mod tests;
