//! Indexes, key by key from `pg_index`; never from the text of their definition.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, SmallInt, Text};
use diesel_async::AsyncPgConnection;

use super::{rows, unsigned};
use crate::catalog::{
    ConstraintKind, Direction, Index, IndexKey, IndexShape, KeyPart, Method, Nulls, Table, Usage,
};
use crate::snapshot::SnapshotError;

#[derive(QueryableByName)]
struct IndexRow {
    #[diesel(sql_type = BigInt)]
    table: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    method: String,
    #[diesel(sql_type = Bool)]
    unique: bool,
    #[diesel(sql_type = Bool)]
    valid: bool,
    #[diesel(sql_type = Bool)]
    replica_identity: bool,
    #[diesel(sql_type = Bool)]
    clustered: bool,
    #[diesel(sql_type = Nullable<Text>)]
    constraint: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    parent: Option<String>,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    scans: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    predicate: Option<String>,
    #[diesel(sql_type = SmallInt)]
    keys: i16,
    /// The column's name; null for an expression.
    #[diesel(sql_type = Array<Nullable<Text>>)]
    columns: Vec<Option<String>>,
    #[diesel(sql_type = Array<Text>)]
    definitions: Vec<String>,
    #[diesel(sql_type = Array<Nullable<Text>>)]
    opclasses: Vec<Option<String>>,
    #[diesel(sql_type = Array<Nullable<Text>>)]
    collations: Vec<Option<String>>,
    /// Bit 0: descending; bit 1: nulls first.
    #[diesel(sql_type = Array<Nullable<SmallInt>>)]
    options: Vec<Option<i16>>,
}

/// Places of keys start at 0 in `indkey` and its like, at 1 in `pg_get_indexdef`.
const SQL: &str = "\
    SELECT x.indrelid::bigint AS \"table\", c.relname::text AS name, m.amname::text AS method, \
           x.indisunique AS \"unique\", x.indisvalid AND x.indisready AS valid, \
           x.indisreplident AS replica_identity, x.indisclustered AS clustered, \
           k.contype::text AS \"constraint\", p.relname::text AS parent, \
           coalesce(CASE WHEN c.relkind = 'i' THEN pg_relation_size(c.oid) END, 0) AS bytes, \
           s.idx_scan AS scans, pg_get_expr(x.indpred, x.indrelid, true) AS predicate, \
           x.indnkeyatts AS keys, d.* \
    FROM pg_index x \
    JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_am m ON m.oid = c.relam \
    LEFT JOIN pg_constraint k \
           ON k.conindid = c.oid AND k.conrelid = x.indrelid AND k.contype IN ('p', 'u', 'x') \
    LEFT JOIN pg_stat_user_indexes s ON s.indexrelid = c.oid \
    LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent \
    CROSS JOIN LATERAL ( \
        SELECT array_agg(a.attname::text ORDER BY g.i) AS columns, \
               array_agg(pg_get_indexdef(c.oid, g.i + 1, true) ORDER BY g.i) AS definitions, \
               array_agg(CASE WHEN NOT o.opcdefault THEN o.opcname::text END ORDER BY g.i) AS opclasses, \
               array_agg(CASE WHEN l.oid <> coalesce(nullif(a.attcollation, 0), 100) \
                              THEN l.collname::text END ORDER BY g.i) AS collations, \
               array_agg(x.indoption[g.i]::int2 ORDER BY g.i) AS options \
        FROM generate_series(0, x.indnatts - 1) AS g(i) \
        LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[g.i] \
                                AND x.indkey[g.i] <> 0 \
        LEFT JOIN pg_opclass o ON o.oid = x.indclass[g.i] \
        LEFT JOIN pg_collation l ON l.oid = x.indcollation[g.i] \
    ) d ";

/// Adds the indexes, constraints' included.
pub(super) async fn read(
    conn: &mut AsyncPgConnection,
    oids: &str,
    tables: &mut [(i64, Table)],
) -> Result<(), SnapshotError> {
    let sql = format!("{SQL} WHERE x.indrelid IN ({oids}) ORDER BY x.indrelid, c.relname");
    let found: Vec<IndexRow> = rows(conn, "the indexes", &sql).await?;
    for row in found {
        if let Some((_, table)) = tables.iter_mut().find(|(oid, _)| *oid == row.table) {
            let index = index_of(row, table);
            table.indexes.push(index);
        }
    }
    Ok(())
}

fn index_of(row: IndexRow, table: &Table) -> Index {
    let keys = usize::try_from(row.keys).unwrap_or(0);
    let shape = IndexShape {
        table: table.name.clone(),
        method: Method::of(&row.method),
        keys: (0..keys).map(|place| key_of(&row, place)).collect(),
        include: row.columns.iter().skip(keys).flatten().cloned().collect(),
        predicate: row.predicate,
    };
    Index {
        unique: row.unique,
        constraint: match row.constraint.as_deref() {
            Some("p") => Some(ConstraintKind::Primary),
            Some("u") => Some(ConstraintKind::Unique),
            Some("x") => Some(ConstraintKind::Exclusion),
            _ => None,
        },
        valid: row.valid,
        replica_identity: row.replica_identity,
        clustered: row.clustered,
        partition_of: row.parent,
        bytes: Some(unsigned(row.bytes)),
        usage: row.scans.map(|scans| Usage { scans: unsigned(scans), last_scan_seconds: None }),
        ..Index::new(row.name, shape)
    }
}

fn key_of(row: &IndexRow, place: usize) -> IndexKey {
    let part = match row.columns.get(place).cloned().flatten() {
        Some(column) => KeyPart::Column(column),
        None => KeyPart::Expression(row.definitions.get(place).cloned().unwrap_or_default()),
    };
    let option = row.options.get(place).copied().flatten().unwrap_or(0);
    let (descends, nulls_first) = (option & 1 != 0, option & 2 != 0);
    IndexKey {
        part,
        opclass: row.opclasses.get(place).cloned().flatten(),
        collation: row.collations.get(place).cloned().flatten(),
        direction: if descends { Direction::Desc } else { Direction::Asc },
        // Nulls are the greatest: last when ascending, first when descending.
        nulls: if descends == nulls_first { Nulls::Default } else { Nulls::Opposite },
    }
}
