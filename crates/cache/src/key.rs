//! Keys of entries.

use std::hash::{Hash, Hasher};

use crate::name::{Name, Part};

/// Names one cached value: a namespace and identifiers, in order.
///
/// Building, hashing and comparing one allocates nothing for up to four identifiers that are
/// numbers or literals. It becomes text (`gh:v1:user:42:profile`) for a shared level only. Two
/// unequal keys never give the same text: the number 42 and the text `"42"` differ, and `:`, `*`,
/// `?`, `[`, `]`, `{`, `}`, `%`, blanks and control characters are percent-encoded.
///
/// ```
/// use guildhall_cache::Key;
/// let profile = Key::new("user").id(42).part("profile");
/// let lookup = Key::new("user_by_email").text("ada@example.org");
/// assert_ne!(profile, lookup);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(pub(crate) Name<4>);

impl Key {
    /// A key without identifiers. The namespace is also the unit of statistics and of
    /// [`clear_namespace`](crate::Cache::clear_namespace).
    #[inline(always)]
    #[must_use]
    pub fn new(namespace: &'static str) -> Self {
        Self(Name::new(namespace))
    }

    /// Appends a number.
    #[inline(always)]
    #[must_use]
    pub fn id(mut self, id: impl Into<i64>) -> Self {
        self.0.push(Part::Int(id.into()));
        self
    }

    /// Appends a literal, such as the name of a variant.
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

    /// The namespace given to [`new`](Self::new).
    #[inline(always)]
    #[must_use]
    pub fn namespace(&self) -> &'static str {
        self.0.namespace()
    }
}

impl Hash for Key {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash());
    }
}
