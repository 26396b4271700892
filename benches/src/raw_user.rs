//! Reading a member with nothing around it: the Diesel query, and the same through tokio-postgres.

use std::time::SystemTime;

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::pg::{Pg, PgValue};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use guildhall_diesel::schema::users;
use guildhall_domain::UserId;
use tokio_postgres::types::FromSqlOwned;
use tokio_postgres::{Client, Row, Statement};

/// The SQL type of an instant.
type UtcTime = diesel::dsl::SqlTypeOf<users::created_at>;

/// An instant as the database counts it.
#[derive(Clone, Copy, Debug, FromSqlRow)]
#[expect(dead_code, reason = "decoded to be dropped")]
pub(crate) struct Micros(i64);

impl FromSql<UtcTime, Pg> for Micros {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        <i64 as FromSql<BigInt, Pg>>::from_sql(value).map(Self)
    }
}

macro_rules! user_row {
    ($($column:ident: $diesel:ty, $postgres:ty;)+) => {
        /// A row of `users` through Diesel: the columns and types of the storage's own.
        #[derive(Queryable, Selectable)]
        #[diesel(table_name = users)]
        #[expect(dead_code, reason = "decoded to be dropped")]
        pub(crate) struct DieselUser {
            $($column: $diesel,)+
        }

        /// The same through tokio-postgres.
        #[expect(dead_code, reason = "decoded to be dropped")]
        pub(crate) struct PostgresUser {
            $($column: $postgres,)+
        }

        const COLUMNS: &[&str] = &[$(stringify!($column)),+];

        impl From<Row> for PostgresUser {
            fn from(row: Row) -> Self {
                let mut columns = Columns { row, at: 0 };
                Self { $($column: columns.next(),)+ }
            }
        }
    };
}

user_row! {
    id: i64, i64;
    username: Option<String>, Option<String>;
    username_key: Option<String>, Option<String>;
    first_name: Option<String>, Option<String>;
    last_name: Option<String>, Option<String>;
    display_name: Option<String>, Option<String>;
    name_key: String, String;
    bio: Option<String>, Option<String>;
    avatar_url: Option<String>, Option<String>;
    email: Option<String>, Option<String>;
    email_key: Option<String>, Option<String>;
    email_verified: bool, bool;
    phone: Option<String>, Option<String>;
    phone_verified: bool, bool;
    language: String, String;
    is_admin: bool, bool;
    is_active: bool, bool;
    notifications_enabled: bool, bool;
    vip_kind: String, String;
    vip_expires_at: Option<Micros>, Option<SystemTime>;
    ui_state: String, String;
    last_checked_match_id: Option<String>, Option<String>;
    total_requests: i64, i64;
    last_active_at: Option<Micros>, Option<SystemTime>;
    last_login_at: Option<Micros>, Option<SystemTime>;
    last_reminder_sent_at: Option<Micros>, Option<SystemTime>;
    created_at: Micros, SystemTime;
    updated_at: Micros, SystemTime;
    deleted_at: Option<Micros>, Option<SystemTime>;
    version: i64, i64;
}

/// Columns in their order, by place: the cheapest way to ask for them.
struct Columns {
    row: Row,
    at: usize,
}

impl Columns {
    fn next<T: FromSqlOwned>(&mut self) -> T {
        self.at += 1;
        self.row.get(self.at - 1)
    }
}

/// The member by the Diesel query alone.
pub(crate) async fn by_diesel(conn: &mut AsyncPgConnection, id: UserId) -> DieselUser {
    users::table.find(id.0).select(DieselUser::as_select()).first(conn).await.unwrap()
}

/// Prepares [`by_statement`].
pub(crate) async fn prepare(client: &Client) -> Statement {
    let sql = format!("SELECT {} FROM users WHERE id = $1", COLUMNS.join(", "));
    client.prepare(&sql).await.unwrap()
}

/// The member by a prepared statement.
pub(crate) async fn by_statement(
    client: &Client,
    statement: &Statement,
    id: UserId,
) -> PostgresUser {
    client.query_one(statement, &[&id.0]).await.unwrap().into()
}
