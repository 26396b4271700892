//! Pages: always bounded.

use guildhall_domain::{Rule, Timestamp, Violation};

/// Where a keyset page goes on. Opaque: pass it back as it came. It belongs to one order of one
/// list, and another list refuses it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cursor(String);

const FOREIGN: Violation =
    Violation::new("cursor", Rule::Malformed { expected: "the `next_cursor` of the same list" });

impl Cursor {
    /// The longest text accepted, in bytes.
    pub const BYTES_MAX: usize = 200;

    /// For implementations: names the list and its order, then the sort columns of the last row.
    #[must_use]
    pub fn encode(list: &str, columns: &[Option<i64>]) -> Self {
        let mut text = list.to_owned();
        for column in columns {
            text.push('~');
            match column {
                Some(value) => text.push_str(&value.to_string()),
                None => text.push('x'),
            }
        }
        Self(text)
    }

    /// For implementations: the columns that [`Cursor::encode`] was given for `list`.
    pub fn decode<const N: usize>(&self, list: &str) -> Result<[Option<i64>; N], Violation> {
        let columns = self.0.strip_prefix(list).and_then(|rest| rest.strip_prefix('~'));
        let mut decoded = [None; N];
        let mut parts = columns.ok_or(FOREIGN)?.split('~');
        for slot in &mut decoded {
            *slot = match parts.next().ok_or(FOREIGN)? {
                "x" => None,
                value => Some(value.parse().map_err(|_| FOREIGN)?),
            };
        }
        if parts.next().is_some() { Err(FOREIGN) } else { Ok(decoded) }
    }

    /// For implementations: a cursor over ids alone.
    pub fn decode_id(&self, list: &str) -> Result<i64, Violation> {
        let [id] = self.decode(list)?;
        id.ok_or(FOREIGN)
    }

    /// For implementations: a cursor over a time that may be absent and an id.
    pub fn decode_time(&self, list: &str) -> Result<(Option<Timestamp>, i64), Violation> {
        let [time, id] = self.decode(list)?;
        let time = time.map(Timestamp::from_micros).transpose().map_err(|_| FOREIGN)?;
        Ok((time, id.ok_or(FOREIGN)?))
    }

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

/// Which keyset page: at most `limit` items from just past `after`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    limit: u16,
    after: Option<Cursor>,
}

impl PageRequest {
    /// The greatest limit.
    pub const LIMIT_MAX: u16 = 200;

    /// The first page; `limit` is 1 to 200.
    pub fn first(limit: u32) -> Result<Self, Violation> {
        bounded("limit", limit, 1, u32::from(Self::LIMIT_MAX))
            .map(|limit| Self { limit: limit as u16, after: None })
    }

    /// The page after `cursor`, of the same size.
    #[must_use]
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.after = Some(cursor);
        self
    }

    /// At most so many items.
    #[must_use]
    pub const fn limit(&self) -> u16 {
        self.limit
    }

    /// Where to go on; `None` for the first page.
    #[must_use]
    pub const fn cursor(&self) -> Option<&Cursor> {
        self.after.as_ref()
    }
}

impl Default for PageRequest {
    /// The first 50.
    fn default() -> Self {
        Self { limit: 50, after: None }
    }
}

/// A keyset page.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// In the stated order.
    pub items: Vec<T>,
    /// Where the next page begins; `None` at the end.
    pub next_cursor: Option<Cursor>,
}

impl<T> Page<T> {
    /// For implementations: of `limit + 1` fetched rows keeps `limit`, and a cursor if one was left.
    pub fn from_fetched(mut items: Vec<T>, limit: u16, cursor: impl Fn(&T) -> Cursor) -> Self {
        let more = items.len() > usize::from(limit);
        items.truncate(usize::from(limit));
        let next_cursor = if more { items.last().map(cursor) } else { None };
        Self { items, next_cursor }
    }

    /// The same page of other items.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next_cursor: self.next_cursor }
    }
}

/// Which rows of a leaderboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OffsetRequest {
    limit: u16,
    offset: u32,
}

impl OffsetRequest {
    /// The greatest limit.
    pub const LIMIT_MAX: u32 = 100;
    /// The greatest offset.
    pub const OFFSET_MAX: u32 = 10_000;

    /// `limit` is 1 to 100, `offset` 0 to 10 000.
    pub fn new(limit: u32, offset: u32) -> Result<Self, Violation> {
        let limit = bounded("limit", limit, 1, Self::LIMIT_MAX)? as u16;
        let offset = bounded("offset", offset, 0, Self::OFFSET_MAX)?;
        Ok(Self { limit, offset })
    }

    /// At most so many rows.
    #[must_use]
    pub const fn limit(self) -> u16 {
        self.limit
    }

    /// Past so many rows.
    #[must_use]
    pub const fn offset(self) -> u32 {
        self.offset
    }
}

impl Default for OffsetRequest {
    /// The first 10.
    fn default() -> Self {
        Self { limit: 10, offset: 0 }
    }
}

/// Rows of a leaderboard.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked<T> {
    /// In order of rank.
    pub items: Vec<T>,
    /// How many are ranked at all.
    pub total: u64,
    /// When it was computed.
    pub computed_at: Timestamp,
}

/// How many of a small catalogue: 1 to 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListLimit(u16);

impl ListLimit {
    /// The greatest limit.
    pub const MAX: u32 = 200;

    /// 1 to 200.
    pub fn new(limit: u32) -> Result<Self, Violation> {
        bounded("limit", limit, 1, Self::MAX).map(|limit| Self(limit as u16))
    }

    /// As a number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl Default for ListLimit {
    /// 50.
    fn default() -> Self {
        Self(50)
    }
}

fn bounded(field: &'static str, value: u32, min: u32, max: u32) -> Result<u32, Violation> {
    if (min..=max).contains(&value) {
        Ok(value)
    } else {
        let rule = Rule::OutOfRange { min: i64::from(min), max: i64::from(max) };
        Err(Violation::new(field, rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_bounded() {
        for limit in [0, 201, 10_000, u32::MAX] {
            assert_eq!(PageRequest::first(limit).unwrap_err().field, "limit");
        }
        assert_eq!(PageRequest::first(200).unwrap().limit(), 200);
        assert!(OffsetRequest::new(101, 0).is_err() && OffsetRequest::new(1, 10_001).is_err());
        assert!(ListLimit::new(0).is_err());
    }

    #[test]
    fn a_cursor_serves_its_own_list_only() {
        let cursor = Cursor::encode("users.active", &[None, Some(-7)]);
        let again: Cursor = cursor.as_str().parse().unwrap();
        assert_eq!(again.decode("users.active").unwrap(), [None, Some(-7)]);
        assert!(
            again.decode::<2>("users.id").is_err() && again.decode::<1>("users.active").is_err()
        );
        assert!("users.active~1;drop".parse::<Cursor>().is_err());
        assert!("u".repeat(201).parse::<Cursor>().is_err());
    }

    #[test]
    fn a_full_page_without_successor_ends_the_list() {
        let cursor = |id: &i64| Cursor::encode("t", &[Some(*id)]);
        assert_eq!(Page::from_fetched(vec![1, 2], 2, cursor).next_cursor, None);
        let page = Page::from_fetched(vec![1, 2, 3], 2, cursor);
        assert_eq!((page.items, page.next_cursor), (vec![1, 2], Some(cursor(&2))));
    }
}
