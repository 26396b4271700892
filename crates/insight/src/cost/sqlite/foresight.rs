//! Whether a statement would run for too long, told from its plan before it is run.
//!
//! Nothing can stop SQLite within a step of a statement here: neither its interrupt nor its progress
//! handler can be reached through Diesel. So what may never end is not begun, nor is what would go
//! through far more rows than the time allows.

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};
use sqlparser::dialect::SQLiteDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

use crate::catalog::{Catalog, Table};

/// Rows that SQLite goes through in a second where it does little with each. A guess on the high
/// side: what is refused wrongly is priced from statistics, what is let through wrongly is waited for.
const ROWS_PER_SECOND: f64 = 2e7;

/// Where a plan says that a part of it feeds itself: nobody knows when that ends.
const RECURSION: &str = "RECURSIVE STEP";

#[derive(QueryableByName)]
struct Node {
    #[diesel(sql_type = Integer)]
    id: i32,
    #[diesel(sql_type = Integer)]
    parent: i32,
    #[diesel(sql_type = Text)]
    detail: String,
}

/// Whether a statement is likely to end in time. What cannot be planned cannot be run either.
pub(super) fn ends_in_time(
    conn: &mut SqliteConnection,
    catalog: &Catalog,
    sql: &str,
    run_max: Duration,
) -> bool {
    let explain = format!("EXPLAIN QUERY PLAN {sql}");
    let Ok(plan) = diesel::sql_query(explain).load::<Node>(conn) else { return true };
    if plan.iter().any(|node| node.detail == RECURSION) {
        return false;
    }
    let words = words(sql);
    let rows_of = |name: &str| {
        table_called(catalog, &words, name).and_then(|table| table.rows).unwrap_or(1.0).max(1.0)
    };
    rows_read(&plan, 0, &rows_of) <= run_max.as_secs_f64() * ROWS_PER_SECOND
}

/// Rows gone through by loops without an index under a node. Loops that stand side by side run one in
/// the other; what depends on their row runs for each of them.
fn rows_read(plan: &[Node], parent: i32, rows_of: &dyn Fn(&str) -> f64) -> f64 {
    // A node comes after its parent, always: nothing here goes around.
    let under = || plan.iter().filter(|node| node.parent == parent && node.id > parent);
    let scanned = |node: &Node| scanned(&node.detail).map(rows_of);
    let looped: f64 = under().filter_map(scanned).product();
    let inner = under().map(|node| {
        let times = if node.detail.starts_with("CORRELATED ") { looped } else { 1.0 };
        times * rows_read(plan, node.id, rows_of)
    });
    looped + inner.filter(|rows| *rows > 1.0).sum::<f64>()
}

/// What a node goes through from end to end. The one value of `max(a)` is searched for too, as SQLite
/// says it, and without an index that is no less.
fn scanned(detail: &str) -> Option<&str> {
    let detail = detail.strip_suffix(" LEFT-JOIN").unwrap_or(detail);
    match detail.strip_prefix("SCAN ") {
        Some(scan) => scan.split(" USING ").next(),
        None => detail.strip_prefix("SEARCH ").filter(|search| !search.contains(" USING ")),
    }
}

/// The words of a statement in order, without `AS`, and with something empty for each sign.
fn words(sql: &str) -> Vec<String> {
    let tokens = Tokenizer::new(&SQLiteDialect {}, sql).tokenize().unwrap_or_default();
    let word = |token| match token {
        Token::Word(word) if word.value.eq_ignore_ascii_case("as") => None,
        Token::Word(word) => Some(word.value),
        Token::Whitespace(_) => None,
        _ => Some(String::new()),
    };
    tokens.into_iter().filter_map(word).collect()
}

/// The table that a plan calls so: by its own name, or by one that stands behind it.
fn table_called<'c>(catalog: &'c Catalog, words: &[String], name: &str) -> Option<&'c Table> {
    let is_named = |table: &&Table| table.name.name.eq_ignore_ascii_case(name);
    let is_alias = |table: &&Table| {
        words.windows(2).any(|pair| {
            pair[0].eq_ignore_ascii_case(&table.name.name) && pair[1].eq_ignore_ascii_case(name)
        })
    };
    catalog.tables.iter().find(is_named).or_else(|| catalog.tables.iter().find(is_alias))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Column, TableName};
    use diesel::connection::SimpleConnection;

    /// A million rows and ten, as far as anybody is told.
    fn ends(sql: &str) -> bool {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        let schema = "CREATE TABLE large (id INTEGER PRIMARY KEY, a); \
                      CREATE TABLE small (id INTEGER PRIMARY KEY, a); \
                      CREATE VIEW endless AS WITH RECURSIVE n(i) AS \
                      (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n;";
        conn.batch_execute(schema).unwrap();
        let table = |name, rows| {
            let columns = ["id", "a"].map(|name| Column::new(name, "integer")).to_vec();
            Table::new(TableName::bare(name), rows, 100, columns)
        };
        let tables = vec![table("large", 1e6), table("small", 10.0)];
        let catalog = Catalog { tables, ..Catalog::default() };
        ends_in_time(&mut conn, &catalog, sql, Duration::from_secs(5))
    }

    #[test]
    fn what_feeds_itself_is_not_begun() {
        assert!(!ends(
            "SELECT count(*) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL \
             SELECT i + 1 FROM n WHERE i < '~no such value~') SELECT i FROM n)"
        ));
        assert!(!ends("SELECT i FROM endless LIMIT 3"), "a view may hide it");
        assert!(ends("SELECT i FROM (WITH n(i) AS (SELECT 1) SELECT i FROM n)"));
    }

    #[test]
    fn loops_in_loops_are_not_begun_if_they_are_long() {
        assert!(ends("SELECT count(*) FROM large"));
        assert!(ends("SELECT count(*) FROM large, small WHERE large.a > small.a"));
        assert!(ends("SELECT count(*) FROM large AS l JOIN large AS m ON l.a = m.id"));
        assert!(!ends("SELECT count(*) FROM large AS l, large m WHERE l.a > m.a"));
        assert!(!ends("SELECT (SELECT max(o.a) FROM large AS o WHERE o.a < l.a) FROM large AS l"));
        assert!(!ends("SELECT count(*) FROM large AS l LEFT JOIN large m ON l.a > m.a"));
        assert!(ends("SELECT (SELECT max(o.a) FROM large AS o) FROM large AS l"));
        assert!(ends("nothing that can be planned"));
    }
}
