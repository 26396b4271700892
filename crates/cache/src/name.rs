//! What keys and tags are made of: a namespace and identifiers, kept as they came.

use std::fmt::Write;

use crate::hash::Fold;

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
    fn shown(&self) -> Shown<'_> {
        match self {
            Self::None => Shown::Nothing,
            Self::Int(id) => Shown::Number(*id),
            Self::Static(text) => Shown::Text(text),
            Self::Text(text) => Shown::Text(text),
            Self::Absent(depth) => Shown::Absent(*depth),
        }
    }
}

/// Equal as it renders: a literal and an owned text with the same letters are one identifier.
impl PartialEq for Part {
    fn eq(&self, other: &Self) -> bool {
        self.shown() == other.shown()
    }
}

impl Eq for Part {}

/// An identifier as it renders.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown<'n> {
    Nothing,
    Number(i64),
    Text(&'n str),
    Absent(u8),
}

/// An identifier that owns nothing: to drop a name of these is to look at one pointer.
#[derive(Clone, Copy, Debug)]
enum Plain {
    None,
    Int(i64),
    Static(&'static str),
    Absent(u8),
}

impl Plain {
    #[inline(always)]
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, Self::None) => true,
            (Self::Int(left), Self::Int(right)) => left == right,
            (Self::Static(left), Self::Static(right)) => same(left, right),
            (Self::Absent(left), Self::Absent(right)) => left == right,
            _ => false,
        }
    }

    fn to_part(self) -> Part {
        match self {
            Self::None => Part::None,
            Self::Int(id) => Part::Int(id),
            Self::Static(text) => Part::Static(text),
            Self::Absent(depth) => Part::Absent(depth),
        }
    }

    fn shown(&self) -> Shown<'_> {
        match self {
            Self::None => Shown::Nothing,
            Self::Int(id) => Shown::Number(*id),
            Self::Static(text) => Shown::Text(text),
            Self::Absent(depth) => Shown::Absent(*depth),
        }
    }
}

/// Literals mostly are one and the same: no need to look at their letters.
#[inline(always)]
fn same(left: &'static str, right: &'static str) -> bool {
    std::ptr::eq(left, right) || same_letters(left, right)
}

#[cold]
fn same_letters(left: &str, right: &str) -> bool {
    left == right
}

/// The identifiers that found no place in a name: those from the first text or the first beyond
/// its places on.
#[derive(Clone, Debug)]
struct Spilled {
    first: Part,
    more: Vec<Part>,
}

impl Spilled {
    fn iter(&self) -> impl Iterator<Item = &Part> {
        std::iter::once(&self.first).chain(&self.more)
    }
}

/// Dropped by hand, which a caller inlines: the compiler's own way hands out the address of the
/// whole name, and the name then has to be in memory for that.
#[derive(Clone, Debug, Default)]
struct Rest(Option<Box<Spilled>>);

impl Drop for Rest {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(spilled) = self.0.take() {
            free(spilled);
        }
    }
}

#[cold]
#[inline(never)]
fn free(spilled: Box<Spilled>) {
    drop(spilled);
}

// Names are built by value and at once moved into an entry: `inline(always)` is what turns these
// moves into writes in place.

/// A namespace and its identifiers: the first `N` inline, so that a usual name allocates nothing.
#[derive(Clone, Debug)]
pub(crate) struct Name<const N: usize> {
    namespace: &'static str,
    hash: Fold,
    parts: [Plain; N],
    rest: Rest,
}

/// Of a namespace, the same in every process: the compiler reckons that of a literal.
#[inline(always)]
pub(crate) fn namespace_hash(namespace: &[u8]) -> u64 {
    Fold::fixed().bytes(namespace).get()
}

