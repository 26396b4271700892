//! Points, experience and rates: integers with checked arithmetic.

use std::fmt;
use std::str::FromStr;

use crate::violation::{Rule, Violation};

/// Minor units in one point.
pub const POINT_SCALE: i64 = 100;

/// The greatest magnitude of any amount or balance, in minor units: 90 million million points.
/// Two of them add without overflow and every value is exact in a JSON number.
const LIMIT: i64 = 9_000_000_000_000_000;

const FORM: Rule = Rule::Malformed { expected: "a decimal number with at most two decimals" };

macro_rules! scaled {
    ($(#[$doc:meta])* $name:ident, $field:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "serde", serde(try_from = "i64", into = "i64"))]
        pub struct $name(i64);

        impl $name {
            /// None at all.
            pub const ZERO: Self = Self(0);
            /// The greatest value: 9 × 10^15 minor units. The least is its negative.
            pub const MAX: Self = Self(LIMIT);

            /// From minor units, hundredths.
            pub const fn from_minor(minor: i64) -> Result<Self, Violation> {
                if minor < -LIMIT || minor > LIMIT {
                    return Err(Violation::new($field, Rule::Overflow));
                }
                Ok(Self(minor))
            }

            /// From whole units.
            pub const fn whole(units: i64) -> Result<Self, Violation> {
                match units.checked_mul(POINT_SCALE) {
                    Some(minor) => Self::from_minor(minor),
                    None => Err(Violation::new($field, Rule::Overflow)),
                }
            }

            /// In minor units, hundredths.
            #[must_use]
            pub const fn minor(self) -> i64 {
                self.0
            }

            /// The sum, or the refusal that it is too large.
            pub fn plus(self, other: Self) -> Result<Self, Violation> {
                Self::from_minor(self.0 + other.0) // Two limits fit an i64 twice over.
            }

            /// The difference, or the refusal that it is too large.
            pub fn minus(self, other: Self) -> Result<Self, Violation> {
                Self::from_minor(self.0 - other.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let (units, cents) = (self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100);
                f.pad(&format!("{}{units}.{cents:02}", if self.0 < 0 { "-" } else { "" }))
            }
        }

        impl FromStr for $name {
            type Err = Violation;
            /// Reads `12`, `12.5`, `-0.05`. Exponents, `NaN` and a third decimal are refused.
            fn from_str(raw: &str) -> Result<Self, Violation> {
                parse_minor(raw.trim(), $field).and_then(Self::from_minor)
            }
        }

        impl TryFrom<i64> for $name {
            type Error = Violation;
            fn try_from(minor: i64) -> Result<Self, Violation> {
                Self::from_minor(minor)
            }
        }

        impl From<$name> for i64 {
            fn from(value: $name) -> i64 {
                value.0
            }
        }
    };
}

scaled!(
    /// A signed quantity of points: 1 point is 100 minor units. Shown with two decimals.
    Points,
    "points"
);
scaled!(
    /// Experience, on the same scale as [`Points`]. It decides the level.
    Xp,
    "xp"
);

fn parse_minor(raw: &str, field: &'static str) -> Result<i64, Violation> {
    let malformed = Violation::new(field, FORM);
    let (negative, digits) = match raw.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, raw.strip_prefix('+').unwrap_or(raw)),
    };
    let (units, cents) = digits.split_once('.').unwrap_or((digits, ""));
    let numeric = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let no_digits = units.is_empty() && cents.is_empty();
    if no_digits || cents.len() > 2 || !numeric(units) || !numeric(cents) {
        return Err(malformed);
    }
    let overflow = |_| Violation::new(field, Rule::Overflow);
    let units: i64 = if units.is_empty() { 0 } else { units.parse().map_err(overflow)? };
    let cents: i64 = format!("{cents:0<2}").parse().map_err(|_| malformed)?;
    let minor = units.checked_mul(POINT_SCALE).and_then(|minor| minor.checked_add(cents));
    let minor = minor.ok_or(Violation::new(field, Rule::Overflow))?;
    Ok(if negative { -minor } else { minor })
}

/// More than zero points: what can be awarded, deducted, held or sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Points", into = "Points"))]
pub struct Amount(Points);

impl Amount {
    /// Refuses zero and less with `amount must be between 1 and ..` (minor units).
    pub const fn new(points: Points) -> Result<Self, Violation> {
        if points.0 <= 0 {
            return Err(Violation::new("amount", Rule::OutOfRange { min: 1, max: LIMIT }));
        }
        Ok(Self(points))
    }

    /// From whole points.
    pub const fn whole(points: i64) -> Result<Self, Violation> {
        match Points::whole(points) {
            Ok(points) => Self::new(points),
            Err(_) => Err(Violation::new("amount", Rule::Overflow)),
        }
    }

