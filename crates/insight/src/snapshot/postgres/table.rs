//! Tables, columns, foreign keys.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Double, Nullable, Text};
use diesel_async::AsyncPgConnection;

use super::{rows, unsigned};
use crate::catalog::{
    Column, ForeignKey, ReferentialAction, Table, TableKind, TableName, TypeClass, WriteCounters,
    quote_literal,
};
use crate::snapshot::{SnapshotError, SnapshotOptions, is_internal};

#[derive(QueryableByName)]
struct TableRow {
    #[diesel(sql_type = BigInt)]
    oid: i64,
    #[diesel(sql_type = Text)]
    schema: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    persistence: String,
    #[diesel(sql_type = Double)]
    rows: f64,
    #[diesel(sql_type = BigInt)]
    pages: i64,
    #[diesel(sql_type = BigInt)]
    all_visible: i64,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = Nullable<Text>)]
    parent_schema: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    parent: Option<String>,
    #[diesel(sql_type = Bool)]
    readable: bool,
    #[diesel(sql_type = Nullable<BigInt>)]
    inserted: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    updated: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    hot_updated: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    deleted: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    sequential_scans: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    index_scans: Option<i64>,
    #[diesel(sql_type = Nullable<Double>)]
    analysed: Option<f64>,
}

/// Tables by oid, the largest first, without columns.
pub(super) async fn read(
    conn: &mut AsyncPgConnection,
    options: &SnapshotOptions,
    notes: &mut Vec<String>,
) -> Result<Vec<(i64, Table)>, SnapshotError> {
    let schemas: Vec<String> = options.schemas.iter().map(|name| quote_literal(name)).collect();
    let only = match schemas.as_slice() {
        [] => "NOT (n.nspname IN ('pg_catalog', 'information_schema', 'pg_toast') \
               OR n.nspname LIKE 'pg\\_temp\\_%' OR n.nspname LIKE 'pg\\_toast\\_temp\\_%')"
            .to_owned(),
        names => format!("n.nspname IN ({})", names.join(", ")),
    };
    let limit = u64::from(options.tables_max) + 1;
    let sql = format!(
        "SELECT c.oid::bigint AS oid, n.nspname::text AS schema, c.relname::text AS name, \
                c.relkind::text AS kind, c.relpersistence::text AS persistence, \
                c.reltuples::float8 AS rows, greatest(c.relpages, 0)::bigint AS pages, \
                greatest(c.relallvisible, 0)::bigint AS all_visible, \
                coalesce(CASE WHEN c.relkind IN ('r', 'm') THEN pg_relation_size(c.oid) END, 0) AS bytes, \
                pn.nspname::text AS parent_schema, p.relname::text AS parent, \
                has_table_privilege(c.oid, 'SELECT') AS readable, \
                s.n_tup_ins AS inserted, s.n_tup_upd AS updated, s.n_tup_hot_upd AS hot_updated, \
                s.n_tup_del AS deleted, s.seq_scan AS sequential_scans, s.idx_scan AS index_scans, \
                extract(epoch FROM now() - greatest(s.last_analyze, s.last_autoanalyze))::float8 AS analysed \
         FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace \
         LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid \
         LEFT JOIN pg_inherits i ON c.relispartition AND i.inhrelid = c.oid \
         LEFT JOIN pg_class p ON p.oid = i.inhparent \
         LEFT JOIN pg_namespace pn ON pn.oid = p.relnamespace \
         WHERE c.relkind IN ('r', 'p', 'm', 'f') AND {only} \
         ORDER BY c.relpages DESC, n.nspname, c.relname LIMIT {limit}"
    );
    let mut found: Vec<TableRow> = rows(conn, "the list of tables", &sql).await?;
    if found.len() as u64 == limit {
        found.pop();
        notes.push(format!("Only the {} largest tables were read.", options.tables_max));
    }
    let hidden: Vec<&str> =
        found.iter().filter(|row| !row.readable).map(|row| row.name.as_str()).collect();
    if let [first, rest @ ..] = hidden.as_slice() {
        let others =
            if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
        notes.push(format!(
            "This role may not read {first}{others}: PostgreSQL hides the statistics of such tables."
        ));
    }
    Ok(found.into_iter().map(|row| (row.oid, table_of(row))).collect())
}

