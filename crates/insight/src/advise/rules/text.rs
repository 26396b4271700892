//! Patterns: how they begin, and what they hold.

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
}
