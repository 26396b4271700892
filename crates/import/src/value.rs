//! A value of a foreign file, whatever its type: both SQLite columns and JSON fields promise little.

use std::fmt;

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::sql_types::{Nullable, Text};
use diesel::sqlite::{Sqlite, SqliteType, SqliteValue};
use guildhall_domain::{POINT_SCALE, Points};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A value as it was found.
#[derive(Clone, Debug, Default, PartialEq, FromSqlRow)]
pub(crate) enum Value {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    Real(f64),
    Text(String),
    /// A blob, of which nothing is read.
    Blob,
    /// A list with so many items.
    List(u64),
    /// An object: the names of its fields that are not null, in the order of the file.
    Object(Vec<String>),
}

impl Value {
    /// Null, or text without content.
    pub(crate) fn is_blank(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.trim().is_empty(),
            _ => false,
        }
    }

    /// A whole number; text and reals count when they are one.
    pub(crate) fn whole(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            // Beyond 2^53 a real is not exact, and would name another account.
            Self::Real(real) if real.fract() == 0.0 && real.abs() < 9e15 => Some(*real as i64),
            Self::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// As the key of a row.
    pub(crate) fn key(&self) -> Option<String> {
        match self {
            Self::Int(number) => Some(number.to_string()),
            Self::Real(real) => Some(real.to_string()),
            Self::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

/// Points from a number of whole points, rounded to hundredths half away from zero, and whether
/// more than 0.005 of a hundredth was lost. `None` when it is not a number or beyond all bounds.
pub(crate) fn points(value: &Value) -> Option<(Points, bool)> {
    match value {
        Value::Int(units) => Points::whole(*units).ok().map(|points| (points, false)),
        Value::Real(units) => {
            let scaled = units * POINT_SCALE as f64;
            // 0.145 is held as 0.14499…: what was meant as half a hundredth counts as half.
            let rounded = (scaled.abs() * (1.0 + 4.0 * f64::EPSILON)).round().copysign(scaled);
            if !rounded.is_finite() || rounded.abs() > Points::MAX.minor() as f64 {
                return None;
            }
            let points = Points::from_minor(rounded as i64).ok()?;
            Some((points, (scaled - rounded).abs() > 0.005))
        }
        Value::Text(text) => text.parse().ok().map(|points| (points, false)),
        _ => None,
    }
}

impl FromSql<Nullable<Text>, Sqlite> for Value {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        // The declared type of an SQLite column binds nobody; each value has a type of its own.
        Ok(match value.value_type() {
            None => Self::Null,
            Some(SqliteType::Integer | SqliteType::SmallInt | SqliteType::Long) => {
                Self::Int(value.read_long())
            }
            Some(SqliteType::Float | SqliteType::Double) => Self::Real(value.read_double()),
            Some(SqliteType::Text) => Self::Text(value.read_text().to_owned()),
            Some(_) => Self::Blob,
        })
    }

    fn from_nullable_sql(value: Option<SqliteValue<'_, '_, '_>>) -> deserialize::Result<Self> {
        value.map_or(Ok(Self::Null), Self::from_sql)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Real(value as f64), Value::Int))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Real(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut count = 0;
        while items.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Value::List(count))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = fields.next_key::<String>()? {
            if fields.next_value::<Option<IgnoredAny>>()?.is_some() {
                names.push(name);
            }
        }
        Ok(Value::Object(names))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_round_half_away_from_zero_and_say_what_was_lost() {
        for (units, minor, lossy) in [
            (12.5, 1250, false),
            (0.1 + 0.2, 30, false),
            (0.145, 15, true),
            (-0.145, -15, true),
            (1.005, 101, true),
            (0.004, 0, true),
            (1e12, 100_000_000_000_000, false),
            (0.010_049, 1, false),
            (0.010_06, 1, true),
        ] {
            let (points, lost) = points(&Value::Real(units)).unwrap();
            assert_eq!((points.minor(), lost), (minor, lossy), "{units}");
        }
        for units in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, 9.1e13 * 1e3] {
            assert_eq!(points(&Value::Real(units)), None, "{units}");
        }
        assert_eq!(points(&Value::Int(i64::MAX)), None);
        assert_eq!(points(&Value::Text("7.25".into())).unwrap().0.minor(), 725);
        assert_eq!(points(&Value::Null), None);
    }

    #[test]
    fn whole_numbers_are_exact_or_none() {
        assert_eq!(Value::Int(i64::MAX).whole(), Some(i64::MAX));
        assert_eq!(Value::Real(7.0).whole(), Some(7));
        assert_eq!(Value::Text(" 7 ".into()).whole(), Some(7));
        for value in [Value::Real(7.5), Value::Real(1e17), Value::Bool(true), Value::Null] {
            assert_eq!(value.whole(), None, "{value:?}");
        }
    }
}
