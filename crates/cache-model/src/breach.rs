//! What may be found.

use std::fmt;

/// A promise that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// A read that began after a write had returned in the same process gave an older value.
    P1,
    /// A read that began after a change was acknowledged gave an older value, other than from
    /// memory or a joined flight within their bound.
    P3,
    /// Everything has come to rest, and the shared level serves an old value.
    RestShared,
    /// Everything has come to rest, and a memory serves an old value.
    RestMemory,
    /// A read of process 0 gave an older value than one that had ended before it began.
    Backwards0,
    /// The same of process 1.
    Backwards1,
    /// The same of process 2.
    Backwards2,
    /// P1, by a read that began while somebody was still connected to a demoted primary.
    P1Early,
    /// P3, by a read that began while somebody was still connected to a demoted primary.
    P3Early,
}

impl Breach {
    pub(crate) const ALL: [Self; 9] = [
        Self::P1,
        Self::P3,
        Self::RestShared,
        Self::RestMemory,
        Self::Backwards0,
        Self::Backwards1,
        Self::Backwards2,
        Self::P1Early,
        Self::P3Early,
    ];

    pub(crate) fn backwards(process: u8) -> Self {
        match process {
            0 => Self::Backwards0,
            1 => Self::Backwards1,
            _ => Self::Backwards2,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::P1 => "P1",
            Self::P3 => "P3",
            Self::RestShared => "REST shared",
            Self::RestMemory => "REST memory",
            Self::Backwards0 => "backwards in p0",
            Self::Backwards1 => "backwards in p1",
            Self::Backwards2 => "backwards in p2",
            Self::P1Early => "P1 before all moved",
            Self::P3Early => "P3 before all moved",
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// A set of broken promises.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Breaches(u16);

impl Breaches {
    /// Every promise was kept.
    pub const NONE: Self = Self(0);

    /// Exactly these.
    #[must_use]
    pub fn of(breaches: &[Breach]) -> Self {
        breaches.iter().fold(Self::NONE, |set, breach| set.with(*breach))
    }

    #[must_use]
    pub(crate) fn with(self, breach: Breach) -> Self {
        Self(self.0 | 1 << breach as u16)
    }

    pub(crate) fn add(&mut self, breach: Breach) {
        *self = self.with(breach);
    }

    #[must_use]
    pub(crate) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that are not in the other set.
    #[must_use]
    pub(crate) fn beyond(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether every promise was kept.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// One by one.
    pub fn iter(self) -> impl Iterator<Item = Breach> {
        Breach::ALL.into_iter().filter(move |breach| self.0 >> *breach as u16 & 1 == 1)
    }
}

impl fmt::Display for Breaches {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return out.write_str("none");
        }
        for (at, breach) in self.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(out, "{comma}{breach}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Breaches {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}
