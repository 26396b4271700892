//! Times to live as people write them: `"90s"`, `"1h30m"`, `"500ms"`.

use std::fmt::Write;

use syn::LitStr;

const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Milliseconds of a duration written as numbers with units, blanks between them allowed.
pub(crate) fn millis(literal: &LitStr) -> syn::Result<u64> {
    parse(&literal.value()).map_err(|what| {
        let mut message = format!("{what} in the ttl {:?}", literal.value());
        // Writing to a `String` cannot fail.
        write!(message, "; write for example \"500ms\", \"30s\", \"10m\", \"1h30m\" or \"1d\"")
            .ok();
        syn::Error::new(literal.span(), message)
    })
}

fn parse(text: &str) -> Result<u64, String> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err("nothing".to_owned());
    }
    let mut total_ms = 0_u64;
    while !rest.is_empty() {
        let digits = split(rest, |letter| letter.is_ascii_digit());
        if digits.0.is_empty() {
            return Err(format!("no number before {:?}", digits.1));
        }
        let unit = split(digits.1, |letter| letter.is_ascii_alphabetic());
        let Some((_, unit_ms)) = UNITS.iter().find(|(name, _)| *name == unit.0) else {
            return Err(match unit.0 {
                "" => format!("no unit after `{}`", digits.0),
                other => format!("unknown unit `{other}`"),
            });
        };
        total_ms = digits
            .0
            .parse::<u64>()
            .ok()
            .and_then(|count| count.checked_mul(*unit_ms))
            .and_then(|part_ms| total_ms.checked_add(part_ms))
            .ok_or("a number too large")?;
        rest = unit.1.trim_start();
    }
    if total_ms == 0 { Err("zero, which would store nothing,".to_owned()) } else { Ok(total_ms) }
}

/// The leading letters that match, and the rest.
fn split(text: &str, matches: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|letter| !matches(letter)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_add_up() {
        for (text, ms) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("10m", 600_000),
            ("1h", 3_600_000),
            ("1d", 86_400_000),
            ("1h30m", 5_400_000),
            (" 1d 2h 3m 4s 5ms ", 93_784_005),
        ] {
            assert_eq!(parse(text), Ok(ms), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", " ", "10", "s", "1 h", "1x", "1.5h", "-1s", "0s", "1H", "99999999999999d"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
