//! Workload files: SQL, with what is known of a statement in a comment before it.

use sqlparser::tokenizer::{Token, Tokenizer, Whitespace};
use thiserror::Error;

use super::{Statement, Workload};
use crate::fingerprint::System;
use crate::sql::dialect;

/// The largest file read, in bytes.
pub const FILE_BYTES_MAX: usize = 16 << 20;
/// The most statements read.
pub const STATEMENTS_MAX: usize = 10_000;

/// Why a workload file was not read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum WorkloadError {
    /// Over [`FILE_BYTES_MAX`].
    #[error("the workload has {bytes} bytes; at most {FILE_BYTES_MAX} are read")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Over [`STATEMENTS_MAX`].
    #[error("the workload has more than {STATEMENTS_MAX} statements")]
    TooMany,
    /// A text, comment or identifier never ends.
    #[error("the workload cannot be split into statements: {reason}")]
    Unsplit {
        /// As the tokeniser has it.
        reason: String,
    },
    /// A comment promised a figure and gave none.
    #[error("line {line}: {key} must be a number that is not negative, not {value:?}")]
    NoNumber {
        /// Counted from 1.
        line: u64,
        /// Which figure.
        key: String,
        /// What stood there.
        value: String,
    },
}

/// Reads statements separated by `;`.
///
/// A comment before a statement may tell what is known of it, as `key: value` or `key=value` pairs
/// divided by commas or blanks: `calls` (default 1), `total_ms` or `mean_ms`, `operation`, and
/// `always $2: queued` for a placeholder whose value never changes. Any other comment is passed over.
///
/// ```
/// use guildhall_insight::{fingerprint::System, workload::read_workload};
///
/// let file = "-- calls: 1200, mean_ms: 3.5, operation: inbox
///             select * from letters where reader = $1 order by sent desc limit 20;";
/// let workload = read_workload(file, System::Postgres)?;
/// assert_eq!(workload.statements[0].calls, 1200);
/// assert_eq!(workload.statements[0].total_ms, Some(4200.0));
/// # Ok::<(), guildhall_insight::workload::WorkloadError>(())
/// ```
pub fn read_workload(text: &str, system: System) -> Result<Workload, WorkloadError> {
    if text.len() > FILE_BYTES_MAX {
        return Err(WorkloadError::TooLarge { bytes: text.len() });
    }
    let tokens = Tokenizer::new(dialect(system), text)
        .with_unescape(false)
        .tokenize_with_location()
        .map_err(|error| WorkloadError::Unsplit { reason: error.to_string() })?;
    let mut workload = Workload::default();
    let mut sql = String::new();
    let mut known = Known::default();
    for token in &tokens {
        match &token.token {
            Token::SemiColon => finish(&mut workload, &mut sql, &mut known)?,
            Token::Whitespace(Whitespace::SingleLineComment { comment, .. }) => {
                if sql.trim().is_empty() {
                    known.read(comment, token.span.start.line)?;
                }
                sql.push('\n');
            }
            Token::Whitespace(Whitespace::MultiLineComment(comment)) => {
                if sql.trim().is_empty() {
                    known.read(comment, token.span.start.line)?;
                }
                sql.push(' ');
            }
            other => sql.push_str(&other.to_string()),
        }
    }
    finish(&mut workload, &mut sql, &mut known)?;
    Ok(workload)
}

fn finish(
    workload: &mut Workload,
    sql: &mut String,
    known: &mut Known,
) -> Result<(), WorkloadError> {
    let known = std::mem::take(known);
    let sql = std::mem::take(sql);
    if sql.trim().is_empty() {
        return Ok(());
    }
    if workload.statements.len() == STATEMENTS_MAX {
        return Err(WorkloadError::TooMany);
    }
    let calls = known.calls.unwrap_or(1.0);
    let mut statement = Statement::new(sql.trim()).called(calls as u64);
    statement.total_ms = known.total_ms.or(known.mean_ms.map(|mean| mean * calls));
    statement.operations = known.operations;
    statement.constants = known.constants.into_iter().collect();
    workload.statements.push(statement);
    Ok(())
}

