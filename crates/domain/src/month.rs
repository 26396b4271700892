//! Calendar months.

use std::fmt;
use std::str::FromStr;

use crate::violation::{Rule, Violation};

/// A month of the calendar: `2026-11`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct Month {
    year: i16,
    month: u8,
}

impl Month {
    /// The year is -9999 to 9999, the month 1 to 12.
    pub fn new(year: i16, month: u8) -> Result<Self, Violation> {
        if (-9999..=9999).contains(&year) && (1..=12).contains(&month) {
            return Ok(Self { year, month });
        }
        let expected = "a month of the years -9999 to 9999, such as 2026-11";
        Err(Violation::new("month", Rule::Malformed { expected }))
    }

    /// The month of a date, whose years have the same range.
    pub(crate) fn of_date(date: jiff::civil::Date) -> Self {
        Self { year: date.year(), month: date.month().unsigned_abs() }
    }

    /// The year.
    #[must_use]
    pub const fn year(self) -> i16 {
        self.year
    }

    /// 1 to 12.
    #[must_use]
    pub const fn month(self) -> u8 {
        self.month
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:04}-{:02}", self.year, self.month))
    }
}

impl FromStr for Month {
    type Err = Violation;
    fn from_str(raw: &str) -> Result<Self, Violation> {
        let parts = raw.trim().rsplit_once('-');
        let parsed = parts.and_then(|(year, month)| year.parse().ok().zip(month.parse().ok()));
        let (year, month) = parsed.unwrap_or((0, 0)); // No month: refused below.
        Self::new(year, month)
    }
}

impl TryFrom<String> for Month {
    type Error = Violation;
    fn try_from(raw: String) -> Result<Self, Violation> {
        raw.parse()
    }
}

impl From<Month> for String {
    fn from(month: Month) -> String {
        month.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_read_as_they_are_shown() {
        for text in ["2026-11", "0999-01", "9999-12"] {
            assert_eq!(text.parse::<Month>().unwrap().to_string(), text);
        }
        for text in ["", "2026", "2026-00", "2026-13", "x-1", "99999-01"] {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
    }
}
