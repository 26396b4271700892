//! Columns and what kind of values they hold.

use serde::{Deserialize, Serialize};

use super::ColumnStats;

/// What the rules ask about a type: which operators it has and how its values compare.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TypeClass {
    /// `bool`.
    Boolean,
    /// Whole numbers of any width.
    Integer,
    /// `numeric`.
    Numeric,
    /// `real`, `double precision`.
    Float,
    /// `text`, `varchar`, `char`, `citext`: values under a collation.
    Text,
    /// `bytea`, `blob`.
    Bytes,
    /// `date`.
    Date,
    /// `timestamp` without time zone.
    Timestamp,
    /// `timestamp with time zone`: its calendar depends on a setting.
    TimestampTz,
    /// `time`, `interval`.
    Time,
    /// `uuid`.
    Uuid,
    /// `json`: text, without index operators.
    Json,
    /// `jsonb`.
    Jsonb,
    /// An array of a type.
    Array(Box<TypeClass>),
    /// `tsvector`.
    TsVector,
    /// `int4range` and its like.
    Range,
    /// `inet`, `cidr`.
    Network,
    /// A PostgreSQL enumeration.
    Enum,
    /// Any other: only what every type has is proposed for it.
    #[default]
    Other,
}

impl TypeClass {
    /// The class of a type's name, as either database spells it. On SQLite this is the affinity
    /// rules' neighbour: unknown names are [`Other`](Self::Other).
    #[must_use]
    pub fn of(name: &str) -> Self {
        let name = name.trim().to_ascii_lowercase();
        if let Some(element) = name.strip_suffix("[]") {
            return Self::Array(Box::new(Self::of(element)));
        }
        let base = name.split('(').next().unwrap_or_default().trim();
        let zoned = name.contains("with time zone");
        match base {
            "bool" | "boolean" => Self::Boolean,
            "smallint" | "integer" | "int" | "bigint" | "int2" | "int4" | "int8" | "serial"
            | "bigserial" | "smallserial" | "oid" | "long" | "tinyint" | "mediumint" => {
                Self::Integer
            }
            "numeric" | "decimal" | "money" => Self::Numeric,
            "real" | "double precision" | "double" | "float" | "float4" | "float8" => Self::Float,
            "text" | "varchar" | "character varying" | "char" | "character" | "bpchar"
            | "citext" | "name" | "clob" | "nvarchar" | "nchar" => Self::Text,
            "bytea" | "blob" => Self::Bytes,
            "date" => Self::Date,
            "timestamptz" | "timestamp with time zone" => Self::TimestampTz,
            "timestamp" if zoned => Self::TimestampTz,
            "timestamp" | "timestamp without time zone" | "datetime" => Self::Timestamp,
            "time" | "timetz" | "interval" | "time without time zone" | "time with time zone" => {
                Self::Time
            }
            "uuid" => Self::Uuid,
            "json" => Self::Json,
            "jsonb" => Self::Jsonb,
            "tsvector" => Self::TsVector,
            "int4range" | "int8range" | "numrange" | "tsrange" | "tstzrange" | "daterange" => {
                Self::Range
            }
            "inet" | "cidr" => Self::Network,
            _ => Self::Other,
        }
    }

    /// Whether values are compared under a collation.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text)
    }

    /// Whether it is a whole number, which a comparison with `numeric` would cast.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        matches!(self, Self::Integer)
    }

    /// Whether a btree can hold it. `json` and most geometric types have no order.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        !matches!(self, Self::Json | Self::TsVector)
    }
}

/// A column of a table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name, as stored.
    pub name: String,
    /// Its type as the database prints it, such as `character varying(40)`.
    pub type_name: String,
    /// What the rules ask about that type.
    pub class: TypeClass,
    /// Whether it may be null.
    pub nullable: bool,
    /// Its own collation; `None`: the database's default.
    pub collation: Option<String>,
    /// What the database, or a sample, knows of its values. `None`: nothing.
    pub stats: Option<ColumnStats>,
}

impl Column {
    /// A column that may not be null and of which nothing else is known.
    #[must_use]
    pub fn new(name: impl Into<String>, type_name: impl Into<String>) -> Self {
        let type_name = type_name.into();
        let class = TypeClass::of(&type_name);
        Self { name: name.into(), type_name, class, ..Self::default() }
    }

    /// The same column, which may be null.
    #[must_use]
    pub fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// The same column with statistics.
    #[must_use]
    pub fn with_stats(mut self, stats: ColumnStats) -> Self {
        self.stats = Some(stats);
        self
    }

    /// The same column under a collation of its own.
    #[must_use]
    pub fn collated(mut self, collation: impl Into<String>) -> Self {
        self.collation = Some(collation.into());
        self
    }
}
