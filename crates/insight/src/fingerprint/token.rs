//! The tokens of a statement, with its values taken out and its lists collapsed.

use sqlparser::dialect::{Dialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::tokenizer::{Token as Raw, Tokenizer};

use super::System;

/// A token of the normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A reserved word, in upper case.
    Keyword(String),
    /// A name, as it is compared by the database.
    Name(String),
    /// A literal: a whole number that fits is kept for `LIMIT` and `OFFSET`, nothing else is.
    Literal(Option<u64>),
    /// A placeholder: the number of its bind, from 0.
    Bind(u16),
    /// `(?+)` and `(?)+`, after collapsing.
    Collapsed(&'static str),
    /// Punctuation and operators.
    Sign(String),
}

impl Token {
    pub(super) fn is_value(&self) -> bool {
        matches!(self, Self::Literal(_) | Self::Bind(_))
    }

    pub(super) fn is_sign(&self, sign: &str) -> bool {
        matches!(self, Self::Sign(own) if own == sign)
    }

    pub(super) fn is_keyword(&self, keyword: &str) -> bool {
        matches!(self, Self::Keyword(own) if own == keyword)
    }
}

/// Words that are written in upper case unless they are quoted. Few on purpose: `name`, `type` or
/// `level` are words of SQL too, and columns far more often.
const KEYWORDS: &[&str] = &[
    "ALL",
    "ALTER",
    "ANALYZE",
    "AND",
    "ANY",
    "ARRAY",
    "AS",
    "ASC",
    "BEGIN",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "COLLATE",
    "COMMIT",
    "CONFLICT",
    "CREATE",
    "CROSS",
    "DEFAULT",
    "DELETE",
    "DESC",
    "DISTINCT",
    "DO",
    "DROP",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "FALSE",
    "FETCH",
    "FOR",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "ILIKE",
    "IN",
    "INNER",
    "INSERT",
    "INTERSECT",
    "INTO",
    "IS",
    "JOIN",
    "LATERAL",
    "LEFT",
    "LIKE",
    "LIMIT",
    "MATERIALIZED",
    "MERGE",
    "NOT",
    "NOTHING",
    "NULL",
    "OFFSET",
    "ON",
    "ONLY",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "PRAGMA",
    "RECURSIVE",
    "RELEASE",
    "REPLACE",
    "RETURNING",
    "RIGHT",
    "ROLLBACK",
    "SAVEPOINT",
    "SELECT",
    "SET",
    "TABLE",
    "THEN",
    "TO",
    "TRANSACTION",
    "TRUE",
    "TRUNCATE",
    "UNION",
    "UPDATE",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WITH",
];

/// `None` for what cannot be read.
pub(super) fn tokens(sql: &str, system: System) -> Option<Vec<Token>> {
    let dialect: &dyn Dialect = match system {
        System::Postgres => &PostgreSqlDialect {},
        System::Sqlite => &SQLiteDialect {},
    };
    let raw = Tokenizer::new(dialect, sql).tokenize().ok()?;
    let mut tokens: Vec<Token> = Vec::with_capacity(raw.len() / 2);
    let mut next_bind = 0;
    for token in raw {
        let Some(token) = token_of(token, &mut next_bind) else { continue };
        if matches!(token, Token::Literal(_)) && ends_in_signum(&tokens) {
            tokens.pop();
        }
        tokens.push(token);
    }
    while tokens.last().is_some_and(|token| token.is_sign(";")) {
        tokens.pop();
    }
    fix_savepoints(&mut tokens);
    Some(tokens)
}

fn token_of(raw: Raw, next_bind: &mut u16) -> Option<Token> {
    Some(match raw {
        Raw::EOF | Raw::Whitespace(_) => return None,
        Raw::Word(word) => match word.quote_style {
            Some(_) => Token::Name(quoted(word.value)),
            None => unquoted(&word.value),
        },
        Raw::Number(digits, _) => Token::Literal(digits.parse().ok()),
        Raw::Placeholder(name) => {
            // `$2` names its number, `?` is the next one, `?2` names it again.
            let named = name.get(1..).and_then(|digits| digits.parse::<u16>().ok());
            let number = named.and_then(|number| number.checked_sub(1)).unwrap_or(*next_bind);
            *next_bind = (*next_bind).max(number.saturating_add(1));
            Token::Bind(number)
        }
        Raw::SingleQuotedString(_)
        | Raw::TripleSingleQuotedString(_)
        | Raw::TripleDoubleQuotedString(_)
        | Raw::DoubleQuotedString(_)
        | Raw::DollarQuotedString(_)
        | Raw::SingleQuotedByteStringLiteral(_)
        | Raw::DoubleQuotedByteStringLiteral(_)
        | Raw::TripleSingleQuotedByteStringLiteral(_)
        | Raw::TripleDoubleQuotedByteStringLiteral(_)
        | Raw::SingleQuotedRawStringLiteral(_)
        | Raw::DoubleQuotedRawStringLiteral(_)
        | Raw::TripleSingleQuotedRawStringLiteral(_)
        | Raw::TripleDoubleQuotedRawStringLiteral(_)
        | Raw::NationalStringLiteral(_)
        | Raw::QuoteDelimitedStringLiteral(_)
        | Raw::NationalQuoteDelimitedStringLiteral(_)
        | Raw::EscapedStringLiteral(_)
        | Raw::UnicodeStringLiteral(_)
        | Raw::HexStringLiteral(_)
        | Raw::Char(_) => Token::Literal(None),
        sign => Token::Sign(sign.to_string()),
    })
}

/// A quoted name is compared as it stands. Its quotes stay where it could be taken for more than
/// one name.
fn quoted(name: String) -> String {
    let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$');
    if plain && !name.is_empty() { name } else { format!("\"{name}\"") }
}

fn unquoted(word: &str) -> Token {
    let upper = word.to_uppercase();
    match KEYWORDS.binary_search(&upper.as_str()) {
        Ok(_) => Token::Keyword(upper),
        Err(_) => Token::Name(word.to_lowercase()),
    }
}

/// Whether the last sign is the minus of a number, not of a subtraction.
fn ends_in_signum(tokens: &[Token]) -> bool {
    let [before @ .., sign] = tokens else { return false };
    if !sign.is_sign("-") && !sign.is_sign("+") {
        return false;
    }
    match before.last() {
        None | Some(Token::Keyword(_)) => true,
        Some(Token::Sign(sign)) => sign != ")" && sign != "]",
        Some(_) => false,
    }
}

/// Diesel numbers its savepoints: the same statement, nested deeper, is the same statement.
fn fix_savepoints(tokens: &mut [Token]) {
    let begins = |keyword| tokens.first().is_some_and(|token| token.is_keyword(keyword));
    if !(begins("SAVEPOINT") || begins("RELEASE") || begins("ROLLBACK")) {
        return;
    }
    for token in tokens {
        if let Token::Name(name) = token
            && !matches!(name.as_str(), "work")
        {
            "s".clone_into(name);
        }
    }
}

/// Collapses lists of values and the rows of `VALUES`, and says how many rows there were.
pub(super) fn collapse(tokens: Vec<Token>) -> (Vec<Token>, u32) {
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut batch = 1;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let after_values = out.last().is_some_and(|last| last.is_keyword("VALUES"));
        if token.is_sign("(") && after_values {
            let (end, rows) = rows_end(&tokens, at);
            batch = batch.max(rows);
            out.push(Token::Collapsed("(?)+"));
            at = end;
            continue;
        }
        if let Some(end) = list_end(&tokens, at, out.last()) {
            let square = token.is_sign("[");
            out.push(Token::Collapsed(if square { "[?+]" } else { "(?+)" }));
            at = end;
            continue;
        }
        out.push(token.clone());
        at += 1;
    }
    (out, batch)
}

