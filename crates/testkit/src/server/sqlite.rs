use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A place for a SQLite database, and for the `-wal` and `-shm` files beside it.
///
/// The file itself does not exist yet. Dropped, its directory is removed with all that is in it.
#[derive(Debug)]
pub struct TempSqlite {
    directory: TempDir,
    path: PathBuf,
}

/// A new [`TempSqlite`].
pub fn sqlite_file() -> TempSqlite {
    let directory = tempfile::Builder::new().prefix("guildhall-").tempdir().unwrap();
    let path = directory.path().join("test.db");
    TempSqlite { directory, path }
}

impl TempSqlite {
    /// Where the database file is to stand.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory of the database, for other files of the same test.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// `sqlite://` and the path.
    pub fn url(&self) -> String {
        format!("sqlite://{}", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_goes_with_the_handle() {
        let file = sqlite_file();
        let directory = file.directory().to_owned();
        std::fs::write(file.path(), b"x").unwrap();
        assert_eq!(file.url(), format!("sqlite://{}/test.db", directory.display()));
        drop(file);
        assert!(!directory.exists());
    }
}
