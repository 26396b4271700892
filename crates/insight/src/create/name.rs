//! Names of the indexes we make: legible, and ours beyond doubt.

use crate::advise::index_name;
use crate::catalog::IndexShape;

/// What every name begins with.
pub const PREFIX: &str = "gix_";

/// Hexadecimal digits of the recommendation's id at the end.
const DIGITS: usize = 8;

/// `gix_messages_guild_id_created_at_1f09ab34`: the same for the same index in every run.
#[must_use]
pub fn name_of(shape: &IndexShape) -> String {
    index_name(PREFIX, shape)
}

/// Whether a name has the form of ours. Only such an index is ever dropped, and only while invalid.
#[must_use]
pub fn is_ours(name: &str) -> bool {
    name.strip_prefix(PREFIX).and_then(|rest| rest.rsplit_once('_')).is_some_and(
        |(middle, digits)| {
            !middle.is_empty()
                && digits.len() == DIGITS
                && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::TableName;

    #[test]
    fn a_name_is_ours_fits_and_differs_by_shape() {
        let table = TableName::new("public", "a_table_with_quite_a_long_name_indeed");
        let one = IndexShape::btree(table.clone(), ["a_long_column", "Another Column"]);
        let other = one.clone().filtered("a_long_column IS NOT NULL");
        for shape in [&one, &other] {
            let name = name_of(shape);
            assert!(name.len() <= 63 && is_ours(&name), "{name}");
        }
        assert_ne!(name_of(&one), name_of(&other));
    }

    #[test]
    fn names_of_others_are_not_ours() {
        for name in
            ["gix_", "gix_messages", "gix_messages_12", "gix__1f09ab34", "messages_1f09ab34"]
        {
            assert!(!is_ours(name), "{name}");
        }
    }
}
