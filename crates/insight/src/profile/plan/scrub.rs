//! Takes the literals out of a plan: the server writes those of the statement into its conditions.

use sqlparser::dialect::{Dialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::tokenizer::{Token, Tokenizer};

use crate::fingerprint::System;

/// A plan without literals. Costs, row counts and widths stay.
pub(super) fn scrub(plan: &str, system: System) -> String {
    let lines: Vec<String> = plan.lines().map(|line| scrub_line(line, system)).collect();
    lines.join("\n")
}

fn scrub_line(line: &str, system: System) -> String {
    let indent = line.len() - line.trim_start().len();
    let (indent, rest) = line.split_at(indent);
    // What the planner counted stands in the last parentheses of a node.
    let (rest, numbers) = match rest.rfind("(cost=") {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let counted = numbers.chars().all(|c| "(cost=rowswidth.0123456789 )".contains(c));
    let numbers = if counted { numbers } else { "" };
    match without_literals(rest, system) {
        Some(rest) => format!("{indent}{rest}{numbers}"),
        // Nobody knows what in it is a value.
        None => format!("{indent}(hidden) {numbers}"),
    }
}

fn without_literals(text: &str, system: System) -> Option<String> {
    let dialect: &dyn Dialect = match system {
        System::Postgres => &PostgreSqlDialect {},
        System::Sqlite => &SQLiteDialect {},
    };
    let tokens = Tokenizer::new(dialect, text).tokenize().ok()?;
    let mut out = String::with_capacity(text.len());
    for token in tokens {
        match token {
            Token::Word(word) => out.push_str(&Token::Word(word).to_string()),
            Token::Placeholder(name) => out.push_str(&name),
            Token::Whitespace(sqlparser::tokenizer::Whitespace::Space) => out.push(' '),
            Token::Whitespace(_) => {}
            token if is_sign(&token) => out.push_str(&token.to_string()),
            _ => out.push('?'),
        }
    }
    Some(out)
}

/// Whether a token is an operator or punctuation: what is neither is a value.
fn is_sign(token: &Token) -> bool {
    let shown = token.to_string();
    !shown.is_empty() && shown.chars().all(|c| c.is_ascii_punctuation() && !"'\"`$".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_go_and_costs_stay() {
        let plan = "Limit  (cost=0.29..8.31 rows=1 width=36)\n  ->  Index Scan using users_pkey on users u  (cost=0.29..8.31 rows=1 width=36)\n        Index Cond: (id = 4711)\n        Filter: ((email = 'planted@example.com'::text) AND (age > '-3'::integer) AND (name = $1))";
        let expected = "Limit  (cost=0.29..8.31 rows=1 width=36)\n  ->  Index Scan using users_pkey on users u  (cost=0.29..8.31 rows=1 width=36)\n        Index Cond: (id = ?)\n        Filter: ((email = ?::text) AND (age > ?::integer) AND (name = $1))";
        assert_eq!(scrub(plan, System::Postgres), expected);
    }

    #[test]
    fn what_cannot_be_read_is_hidden() {
        let line = "  Filter: (name = 'planted";
        assert_eq!(scrub(line, System::Postgres), "  (hidden) ");
        let faked = "Filter: (x = 'a (cost=planted')";
        assert!(!scrub(faked, System::Postgres).contains("planted"));
    }

    #[test]
    fn plans_of_sqlite_are_left_as_they_are() {
        let plan = "SEARCH users USING INDEX users_by_name (name=? AND age>?)\nSCAN t\nUSE TEMP B-TREE FOR ORDER BY";
        assert_eq!(scrub(plan, System::Sqlite), plan);
    }
}
