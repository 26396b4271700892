//! Pages: always bounded.

use guildhall_domain::{Rule, Timestamp, Violation};

use crate::Cursor;

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
    /// The same page of other items.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next_cursor: self.next_cursor }
    }

    /// The same page of other items, unless one of them cannot be made.
    pub fn try_map<U, E>(self, change: impl FnMut(T) -> Result<U, E>) -> Result<Page<U>, E> {
        let items = self.items.into_iter().map(change).collect::<Result<_, _>>()?;
        Ok(Page { items, next_cursor: self.next_cursor })
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
}
