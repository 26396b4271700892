//! What keys and tags are made of: a namespace and identifiers, kept as they came.

use std::fmt::Write;

use crate::hash::Fold;

/// Sets numbers apart from texts in a hash.
const NUMBER: u64 = 0x1D;
/// Begins the hash of an absent part.
const ABSENT: u64 = 0xAB;
/// An absent part, as text; once more for every `Some` around it.
const ABSENCE: &str = "%-";

/// One identifier.
#[derive(Clone, Debug, Default)]
pub(crate) enum Part {
    #[default]
    None,
    Int(i64),
    Static(&'static str),
    Text(Box<str>),
    /// Nothing there, under this many layers of "something there".
    Absent(u8),
}

impl Part {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Static(text) => Some(text),
            Self::Text(text) => Some(text),
            Self::None | Self::Int(_) | Self::Absent(_) => None,
        }
    }
}

/// Equal as it renders: a literal and an owned text with the same letters are one identifier.
impl PartialEq for Part {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int(left), Self::Int(right)) => left == right,
            (Self::Static(left), Self::Static(right)) => same(left, right),
            (Self::None, Self::None) => true,
            (Self::Absent(left), Self::Absent(right)) => left == right,
            _ => matches!((self.text(), other.text()), (Some(left), Some(right)) if left == right),
        }
    }
}

impl Eq for Part {}

/// Literals mostly are one and the same: no need to look at their letters.
#[inline]
fn same(left: &'static str, right: &'static str) -> bool {
    std::ptr::eq(left, right) || left == right
}

// Names are built by value and at once moved into an entry: `inline(always)` is what turns these
// moves into writes in place, 30 ns of a hit.

/// A namespace and its identifiers: the first `N` inline, so that a usual name allocates nothing.
#[derive(Clone, Debug)]
pub(crate) struct Name<const N: usize> {
    namespace: &'static str,
    namespace_hash: u64,
    hash: Fold,
    len: usize,
    parts: [Part; N],
    rest: Vec<Part>,
}

impl<const N: usize> Name<N> {
    #[inline(always)]
    pub(crate) fn new(namespace: &'static str) -> Self {
        let hash = Fold::seeded().bytes(namespace.as_bytes());
        let parts = [const { Part::None }; N];
        Self { namespace, namespace_hash: hash.get(), hash, len: 0, parts, rest: Vec::new() }
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, part: Part) {
        self.hash = match &part {
            Part::None => return,
            Part::Int(id) => self.hash.word(NUMBER).word(*id as u64),
            Part::Static(text) => self.hash.bytes(text.as_bytes()),
            Part::Text(text) => self.hash.bytes(text.as_bytes()),
            Part::Absent(depth) => self.hash.word(ABSENT).word(u64::from(*depth)),
        };
        match self.parts.get_mut(self.len) {
            Some(free) => *free = part,
            None => self.spill(part),
        }
        self.len += 1;
    }

    #[cold]
    fn spill(&mut self, part: Part) {
        self.rest.push(part);
    }

    #[inline]
    pub(crate) fn namespace(&self) -> &'static str {
        self.namespace
    }

    #[inline]
    pub(crate) fn namespace_hash(&self) -> u64 {
        self.namespace_hash
    }

    #[inline]
    pub(crate) fn hash(&self) -> u64 {
        self.hash.get()
    }

    /// Writes `namespace:identifier…`. Injective: no two unequal names give the same text.
    pub(crate) fn render(&self, out: &mut String) {
        encode(self.namespace, out);
        for part in self.parts.iter().take(self.len).chain(&self.rest) {
            out.push(':');
            match part {
                Part::None => {}
                Part::Int(id) => out.push_str(&id.to_string()),
                Part::Static(text) => encode_identifier(text, out),
                Part::Text(text) => encode_identifier(text, out),
                // No text gives this: what follows its percent sign is hexadecimal.
                Part::Absent(depth) => (0..=*depth).for_each(|_| out.push_str(ABSENCE)),
            }
        }
    }
}

impl<const N: usize> PartialEq for Name<N> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
            && self.len == other.len
            && same(self.namespace, other.namespace)
            && self.parts == other.parts
            && self.rest == other.rest
    }
}

impl<const N: usize> Eq for Name<N> {}

/// A text that looks like a number must not render as that number: its first byte is escaped.
fn encode_identifier(text: &str, out: &mut String) {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let numeric = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match text.as_bytes().first() {
        Some(first) if numeric => {
            escape(*first, out);
            out.push_str(&text[1..]); // The first byte is a digit or a minus: one byte long.
        }
        _ => encode(text, out),
    }
}

