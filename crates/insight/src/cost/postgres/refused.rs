//! Why an index could not be supposed: HypoPG lacks it, or no server would build it.

use crate::catalog::{Catalog, IndexKey, IndexShape};

/// Why there is no hypothetical index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unsupposed {
    /// HypoPG has nothing like it, which says nothing about the index itself.
    Unknown(String),
    /// The index itself is refused: it could not be built either.
    Refused(String),
}

impl Unsupposed {
    /// From the message that came instead of an index of this shape.
    pub(super) fn of(message: &str, catalog: &Catalog, shape: &IndexShape) -> Self {
        let why = without_values(message, catalog, shape);
        match is_lack(message) {
            true => Self::Unknown(why),
            false => Self::Refused(why),
        }
    }

    pub(super) fn why(self) -> String {
        match self {
            Self::Unknown(why) | Self::Refused(why) => why,
        }
    }
}

/// Whether the extension speaks of what it cannot do, and not of what is wrong with the index. Its
/// messages are never translated.
fn is_lack(message: &str) -> bool {
    let Some(own) = message.strip_prefix("hypopg: ") else { return false };
    own.starts_with("access method ") && own.ends_with(" is not supported")
        || own.ends_with(" is not a table or materialized view")
        || own.starts_with("not more oid available")
        || own.starts_with("could not find the minimum fake oid")
}

/// A message quotes names and values alike. Names of the index and its table stay; all else that is
/// quoted may be a value of the data.
fn without_values(message: &str, catalog: &Catalog, shape: &IndexShape) -> String {
    let table = catalog.table(&shape.table);
    let columns = table.into_iter().flat_map(|table| table.columns.iter());
    let words = |key: &IndexKey| [key.collation.clone(), key.opclass.clone()];
    let mut names: Vec<String> = columns.map(|column| column.name.clone()).collect();
    names.extend(shape.keys.iter().flat_map(words).flatten());
    names.extend([shape.table.name.clone(), shape.method.as_sql().to_owned()]);
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    while let Some((before, quote, after)) = rest.find(['"', '\'']).and_then(|place| {
        let (before, quoted) = rest.split_at(place);
        let quote = quoted.chars().next()?;
        Some((before, quote, quoted.strip_prefix(quote)?))
    }) {
        out.push_str(before);
        // A value may hold the sign that ends it, so only what is a name ends at the next one.
        let name = after.split_once(quote).filter(|(text, _)| names.iter().any(|n| n == text));
        match name {
            Some((text, behind)) => {
                out.push_str(&format!("{quote}{text}{quote}"));
                rest = behind;
            }
            None => {
                let behind = after.rsplit_once(quote).map_or("", |(_, behind)| behind);
                out.push_str(&format!("{quote}?{quote}"));
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Column, Table, TableName};

    fn of(message: &str) -> Unsupposed {
        let name = TableName::bare("people");
        let table = Table::new(name.clone(), 1.0, 1, vec![Column::new("email", "text")]);
        let catalog = Catalog { tables: vec![table], ..Catalog::default() };
        Unsupposed::of(message, &catalog, &IndexShape::btree(name, ["email"]))
    }

    #[test]
    fn only_what_hypopg_lacks_says_nothing_about_the_index() {
        for lack in [
            "hypopg: access method \"gin\" is not supported",
            "hypopg: \"people\" is not a table or materialized view",
        ] {
            assert!(matches!(of(lack), Unsupposed::Unknown(_)), "{lack}");
        }
        for refusal in [
            "function norm(text) does not exist",
            "hypopg: functions in index expression must be marked IMMUTABLE",
            "hypopg: access method \"hash\" does not support multicolumn indexes",
        ] {
            assert_eq!(of(refusal).why(), refusal.replace("hash", "?"), "{refusal}");
            assert!(matches!(of(refusal), Unsupposed::Refused(_)), "{refusal}");
        }
    }

    #[test]
    fn a_value_in_a_message_is_not_told() {
        let told = |message: &str| of(message).why();
        let message = "invalid input syntax for type integer: \"planted\" \"twice\"";
        assert_eq!(told(message), "invalid input syntax for type integer: \"?\"");
        let named = "column \"email\" of \"people\" is refused";
        assert_eq!(told(named), named);
        assert_eq!(told("unterminated 'planted"), "unterminated '?'");
    }
}
