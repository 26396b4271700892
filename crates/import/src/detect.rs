//! What kind of file it is, judged by its content, and whether it stays as it is.

mod story;

use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::error::ImportError;

/// The kinds of files that can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// The SQLite database of a gamification bot.
    SqliteBot,
    /// The JSON user store of a statistics bot.
    JsonStore,
    /// Fragments of a story in JSON: one, a list, or an object with a list called `fragments`.
    NarrativeJson,
    /// A script that inserts a catalogue of achievements.
    AchievementScript,
}

impl fmt::Display for SourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::SqliteBot => "sqlite-bot",
            Self::JsonStore => "json-store",
            Self::NarrativeJson => "narrative-json",
            Self::AchievementScript => "achievement-script",
        })
    }
}

const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// How much of a file is looked at.
const HEAD_BYTES: usize = 64 << 10;

/// The kind of the file at `path`, by its first 64 KiB and never by its name: SQLite files begin
/// with a magic text, JSON with a brace or bracket, perhaps after white space or a byte order mark.
/// JSON whose first names are those of fragments is a story, any other a user store. Text that
/// names an `achievementId` is a script.
pub fn detect(path: &Path) -> Result<SourceKind, ImportError> {
    let mut file = open(path)?;
    let mut head = vec![0_u8; HEAD_BYTES];
    let mut length = 0;
    while length < head.len() {
        match file.read(&mut head[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(source) => return Err(ImportError::Unreadable { path: path.into(), source }),
        }
    }
    let head = &head[..length];
    let text = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        _ if head.starts_with(SQLITE_MAGIC) => Ok(SourceKind::SqliteBot),
        Some(b'{' | b'[') if story::begins(text) => Ok(SourceKind::NarrativeJson),
        Some(b'{') => Ok(SourceKind::JsonStore),
        Some(_) if names_achievements(text) => Ok(SourceKind::AchievementScript),
        Some(b'[') => Ok(SourceKind::JsonStore),
        None if length < HEAD_BYTES => Err(ImportError::Empty { path: path.into() }),
        _ => Err(ImportError::UnknownKind { path: path.into() }),
    }
}

fn names_achievements(text: &[u8]) -> bool {
    let name = b"achievementId";
    text.windows(name.len()).any(|part| part == name)
}

/// Opens a plain file for reading, or says what is wrong with it.
pub(crate) fn open(path: &Path) -> Result<File, ImportError> {
    let unreadable = |source: std::io::Error| match source.kind() {
        ErrorKind::NotFound => ImportError::NotFound { path: path.into() },
        _ => ImportError::Unreadable { path: path.into(), source },
    };
    // Asked before it is opened: opening a pipe would wait for its writer.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(ImportError::NotAFile { path: path.into() });
    }
    File::open(path).map_err(unreadable)
}

/// A file of a known kind, and what it looked like when it was first seen.
#[derive(Clone, Debug)]
pub(crate) struct SourceFile {
    pub(crate) path: PathBuf,
    pub(crate) kind: SourceKind,
    /// Length and time of the last change of the file and of its write-ahead log.
    pub(crate) fingerprint: String,
}

impl SourceFile {
    pub(crate) fn find(path: &Path) -> Result<Self, ImportError> {
        let kind = detect(path)?;
        Ok(Self { path: path.into(), kind, fingerprint: fingerprint(path)? })
    }

    /// Refuses a file that was written to since it was found.
    pub(crate) fn check_unchanged(&self) -> Result<(), ImportError> {
        if fingerprint(&self.path)? == self.fingerprint {
            Ok(())
        } else {
            Err(ImportError::Changed { path: self.path.clone() })
        }
    }

    /// What the source is called unless it is given a name: its kind alone. The file's name would
    /// make another source of a renamed copy, and pay every member twice.
    pub(crate) fn default_name(&self) -> String {
        self.kind.to_string()
    }
}

fn fingerprint(path: &Path) -> Result<String, ImportError> {
    let unreadable = |source| ImportError::Unreadable { path: path.into(), source };
    let of = |path: &Path| -> std::io::Result<(u64, u128)> {
        let found = std::fs::metadata(path)?;
        let changed = found.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok((found.len(), changed.as_nanos()))
    };
    let (length, changed) = of(path).map_err(unreadable)?;
    // Without a log, or with one that nothing was written to, the log says nothing.
    let log = of(&beside(path, "-wal")).unwrap_or_default();
    let log = if log.0 == 0 { String::new() } else { format!("+{}.{}", log.0, log.1) };
    Ok(format!("{length}.{changed}{log}"))
}

/// The file that SQLite keeps beside `path`.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
