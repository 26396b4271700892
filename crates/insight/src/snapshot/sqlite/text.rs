//! The texts that SQLite keeps of its schema, just as they were typed.

use sqlparser::dialect::SQLiteDialect;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

/// What a view selects: all behind the first `AS` that is a word of its own, and no name.
pub(super) fn view_query(text: &str) -> Option<&str> {
    let is_as = |token: &Token| {
        matches!(token, Token::Word(word)
            if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("as"))
    };
    let found = tokens(text)?.into_iter().find(|one| is_as(&one.token))?;
    let begin = places(text)(found.span.end);
    Some(text.get(begin..)?.trim())
}

/// The text with spaces for its comments; as it is if it cannot be read.
pub(super) fn without_comments(text: &str) -> String {
    let kept = || {
        let mut kept = String::with_capacity(text.len());
        let mut place_of = places(text);
        for one in tokens(text)? {
            let piece = place_of(one.span.start)..place_of(one.span.end);
            match one.token {
                Token::Whitespace(_) => kept.push(' '),
                _ => kept.push_str(text.get(piece)?),
            }
        }
        Some(kept)
    };
    kept().unwrap_or_else(|| text.to_owned())
}

fn tokens(text: &str) -> Option<Vec<TokenWithSpan>> {
    Tokenizer::new(&SQLiteDialect {}, text).tokenize_with_location().ok()
}

/// Finds the bytes at which places of the tokenizer's lie, each behind the one before. It counts lines
/// and characters, both from 1.
fn places(text: &str) -> impl FnMut(Location) -> usize {
    let mut letters = text.char_indices().peekable();
    let (mut line, mut column) = (1, 1);
    move |location| {
        while (line, column) < (location.line, location.column) {
            match letters.next() {
                Some((_, '\n')) => (line, column) = (line + 1, 1),
                Some(_) => column += 1,
                None => break,
            }
        }
        letters.peek().map_or(text.len(), |(place, _)| *place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_cut_at_a_word_of_its_own() {
        for text in [
            "CREATE VIEW v AS select a as b from t",
            "create view v\nas\nselect a as b from t",
            "create view \"x as y\" as select a as b from t",
            "create view [x as y](b) /* such as it is */ as--yes\n select a as b from t",
            "create view 'ä as ö' as select a as b from t",
        ] {
            let query = view_query(text).unwrap_or_default();
            assert!(query.ends_with("select a as b from t"), "{text}: {query}");
            assert!(!query.contains('y') || query.starts_with("--yes"), "{text}: {query}");
        }
        assert_eq!(view_query("create view v"), None);
    }

    #[test]
    fn comments_go_and_texts_stay() {
        let text = "create index i /* on u(x) */ on t -- it's\n(a, 'ö -- ''x', [b'c]) /**/where b";
        let kept = without_comments(text);
        assert_eq!(kept, "create index i   on t   (a, 'ö -- ''x', [b'c])  where b");
        assert_eq!(without_comments("a 'open"), "a 'open");
    }
}
