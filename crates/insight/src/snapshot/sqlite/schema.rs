//! Tables, columns, indexes and foreign keys, through SQLite's pragma functions.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use super::index::read_indexes;
use super::text::view_query;
use super::{CountRow, Found, rows};
use crate::catalog::{
    Column, ForeignKey, ReferentialAction, Table, TableKind, TableName, TypeClass, View,
    quote_literal,
};
use crate::snapshot::{SnapshotError, SnapshotOptions, is_internal};

/// A file larger than this is not read through only to learn how many pages each table has.
const SIZED_BYTES_MAX: i64 = 256 << 20;

#[derive(QueryableByName)]
struct ObjectRow {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    sql: Option<String>,
}

pub(super) fn read(
    conn: &mut SqliteConnection,
    options: &SnapshotOptions,
    notes: &mut Vec<String>,
) -> Result<Found, SnapshotError> {
    let sql = "SELECT type AS kind, name, sql FROM sqlite_schema \
               WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
               ORDER BY name";
    let objects: Vec<ObjectRow> = rows(conn, "the schema", sql)?;
    let (mut tables, mut views) = (Vec::new(), Vec::new());
    for object in objects {
        let text = object.sql.unwrap_or_default();
        if object.kind == "view" {
            if let Some(query) = view_query(&text) {
                let definition = query.to_owned();
                views.push(View { name: TableName::bare(object.name), definition });
            }
        } else if text.to_ascii_lowercase().starts_with("create virtual") {
            // Its module keeps its own indexes.
        } else if tables.len() >= options.tables_max as usize {
            notes.push(format!("Only {} tables were read.", options.tables_max));
            break;
        } else {
            tables.push(read_table(conn, &object.name, &text)?);
        }
    }
    Ok((tables, views))
}

#[derive(QueryableByName)]
struct ColumnRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    type_name: String,
    #[diesel(sql_type = Integer)]
    not_null: i32,
    #[diesel(sql_type = Integer)]
    key_place: i32,
}

fn read_table(conn: &mut SqliteConnection, name: &str, text: &str) -> Result<Table, SnapshotError> {
    let sql = format!(
        "SELECT name, type AS type_name, \"notnull\" AS not_null, pk AS key_place \
         FROM pragma_table_xinfo({}) WHERE hidden <> 1 ORDER BY cid",
        quote_literal(name)
    );
    let found: Vec<ColumnRow> = rows(conn, "the columns", &sql)?;
    let text = text.to_ascii_lowercase();
    let without_rowid = text
        .rsplit(')')
        .next()
        .is_some_and(|tail| tail.contains("without") && tail.contains("rowid"));
    let keys: Vec<&ColumnRow> = found.iter().filter(|row| row.key_place > 0).collect();
    let rowid_column = match keys.as_slice() {
        [only] if !without_rowid && only.type_name.eq_ignore_ascii_case("integer") => {
            Some(only.name.clone())
        }
        _ => None,
    };
    let columns = found
        .iter()
        .map(|row| {
            let mut column = Column::new(&row.name, &row.type_name);
            column.nullable = row.not_null == 0 && row.key_place == 0;
            column.collation = collation_of(&text, &row.name);
            // SQLite's affinity rules go by parts of the type's name.
            if column.class == TypeClass::Other {
                column.class = by_affinity(&row.type_name);
            }
            column
        })
        .collect();
    let mut table = Table {
        name: TableName::bare(name),
        kind: if without_rowid { TableKind::WithoutRowid } else { TableKind::Ordinary },
        columns,
        rowid_column,
        internal: is_internal(name),
        ..Table::default()
    };
    table.indexes = read_indexes(conn, &table)?;
    table.foreign_keys = read_foreign_keys(conn, name)?;
    Ok(table)
}

fn by_affinity(type_name: &str) -> TypeClass {
    let name = type_name.to_ascii_lowercase();
    if name.contains("int") {
        TypeClass::Integer
    } else if ["char", "clob", "text"].iter().any(|part| name.contains(part)) {
        TypeClass::Text
    } else if ["real", "floa", "doub"].iter().any(|part| name.contains(part)) {
        TypeClass::Float
    } else {
        TypeClass::Other
    }
}

/// No pragma tells a column's collation; its definition does: `name text collate nocase`.
fn collation_of(lower_text: &str, column: &str) -> Option<String> {
    let column = column.to_ascii_lowercase();
    let body = lower_text.split_once('(')?.1;
    let own = body.split(',').find(|part| {
        let first = part.split_whitespace().next().unwrap_or_default();
        first.trim_matches(['"', '`', '[', ']', '(']) == column
    })?;
    let words: Vec<&str> = own.split_whitespace().collect();
    let place = words.iter().position(|word| *word == "collate")?;
    let name = words.get(place + 1)?.trim_matches(|c: char| !c.is_alphanumeric() && c != '_');
    Some(name.to_ascii_uppercase()).filter(|name| name != "BINARY")
}

