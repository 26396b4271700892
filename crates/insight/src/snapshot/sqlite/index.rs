//! Indexes: keys from the pragmas, expressions and conditions from the text, which alone has them.

use diesel::prelude::*;
use diesel::sql_types::{Integer, Nullable, Text};

use super::rows;
use super::text::without_comments;
use crate::catalog::{
    ConstraintKind, Direction, Index, IndexKey, IndexShape, KeyPart, Method, Table, quote_literal,
};
use crate::snapshot::SnapshotError;

#[derive(QueryableByName)]
struct IndexRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Integer)]
    is_unique: i32,
    #[diesel(sql_type = Text)]
    origin: String,
    #[diesel(sql_type = Integer)]
    is_partial: i32,
    #[diesel(sql_type = Nullable<Text>)]
    sql: Option<String>,
}

#[derive(QueryableByName)]
struct KeyRow {
    #[diesel(sql_type = Integer)]
    column: i32,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Integer)]
    descends: i32,
    #[diesel(sql_type = Nullable<Text>)]
    collation: Option<String>,
}

pub(super) fn read_indexes(
    conn: &mut SqliteConnection,
    table: &Table,
) -> Result<Vec<Index>, SnapshotError> {
    let sql = format!(
        "SELECT l.name, l.\"unique\" AS is_unique, l.origin, l.partial AS is_partial, s.sql \
         FROM pragma_index_list({}) l \
         LEFT JOIN sqlite_schema s ON s.type = 'index' AND s.name = l.name ORDER BY l.name",
        quote_literal(&table.name.name)
    );
    let mut indexes = Vec::new();
    for row in rows::<IndexRow>(conn, "the indexes", &sql)? {
        let sql = format!(
            "SELECT cid AS \"column\", name, \"desc\" AS descends, coll AS collation \
             FROM pragma_index_xinfo({}) WHERE key = 1 ORDER BY seqno",
            quote_literal(&row.name)
        );
        let keys: Vec<KeyRow> = rows(conn, "the keys of an index", &sql)?;
        indexes.push(index_of(row, &keys, table));
    }
    Ok(indexes)
}

fn index_of(row: IndexRow, keys: &[KeyRow], table: &Table) -> Index {
    let text = without_comments(&row.sql.unwrap_or_default());
    let parts = definition_parts(&text);
    // Without its condition, it would pass for an index of every row.
    let mut understood = row.is_partial == 0 || parts.predicate.is_some();
    let keys = keys
        .iter()
        .enumerate()
        .map(|(place, key)| {
            let part = match (&key.name, parts.keys.get(place)) {
                (Some(name), _) => KeyPart::Column(name.clone()),
                (None, _) if key.column == -1 => KeyPart::Column(
                    table.rowid_column.clone().unwrap_or_else(|| "rowid".to_owned()),
                ),
                (None, Some(text)) => KeyPart::Expression(text.clone()),
                (None, None) => {
                    understood = false;
                    KeyPart::Expression(String::new())
                }
            };
            let own = key.name.as_deref().and_then(|name| table.column(name)?.collation.clone());
            let own = own.unwrap_or_else(|| "BINARY".to_owned());
            let collation = key.collation.clone().filter(|name| !name.eq_ignore_ascii_case(&own));
            let direction = if key.descends == 1 { Direction::Desc } else { Direction::Asc };
            IndexKey { collation, direction, ..IndexKey::of(part) }
        })
        .collect();
    let shape = IndexShape {
        table: table.name.clone(),
        method: Method::BTree,
        keys,
        include: Vec::new(),
        predicate: parts.predicate,
    };
    Index {
        unique: row.is_unique == 1,
        constraint: match row.origin.as_str() {
            "pk" => Some(ConstraintKind::Primary),
            "u" => Some(ConstraintKind::Unique),
            _ => None,
        },
        understood,
        ..Index::new(row.name, shape)
    }
}

/// What the text of `CREATE INDEX` says that no pragma does.
#[derive(Debug, Default, PartialEq)]
struct Parts {
    keys: Vec<String>,
    predicate: Option<String>,
}

/// Cuts `create index i on t (a, lower(b) desc) where c` at its own commas and brackets.
fn definition_parts(text: &str) -> Parts {
    let (mut depth, mut quote, mut start) = (0_usize, None, 0);
    let mut parts = Parts::default();
    for (place, symbol) in text.char_indices() {
        match (quote, symbol) {
            (Some(open), _) if symbol == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => quote = Some(symbol),
            (None, '[') => quote = Some(']'),
            (None, '(') => {
                depth += 1;
                if depth == 1 {
                    start = place + 1;
                }
            }
            (None, ',' | ')') if depth == 1 => {
                parts.keys.push(without_order(&text[start..place]));
                start = place + 1;
                if symbol == ')' {
                    let rest = text[start..].trim();
                    let is_where =
                        rest.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("where"));
                    parts.predicate = is_where.then(|| rest[5..].trim().to_owned());
                    return parts;
                }
            }
            (None, ')') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
    }
    parts
}

fn without_order(key: &str) -> String {
    let mut key = key.trim();
    for word in ["asc", "desc"] {
        let cut = key.len().saturating_sub(word.len());
        let ends = key.get(cut..).is_some_and(|end| end.eq_ignore_ascii_case(word));
        if ends && key[..cut].ends_with(char::is_whitespace) {
            key = key[..cut].trim_end();
        }
    }
    if let Some(place) = key.to_ascii_lowercase().rfind(" collate ") {
        key = key[..place].trim_end();
    }
    key.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_an_index_is_cut_at_its_own_commas() {
        let parts = definition_parts(
            "CREATE INDEX i ON t (a, coalesce(b, ')') DESC, c collate nocase) WHERE d = ',' ",
        );
        assert_eq!(parts.keys, ["a", "coalesce(b, ')')", "c"]);
        assert_eq!(parts.predicate.as_deref(), Some("d = ','"));
        assert_eq!(definition_parts("create index i on t(a)").predicate, None);
    }

    #[test]
    fn an_index_of_some_rows_is_no_index_of_all() {
        let read = |sql: &str| {
            let row = IndexRow {
                name: "i".to_owned(),
                is_unique: 0,
                origin: "c".to_owned(),
                is_partial: 1,
                sql: Some(sql.to_owned()),
            };
            let index = index_of(row, &[], &Table::default());
            (index.understood, index.shape.predicate)
        };
        let condition = Some("b = 1".to_owned());
        assert_eq!(read("create index i on t(a) /* hot */ where b = 1"), (true, condition));
        assert_eq!(read("create index i on t(a) 'open where b = 1"), (false, None));
    }
}
