//! Writing results: tables and sentences for people, JSON for programs.

use std::io::{ErrorKind, Write};
use std::time::Duration;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use guildhall_adapter::domain::Timestamp;
use serde::Serialize;

use crate::error::CliError;

/// Writes a line, or several, to standard output.
pub(crate) fn say(text: impl AsRef<str>) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", text.as_ref()).and_then(|()| out.flush()).map_err(|error| {
        if error.kind() == ErrorKind::BrokenPipe {
            CliError::closed()
        } else {
            CliError::failed("output", format!("cannot write the result: {error}"))
        }
    })
}

/// Writes JSON to standard output.
pub(crate) fn say_json(value: &impl Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| CliError::failed("internal", format!("cannot encode: {error}")))?;
    say(text)
}

/// A table with these headings.
pub(crate) fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_header(headings.to_vec());
    table
}

/// Aligns columns of figures.
pub(crate) fn right(table: &mut Table, columns: &[usize]) {
    for &index in columns {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// `1 234 567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// `850 ns`, `77.0 µs`, `12.3 ms`, `4.2 s`.
pub(crate) fn short(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let s = duration.as_secs_f64();
    match nanos {
        0..1_000 => format!("{nanos} ns"),
        1_000..1_000_000 => format!("{:.1} µs", s * 1e6),
        1_000_000..1_000_000_000 => format!("{:.1} ms", s * 1e3),
        _ => format!("{s:.1} s"),
    }
}

/// An instant for people: to the second.
pub(crate) fn moment(time: Timestamp) -> String {
    let text = time.to_string();
    match text.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => text,
    }
}

/// Text of others for a terminal: without the control characters that would command it.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// The same for a text of several lines.
pub(crate) fn plain_lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped_by_thousands() {
        let shown: Vec<String> = [0, 999, 1_000, 1_234_567].into_iter().map(grouped).collect();
        assert_eq!(shown, ["0", "999", "1 000", "1 234 567"]);
    }

    #[test]
    fn durations_have_the_unit_that_suits_them() {
        let shown: Vec<String> =
            [850, 77_000, 12_300_000, 4_200_000_000].map(Duration::from_nanos).map(short).into();
        assert_eq!(shown, ["850 ns", "77.0 µs", "12.3 ms", "4.2 s"]);
    }

    #[test]
    fn instants_are_shown_to_the_second() {
        let shown = |raw: &str| moment(raw.parse().unwrap());
        assert_eq!(shown("2026-11-21T04:52:42.81597Z"), "2026-11-21T04:52:42Z");
        assert_eq!(shown("2026-11-21T04:52:42Z"), "2026-11-21T04:52:42Z");
    }

    #[test]
    fn names_cannot_command_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
    }
}
