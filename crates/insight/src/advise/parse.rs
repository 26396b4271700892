//! From text to a syntax tree. What is not understood is told apart from what is of no interest, and
//! both are counted.

mod repair;

use serde::{Deserialize, Serialize};
use sqlparser::ast::Statement as Tree;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Tokenizer;

use crate::fingerprint::System;
use crate::sql::{dialect, too_many_operators};

/// The longest statement parsed, in bytes.
pub(crate) const STATEMENT_BYTES_MAX: usize = 64 << 10;

/// What became of a statement's text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Parsed {
    /// A statement that reads or writes rows. Boxed: trees are large.
    Rows(Box<Tree>),
    /// A statement of another kind: transactions, settings, definitions.
    OfNoInterest,
    /// The parser's reason.
    NotUnderstood(String),
}

/// How much of a workload was understood.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ParseSummary {
    /// Statements looked at.
    pub understood: usize,
    /// Statements of no interest: `BEGIN`, `SET`, `EXPLAIN`, definitions.
    pub of_no_interest: usize,
    /// Places in the workload of those not understood, each with the parser's reason.
    pub not_understood: Vec<(usize, String)>,
}

impl ParseSummary {
    /// The share of statements with an interest that were not understood: 0 to 1.
    #[must_use]
    pub fn share_not_understood(&self) -> f64 {
        let failed = self.not_understood.len() as f64;
        let all = self.understood as f64 + failed;
        if all > 0.0 { failed / all } else { 0.0 }
    }
}

/// Reads one statement.
pub(crate) fn parse(sql: &str, system: System) -> Parsed {
    if sql.len() > STATEMENT_BYTES_MAX {
        let bytes = sql.len();
        return Parsed::NotUnderstood(format!(
            "it has {bytes} bytes; at most {STATEMENT_BYTES_MAX} are parsed"
        ));
    }
    let tokens = match Tokenizer::new(dialect(system), sql).tokenize() {
        Ok(tokens) => repair::number_placeholders(repair::repair(tokens, system)),
        Err(error) => return Parsed::NotUnderstood(error.to_string()),
    };
    if let Some(reason) = too_many_operators(&tokens) {
        return Parsed::NotUnderstood(reason);
    }
    match Parser::new(dialect(system)).with_tokens(tokens).parse_statements() {
        Err(error) => Parsed::NotUnderstood(error.to_string()),
        Ok(mut trees) => match (trees.pop(), trees.is_empty()) {
            (None, _) => Parsed::OfNoInterest,
            (Some(_), false) => Parsed::NotUnderstood("it is several statements".to_owned()),
            (Some(tree), true) => match tree {
                Tree::Query(_) | Tree::Update(_) | Tree::Delete(_) | Tree::Insert(_) => {
                    Parsed::Rows(Box::new(tree))
                }
                Tree::Merge(_) => Parsed::NotUnderstood("MERGE is not followed".to_owned()),
                _ => Parsed::OfNoInterest,
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(sql: &str, system: System) -> String {
        match parse(sql, system) {
            Parsed::NotUnderstood(reason) => reason,
            other => panic!("{sql}: {other:?}"),
        }
    }

    #[test]
    fn what_is_no_query_is_of_no_interest() {
        for sql in ["BEGIN", "SET x = 1", "EXPLAIN SELECT 1", "create table t (a int)", "", "; ;"] {
            assert_eq!(parse(sql, System::Postgres), Parsed::OfNoInterest, "{sql}");
        }
    }

    #[test]
    fn what_is_not_understood_says_why() {
        reason("select * from t where", System::Postgres);
        reason("select * from t where a between symmetric 2 and 1", System::Postgres);
        assert!(reason("select 1; select 2", System::Postgres).contains("several"));
        let long = format!("select '{}'", "x".repeat(STATEMENT_BYTES_MAX));
        assert!(reason(&long, System::Sqlite).contains("bytes"));
        let deep = format!("select 1{}", " + 1".repeat(2_000));
        assert!(reason(&deep, System::Postgres).contains("operators"));
        reason(&"(".repeat(5_000), System::Postgres);
    }

    #[test]
    fn sqlite_spellings_that_the_parser_lacks_are_repaired() {
        let spellings = [
            "select * from `t` where `a` is ?",
            "select * from t where a is not ?1 and b is :name",
            "select * from t indexed by t_a where a = 1",
            "select * from t not indexed where a = 1",
            "update t indexed by t_a set b = 1 where a = 2",
            "select * from t where a is 5 or b is 'x'",
        ];
        for sql in spellings {
            assert!(matches!(parse(sql, System::Sqlite), Parsed::Rows(_)), "{sql}");
        }
        assert!(matches!(
            parse("select 1 where a is null and b is not null", System::Sqlite),
            Parsed::Rows(_)
        ));
    }
}
