//! The server itself: version, extensions, views, functions, settings.

use std::collections::BTreeMap;

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Nullable, Text};
use diesel_async::AsyncPgConnection;

use super::{rows, unsigned};
use crate::catalog::{Extension, Server, TableName, View, Volatility};
use crate::fingerprint::System;
use crate::snapshot::SnapshotError;

/// Functions and views beyond this many are not read: no statement uses that many.
const NAMES_MAX: u32 = 5_000;

#[derive(QueryableByName)]
struct ServerRow {
    #[diesel(sql_type = Integer)]
    version: i32,
    #[diesel(sql_type = Text)]
    description: String,
    #[diesel(sql_type = Bool)]
    standby: bool,
    #[diesel(sql_type = BigInt)]
    standbys: i64,
}

pub(super) async fn read(conn: &mut AsyncPgConnection) -> Result<Server, SnapshotError> {
    let sql = "SELECT current_setting('server_version_num')::int4 AS version, \
               split_part(version(), ',', 1) AS description, pg_is_in_recovery() AS standby, \
               (SELECT count(*) FROM pg_stat_replication) AS standbys";
    let found: Vec<ServerRow> = rows(conn, "the version", sql).await?;
    Ok(found.into_iter().next().map_or_else(Server::default, |row| Server {
        system: System::Postgres,
        major: u32::try_from(row.version / 10_000).unwrap_or(0),
        minor: u32::try_from(row.version % 10_000).unwrap_or(0),
        description: row.description,
        standby: row.standby,
        standbys: u32::try_from(unsigned(row.standbys)).unwrap_or(u32::MAX),
    }))
}

#[derive(QueryableByName)]
struct PairRow {
    #[diesel(sql_type = Nullable<Text>)]
    schema: Option<String>,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    value: String,
}

pub(super) async fn read_views(conn: &mut AsyncPgConnection) -> Result<Vec<View>, SnapshotError> {
    let sql = format!(
        "SELECT n.nspname::text AS schema, c.relname::text AS name, \
                pg_get_viewdef(c.oid) AS value \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind = 'v' AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') \
         ORDER BY 1, 2 LIMIT {NAMES_MAX}"
    );
    let found: Vec<PairRow> = rows(conn, "the views", &sql).await?;
    let view = |row: PairRow| View {
        name: TableName { schema: row.schema, name: row.name },
        definition: row.value.trim_end().trim_end_matches(';').trim().to_owned(),
    };
    Ok(found.into_iter().map(view).collect())
}

pub(super) async fn read_extensions(
    conn: &mut AsyncPgConnection,
) -> Result<Vec<Extension>, SnapshotError> {
    let sql = "SELECT NULL::text AS schema, extname::text AS name, extversion AS value \
               FROM pg_extension ORDER BY extname";
    let found: Vec<PairRow> = rows(conn, "the extensions", sql).await?;
    Ok(found.into_iter().map(|row| Extension { name: row.name, version: row.value }).collect())
}

/// Functions outside `pg_catalog`. Of several with one name the least dependable counts.
pub(super) async fn read_functions(
    conn: &mut AsyncPgConnection,
) -> Result<BTreeMap<String, Volatility>, SnapshotError> {
    let sql = format!(
        "SELECT NULL::text AS schema, lower(p.proname::text) AS name, \
                max(p.provolatile::text) AS value \
         FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace \
         WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND p.prokind = 'f' \
         GROUP BY lower(p.proname::text) ORDER BY 2 LIMIT {NAMES_MAX}"
    );
    let found: Vec<PairRow> = rows(conn, "the functions", &sql).await?;
    let volatility = |row: PairRow| {
        let volatility = match row.value.as_str() {
            "i" => Volatility::Immutable,
            "s" => Volatility::Stable,
            _ => Volatility::Volatile,
        };
        (row.name, volatility)
    };
    Ok(found.into_iter().map(volatility).collect())
}

#[derive(QueryableByName)]
struct PathRow {
    #[diesel(sql_type = Array<Text>)]
    path: Vec<String>,
}

pub(super) async fn read_search_path(
    conn: &mut AsyncPgConnection,
) -> Result<Vec<String>, SnapshotError> {
    let sql = "SELECT current_schemas(false)::text[] AS path";
    let found: Vec<PathRow> = rows(conn, "the search path", sql).await?;
    Ok(found.into_iter().next().map(|row| row.path).unwrap_or_default())
}

#[derive(QueryableByName)]
struct CollationRow {
    #[diesel(sql_type = Nullable<Text>)]
    collation: Option<String>,
}

/// The order of texts. With a provider of its own, `datcollate` does not say it.
pub(super) async fn read_collation(
    conn: &mut AsyncPgConnection,
) -> Result<Option<String>, SnapshotError> {
    let sql = "SELECT CASE WHEN coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') = 'c' \
                           THEN d.datcollate::text \
                           ELSE coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') \
                      END AS collation \
               FROM pg_database d WHERE d.datname = current_database()";
    let found: Vec<CollationRow> = rows(conn, "the collation", sql).await?;
    Ok(found.into_iter().next().and_then(|row| row.collation))
}

#[derive(QueryableByName)]
struct AgeRow {
    #[diesel(sql_type = Nullable<Double>)]
    seconds: Option<f64>,
}

/// Never reset is as old as the server's start at least: a crash resets too.
pub(super) async fn read_counters_age(
    conn: &mut AsyncPgConnection,
) -> Result<Option<u64>, SnapshotError> {
    let sql = "SELECT extract(epoch FROM clock_timestamp() \
                      - coalesce(stats_reset, pg_postmaster_start_time()))::float8 AS seconds \
               FROM pg_stat_database WHERE datname = current_database()";
    let found: Vec<AgeRow> = rows(conn, "the age of the counters", sql).await?;
    let seconds = found.into_iter().next().and_then(|row| row.seconds);
    Ok(seconds.map(|seconds| seconds.max(0.0) as u64))
}
