//! Patterns: how they begin, and what they hold.

use std::iter::Peekable;
use std::str::Chars;

use crate::advise::shape::{TextKind, TextMatch};
use crate::catalog::{Column, Kept};
use crate::workload::Statement;

/// What is known of a pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// The characters before the first wildcard.
    pub(crate) prefix: String,
    /// Whether there is no wildcard at all.
    pub(crate) exact: bool,
    /// The most characters in a row that every match holds.
    pub(crate) longest_run: usize,
}

/// Reads a pattern.
pub(crate) fn pattern(text: &str, kind: TextKind) -> Pattern {
    let mut found = Pattern { exact: true, ..Pattern::default() };
    let mut run = 0;
    // The longest run before each group that is open.
    let mut groups = Vec::new();
    let mut letters = text.chars().peekable();
    let anchored = kind != TextKind::Regex || letters.next_if_eq(&'^').is_some();
    found.exact = kind != TextKind::Regex;
    let mut beginning = anchored;
    while let Some(letter) = letters.next() {
        let wild = match kind {
            TextKind::Like | TextKind::LikeNoCase => matches!(letter, '%' | '_'),
            TextKind::Glob => matches!(letter, '*' | '?' | '['),
            TextKind::Regex => "\\.[]{}()*+?|^$".contains(letter),
        };
        let escaped = letter == '\\' && matches!(kind, TextKind::Like | TextKind::LikeNoCase);
        let letter = if escaped { letters.next().unwrap_or(letter) } else { letter };
        if wild {
            if kind == TextKind::Regex && letter == '|' {
                return Pattern::default();
            }
            if kind == TextKind::Regex && run > 0 && matches!(letter, '?' | '*' | '{') {
                // The character before may be missing.
                if found.longest_run == run {
                    found.longest_run -= 1;
                }
                if beginning {
                    found.prefix.pop();
                }
            }
            match (kind, letter) {
                (TextKind::Glob | TextKind::Regex, '[') => skip_class(&mut letters, kind),
                (TextKind::Regex, '{') => while letters.next().is_some_and(|next| next != '}') {},
                (TextKind::Regex, '\\') => skip_escape(&mut letters),
                (TextKind::Regex, '(') => {
                    // `(?!` and its kin say what a match does not hold.
                    let is_special = letters.next_if_eq(&'?').is_some();
                    if is_special && letters.next_if_eq(&':').is_none() {
                        return Pattern::default();
                    }
                    groups.push(found.longest_run);
                }
                (TextKind::Regex, ')') => {
                    let before = groups.pop().unwrap_or(0);
                    if letters.peek().is_some_and(|next| matches!(next, '?' | '*' | '{')) {
                        // The whole group may be missing.
                        found.longest_run = before;
                    }
                }
                _ => {}
            }
            found.exact = false;
            beginning = false;
            run = 0;
            continue;
        }
        run += 1;
        found.longest_run = found.longest_run.max(run);
        if beginning {
            found.prefix.push(letter);
        }
    }
    found
}

/// Goes behind a class such as `[0-9]`: any one of its characters matches, so none is known.
fn skip_class(letters: &mut Peekable<Chars<'_>>, kind: TextKind) {
    letters.next_if_eq(&'^');
    // Where it stands first, a bracket closes nothing.
    letters.next_if_eq(&']');
    while let Some(letter) = letters.next() {
        match letter {
            ']' => return,
            // A class of its own within, such as `[:digit:]`.
            '[' if kind == TextKind::Regex => {
                if let Some(mark) = letters.next_if(|next| matches!(next, ':' | '.' | '=')) {
                    while let Some(inner) = letters.next() {
                        if inner == mark && letters.next_if_eq(&']').is_some() {
                            break;
                        }
                    }
                }
            }
            '\\' if kind == TextKind::Regex => {
                letters.next();
            }
            _ => {}
        }
    }
}

/// Goes behind an escape: a class of characters, a place, or a character by its number.
fn skip_escape(letters: &mut Peekable<Chars<'_>>) {
    let is_numbered =
        letters.next().is_some_and(|next| next.is_ascii_digit() || "xuUc".contains(next));
    while is_numbered && letters.next_if(char::is_ascii_alphanumeric).is_some() {}
}

/// The patterns a condition is known to be asked with.
pub(crate) fn patterns(matching: &TextMatch, statement: &Statement) -> Vec<Pattern> {
    let values = matching.pattern.values(statement);
    values.iter().map(|text| pattern(text, matching.kind)).collect()
}

/// What a pattern keeps: guessed by the length of its beginning.
pub(crate) fn kept(
    matching: &TextMatch,
    column: &Column,
    rows: f64,
    statement: &Statement,
) -> Kept {
    let known = patterns(matching, statement);
    let Some(shortest) = known.iter().min_by_key(|pattern| pattern.longest_run) else {
        return Kept::guessed(0.05);
    };
    if shortest.exact && matching.kind != TextKind::LikeNoCase {
        return column.kept_by_equality(None, rows);
    }
    Kept::guessed(match shortest.longest_run {
        0 => 1.0,
        1 => 0.1,
        2 => 0.02,
        _ => 0.005,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_ends_at_the_first_wildcard() {
        let like = |text| pattern(text, TextKind::Like);
        assert_eq!(like("abc%d").prefix, "abc");
        assert_eq!(like("a\\%b%").prefix, "a%b");
        assert_eq!(like("%abcd%ef").longest_run, 4);
        assert!(like("abc").exact && !like("abc_").exact);
        assert_eq!(pattern("ab*", TextKind::Glob).prefix, "ab");
    }

    #[test]
    fn a_regular_expression_begins_where_it_is_anchored() {
        let regex = |text| pattern(text, TextKind::Regex);
        assert_eq!(regex("^bill.*").prefix, "bill");
        assert_eq!(regex("bill").prefix, "");
        assert_eq!(regex("bill").longest_run, 4);
        assert_eq!(regex("^bills?").prefix, "bill");
        assert_eq!(regex("bill.*paid").longest_run, 4);
        assert_eq!(regex("one|two"), Pattern::default());
    }

    #[test]
    fn what_any_of_several_characters_may_match_is_not_known() {
        let regex = |text| pattern(text, TextKind::Regex).longest_run;
        for (text, known) in [
            ("[0-9]{4}", 0),
            ("a{12345}", 0),
            ("\\d\\w\\s", 0),
            ("\\x41424344", 0),
            ("[[:digit:]abc]", 0),
            ("[^]abc]", 0),
            ("(abc)?d", 1),
            ("(abc)d", 3),
            ("(?:abc)d", 3),
            ("(?!abc)d", 0),
            ("ab\\.cdef", 4),
            ("[|]abc", 3),
        ] {
            assert_eq!(regex(text), known, "{text}");
        }
        let glob = pattern("*[a-z0-9]b*", TextKind::Glob);
        assert_eq!((glob.longest_run, glob.exact), (1, false));
        assert_eq!(pattern("ab[]xyz]c", TextKind::Glob).longest_run, 2);
    }
}