impl<const N: usize> Name<N> {
    #[inline(always)]
    pub(crate) fn new(namespace: &'static str) -> Self {
        let hash = Fold::seeded().word(namespace_hash(namespace.as_bytes()));
        Self { namespace, hash, parts: [Plain::None; N], rest: Rest(None) }
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, part: Part) {
        let plain = match part {
            Part::None => return,
            Part::Int(id) => Plain::Int(id),
            Part::Static(text) => Plain::Static(text),
            Part::Absent(depth) => Plain::Absent(depth),
            Part::Text(text) => {
                self.hash = self.hash.bytes(text.as_bytes());
                return self.spill(Part::Text(text));
            }
        };
        self.hash = match plain {
            Plain::None => return,
            Plain::Int(id) => self.hash.number(id),
            Plain::Static(text) => self.hash.bytes(text.as_bytes()),
            Plain::Absent(depth) => self.hash.word(ABSENT).word(u64::from(depth)),
        };
        if self.rest.0.is_none() {
            for place in &mut self.parts {
                if matches!(place, Plain::None) {
                    *place = plain;
                    return;
                }
            }
        }
        self.spill(plain.to_part());
    }

    #[cold]
    fn spill(&mut self, part: Part) {
        match &mut self.rest.0 {
            Some(spilled) => spilled.more.push(part),
            rest => *rest = Some(Box::new(Spilled { first: part, more: Vec::new() })),
        }
    }

    #[inline(always)]
    pub(crate) fn namespace(&self) -> &'static str {
        self.namespace
    }

    #[inline(always)]
    pub(crate) fn hash(&self) -> u64 {
        self.hash.get()
    }

    fn plain(&self) -> impl Iterator<Item = &Plain> {
        self.parts.iter().take_while(|plain| !matches!(plain, Plain::None))
    }

    fn spilled(&self) -> impl Iterator<Item = &Part> {
        self.rest.0.iter().flat_map(|spilled| spilled.iter())
    }

    /// Every identifier in order.
    fn shown(&self) -> impl Iterator<Item = Shown<'_>> {
        self.plain().map(Plain::shown).chain(self.spilled().map(Part::shown))
    }

    /// The same name with another number of places.
    pub(crate) fn resized<const M: usize>(&self) -> Name<M> {
        let mut name = Name::new(self.namespace);
        self.plain().for_each(|plain| name.push(plain.to_part()));
        self.spilled().for_each(|part| name.push(part.clone()));
        name
    }

    /// Whether both are one name, whatever has its place where.
    #[inline(always)]
    pub(crate) fn is<const M: usize>(&self, other: &Name<M>) -> bool {
        if self.hash != other.hash || !same(self.namespace, other.namespace) {
            return false;
        }
        let (places, others) = (&self.parts, &other.parts);
        let alike = places.iter().zip(others).all(|(left, right)| left.is(right));
        let mut beyond = places.iter().skip(M).chain(others.iter().skip(N));
        let none_beyond = beyond.all(|plain| matches!(plain, Plain::None));
        let none_spilled = self.rest.0.is_none() & other.rest.0.is_none();
        (alike && none_beyond && none_spilled) || self.is_all(other)
    }

    #[inline(never)]
    fn is_all<const M: usize>(&self, other: &Name<M>) -> bool {
        self.shown().eq(other.shown())
    }

    /// Writes `namespace:identifier…`. Injective: no two unequal names give the same text.
    pub(crate) fn render(&self, out: &mut String) {
        encode(self.namespace, out);
        for part in self.shown() {
            out.push(':');
            match part {
                Shown::Nothing => {}
                Shown::Number(id) => out.push_str(itoa::Buffer::new().format(id)),
                Shown::Text(text) => encode_identifier(text, out),
                // No text gives this: what follows its percent sign is hexadecimal.
                Shown::Absent(depth) => (0..=depth).for_each(|_| out.push_str(ABSENCE)),
            }
        }
    }
}

impl<const N: usize> PartialEq for Name<N> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.is(other)
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
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if text.bytes().all(plain) {
        return out.push_str(text); // Most are, and it shows in a hit of the shared level.
    }
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
    let mut hash = Fold::seeded().word(namespace_hash(&decode(parts.next()?)?));
    for part in parts {
        if let Some(depth) = absent(part) {
            hash = hash.word(ABSENT).word(u64::from(depth));
            continue;
        }
        // A text that looks like a number begins with an escape, so this is one.
        hash = match part.parse::<i64>() {
            Ok(id) if !part.starts_with('+') => hash.number(id),
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
            let (few, many) = (name(&left).resized::<1>(), name(&right).resized::<4>());
            prop_assert_eq!(few.is(&many), name(&left) == name(&right));
            prop_assert_eq!(many.is(&few), name(&left) == name(&right));
            prop_assert_eq!(many.hash(), name(&right).hash());
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
