//! Whether a JSON text begins as a story does.

use std::fmt;

use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Whether the first names in the text are those of fragments. It may be cut off.
pub(super) fn begins(text: &[u8]) -> bool {
    let mut is_story = false;
    // It ends in an error: at the first telling name, or where the text is cut off.
    let ended = serde_json::Deserializer::from_slice(text)
        .deserialize_any(Names { is_story: &mut is_story, in_list: false });
    drop(ended);
    is_story
}

struct Names<'s> {
    is_story: &'s mut bool,
    in_list: bool,
}

impl<'de> Visitor<'de> for Names<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list of them")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // `key` alone says little: of a fragment, a text stands beside it.
        let (mut key, mut text) = (false, false);
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "users" => return Err(A::Error::custom("a user store")),
                "fragment_id" => *self.is_story = true,
                "fragments" if !self.in_list => *self.is_story = true,
                "key" => key = true,
                "text" | "content" => text = true,
                _ => {}
            }
            *self.is_story |= key && text;
            if *self.is_story {
                return Err(A::Error::custom("a story"));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        if self.in_list {
            return Err(A::Error::custom("a list in a list"));
        }
        while seq.next_element_seed(Item(&mut *self.is_story))?.is_some() {}
        Ok(())
    }
}

/// An item of the list: an object, or something else that is no fragment.
struct Item<'s>(&'s mut bool);

impl<'de> serde::de::DeserializeSeed<'de> for Item<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(Names { is_story: self.0, in_list: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_names_decide() {
        for text in [
            r#"{"fragment_id": "a", "con"#,
            r#"{"version": 1, "fragments": [{"#,
            r#" [{"title": "t", "key": "a", "text""#,
            r#"{"content": "x", "key": "a"}"#,
        ] {
            assert!(begins(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "{}",
            "[]",
            "[[{\"fragment_id\": 1}]]",
            r#"{"users": [], "fragments": []}"#,
            r#"{"key": "a", "name": "b"}"#,
            r#"[{"fragments": []}]"#,
            r#"[{"achievementId": "a", "title": "b"}]"#,
        ] {
            assert!(!begins(text.as_bytes()), "{text}");
        }
    }
}
