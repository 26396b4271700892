//! SQL types that each database has in a form of its own, and the Rust types that go in and out.

use std::io::Write as _;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Integer, SqlType, Text};
use diesel::sqlite::Sqlite;
use guildhall_domain::{Day, Json, Timestamp};
use guildhall_repository::CursorColumn;

/// An instant: `timestamptz` in PostgreSQL, microseconds since 1970 in SQLite.
#[derive(SqlType, QueryId)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185))]
#[diesel(sqlite_type(name = "Long"))]
pub struct UtcTime;

impl diesel::sql_types::SqlOrd for UtcTime {}

/// A calendar day: `date` in PostgreSQL, `2026-01-31` in SQLite.
#[derive(SqlType, QueryId)]
#[diesel(postgres_type(oid = 1082, array_oid = 1182))]
#[diesel(sqlite_type(name = "Text"))]
pub struct CalendarDay;

/// A JSON document: `jsonb` in PostgreSQL, text in SQLite.
#[derive(SqlType, QueryId)]
#[diesel(postgres_type(oid = 3802, array_oid = 3807))]
#[diesel(sqlite_type(name = "Text"))]
pub struct JsonText;

/// A [`Timestamp`] on its way in or out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = UtcTime)]
pub(crate) struct DbTime(pub(crate) Timestamp);

/// A [`Day`] on its way in or out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = CalendarDay)]
pub(crate) struct DbDay(pub(crate) Day);

/// A [`Json`] on its way in or out.
#[derive(Clone, Debug, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = JsonText)]
pub(crate) struct DbJson(pub(crate) Json);

/// From 1970 to 2000, where PostgreSQL begins to count.
const PG_EPOCH_MICROS: i64 = 946_684_800_000_000;
const PG_EPOCH_DAYS: i32 = 10_957;

impl CursorColumn for DbTime {
    fn write(&self, text: &mut String) {
        self.0.write(text);
    }

    fn read(text: &str) -> Option<Self> {
        Timestamp::read(text).map(Self)
    }
}

impl FromSql<UtcTime, Pg> for DbTime {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let micros = <i64 as FromSql<BigInt, Pg>>::from_sql(value)?;
        let micros = micros.checked_add(PG_EPOCH_MICROS).ok_or("time out of range")?;
        Ok(Self(Timestamp::from_micros(micros)?))
    }
}

impl ToSql<UtcTime, Pg> for DbTime {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let micros = self.0.micros() - PG_EPOCH_MICROS; // Years up to 9999 leave room.
        ToSql::<BigInt, Pg>::to_sql(&micros, &mut out.reborrow())
    }
}

impl FromSql<UtcTime, Sqlite> for DbTime {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let micros = <i64 as FromSql<BigInt, Sqlite>>::from_sql(value)?;
        Ok(Self(Timestamp::from_micros(micros)?))
    }
}

impl ToSql<UtcTime, Sqlite> for DbTime {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.micros());
        Ok(IsNull::No)
    }
}

impl FromSql<CalendarDay, Pg> for DbDay {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let days = <i32 as FromSql<Integer, Pg>>::from_sql(value)?;
        let days = days.checked_add(PG_EPOCH_DAYS).ok_or("day out of range")?;
        Ok(Self(Day::from_epoch_days(days)?))
    }
}

impl ToSql<CalendarDay, Pg> for DbDay {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let days = self.0.epoch_days() - PG_EPOCH_DAYS;
        ToSql::<Integer, Pg>::to_sql(&days, &mut out.reborrow())
    }
}

impl FromSql<CalendarDay, Sqlite> for DbDay {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self(text.parse::<Day>()?))
    }
}

impl ToSql<CalendarDay, Sqlite> for DbDay {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.to_string());
        Ok(IsNull::No)
    }
}

/// The one format of `jsonb` on the wire.
const JSONB_VERSION: u8 = 1;

impl FromSql<JsonText, Pg> for DbJson {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes() {
            [JSONB_VERSION, text @ ..] => Ok(Self(Json::new(serde_json::from_slice(text)?)?)),
            _ => Err("unknown jsonb format".into()),
        }
    }
}

impl ToSql<JsonText, Pg> for DbJson {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&[JSONB_VERSION])?;
        serde_json::to_writer(out, self.0.value())?;
        Ok(IsNull::No)
    }
}

impl FromSql<JsonText, Sqlite> for DbJson {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self(Json::new(serde_json::from_str(&text)?)?))
    }
}

impl ToSql<JsonText, Sqlite> for DbJson {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.value().to_string());
        Ok(IsNull::No)
    }
}
