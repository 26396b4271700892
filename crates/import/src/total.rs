//! A sum of points over all members.

use std::fmt;

use guildhall_domain::Points;
use serde::{Serialize, Serializer};

/// A sum of points that cannot overflow. Shown and serialised as a decimal with two digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PointTotal(i128);

impl PointTotal {
    /// Adds to it.
    pub fn add(&mut self, points: Points) {
        self.0 += i128::from(points.minor());
    }

    /// In minor units, hundredths.
    #[must_use]
    pub const fn minor(self) -> i128 {
        self.0
    }
}

impl From<Points> for PointTotal {
    fn from(points: Points) -> Self {
        Self(i128::from(points.minor()))
    }
}

impl fmt::Display for PointTotal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, minor) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        f.pad(&format!("{sign}{}.{:02}", minor / 100, minor % 100))
    }
}

impl Serialize for PointTotal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_shown_with_two_digits() {
        let mut total = PointTotal::default();
        for minor in [1250, 800, -2055] {
            total.add(Points::from_minor(minor).unwrap());
        }
        assert_eq!((total.minor(), total.to_string().as_str()), (-5, "-0.05"));
        for _ in 0..10_000 {
            total.add(Points::MAX);
        }
        assert_eq!(total.to_string(), "899999999999999999.95");
    }
}
