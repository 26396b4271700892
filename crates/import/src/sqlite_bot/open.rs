//! Opening a foreign SQLite file without ever touching it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use diesel::Connection;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;

use crate::detect::{SourceFile, beside, open};
use crate::error::ImportError;

/// A read-only connection.
pub(super) fn connect(file: &SourceFile) -> Result<SqliteConnection, ImportError> {
    let uri = uri(&file.path).map_err(|source| unreadable(file, source))?;
    let immutable = if needs_no_log(file)? { "&immutable=1" } else { "" };
    let fail = |detail: String| in_use_or_corrupt(file, "the header", detail);
    let mut conn = SqliteConnection::establish(&format!("{uri}?mode=ro{immutable}"))
        .map_err(|error| fail(error.to_string()))?;
    // A foreign schema may hold views and functions; none of them is trusted.
    conn.batch_execute(
        "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON; PRAGMA trusted_schema = OFF;",
    )
    .map_err(|error| fail(error.to_string()))?;
    Ok(conn)
}

/// Whether SQLite would only create a write-ahead log beside the file that has none: the bot is
/// not running, and not even an empty log is to be left behind.
fn needs_no_log(file: &SourceFile) -> Result<bool, ImportError> {
    let head = header(file)?;
    let logged = head.get(18) == Some(&2);
    let log = std::fs::metadata(beside(&file.path, "-wal")).map(|found| found.len());
    Ok(logged && !log.is_ok_and(|length| length > 0))
}

/// Refuses a file that is shorter than its header says, naming where it ends.
pub(super) fn check_length(file: &SourceFile) -> Result<(), ImportError> {
    let head = header(file)?;
    let actual = open(&file.path)?.metadata().map_err(|source| unreadable(file, source))?.len();
    let truncated =
        |expected| Err(ImportError::TruncatedSqlite { path: file.path.clone(), expected, actual });
    let Some(head) = head.first_chunk::<100>() else { return truncated(100) };
    let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let page_bytes = match u16::from_be_bytes([head[16], head[17]]) {
        1 => 65_536,
        size => u64::from(size),
    };
    // The count of pages is valid only when the last writer knew of it.
    let counted = word(24) == word(92);
    let expected = if counted { u64::from(word(28)) * page_bytes } else { 0 };
    // With a log beside it, the last pages may stand there.
    let logged = beside(&file.path, "-wal").exists();
    if actual < expected && !logged { truncated(expected) } else { Ok(()) }
}

fn header(file: &SourceFile) -> Result<Vec<u8>, ImportError> {
    let mut head = Vec::with_capacity(100);
    let read = open(&file.path)?.take(100).read_to_end(&mut head);
    read.map_err(|source| unreadable(file, source))?;
    Ok(head)
}

fn unreadable(file: &SourceFile, source: std::io::Error) -> ImportError {
    ImportError::Unreadable { path: file.path.clone(), source }
}

/// What it means that a statement about `part` failed.
pub(super) fn broken(file: &SourceFile, part: &str, error: &diesel::result::Error) -> ImportError {
    in_use_or_corrupt(file, part, error.to_string())
}

fn in_use_or_corrupt(file: &SourceFile, part: &str, detail: String) -> ImportError {
    let path = file.path.clone();
    // `readonly` is the answer to a journal that would have to be rolled back first.
    let in_use = ["locked", "readonly", "unable to open", "busy"];
    if in_use.iter().any(|word| detail.contains(word)) && File::open(&path).is_ok() {
        ImportError::SourceInUse { path, detail }
    } else {
        ImportError::CorruptSqlite { path, part: part.to_owned(), detail }
    }
}

/// The path as a `file:` URI, every byte with a meaning of its own escaped.
fn uri(path: &Path) -> std::io::Result<String> {
    let absolute = std::path::absolute(path)?;
    #[cfg(unix)]
    let bytes = std::os::unix::ffi::OsStrExt::as_bytes(absolute.as_os_str()).to_vec();
    #[cfg(not(unix))]
    let bytes = format!("/{}", absolute.to_string_lossy().replace('\\', "/")).into_bytes();
    let mut uri = "file://".to_owned();
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"/-._~:".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_byte_of_a_path_is_escaped() {
        let uri = uri(Path::new("/tmp/a b?mode=rw#%41&ü.db")).unwrap();
        assert_eq!(uri, "file:///tmp/a%20b%3Fmode%3Drw%23%2541%26%C3%BC.db");
    }
}
