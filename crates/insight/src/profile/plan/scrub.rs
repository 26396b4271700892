//! Takes the literals out of a plan: the server writes those of the statement into its conditions.

use sqlparser::dialect::{Dialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::tokenizer::{Token, Tokenizer};

use crate::fingerprint::System;

/// A plan without literals. Costs, row counts and widths stay.
///
/// A line that cannot be read may be the beginning of a literal with line breaks, which the server
/// prints as they are. Nobody knows where it ends, so nothing after it is shown.
pub(super) fn scrub(plan: &str, system: System) -> String {
    let mut lines = Vec::new();
    let mut is_hidden = false;
    for line in plan.lines() {
        if is_hidden {
            lines.push(HIDDEN.to_owned());
        } else if let Some(scrubbed) = scrub_line(line, system) {
            lines.push(scrubbed);
        } else {
            let (indent, _) = split_indent(line);
            lines.push(format!("{indent}{HIDDEN}"));
            is_hidden = true;
        }
    }
    lines.join("\n")
}

const HIDDEN: &str = "(hidden) ";

fn split_indent(line: &str) -> (&str, &str) {
    line.split_at(line.len() - line.trim_start().len())
}

/// `None` for what cannot be read: nobody knows what in it is a value, not even of its numbers.
fn scrub_line(line: &str, system: System) -> Option<String> {
    let (indent, rest) = split_indent(line);
    // What the planner counted stands in the last parentheses of a node.
    let is_counted = |at: &usize| {
        rest.get(*at..).is_some_and(|numbers| numbers.chars().all(|c| COUNTED.contains(c)))
    };
    let numbers_at = rest.rfind("(cost=").filter(is_counted).unwrap_or(rest.len());
    let (rest, numbers) = rest.split_at(numbers_at);
    without_literals(rest, system).map(|rest| format!("{indent}{rest}{numbers}"))
}

/// All that a node's counts are written with.
const COUNTED: &str = "(cost=rowswidth.0123456789 )";

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
    fn nothing_is_shown_of_a_literal_with_line_breaks_nor_after_it() {
        let plan = "Seq Scan on notes  (cost=0.00..8.31 rows=1 width=36)\n  Filter: (body = 'a\nAlice owes 500  (cost=500)\nb'::text)\n  ->  Result";
        let expected = "Seq Scan on notes  (cost=0.00..8.31 rows=1 width=36)\n  (hidden) \n(hidden) \n(hidden) \n(hidden) ";
        assert_eq!(scrub(plan, System::Postgres), expected);
    }

    #[test]
    fn a_number_that_a_literal_begins_with_is_hidden_too() {
        let scrubbed = scrub("Filter: (body = 'a (cost=4711\nb')", System::Postgres);
        assert_eq!(scrubbed, "(hidden) \n(hidden) ");
        let whole = scrub("Filter: (body = 'a (cost=4711)'::text)", System::Postgres);
        assert_eq!(whole, "Filter: (body = ?::text)");
    }

    #[test]
    fn plans_of_sqlite_are_left_as_they_are() {
        let plan = "SEARCH users USING INDEX users_by_name (name=? AND age>?)\nSCAN t\nUSE TEMP B-TREE FOR ORDER BY";
        assert_eq!(scrub(plan, System::Sqlite), plan);
    }
}
