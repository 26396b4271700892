//! Where one text takes its `LIMIT` and `OFFSET` from.
//!
//! Texts that share a fingerprint may bind them at other places, or write them: `id IN (?)` and
//! `id IN (?, ?)` do. So this belongs to the text, and is small, since every text and type that is
//! known carries one.

use crate::fingerprint::{Normal, Slot};

/// Both, in sixteen bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paging {
    limit: Packed,
    offset: Packed,
}

impl Default for Paging {
    /// Neither.
    fn default() -> Self {
        Self { limit: NOWHERE, offset: NOWHERE }
    }
}

impl Paging {
    pub(crate) fn of(normal: &Normal) -> Self {
        Self { limit: Packed::of(normal.limit), offset: Packed::of(normal.offset) }
    }

    #[inline]
    pub(crate) fn is_some(self) -> bool {
        self != Self::default()
    }

    /// Whether a bind has to be looked at.
    pub(crate) fn is_bound(self) -> bool {
        self.limit.is_bound() || self.offset.is_bound()
    }

    /// The values of a call with these binds.
    pub(crate) fn values(self, shown: &[String]) -> (Option<u64>, Option<u64>) {
        (self.limit.value(shown), self.offset.value(shown))
    }
}

/// A [`Slot`], or none, in eight bytes: a number that is written, or with the highest bit set the
/// number of a bind. No database takes a `LIMIT` that needs that bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Packed(u64);

const IS_BOUND: u64 = 1 << 63;
const NOWHERE: Packed = Packed(u64::MAX);

impl Packed {
    fn of(slot: Option<Slot>) -> Self {
        match slot {
            Some(Slot::Literal(number)) if number < IS_BOUND => Self(number),
            Some(Slot::Bind(at)) => Self(IS_BOUND | u64::from(at)),
            _ => NOWHERE,
        }
    }

    fn is_bound(self) -> bool {
        self != NOWHERE && self.0 >= IS_BOUND
    }

    fn value(self, shown: &[String]) -> Option<u64> {
        if self == NOWHERE {
            None
        } else if self.is_bound() {
            shown.get(usize::try_from(self.0 & !IS_BOUND).ok()?)?.parse().ok()
        } else {
            Some(self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::{System, normalise};

    fn paging(sql: &str) -> Paging {
        Paging::of(&normalise(sql, System::Sqlite))
    }

    #[test]
    fn written_and_bound_numbers_are_told_apart() {
        let shown = ["7", "20", "x"].map(str::to_owned);
        let values = |sql| paging(sql).values(&shown);
        assert_eq!(values("SELECT a FROM t WHERE a = ? LIMIT ? OFFSET 3"), (Some(20), Some(3)));
        assert_eq!(
            values("SELECT a FROM t LIMIT 9223372036854775807"),
            (Some(i64::MAX as u64), None)
        );
        assert_eq!(values("SELECT a FROM t LIMIT ?3"), (None, None), "no number");
        assert_eq!(values("SELECT a FROM t LIMIT ?9"), (None, None), "no such bind");
        assert_eq!(values("SELECT a FROM t LIMIT 18446744073709551615"), (None, None));
        assert!(!paging("SELECT a FROM t").is_some() && !paging("SELECT a FROM t").is_bound());
        assert!(paging("SELECT a FROM t LIMIT 1").is_some());
        assert!(!paging("SELECT a FROM t LIMIT 1").is_bound());
        assert!(paging("SELECT a FROM t LIMIT 1 OFFSET ?").is_bound());
    }
}
