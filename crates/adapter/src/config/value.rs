//! Reading values from text. A refusal says what would have been accepted.

use std::time::Duration;

use guildhall_domain::{Amount, BasisPoints};

/// What would have been accepted.
pub(crate) type Expected = String;

pub(crate) fn boolean(raw: &str) -> Result<bool, Expected> {
    match raw {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err("true or false".to_owned()),
    }
}

/// Whole numbers within bounds.
pub(crate) fn number(raw: &str, min: u64, max: u64) -> Result<u64, Expected> {
    let parsed = raw.replace('_', "").parse().ok().filter(|value| (min..=max).contains(value));
    parsed.ok_or_else(|| format!("a whole number from {min} to {max}"))
}

pub(crate) fn count(raw: &str, min: u32, max: u32) -> Result<usize, Expected> {
    let value = small(raw, min, max)?;
    usize::try_from(value).map_err(|_| format!("a whole number from {min} to {max}"))
}

pub(crate) fn small(raw: &str, min: u32, max: u32) -> Result<u32, Expected> {
    let value = number(raw, u64::from(min), u64::from(max))?;
    u32::try_from(value).map_err(|_| format!("a whole number from {min} to {max}"))
}

/// Points, more than zero.
pub(crate) fn amount(raw: &str) -> Result<Amount, Expected> {
    raw.parse().map_err(|_| "points above zero with at most two decimals".to_owned())
}

pub(crate) fn basis_points(raw: &str) -> Result<BasisPoints, Expected> {
    let value = number(raw, 1, i32::MAX as u64).ok().and_then(|bp| i32::try_from(bp).ok());
    value
        .and_then(|bp| BasisPoints::new(bp).ok())
        .ok_or_else(|| "basis points above zero, of which 10000 are times one".to_owned())
}

const DURATION: &str = "a duration such as 250ms, 5s, 30m, 24h or 7d, or a number of seconds";
/// A century: longer would overflow the arithmetic of some clocks.
const DURATION_MAX: Duration = Duration::from_secs(100 * 365 * 86_400);

/// `250ms`, `5s`, `1.5h`, `7d`, or seconds without a unit.
pub(crate) fn duration(raw: &str) -> Result<Duration, Expected> {
    let refused = || DURATION.to_owned();
    let digits = raw.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(raw.len());
    let (figure, unit) = raw.split_at(digits);
    let scale_s = match unit.trim() {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return Err(refused()),
    };
    let figure: f64 = figure.parse().map_err(|_| refused())?;
    let duration = Duration::try_from_secs_f64(figure * scale_s).map_err(|_| refused())?;
    if duration <= DURATION_MAX { Ok(duration) } else { Err(refused()) }
}

/// A duration that must not be zero.
pub(crate) fn timeout(raw: &str) -> Result<Duration, Expected> {
    duration(raw).and_then(|wait| {
        if wait.is_zero() { Err(format!("{DURATION}, above zero")) } else { Ok(wait) }
    })
}

/// `64MiB`, `1GB`, or bytes without a unit.
pub(crate) fn bytes(raw: &str) -> Result<u64, Expected> {
    let refused = || "a size such as 64MiB or 1GB, or a number of bytes".to_owned();
    let digits = raw.find(|c: char| !c.is_ascii_digit()).unwrap_or(raw.len());
    let (figure, unit) = raw.split_at(digits);
    let scale: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "kib" => 1 << 10,
        "mb" => 1_000_000,
        "mib" => 1 << 20,
        "gb" => 1_000_000_000,
        "gib" => 1 << 30,
        _ => return Err(refused()),
    };
    let figure: u64 = figure.parse().map_err(|_| refused())?;
    figure.checked_mul(scale).ok_or_else(refused)
}

/// A part of a cache key.
pub(crate) fn key_part(raw: &str) -> Result<String, Expected> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    if (1..=40).contains(&raw.len()) && raw.bytes().all(plain) {
        Ok(raw.to_owned())
    } else {
        Err("1 to 40 letters, digits, _ . and -".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_or_are_seconds() {
        for (raw, ms) in
            [("5s", 5_000), ("24h", 86_400_000), ("90", 90_000), ("250ms", 250), ("0.5m", 30_000)]
        {
            assert_eq!(duration(raw), Ok(Duration::from_millis(ms)), "{raw}");
        }
        for raw in ["", "s", "-1", "5 weeks", "1e400", "NaN", "inf", "1..5s", "99999999999999d"] {
            assert!(duration(raw).is_err(), "{raw}");
        }
        assert!(timeout("0").is_err());
    }

    #[test]
    fn sizes_have_units_or_are_bytes() {
        assert_eq!(bytes("64MiB"), Ok(64 << 20));
        assert_eq!(bytes("1 kb"), Ok(1_000));
        assert!(bytes("64 parsecs").is_err() && bytes("99999999999999GiB").is_err());
    }

    #[test]
    fn amounts_are_above_zero_and_finite() {
        assert_eq!(amount("0.5"), Amount::from_minor(50).map_err(|_| String::new()));
        for raw in ["0", "-1", "1e400", "NaN", "inf", "0.005"] {
            assert!(amount(raw).is_err(), "{raw}");
        }
    }
}
