//! What can be told of a statement from its tokens: what it does, where, and how many rows of a
//! list it asks for.

use xxhash_rust::xxh3::Xxh3;

use super::token::Token;
use super::{Slot, StatementKind};

pub(super) struct Traits {
    pub(super) summary: String,
    pub(super) kind: StatementKind,
    pub(super) limit: Option<Slot>,
    pub(super) offset: Option<Slot>,
    pub(super) paged: bool,
    pub(super) single: bool,
    pub(super) placeholders: u16,
    pub(super) binding: u64,
}

pub(super) fn read(tokens: &[Token]) -> Traits {
    let single = !tokens.iter().any(|token| token.is_sign(";"));
    let (kind, verb) = if single { kind(tokens) } else { (StatementKind::Other, tokens.len()) };
    let limit = slot(tokens, "LIMIT");
    let offset = slot(tokens, "OFFSET");
    let has = |keyword| tokens.iter().any(|token| token.is_keyword(keyword));
    let ranged = tokens
        .iter()
        .any(|token| matches!(token, Token::Sign(sign) if matches!(sign.as_str(), "<" | ">" | "<=" | ">=")));
    let binds = tokens.iter().filter_map(|token| match token {
        Token::Bind(number) => Some(number.saturating_add(1)),
        _ => None,
    });
    Traits {
        summary: summary(tokens, kind, verb),
        kind,
        limit,
        offset,
        paged: has("ORDER") && limit.is_some() && (ranged || offset.is_some()),
        single,
        placeholders: binds.max().unwrap_or(0),
        binding: binding(tokens),
    }
}

/// A hash of which values are bound, and to what. What is written counts by its place alone.
fn binding(tokens: &[Token]) -> u64 {
    let mut hash = Xxh3::new();
    for token in tokens.iter().filter(|token| token.is_value()) {
        let number = if let Token::Bind(at) = token { u32::from(*at) + 1 } else { 0 };
        hash.update(&number.to_le_bytes());
    }
    hash.digest()
}

/// What it does, and where the word stands that says so.
fn kind(tokens: &[Token]) -> (StatementKind, usize) {
    let kind_of = |token: &Token| {
        let Token::Keyword(word) = token else { return None };
        Some(match word.as_str() {
            "SELECT" | "VALUES" | "TABLE" => StatementKind::Select,
            "INSERT" | "REPLACE" | "MERGE" => StatementKind::Insert,
            "UPDATE" => StatementKind::Update,
            "DELETE" => StatementKind::Delete,
            "BEGIN" | "COMMIT" | "END" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" => {
                StatementKind::Transaction
            }
            _ => return None,
        })
    };
    let Some(first) = tokens.iter().position(|token| !token.is_sign("(")) else {
        return (StatementKind::Other, 0);
    };
    let begins_with = tokens.get(first).is_some_and(|token| token.is_keyword("WITH"));
    if !begins_with {
        let starts = matches!(tokens.get(first), Some(Token::Name(name)) if name == "start");
        let kind = if starts { Some(StatementKind::Transaction) } else { None };
        let kind = kind.or_else(|| tokens.get(first).and_then(kind_of));
        return (kind.unwrap_or(StatementKind::Other), first);
    }
    // `FOR UPDATE` and `DO UPDATE` write nothing that the verb before them does not say.
    let verbs = tokens.iter().enumerate().filter(|(at, _)| {
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        !before.is_some_and(|token| token.is_keyword("FOR") || token.is_keyword("DO"))
    });
    let mut read = None;
    for (at, token) in verbs {
        match kind_of(token) {
            Some(kind) if kind.writes() && !calls(tokens, at) => return (kind, at),
            Some(StatementKind::Select) => read = read.or(Some(at)),
            _ => {}
        }
    }
    (StatementKind::Select, read.unwrap_or(first))
}

/// `replace(..)` is a function too.
fn calls(tokens: &[Token], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| token.is_keyword("REPLACE"))
        && tokens.get(at + 1).is_some_and(|token| token.is_sign("("))
}

/// The verb and the first table after it: `SELECT users`.
fn summary(tokens: &[Token], kind: StatementKind, verb: usize) -> String {
    let Some(word) = tokens.get(verb) else { return "several statements".to_owned() };
    let word = match word {
        Token::Keyword(word) => word.clone(),
        Token::Name(word) => word.to_uppercase(),
        _ => return "other".to_owned(),
    };
    let before = match kind {
        StatementKind::Select | StatementKind::Delete => "FROM",
        StatementKind::Insert => "INTO",
        StatementKind::Update => "UPDATE",
        StatementKind::Transaction | StatementKind::Other => return word,
    };
    let after = tokens.get(verb..).unwrap_or_default();
    let table = after.iter().position(|token| token.is_keyword(before)).and_then(|at| {
        let names = after.get(at + 1..)?.iter().skip_while(|token| token.is_keyword("ONLY"));
        last_part(names)
    });
    match table {
        Some(table) => format!("{word} {table}"),
        None => word,
    }
}

/// The table of `schema.table`.
fn last_part<'a>(tokens: impl Iterator<Item = &'a Token>) -> Option<&'a str> {
    let mut found = None;
    let mut expects_name = true;
    for token in tokens {
        match token {
            Token::Name(name) if expects_name => found = Some(name.as_str()),
            sign if !expects_name && sign.is_sign(".") => {}
            _ => break,
        }
        expects_name = !expects_name;
    }
    found
}

/// What follows the keyword outside all parentheses.
fn slot(tokens: &[Token], keyword: &str) -> Option<Slot> {
    let mut depth = 0_usize;
    let mut found = None;
    for pair in tokens.windows(2) {
        let [token, next] = pair else { continue };
        if token.is_sign("(") {
            depth += 1;
        } else if token.is_sign(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && token.is_keyword(keyword) {
            found = match next {
                Token::Literal(Some(number)) => Some(Slot::Literal(*number)),
                Token::Bind(number) => Some(Slot::Bind(*number)),
                _ => None,
            };
        }
    }
    found
}