    /// From minor units.
    pub const fn from_minor(minor: i64) -> Result<Self, Violation> {
        match Points::from_minor(minor) {
            Ok(points) => Self::new(points),
            Err(_) => Err(Violation::new("amount", Rule::Overflow)),
        }
    }

    /// As points.
    #[must_use]
    pub const fn points(self) -> Points {
        self.0
    }

    /// In minor units, at least 1.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.0.minor()
    }

    /// This amount at a rate, truncated, at least one minor unit.
    pub fn times(self, rate: BasisPoints) -> Result<Self, Violation> {
        let scaled = i128::from(self.minor()) * i128::from(rate.get()) / 10_000;
        let minor =
            i64::try_from(scaled.max(1)).map_err(|_| Violation::new("amount", Rule::Overflow))?;
        Self::from_minor(minor)
    }
}

impl TryFrom<Points> for Amount {
    type Error = Violation;
    fn try_from(points: Points) -> Result<Self, Violation> {
        Self::new(points)
    }
}

impl From<Amount> for Points {
    fn from(amount: Amount) -> Points {
        amount.0
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Amount {
    type Err = Violation;
    fn from_str(raw: &str) -> Result<Self, Violation> {
        parse_minor(raw.trim(), "amount").and_then(Self::from_minor)
    }
}

/// A rate, multiplier or share: 10 000 is 100 %, or times one. Never negative here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "i32", into = "i32"))]
pub struct BasisPoints(i32);

impl BasisPoints {
    /// 100 %, times one.
    pub const ONE: Self = Self(10_000);

    /// From basis points, at least 0.
    pub const fn new(bp: i32) -> Result<Self, Violation> {
        if bp < 0 {
            let rule = Rule::OutOfRange { min: 0, max: i32::MAX as i64 };
            return Err(Violation::new("basis_points", rule));
        }
        Ok(Self(bp))
    }

    /// The number of basis points.
    #[must_use]
    pub const fn get(self) -> i32 {
        self.0
    }

    /// `part / whole` by integer division; 0 when `whole` is 0. Saturates.
    #[must_use]
    pub fn share(part: u64, whole: u64) -> Self {
        let bp = u128::from(part) * 10_000 / u128::from(whole.max(1));
        Self(if whole == 0 { 0 } else { i32::try_from(bp).unwrap_or(i32::MAX) })
    }

    /// The product of two multipliers, truncated and at most `max`.
    #[must_use]
    pub fn times(self, other: Self, max: Self) -> Self {
        let product = i64::from(self.0) * i64::from(other.0) / 10_000;
        Self(i32::try_from(product).unwrap_or(i32::MAX).min(max.0))
    }
}

impl TryFrom<i32> for BasisPoints {
    type Error = Violation;
    fn try_from(bp: i32) -> Result<Self, Violation> {
        Self::new(bp)
    }
}

impl From<BasisPoints> for i32 {
    fn from(bp: BasisPoints) -> i32 {
        bp.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_text_round_trips() {
        for (raw, minor, shown) in [
            ("12.5", 1250, "12.50"),
            ("-0.05", -5, "-0.05"),
            (".5", 50, "0.50"),
            ("7", 700, "7.00"),
            ("+1.", 100, "1.00"),
        ] {
            let points: Points = raw.parse().unwrap();
            assert_eq!((points.minor(), points.to_string().as_str()), (minor, shown));
        }
        for raw in ["", "-", ".", "1e400", "NaN", "inf", "1.234", "1,5", "0x10", "١"] {
            assert_eq!(raw.parse::<Points>().unwrap_err().rule, FORM, "{raw}");
        }
        assert_eq!("99999999999999999999".parse::<Points>().unwrap_err().rule, Rule::Overflow);
        assert_eq!("900000000000000".parse::<Points>().unwrap_err().rule, Rule::Overflow);
    }

    #[test]
    fn amounts_are_more_than_zero() {
        for raw in ["0", "-1", "0.00"] {
            assert_eq!(raw.parse::<Amount>().unwrap_err().rule.code(), "out_of_range");
        }
        assert!(Amount::from_minor(i64::MAX).is_err());
        assert!(Points::MAX.plus(Points::from_minor(1).unwrap()).is_err());
    }

    #[test]
    fn rates_truncate_and_leave_at_least_one_minor_unit() {
        let rate = |bp| BasisPoints::new(bp).unwrap();
        assert_eq!(Amount::from_minor(333).unwrap().times(rate(15_000)).unwrap().minor(), 499);
        assert_eq!(Amount::from_minor(1).unwrap().times(rate(1)).unwrap().minor(), 1);
        assert!(Amount::from_minor(LIMIT).unwrap().times(rate(10_001)).is_err());
        assert_eq!(rate(20_000).times(rate(15_000), rate(25_000)).get(), 25_000);
        assert_eq!(BasisPoints::share(1, 3).get(), 3_333);
        assert_eq!(BasisPoints::share(1, 0).get(), 0);
    }
}
