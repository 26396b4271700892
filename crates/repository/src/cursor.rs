//! Where a keyset page goes on, and what is in it.

use std::marker::PhantomData;

use guildhall_domain::{MissionPeriod, Rule, Slug, Timestamp, Violation};

use crate::{Page, PageRequest};

/// Where a keyset page goes on. Opaque: pass it back as it came. It belongs to one order of one
/// list, and another list refuses it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cursor(String);

const FOREIGN: Violation =
    Violation::new("cursor", Rule::Malformed { expected: "the `next_cursor` of the same list" });

impl Cursor {
    /// The longest text accepted, in bytes: two slugs and their columns fit.
    pub const BYTES_MAX: usize = 320;

    /// The opaque text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Cursor {
    type Err = Violation;
    fn from_str(raw: &str) -> Result<Self, Violation> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"~-._:".contains(&b);
        if !raw.is_empty() && raw.len() <= Self::BYTES_MAX && raw.bytes().all(plain) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(FOREIGN)
        }
    }
}

/// For implementations: one order of one list, whose pages go on from its sort columns. Makes the
/// list's cursors and reads them, by the same types.
///
/// ```
/// # use guildhall_domain::{Slug, Timestamp};
/// # use guildhall_repository::{Keyset, PageRequest};
/// /// By time, then by id.
/// const NEWEST: Keyset<(Timestamp, Slug)> = Keyset::new("songs.newest");
/// # fn main() -> Result<(), guildhall_domain::Violation> {
/// // `limit + 1` rows, of which the last says that there are more.
/// let rows = vec![(Timestamp::EPOCH, Slug::parse("a")?), (Timestamp::EPOCH, Slug::parse("b")?)];
/// let page = NEWEST.page(rows.clone(), 1, |last| last.clone());
/// let next = PageRequest::first(1)?.after(page.next_cursor.unwrap());
/// assert_eq!(NEWEST.after(&next)?.as_ref(), rows.first());
/// # Ok(())
/// # }
/// ```
pub struct Keyset<C> {
    list: &'static str,
    columns: PhantomData<fn() -> C>,
}

impl<C> Clone for Keyset<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Keyset<C> {}

impl<C> Keyset<C> {
    /// The order of this name, which no other has: of the letters of a slug.
    #[must_use]
    pub const fn new(list: &'static str) -> Self {
        Self { list, columns: PhantomData }
    }
}

impl<C: CursorColumns> Keyset<C> {
    /// The columns past which the page begins; `None` for the first page. A cursor of another list
    /// is a violation.
    pub fn after(self, page: &PageRequest) -> Result<Option<C>, Violation> {
        page.cursor().map(|cursor| self.read(cursor).ok_or(FOREIGN)).transpose()
    }

    /// Of `limit + 1` fetched rows keeps `limit`, and a cursor if one was left.
    pub fn page<T>(self, mut items: Vec<T>, limit: u16, columns: impl Fn(&T) -> C) -> Page<T> {
        let more = items.len() > usize::from(limit);
        items.truncate(usize::from(limit));
        let next_cursor =
            if more { items.last().map(|last| self.write(&columns(last))) } else { None };
        Page { items, next_cursor }
    }

    fn write(self, columns: &C) -> Cursor {
        let mut text = self.list.to_owned();
        columns.write(&mut |column| {
            text.push('~');
            column.write(&mut text);
        });
        Cursor(text)
    }

    fn read(self, cursor: &Cursor) -> Option<C> {
        let columns = cursor.0.strip_prefix(self.list)?.strip_prefix('~')?;
        let mut parts = columns.split('~');
        let columns = C::read(&mut parts)?;
        parts.next().is_none().then_some(columns)
    }
}

/// For implementations: a value that stands in a cursor.
pub trait CursorColumn {
    /// Appends it: letters and digits of ASCII and `-._:`, at least one of them.
    fn write(&self, text: &mut String);

    /// What was written; `None` for anything else.
    fn read(text: &str) -> Option<Self>
    where
        Self: Sized;
}

/// For implementations: the sort columns of a list, the last of which are its key.
pub trait CursorColumns: Sized {
    /// Hands over each in turn.
    fn write(&self, write: &mut dyn FnMut(&dyn CursorColumn));

    /// The columns of as many texts; `None` when they are something else.
    fn read<'t>(texts: &mut impl Iterator<Item = &'t str>) -> Option<Self>;
}

