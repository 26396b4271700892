//! Tags: what entries depend on and writes change.

use std::hash::{Hash, Hasher};

use crate::name::{Name, Part};

/// Names something entries depend on. A write names the tags it changed, and every entry that
/// lists one of them is a miss from then on.
///
/// Keep it at four tags an entry or fewer: a shared level fetches one nonce per tag and read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag(pub(crate) Name<2>);

impl Tag {
    /// A tag without identifiers: the whole family, for lists.
    #[inline(always)]
    #[must_use]
    pub fn new(family: &'static str) -> Self {
        Self(Name::new(family))
    }

    /// Appends a number.
    #[inline(always)]
    #[must_use]
    pub fn id(mut self, id: impl Into<i64>) -> Self {
        self.0.push(Part::Int(id.into()));
        self
    }

    /// Appends a literal.
    #[inline(always)]
    #[must_use]
    pub fn part(mut self, literal: &'static str) -> Self {
        self.0.push(Part::Static(literal));
        self
    }

    /// Appends a text known at run time; it is copied.
    #[must_use]
    pub fn text(mut self, text: impl Into<Box<str>>) -> Self {
        self.0.push(Part::Text(text.into()));
        self
    }

    /// The family given to [`new`](Self::new).
    #[must_use]
    pub fn family(&self) -> &'static str {
        self.0.namespace()
    }
}

impl Hash for Tag {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash());
    }
}

/// The tags of one entry: two inline, more on the heap.
#[derive(Clone, Debug, Default)]
pub(crate) struct TagSet {
    inline: [Option<Tag>; 2],
    rest: Vec<Tag>,
    mark: u64,
}

impl TagSet {
    #[inline(always)]
    pub(crate) fn collect(tags: impl IntoIterator<Item = Tag>) -> Self {
        let mut tags = tags.into_iter();
        let inline = [tags.next(), tags.next()];
        let rest = match inline {
            [_, None] => Vec::new(),
            _ => tags.collect(),
        };
        let mut set = Self { inline, rest, mark: 0 };
        // A sum, so that the order in which a caller lists tags is of no consequence.
        set.mark = set.iter().fold(0, |mark: u64, tag| mark.wrapping_add(tag.0.hash()));
        set
    }

    #[inline]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Tag> {
        self.inline.iter().flatten().chain(&self.rest)
    }

    /// Tells sets apart: an entry counts for the tags it was stored under and for no others.
    #[inline]
    pub(crate) fn mark(&self) -> u64 {
        self.mark
    }
}
