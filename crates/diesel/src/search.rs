//! Texts that people search for.

use guildhall_domain::{Rule, Violation, fold};
use guildhall_repository::ListLimit;

/// The fewest characters searched for.
const TEXT_MIN: usize = 2;
/// The most characters searched for. SQLite refuses much longer patterns.
const TEXT_MAX: usize = 200;
/// Rows found at most.
const FOUND_MAX: u16 = 50;

/// A text to search for: folded, as in the columns that are searched, with the wildcards of LIKE
/// escaped by a backslash.
pub(crate) struct Searched(String);

impl Searched {
    /// Refuses what is too short, too long or holds a NUL.
    pub(crate) fn parse(raw: &str) -> Result<Self, Violation> {
        let text = fold(raw);
        let broken = match text.chars().count() {
            chars if chars < TEXT_MIN => Some(Rule::TooShort { min: TEXT_MIN }),
            chars if chars > TEXT_MAX => Some(Rule::TooLong { max: TEXT_MAX }),
            _ => text.contains('\0').then_some(Rule::ContainsNul),
        };
        if let Some(rule) = broken {
            return Err(Violation::new("text", rule));
        }
        let mut literal = String::with_capacity(text.len());
        for c in text.chars() {
            if matches!(c, '%' | '_' | '\\') {
                literal.push('\\');
            }
            literal.push(c);
        }
        Ok(Self(literal))
    }

    /// As a part of a pattern.
    pub(crate) fn literal(&self) -> &str {
        &self.0
    }

    /// The pattern of what holds it.
    pub(crate) fn anywhere(&self) -> String {
        format!("%{}%", self.0)
    }
}

/// How many rows a search finds at most.
pub(crate) fn found_at_most(limit: ListLimit) -> i64 {
    i64::from(limit.get().min(FOUND_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_taken_literally() {
        let searched = Searched::parse(" 100%_\\Ä ").unwrap();
        assert_eq!(searched.literal(), r"100\%\_\\ä");
        assert_eq!(searched.anywhere(), r"%100\%\_\\ä%");
    }

    #[test]
    fn a_search_finds_50_rows_at_most() {
        let found = |limit| found_at_most(ListLimit::new(limit).unwrap());
        assert_eq!((found(7), found(u32::from(FOUND_MAX)), found(ListLimit::MAX)), (7, 50, 50));
    }

    #[test]
    fn what_cannot_be_searched_for_is_refused() {
        for (text, rule) in [
            ("", Rule::TooShort { min: TEXT_MIN }),
            (" é ", Rule::TooShort { min: TEXT_MIN }),
            (&"é".repeat(TEXT_MAX + 1), Rule::TooLong { max: TEXT_MAX }),
            ("a\0b", Rule::ContainsNul),
        ] {
            assert_eq!(Searched::parse(text).err(), Some(Violation::new("text", rule)));
        }
        assert!(Searched::parse(&"é".repeat(TEXT_MAX)).is_ok());
    }
}
