//! Writes tokens in one way only.

use super::token::Token;

pub(super) fn spell(tokens: &[Token]) -> String {
    let mut text = String::with_capacity(tokens.len() * 6);
    let mut previous: Option<&Token> = None;
    for token in tokens {
        if previous.is_some_and(|previous| apart(previous, token)) {
            text.push(' ');
        }
        text.push_str(written(token));
        previous = Some(token);
    }
    text
}

fn written(token: &Token) -> &str {
    match token {
        Token::Keyword(word) | Token::Name(word) | Token::Sign(word) => word,
        Token::Literal(_) | Token::Bind(_) => "?",
        Token::Collapsed(list) => list,
    }
}

/// Whether a space stands between two tokens.
fn apart(left: &Token, right: &Token) -> bool {
    let left_sign = if let Token::Sign(sign) = left { sign } else { "" };
    let right_sign = if let Token::Sign(sign) = right { sign } else { "" };
    if matches!(right_sign, "," | ")" | "]" | "." | ";" | "::" | "[") {
        return false;
    }
    if matches!(left_sign, "(" | "[" | "." | "::") {
        return false;
    }
    // A call: `lower(email)`. A keyword is never called: `IN (SELECT ..`.
    !(matches!(left, Token::Name(_)) && right_sign == "(")
}
