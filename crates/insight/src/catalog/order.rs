//! Values as the database prints them, made comparable.

use std::cmp::Ordering;

use super::TypeClass;

/// A printed value in the order of its type.
#[derive(Clone, Debug, PartialEq)]
pub enum Ordinal {
    /// Numbers, and moments as seconds since 1970.
    Number(f64),
    /// Everything else, by bytes: near enough to place a value within a histogram.
    Text(String),
}

impl Ordinal {
    /// Before, equal or after; `None` between numbers and texts.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(one), Self::Number(two)) => one.partial_cmp(two),
            (Self::Text(one), Self::Text(two)) => Some(one.cmp(two)),
            _ => None,
        }
    }

    /// How far it lies between two others: 0 at the first, 1 at the second. Half-way where that
    /// cannot be told.
    pub(super) fn between(&self, low: &Self, high: &Self) -> f64 {
        match (self, low, high) {
            (Self::Number(at), Self::Number(low), Self::Number(high)) if high > low => {
                ((at - low) / (high - low)).clamp(0.0, 1.0)
            }
            _ => 0.5,
        }
    }
}

/// Reads a printed value of a class; `None` if it is not one.
#[must_use]
pub fn ordinal(class: &TypeClass, printed: &str) -> Option<Ordinal> {
    match class {
        TypeClass::Boolean => {
            let truth = matches!(printed.to_ascii_lowercase().as_str(), "t" | "true" | "1" | "on");
            Some(Ordinal::Number(f64::from(u8::from(truth))))
        }
        TypeClass::Integer | TypeClass::Numeric | TypeClass::Float => {
            finite(printed.trim()).map(Ordinal::Number)
        }
        TypeClass::Date | TypeClass::Timestamp | TypeClass::TimestampTz => {
            moment(printed.trim()).or_else(|| finite(printed.trim())).map(Ordinal::Number)
        }
        // Of a type without a class, such as SQLite's, a number compares as one.
        TypeClass::Other => {
            Some(finite(printed).map_or_else(|| Ordinal::Text(printed.to_owned()), Ordinal::Number))
        }
        _ => Some(Ordinal::Text(printed.to_owned())),
    }
}

fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Seconds since 1970 of `2025-03-01[ T]12:30[:15.5][Z|+01[:30]]`.
fn moment(text: &str) -> Option<f64> {
    let (date, rest) = text.split_at_checked(10)?;
    let mut parts = date.split('-').map(str::parse::<i64>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    if parts.next().is_some() || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let days = days_from_civil(year, month, day) as f64;
    let rest = rest.trim_start_matches(['T', ' ']);
    let zone_at = rest.find(['+', '-', 'Z', 'z']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at_checked(zone_at)?;
    Some(days * 86_400.0 + seconds(clock.trim())? - offset(zone)?)
}

fn seconds(clock: &str) -> Option<f64> {
    let mut total = 0.0;
    if clock.is_empty() {
        return Some(total);
    }
    for (part, unit) in clock.split(':').zip([3_600.0, 60.0, 1.0]) {
        total += finite(part)? * unit;
    }
    Some(total)
}

fn offset(zone: &str) -> Option<f64> {
    match zone.as_bytes().first() {
        None | Some(b'Z' | b'z') => Some(0.0),
        Some(sign) => {
            let size = seconds(zone.get(1..)?)?;
            Some(if *sign == b'-' { -size } else { size })
        }
    }
}

/// Days since 1970-01-01 of a date of the Gregorian calendar: whole eras of 400 years, then the year
/// counted from March, so that the leap day is its last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(class: &TypeClass, text: &str) -> f64 {
        match ordinal(class, text) {
            Some(Ordinal::Number(number)) => number,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn moments_are_seconds_since_1970_whatever_their_zone() {
        let zoned = TypeClass::TimestampTz;
        assert_eq!(number(&zoned, "1970-01-02"), 86_400.0);
        assert_eq!(number(&zoned, "2000-03-01 00:00:00+00"), 951_868_800.0);
        assert_eq!(number(&zoned, "2000-03-01 01:30:00+01:30"), 951_868_800.0);
        assert_eq!(number(&zoned, "1969-12-31T23:59:59.5Z"), -0.5);
        assert_eq!(ordinal(&zoned, "yesterday"), None);
        assert_eq!(ordinal(&zoned, "2000-13-01"), None);
    }

    #[test]
    fn what_is_not_a_number_has_no_place_among_numbers() {
        assert_eq!(ordinal(&TypeClass::Integer, "five"), None);
        assert_eq!(ordinal(&TypeClass::Float, "NaN"), None);
        let text = ordinal(&TypeClass::Text, "5").unwrap();
        assert_eq!(text.compare(&Ordinal::Number(5.0)), None);
    }
}
