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
    rest: More,
    mark: u64,
}

/// Dropped by hand for the same reason as the rest of a name.
#[derive(Clone, Debug, Default)]
struct More(Option<Box<[Tag]>>);

impl Drop for More {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(tags) = self.0.take() {
            free(tags);
        }
    }
}

#[cold]
#[inline(never)]
fn free(tags: Box<[Tag]>) {
    drop(tags);
}

#[cold]
#[inline(never)]
fn more(tags: impl Iterator<Item = Tag>) -> More {
    let tags: Box<[_]> = tags.collect();
    More((!tags.is_empty()).then_some(tags))
}

impl TagSet {
    #[inline(always)]
    pub(crate) fn collect(tags: impl IntoIterator<Item = Tag>) -> Self {
        let mut tags = tags.into_iter();
        let Some(first) = tags.next() else { return Self::default() };
        let mark = first.0.hash();
        let Some(second) = tags.next() else {
            return Self { inline: [Some(first), None], rest: More(None), mark };
        };
        // A sum, so that the order in which a caller lists tags is of no consequence.
        let mark = mark.wrapping_add(second.0.hash());
        let rest = match tags.size_hint() {
            (_, Some(0)) => More(None),
            _ => more(tags),
        };
        let rests = rest.0.iter().flat_map(|tags| tags.iter());
        let mark = rests.fold(mark, |mark, tag| mark.wrapping_add(tag.0.hash()));
        Self { inline: [Some(first), Some(second)], rest, mark }
    }

    #[inline]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Tag> {
        self.inline.iter().flatten().chain(self.rest.0.iter().flat_map(|tags| tags.iter()))
    }

    /// Tells sets apart: an entry counts for the tags it was stored under and for no others.
    #[inline]
    pub(crate) fn mark(&self) -> u64 {
        self.mark
    }
}