/// Just past the rows that begin at `start`, and their number.
fn rows_end(tokens: &[Token], start: usize) -> (usize, u32) {
    let mut at = start;
    let mut rows = 0;
    while tokens.get(at).is_some_and(|token| token.is_sign("(")) {
        at = group_end(tokens, at);
        rows += 1;
        let more = tokens.get(at).is_some_and(|token| token.is_sign(","))
            && tokens.get(at + 1).is_some_and(|token| token.is_sign("("));
        if !more {
            break;
        }
        at += 1;
    }
    (at, rows)
}

/// Just past the parenthesis that closes the one at `start`.
fn group_end(tokens: &[Token], start: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        if token.is_sign("(") {
            depth += 1;
        } else if token.is_sign(")") {
            depth -= 1;
            if depth == 0 {
                return at + 1;
            }
        }
    }
    tokens.len()
}

/// Just past the list of values at `start`, if there is one that collapses: any after `IN`, one of
/// several values elsewhere. The arguments of a function are no list: their number means something.
fn list_end(tokens: &[Token], start: usize, before: Option<&Token>) -> Option<usize> {
    let opens = tokens.get(start)?;
    let of_array = before.is_some_and(|token| token.is_keyword("ARRAY"));
    if opens.is_sign("[") && of_array {
        let end = values_end(tokens, start, "]")?;
        return Some(end);
    }
    if !opens.is_sign("(") || matches!(before, Some(Token::Name(_))) {
        return None;
    }
    let after_in = before.is_some_and(|token| token.is_keyword("IN"));
    if after_in {
        let end = group_end(tokens, start);
        let inside = tokens.get(start + 1..end.checked_sub(1)?)?;
        let only_values = inside.iter().any(Token::is_value)
            && inside.iter().all(|token| {
                token.is_value() || [",", "(", ")"].iter().any(|sign| token.is_sign(sign))
            });
        return only_values.then_some(end);
    }
    let end = values_end(tokens, start, ")")?;
    (end - start > 3).then_some(end)
}

/// Just past `close`, if there is nothing but values and commas before it.
fn values_end(tokens: &[Token], start: usize, close: &str) -> Option<usize> {
    let mut at = start + 1;
    loop {
        if !tokens.get(at)?.is_value() {
            return None;
        }
        let next = tokens.get(at + 1)?;
        if next.is_sign(close) {
            return Some(at + 2);
        }
        if !next.is_sign(",") {
            return None;
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_sorted() {
        assert!(KEYWORDS.is_sorted());
    }
}