#[derive(QueryableByName)]
struct ForeignKeyRow {
    #[diesel(sql_type = Integer)]
    id: i32,
    #[diesel(sql_type = Text)]
    parent: String,
    #[diesel(sql_type = Text)]
    child_column: String,
    #[diesel(sql_type = Nullable<Text>)]
    parent_column: Option<String>,
    #[diesel(sql_type = Text)]
    on_delete: String,
}

fn read_foreign_keys(
    conn: &mut SqliteConnection,
    table: &str,
) -> Result<Vec<ForeignKey>, SnapshotError> {
    // Without columns named, the parent's primary key is meant.
    let sql = format!(
        "SELECT f.id, f.\"table\" AS parent, f.\"from\" AS child_column, \
                coalesce(f.\"to\", (SELECT name FROM pragma_table_info(f.\"table\") WHERE pk = f.seq + 1)) \
                AS parent_column, f.on_delete \
         FROM pragma_foreign_key_list({}) f ORDER BY f.id, f.seq",
        quote_literal(table)
    );
    let mut keys: BTreeMap<i32, ForeignKey> = BTreeMap::new();
    for row in rows::<ForeignKeyRow>(conn, "the foreign keys", &sql)? {
        let key = keys.entry(row.id).or_insert_with(|| ForeignKey {
            name: format!("{table} to {} ({})", row.parent, row.id),
            columns: Vec::new(),
            parent: TableName::bare(row.parent),
            parent_columns: Vec::new(),
            on_delete: match row.on_delete.as_str() {
                "CASCADE" => ReferentialAction::Cascade,
                "SET NULL" => ReferentialAction::SetNull,
                "SET DEFAULT" => ReferentialAction::SetDefault,
                _ => ReferentialAction::Refuse,
            },
        });
        key.columns.push(row.child_column);
        key.parent_columns.extend(row.parent_column);
    }
    Ok(keys.into_values().collect())
}

#[derive(QueryableByName)]
struct SizeRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    pages: i64,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

/// Pages and bytes by table or index. Empty where the library cannot tell or the file is large.
pub(super) fn read_sizes(
    conn: &mut SqliteConnection,
) -> Result<BTreeMap<String, (u64, u64)>, SnapshotError> {
    let sql = "SELECT page_count * page_size AS count FROM pragma_page_count(), pragma_page_size()";
    let bytes: Vec<CountRow> = rows(conn, "the file's size", sql)?;
    let able = "SELECT sqlite_compileoption_used('ENABLE_DBSTAT_VTAB') AS count";
    let able: Vec<CountRow> = rows(conn, "the options", able)?;
    if able.iter().any(|row| row.count == 0) || bytes.iter().any(|row| row.count > SIZED_BYTES_MAX)
    {
        return Ok(BTreeMap::new());
    }
    let sql = "SELECT name, pageno AS pages, pgsize AS bytes FROM dbstat WHERE aggregate = TRUE";
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    let sizes: Vec<SizeRow> = rows(conn, "the sizes", sql)?;
    Ok(sizes.into_iter().map(|row| (row.name, (count(row.pages), count(row.bytes)))).collect())
}

/// Sets pages and bytes, guessing from the columns' width where they could not be read.
pub(super) fn fill_sizes(table: &mut Table, sizes: &BTreeMap<String, (u64, u64)>) {
    const PAGE: f64 = 4096.0;
    if let Some((pages, bytes)) = sizes.get(&table.name.name) {
        (table.pages, table.bytes) = (*pages, *bytes);
    } else if let Some(rows) = table.rows {
        let stats = table.columns.iter().filter_map(|column| column.stats.as_ref());
        let width: f64 = stats.map(|stats| stats.avg_width + 1.0).sum();
        table.bytes = (rows * (width + 4.0) / 0.8) as u64;
        table.pages = (table.bytes as f64 / PAGE).ceil() as u64;
    }
    for index in &mut table.indexes {
        index.bytes = sizes.get(&index.name).map(|(_, bytes)| *bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_s_collation_is_found_in_the_text() {
        let text =
            "create table t(id integer primary key, name text not null collate nocase, b text)";
        assert_eq!(collation_of(text, "name").as_deref(), Some("NOCASE"));
        assert_eq!(collation_of(text, "b"), None);
    }
}