/// Escapes separators, glob signs, cluster hash-tag braces, blanks and control characters.
pub(crate) fn encode(text: &str, out: &mut String) {
    for letter in text.chars() {
        let special = matches!(letter, ':' | '*' | '?' | '[' | ']' | '{' | '}' | '%' | '\\' | '^');
        if special || letter.is_whitespace() || letter.is_control() {
            let mut utf8 = [0; 4];
            for byte in letter.encode_utf8(&mut utf8).bytes() {
                escape(byte, out);
            }
        } else {
            out.push(letter);
        }
    }
}

/// The bytes of an encoded text; `None` when nothing of ours wrote it.
pub(crate) fn decode(encoded: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte == b'%' {
            let (digits, after) = rest.split_first_chunk::<2>()?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(*byte);
        }
    }
    Some(bytes)
}

/// The hash, in this process, of the name that rendered to this text.
pub(crate) fn rendered_hash(rendered: &str) -> Option<u64> {
    let mut parts = rendered.split(':');
    let mut hash = Fold::seeded().bytes(&decode(parts.next()?)?);
    for part in parts {
        if let Some(depth) = absent(part) {
            hash = hash.word(ABSENT).word(u64::from(depth));
            continue;
        }
        // A text that looks like a number begins with an escape, so this is one.
        hash = match part.parse::<i64>() {
            Ok(id) if !part.starts_with('+') => hash.word(NUMBER).word(id as u64),
            _ => hash.bytes(&decode(part)?),
        };
    }
    Some(hash.get())
}

/// How deep a rendered absence is; `None` for anything else. No escape is `%-`.
fn absent(part: &str) -> Option<u8> {
    let depth = part.len() / ABSENCE.len();
    let is_absent = depth > 0 && part == ABSENCE.repeat(depth);
    u8::try_from(depth.checked_sub(1)?).ok().filter(|_| is_absent)
}

fn escape(byte: u8, out: &mut String) {
    // Writing to a `String` cannot fail.
    write!(out, "%{byte:02X}").ok();
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(parts: &[Part]) -> Name<2> {
        let mut name = Name::new("user");
        parts.iter().for_each(|part| name.push(part.clone()));
        name
    }

    fn rendered(parts: &[Part]) -> String {
        let mut out = String::new();
        name(parts).render(&mut out);
        out
    }

    #[test]
    fn identifiers_are_escaped_and_numbers_stay_apart_from_texts() {
        assert_eq!(rendered(&[Part::Int(-4), Part::Static("full")]), "user:-4:full");
        assert_eq!(
            rendered(&[Part::Text("a:b *?[]%{}\n".into())]),
            "user:a%3Ab%20%2A%3F%5B%5D%25%7B%7D%0A"
        );
        assert_eq!(rendered(&[Part::Static("42")]), "user:%342");
        assert_eq!(rendered(&[Part::Static("-42")]), "user:%2D42");
    }

    #[test]
    fn a_name_with_many_or_huge_identifiers_loses_none() {
        let long = "x".repeat(10_000);
        let parts: Vec<_> =
            (0..9).map(Part::Int).chain([Part::Text(long.clone().into())]).collect();
        assert_eq!(rendered(&parts), format!("user:0:1:2:3:4:5:6:7:8:{long}"));
    }

    fn part() -> impl Strategy<Value = Part> {
        prop_oneof![
            (-12_i64..12).prop_map(Part::Int),
            prop_oneof![Just("1"), Just("-1"), Just("a"), Just(""), Just(":"), Just("%3A")]
                .prop_map(Part::Static),
            "[-+0-9a:%* {}]{0,3}".prop_map(|text| Part::Text(text.into())),
            (0_u8..3).prop_map(Part::Absent),
        ]
    }

    proptest! {
        #[test]
        fn equal_names_and_equal_texts_are_the_same_thing(
            left in prop::collection::vec(part(), 0..4),
            right in prop::collection::vec(part(), 0..4),
        ) {
            prop_assert_eq!(name(&left) == name(&right), rendered(&left) == rendered(&right));
            if name(&left) == name(&right) {
                prop_assert_eq!(name(&left).hash(), name(&right).hash());
            }
        }

        #[test]
        fn a_rendered_name_leads_back_to_its_hash(
            parts in prop::collection::vec(prop_oneof![part(), any::<i64>().prop_map(Part::Int),
                any::<String>().prop_map(|text| Part::Text(text.into()))], 0..5),
        ) {
            prop_assert_eq!(rendered_hash(&rendered(&parts)), Some(name(&parts).hash()));
        }

        #[test]
        fn any_text_can_be_heard(text in any::<String>()) {
            rendered_hash(&text);
        }
    }
}
