//! JSON user stores of statistics bots: `{"users": [..], "analytics": {..}}`, or members keyed by
//! their ids, at the top or under `users`.
//!
//! The file is read as a stream; memory holds one record and what proves ids unique, about 25
//! bytes a member.

mod limited;
mod member;
mod walk;

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::ControlFlow;

use self::limited::Limited;
use self::walk::Walk;
use crate::detect::{BYTE_ORDER_MARK, SourceFile, open};
use crate::error::ImportError;
use crate::findings::Findings;
use crate::record::{ReadOptions, Record};

/// Reads the members in the order of the file, from just past the `after`-th, until `each` has had
/// enough. A file that is not valid to its end is an error, after the members before that.
pub(crate) fn read(
    file: &SourceFile,
    options: &ReadOptions,
    after: Option<i64>,
    findings: &mut Findings,
    each: &mut dyn FnMut(Record) -> ControlFlow<()>,
) -> Result<(), ImportError> {
    let unreadable = |source| ImportError::Unreadable { path: file.path.clone(), source };
    let mut source = open(&file.path)?;
    let mut head = [0; BYTE_ORDER_MARK.len()];
    let marked = source.read_exact(&mut head).is_ok() && head == BYTE_ORDER_MARK;
    if !marked {
        source.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    }
    let limited = Limited::new(BufReader::with_capacity(1 << 18, source));
    let budget = limited.budget();
    let mut walk = Walk::new(options, after, findings, each, budget.clone());
    let mut json = serde_json::Deserializer::from_reader(limited);
    let outcome = walk.top(&mut json).and_then(|()| json.end());
    if walk.stopped {
        return Ok(());
    }
    let error = match outcome {
        Ok(()) if walk.is_store() => return Ok(()),
        Ok(()) => {
            let detail = "it has no `users`, nor members keyed by their ids";
            return Err(ImportError::ForeignJson { path: file.path.clone(), detail });
        }
        Err(error) => error,
    };
    let path = file.path.clone();
    let offset = offset(file, &error).map_err(unreadable)?;
    if budget.is_spent() {
        return Err(ImportError::RecordTooLong {
            path,
            offset,
            bytes_max: limited::RECORD_BYTES_MAX,
        });
    }
    match error.classify() {
        serde_json::error::Category::Io => Err(unreadable(error.into())),
        category => Err(ImportError::InvalidJson {
            path,
            offset,
            line: error.line() as u64,
            column: error.column() as u64,
            truncated: category == serde_json::error::Category::Eof,
            detail: sentence(&error),
        }),
    }
}

/// What serde says, without the place that it appends.
fn sentence(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    text[..end].to_owned()
}

/// The offset in bytes of the line and column that serde names: the file is read once more.
fn offset(file: &SourceFile, error: &serde_json::Error) -> std::io::Result<u64> {
    let mut source = BufReader::new(std::fs::File::open(&file.path)?);
    let mark = source.fill_buf()?.starts_with(BYTE_ORDER_MARK);
    let mut offset = 0;
    let mut lines = error.line().saturating_sub(1);
    while lines > 0 {
        let buffer = source.fill_buf()?;
        let Some(length) = std::num::NonZeroUsize::new(buffer.len()) else { break };
        let line_end = buffer.iter().position(|byte| *byte == b'\n');
        let used = line_end.map_or(length.get(), |at| at + 1);
        lines -= usize::from(line_end.is_some());
        offset += used as u64;
        source.consume(used);
    }
    let mark = if mark && error.line() <= 1 { BYTE_ORDER_MARK.len() } else { 0 };
    Ok(offset + (error.column() + mark) as u64)
}