fn table_of(row: TableRow) -> Table {
    let kind = match (row.kind.as_str(), row.parent) {
        ("f", _) => TableKind::Foreign,
        ("m", _) => TableKind::MaterialisedView,
        ("p", None) => TableKind::Partitioned,
        // A partition that is itself partitioned: its parent's index reaches it through it.
        (_, Some(parent)) => {
            TableKind::PartitionOf(TableName { schema: row.parent_schema, name: parent })
        }
        _ if row.persistence == "t" => TableKind::Temporary,
        _ => TableKind::Ordinary,
    };
    let pages = unsigned(row.pages);
    let writes = row.inserted.map(|inserted| WriteCounters {
        inserted: unsigned(inserted),
        updated: unsigned(row.updated.unwrap_or(0)),
        hot_updated: unsigned(row.hot_updated.unwrap_or(0)),
        deleted: unsigned(row.deleted.unwrap_or(0)),
        sequential_scans: unsigned(row.sequential_scans.unwrap_or(0)),
        index_scans: unsigned(row.index_scans.unwrap_or(0)),
    });
    Table {
        internal: is_internal(&row.name),
        name: TableName::new(row.schema, row.name),
        kind,
        // Before version 14 a table that was never analysed has 0 rows on 0 pages.
        rows: (row.rows >= 0.0 && !(row.rows == 0.0 && pages == 0 && row.bytes > 0))
            .then_some(row.rows),
        pages,
        bytes: unsigned(row.bytes),
        all_visible: (pages > 0)
            .then(|| (unsigned(row.all_visible) as f64 / pages as f64).min(1.0)),
        writes,
        analysed_seconds_ago: row.analysed.map(|seconds| seconds.max(0.0) as u64),
        ..Table::default()
    }
}

#[derive(QueryableByName)]
struct ColumnRow {
    #[diesel(sql_type = BigInt)]
    oid: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    type_name: String,
    #[diesel(sql_type = Text)]
    type_kind: String,
    #[diesel(sql_type = Bool)]
    nullable: bool,
    #[diesel(sql_type = Nullable<Text>)]
    collation: Option<String>,
}

/// Adds the columns, in order.
pub(super) async fn read_columns(
    conn: &mut AsyncPgConnection,
    oids: &str,
    tables: &mut [(i64, Table)],
) -> Result<(), SnapshotError> {
    let sql = format!(
        "SELECT a.attrelid::bigint AS oid, a.attname::text AS name, \
                format_type(a.atttypid, a.atttypmod) AS type_name, t.typtype::text AS type_kind, \
                NOT a.attnotnull AS nullable, \
                CASE WHEN a.attcollation <> t.typcollation THEN l.collname::text END AS collation \
         FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
         LEFT JOIN pg_collation l ON l.oid = a.attcollation \
         WHERE a.attrelid IN ({oids}) AND a.attnum > 0 AND NOT a.attisdropped \
         ORDER BY a.attrelid, a.attnum"
    );
    let found: Vec<ColumnRow> = rows(conn, "the columns", &sql).await?;
    for row in found {
        let mut column = Column::new(row.name, row.type_name);
        if row.type_kind == "e" {
            column.class = TypeClass::Enum;
        }
        column.nullable = row.nullable;
        column.collation = row.collation;
        if let Some((_, table)) = tables.iter_mut().find(|(oid, _)| *oid == row.oid) {
            table.columns.push(column);
        }
    }
    Ok(())
}

#[derive(QueryableByName)]
struct ForeignKeyRow {
    #[diesel(sql_type = BigInt)]
    oid: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Array<Text>)]
    columns: Vec<String>,
    #[diesel(sql_type = Text)]
    parent_schema: String,
    #[diesel(sql_type = Text)]
    parent: String,
    #[diesel(sql_type = Array<Text>)]
    parent_columns: Vec<String>,
    #[diesel(sql_type = Text)]
    on_delete: String,
}

/// Adds the foreign keys to their children.
pub(super) async fn read_foreign_keys(
    conn: &mut AsyncPgConnection,
    oids: &str,
    tables: &mut [(i64, Table)],
) -> Result<(), SnapshotError> {
    let names = |relation: &str, keys: &str| {
        format!(
            "ARRAY(SELECT a.attname::text FROM unnest({keys}) WITH ORDINALITY AS k(attnum, place) \
             JOIN pg_attribute a ON a.attrelid = {relation} AND a.attnum = k.attnum ORDER BY k.place)"
        )
    };
    let sql = format!(
        "SELECT f.conrelid::bigint AS oid, f.conname::text AS name, {} AS columns, \
                n.nspname::text AS parent_schema, p.relname::text AS parent, {} AS parent_columns, \
                f.confdeltype::text AS on_delete \
         FROM pg_constraint f JOIN pg_class p ON p.oid = f.confrelid \
         JOIN pg_namespace n ON n.oid = p.relnamespace \
         WHERE f.contype = 'f' AND f.conrelid IN ({oids}) ORDER BY f.conrelid, f.conname",
        names("f.conrelid", "f.conkey"),
        names("f.confrelid", "f.confkey"),
    );
    let found: Vec<ForeignKeyRow> = rows(conn, "the foreign keys", &sql).await?;
    for row in found {
        let key = ForeignKey {
            name: row.name,
            columns: row.columns,
            parent: TableName::new(row.parent_schema, row.parent),
            parent_columns: row.parent_columns,
            on_delete: match row.on_delete.as_str() {
                "c" => ReferentialAction::Cascade,
                "n" => ReferentialAction::SetNull,
                "d" => ReferentialAction::SetDefault,
                _ => ReferentialAction::Refuse,
            },
        };
        if let Some((_, table)) = tables.iter_mut().find(|(oid, _)| *oid == row.oid) {
            table.foreign_keys.push(key);
        }
    }
    Ok(())
}
