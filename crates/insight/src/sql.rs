//! What every reader of SQL here needs: the dialect, and a bound on how deep a tree may grow.

use sqlparser::dialect::{Dialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::tokenizer::Token;

use crate::fingerprint::System;

/// The most operators and set operations in a statement: each may be a level of its tree, and a tree
/// is freed, and printed, by recursion. Parentheses are bounded by the parser.
pub(crate) const OPERATORS_MAX: usize = 500;

/// Words that stand between operands, or behind one.
const INFIX: [&str; 22] = [
    "and",
    "or",
    "xor",
    "not",
    "union",
    "except",
    "intersect",
    "join",
    "is",
    "isnull",
    "notnull",
    "collate",
    "like",
    "ilike",
    "similar",
    "between",
    "in",
    "regexp",
    "rlike",
    "glob",
    "match",
    "at",
];

pub(crate) fn dialect(system: System) -> &'static dyn Dialect {
    match system {
        System::Postgres => &PostgreSqlDialect {},
        System::Sqlite => &SQLiteDialect {},
    }
}

/// How many levels the tokens may make, if there are too many.
pub(crate) fn too_many_operators(tokens: &[Token]) -> Option<String> {
    let operators = tokens.iter().filter(|token| deepens(token)).count();
    (operators > OPERATORS_MAX)
        .then(|| format!("it has {operators} operators; at most {OPERATORS_MAX} are followed"))
}

fn deepens(token: &Token) -> bool {
    match token {
        Token::Word(word) => {
            let infix = |keyword: &&str| word.value.eq_ignore_ascii_case(keyword);
            word.quote_style.is_none() && INFIX.iter().any(infix)
        }
        Token::Whitespace(_)
        | Token::Comma
        | Token::LParen
        | Token::RParen
        | Token::RBracket
        | Token::Period
        | Token::SemiColon
        | Token::Placeholder(_)
        | Token::Number(..)
        | Token::SingleQuotedString(_) => false,
        // Operators are spelled with signs alone.
        other => {
            let text = other.to_string();
            text.len() <= 4 && text.chars().all(|sign| sign.is_ascii_punctuation())
        }
    }
}