#[derive(Default)]
struct Known {
    calls: Option<f64>,
    total_ms: Option<f64>,
    mean_ms: Option<f64>,
    operations: Vec<String>,
    constants: Vec<(usize, String)>,
}

impl Known {
    fn read(&mut self, comment: &str, line: u64) -> Result<(), WorkloadError> {
        let mut words =
            comment.split([',', ':', '=', ' ', '\t', '\n']).filter(|word| !word.is_empty());
        while let Some(word) = words.next() {
            let number = |value: Option<&str>| {
                let value = value.unwrap_or_default();
                let read = value.parse().ok().filter(|number: &f64| *number >= 0.0);
                read.filter(|number| number.is_finite()).ok_or_else(|| WorkloadError::NoNumber {
                    line,
                    key: word.to_owned(),
                    value: value.to_owned(),
                })
            };
            match word {
                "calls" => self.calls = Some(number(words.next())?),
                "total_ms" => self.total_ms = Some(number(words.next())?),
                "mean_ms" => self.mean_ms = Some(number(words.next())?),
                "operation" => self.operations.extend(words.next().map(str::to_owned)),
                "always" => {
                    let place = words.next().unwrap_or_default();
                    let ordinal = place.trim_start_matches(['$', '?']).parse::<usize>().ok();
                    let place = ordinal.and_then(|ordinal| ordinal.checked_sub(1));
                    let place = place.ok_or_else(|| WorkloadError::NoNumber {
                        line,
                        key: word.to_owned(),
                        value: ordinal.map_or_else(String::new, |ordinal| ordinal.to_string()),
                    })?;
                    self.constants.extend(words.next().map(|value| (place, value.to_owned())));
                }
                // Prose: a key is a key only at the start of a comment's remark.
                _ if self.is_empty() => return Ok(()),
                _ => {}
            }
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.calls.is_none()
            && self.total_ms.is_none()
            && self.mean_ms.is_none()
            && self.operations.is_empty()
            && self.constants.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Workload, WorkloadError> {
        read_workload(text, System::Postgres)
    }

    #[test]
    fn statements_end_at_semicolons_outside_texts() {
        let read = read("select ';' ; ; select \"a;b\" from t -- tail; of it\n").unwrap();
        let texts: Vec<_> = read.statements.iter().map(|found| found.sql.as_str()).collect();
        assert_eq!(texts, ["select ';'", "select \"a;b\" from t"]);
        assert!(read.statements.iter().all(|found| found.calls == 1 && found.total_ms.is_none()));
    }

    #[test]
    fn a_comment_before_a_statement_tells_of_it() {
        let text = "-- The inbox, calls are many.\n/* calls=40 total_ms=12.5 operation=inbox, \
                    always $2: queued */ select 1; select 2";
        let read = read(text).unwrap();
        let first = &read.statements[0];
        assert_eq!((first.calls, first.total_ms), (40, Some(12.5)));
        assert_eq!(first.operations, ["inbox"]);
        assert_eq!(first.values_at(1), ["queued"]);
        assert_eq!(read.statements[1].calls, 1);
    }

    #[test]
    fn a_figure_that_is_none_is_refused_with_its_line() {
        let error = read("select 1;\n-- calls: often\nselect 2").unwrap_err();
        let WorkloadError::NoNumber { line, key, value } = error else { panic!("{error}") };
        assert_eq!((line, key.as_str(), value.as_str()), (2, "calls", "often"));
        assert!(read("-- calls: -1\nselect 1").is_err());
        assert!(read("-- always $0: x\nselect 1").is_err());
    }

    #[test]
    fn a_text_that_never_ends_is_an_error() {
        assert!(matches!(read("select 'oops"), Err(WorkloadError::Unsplit { .. })));
    }
}
