//! Spellings that the parser lacks, put into ones that it has.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token;

use crate::fingerprint::System;

/// `IS ?` becomes `= ?` and `IS NOT ?` `<> ?`: Diesel writes the first for `is_not_distinct_from` on
/// SQLite, and for the choice of an index they are the same. On SQLite `INDEXED BY x` and
/// `NOT INDEXED` go: they say which index is used today.
pub(super) fn repair(mut tokens: Vec<Token>, system: System) -> Vec<Token> {
    let places: Vec<usize> = tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| !matches!(token, Token::Whitespace(_)))
        .map(|(place, _)| place)
        .collect();
    let mut gone = vec![false; tokens.len()];
    for at in 0..places.len() {
        let ahead = |by: usize| places.get(at + by).and_then(|place| tokens.get(*place));
        let is_word = |by: usize, keyword| ahead(by).is_some_and(|token| is(token, keyword));
        let hint = system == System::Sqlite;
        let (replaced, dropped) = if is_word(0, Keyword::IS) && ahead(1).is_some_and(is_value) {
            (Some(Token::Eq), 0)
        } else if is_word(0, Keyword::IS)
            && is_word(1, Keyword::NOT)
            && ahead(2).is_some_and(is_value)
        {
            (Some(Token::Neq), 1)
        } else if hint && ahead(0).is_some_and(|token| named(token, "indexed")) {
            // With `BY name` behind it, or with `NOT`, which the step before dropped.
            (None, if is_word(1, Keyword::BY) { 3 } else { 0 })
        } else if hint
            && is_word(0, Keyword::NOT)
            && ahead(1).is_some_and(|token| named(token, "indexed"))
        {
            (None, 2)
        } else {
            continue;
        };
        let first = usize::from(replaced.is_some());
        for place in places.iter().skip(at + first).take(dropped) {
            if let Some(gone) = gone.get_mut(*place) {
                *gone = true;
            }
        }
        let own = places.get(at).and_then(|place| tokens.get_mut(*place));
        if let (Some(token), Some(replaced)) = (own, replaced) {
            *token = replaced;
        }
    }
    tokens.into_iter().zip(gone).filter(|(_, gone)| !gone).map(|(token, _)| token).collect()
}

/// A bare `?` gets the number that it has by its place: one more than the greatest before it.
pub(super) fn number_placeholders(mut tokens: Vec<Token>) -> Vec<Token> {
    let mut greatest = 0_usize;
    for token in &mut tokens {
        let Token::Placeholder(name) = token else { continue };
        if name == "?" {
            greatest += 1;
            *name = format!("?{greatest}");
        } else if let Ok(number) = name.trim_start_matches(['?', '$']).parse::<usize>() {
            greatest = greatest.max(number);
        }
    }
    tokens
}

fn is(token: &Token, keyword: Keyword) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.keyword == keyword)
}

fn named(token: &Token, name: &str) -> bool {
    matches!(token, Token::Word(word)
        if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(name))
}

fn is_value(token: &Token) -> bool {
    matches!(
        token,
        Token::Placeholder(_)
            | Token::Colon
            | Token::AtSign
            | Token::Number(..)
            | Token::SingleQuotedString(_)
    )
}