/// Writes a column as it is shown, and reads it as it is parsed.
macro_rules! shown {
    ($($column:ty)+) => {
        $(impl CursorColumn for $column {
            fn write(&self, text: &mut String) {
                text.push_str(&self.to_string());
            }

            fn read(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        })+
    };
}

shown!(i32 i64 MissionPeriod);

impl CursorColumn for Slug {
    fn write(&self, text: &mut String) {
        text.push_str(self.as_str());
    }

    fn read(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

/// A slug, as rows hold it.
impl CursorColumn for String {
    fn write(&self, text: &mut String) {
        text.push_str(self);
    }

    fn read(text: &str) -> Option<Self> {
        Slug::read(text).map(Slug::into_string)
    }
}

/// In microseconds.
impl CursorColumn for Timestamp {
    fn write(&self, text: &mut String) {
        CursorColumn::write(&self.micros(), text);
    }

    fn read(text: &str) -> Option<Self> {
        Self::from_micros(CursorColumn::read(text)?).ok()
    }
}

/// Nothing, where there is nothing.
impl<T: CursorColumn> CursorColumn for Option<T> {
    fn write(&self, text: &mut String) {
        if let Some(column) = self {
            column.write(text);
        }
    }

    fn read(text: &str) -> Option<Self> {
        if text.is_empty() { Some(None) } else { T::read(text).map(Some) }
    }
}

/// A list by a key alone.
impl CursorColumns for i64 {
    fn write(&self, write: &mut dyn FnMut(&dyn CursorColumn)) {
        write(self);
    }

    fn read<'t>(texts: &mut impl Iterator<Item = &'t str>) -> Option<Self> {
        <Self as CursorColumn>::read(texts.next()?)
    }
}

macro_rules! tuple {
    ($($name:ident: $column:ident),+) => {
        impl<$($column: CursorColumn),+> CursorColumns for ($($column,)+) {
            fn write(&self, write: &mut dyn FnMut(&dyn CursorColumn)) {
                let ($($name,)+) = self;
                $(write($name);)+
            }

            fn read<'t>(texts: &mut impl Iterator<Item = &'t str>) -> Option<Self> {
                Some(($($column::read(texts.next()?)?,)+))
            }
        }
    };
}

tuple!(a: A, b: B);
tuple!(a: A, b: B, c: C);
tuple!(a: A, b: B, c: C, d: D);

#[cfg(test)]
mod tests {
    use super::*;

    const TIMED: Keyset<(Option<Timestamp>, i64)> = Keyset::new("users.active");
    const FULL: Keyset<(i32, Timestamp, Slug, MissionPeriod)> = Keyset::new("missions");

    /// What a list reads from a cursor that went to the caller and came back.
    fn read<C: CursorColumns>(list: Keyset<C>, cursor: &str) -> Result<Option<C>, Violation> {
        list.after(&PageRequest::default().after(cursor.parse()?))
    }

    #[test]
    fn columns_come_back() {
        for time in [None, Some(Timestamp::from_micros(-7).unwrap())] {
            let cursor = TIMED.write(&(time, i64::MIN));
            assert_eq!(read(TIMED, cursor.as_str()).unwrap(), Some((time, i64::MIN)));
        }
        let longest = Slug::parse(&"x".repeat(Slug::CHARS_MAX)).unwrap();
        let week: MissionPeriod = "2025-W34".parse().unwrap();
        let columns = (i32::MIN, Timestamp::EPOCH, longest, week);
        assert_eq!(read(FULL, FULL.write(&columns).as_str()).unwrap(), Some(columns));
        let by_id: Keyset<i64> = Keyset::new("ids");
        assert_eq!(read(by_id, by_id.write(&-1).as_str()).unwrap(), Some(-1));
        assert_eq!(by_id.after(&PageRequest::default()).unwrap(), None);
    }

    #[test]
    fn a_slug_that_looks_like_nothing_or_a_number_comes_back() {
        let by_slug: Keyset<(Option<i64>, Slug)> = Keyset::new("s");
        for slug in ["x", "-5", "a.b:c_d-e"] {
            let columns = (None, Slug::parse(slug).unwrap());
            assert_eq!(read(by_slug, by_slug.write(&columns).as_str()).unwrap(), Some(columns));
        }
    }

    #[test]
    fn a_cursor_serves_its_own_list_only() {
        for foreign in
            ["users.active", "users.active~", "users.active~1", "users.active~1~", "users.id~1~1"]
        {
            assert_eq!(read(TIMED, foreign).unwrap_err().field, "cursor", "{foreign}");
        }
        for foreign in ["users.active~1~1~1", "users.active~x~1", "users.active1~1", "~1~1", "~"] {
            assert_eq!(read(TIMED, foreign).unwrap_err().field, "cursor", "{foreign}");
        }
        for foreign in ["missions~1~1~a", "missions~1~~a~once", "missions~1~1~A~once"] {
            assert_eq!(read(FULL, foreign).unwrap_err().field, "cursor", "{foreign}");
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        assert!("users.active~1;drop".parse::<Cursor>().is_err() && "".parse::<Cursor>().is_err());
        assert!("u".repeat(Cursor::BYTES_MAX).parse::<Cursor>().is_ok());
        assert!("u".repeat(Cursor::BYTES_MAX + 1).parse::<Cursor>().is_err());
    }

    #[test]
    fn two_of_the_longest_slugs_fit() {
        let longest = Slug::parse(&"x".repeat(Slug::CHARS_MAX)).unwrap();
        let list: Keyset<(i64, i64, Slug, Slug)> = Keyset::new("achievements.list");
        let cursor = list.write(&(i64::MIN, i64::MIN, longest.clone(), longest));
        assert!(cursor.as_str().parse::<Cursor>().is_ok());
    }

    #[test]
    fn a_full_page_without_successor_ends_the_list() {
        let list: Keyset<i64> = Keyset::new("t");
        assert_eq!(list.page(vec![1, 2], 2, |id| *id).next_cursor, None);
        let page = list.page(vec![1, 2, 3], 2, |id| *id);
        assert_eq!((page.items, page.next_cursor), (vec![1, 2], Some(list.write(&2))));
    }
}
