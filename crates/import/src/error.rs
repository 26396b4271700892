//! What can keep an import from being made.

use std::path::PathBuf;

use guildhall_repository::StorageError;

/// Why an import was not made, or not to its end. Every variant but [`Storage`](Self::Storage),
/// [`LeaseLost`](Self::LeaseLost), [`Changed`](Self::Changed) and [`Internal`](Self::Internal)
/// means that nothing was written. Messages name files, tables and places in them, never a
/// member's data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// No such file.
    #[error("{} does not exist", .path.display())]
    NotFound {
        /// The file.
        path: PathBuf,
    },
    /// A directory or the like.
    #[error("{} is not a file", .path.display())]
    NotAFile {
        /// What was named.
        path: PathBuf,
    },
    /// The operating system refuses to open or read it.
    #[error("{} cannot be read", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file without content.
    #[error("{} is empty", .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Neither an SQLite database nor JSON, nor a script with a catalogue.
    #[error(
        "{} is neither an SQLite database nor a JSON file nor a catalogue of achievements",
        .path.display()
    )]
    UnknownKind {
        /// The file.
        path: PathBuf,
    },
    /// An SQLite database of another program.
    #[error("{} is an SQLite database, but not a bot's: it lacks {}", .path.display(), .missing.join(", "))]
    ForeignSqlite {
        /// The file.
        path: PathBuf,
        /// The tables, and columns as `table.column`, that it lacks.
        missing: Vec<String>,
    },
    /// An SQLite database whose end is missing.
    #[error(
        "{} is cut off: its header promises {expected} bytes and it ends at offset {actual}",
        .path.display()
    )]
    TruncatedSqlite {
        /// The file.
        path: PathBuf,
        /// How long it should be, in bytes.
        expected: u64,
        /// How long it is.
        actual: u64,
    },
    /// An SQLite database that is damaged.
    #[error("{} is damaged in {part}: {detail}", .path.display())]
    CorruptSqlite {
        /// The file.
        path: PathBuf,
        /// `table users`, or `the schema`.
        part: String,
        /// What SQLite says.
        detail: String,
    },
    /// Its own program holds the SQLite database, or left a transaction unfinished.
    #[error("{} is in use by its own program: {detail}", .path.display())]
    SourceInUse {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        detail: String,
    },
    /// Not JSON, or cut off.
    #[error(
        "{} {} at byte {offset} (line {line}, column {column}): {detail}",
        .path.display(),
        if *.truncated { "is cut off" } else { "is not valid JSON" }
    )]
    InvalidJson {
        /// The file.
        path: PathBuf,
        /// Where the reading stopped: bytes from the beginning.
        offset: u64,
        /// The line, from 1.
        line: u64,
        /// The byte within the line, from 1; 0 when the line is empty.
        column: u64,
        /// Whether it merely ends too early.
        truncated: bool,
        /// What was expected.
        detail: String,
    },
    /// JSON of another program.
    #[error("{} is JSON, but of another program: {detail}", .path.display())]
    ForeignJson {
        /// The file.
        path: PathBuf,
        /// What is missing.
        detail: &'static str,
    },
    /// A file that is read as a whole, and is too long for that.
    #[error("{} is longer than {bytes_max} bytes", .path.display())]
    FileTooLong {
        /// The file.
        path: PathBuf,
        /// The longest file of its kind.
        bytes_max: u64,
    },
    /// A script whose catalogue cannot be read.
    #[error("{} cannot be read at line {line}: {expected} expected", .path.display())]
    InvalidScript {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What should have been there.
        expected: &'static str,
    },
    /// One record so long that it cannot be a member.
    #[error("{} has a record of more than {bytes_max} bytes before byte {offset}", .path.display())]
    RecordTooLong {
        /// The file.
        path: PathBuf,
        /// Where the reading stopped.
        offset: u64,
        /// The longest record read.
        bytes_max: u64,
    },
    /// The file was written to while it was read. Batches before that were kept; the next run goes
    /// on.
    #[error("{} was changed while it was read", .path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// Another import holds the storage.
    #[error("another import is running ({state})")]
    Busy {
        /// What the storage says of it.
        state: String,
    },
    /// Another import took over, because this one's lease had run out.
    #[error("another import took over ({state}); what this one wrote was kept")]
    LeaseLost {
        /// What the storage says of it.
        state: String,
    },
    /// Nothing was ever imported under this name.
    #[error("nothing was imported from {source_name}")]
    NeverImported {
        /// The source that was to be undone.
        source_name: String,
    },
    /// The import brought no members, and what it defined for everybody is not taken back.
    #[error(
        "{source_name} brought no members; what it defined stays: missions, achievements, badges, \
         the story, lore, rewards and levels"
    )]
    NothingToUndo {
        /// The source that was to be undone.
        source_name: String,
    },
    /// A name of 1 to 200 characters is needed.
    #[error("the source name has {chars} characters; 1 to 200 are allowed")]
    SourceName {
        /// How many it has.
        chars: usize,
    },
    /// The storage refused or failed. Batches before that were kept; the next run goes on.
    #[error("the storage failed")]
    Storage(#[from] StorageError),
    /// A bug: the reading thread ended without an answer.
    #[error("internal error while reading {}", .path.display())]
    Internal {
        /// The file.
        path: PathBuf,
    },
}

impl ImportError {
    /// A stable machine-readable code: `invalid_json`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "file_not_found",
            Self::NotAFile { .. } => "not_a_file",
            Self::Unreadable { .. } => "file_unreadable",
            Self::Empty { .. } => "file_empty",
            Self::UnknownKind { .. } => "unknown_kind",
            Self::ForeignSqlite { .. } => "foreign_sqlite",
            Self::TruncatedSqlite { .. } => "truncated_sqlite",
            Self::CorruptSqlite { .. } => "corrupt_sqlite",
            Self::SourceInUse { .. } => "source_in_use",
            Self::InvalidJson { truncated: true, .. } => "truncated_json",
            Self::InvalidJson { .. } => "invalid_json",
            Self::ForeignJson { .. } => "foreign_json",
            Self::FileTooLong { .. } => "file_too_long",
            Self::InvalidScript { .. } => "invalid_script",
            Self::RecordTooLong { .. } => "record_too_long",
            Self::Changed { .. } => "source_changed",
            Self::Busy { .. } => "import_busy",
            Self::LeaseLost { .. } => "import_lease_lost",
            Self::NeverImported { .. } => "never_imported",
            Self::NothingToUndo { .. } => "nothing_to_undo",
            Self::SourceName { .. } => "source_name",
            Self::Storage(error) => error.kind().code(),
            Self::Internal { .. } => "internal",
        }
    }

    /// What the operator can do about it, where that is not plain.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotFound { .. } => Some("check the path for a typing error"),
            Self::UnknownKind { .. } => {
                Some("name the bot's SQLite database or its JSON store; archives are not unpacked")
            }
            Self::TruncatedSqlite { .. } | Self::CorruptSqlite { .. } => {
                Some("copy the file again, or recover it with `sqlite3 FILE .recover`")
            }
            Self::InvalidJson { truncated: true, .. } => {
                Some("copy the file again, or restore a backup; the bot rewrites it as a whole")
            }
            Self::NothingToUndo { .. } => {
                Some("switch off what is not wanted any more: members may hold it by now")
            }
            Self::SourceInUse { .. } | Self::Changed { .. } => {
                Some("stop the bot, or import a copy of the file, and run it again")
            }
            Self::Busy { .. } | Self::LeaseLost { .. } => {
                Some("wait for the other import, or until its lease is over, and run it again")
            }
            _ => None,
        }
    }
}
