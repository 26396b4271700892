//! Where the servers' programs are installed.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The directory of `initdb` and `postgres`: of PATH, of Debian's packages, of `pg_config`.
pub(super) fn postgres_directory() -> PathBuf {
    let complete =
        |directory: &Path| ["initdb", "postgres"].iter().all(|name| directory.join(name).is_file());
    // A link on PATH stands elsewhere than the libraries it belongs to.
    let linked = on_path("initdb").and_then(|found| found.canonicalize().ok());
    linked
        .and_then(|program| program.parent().map(Path::to_owned))
        .into_iter()
        .chain(debian_directories())
        .chain(configured_directory())
        .find(|directory| complete(directory))
        .unwrap_or_else(|| panic!("no server to test with: install PostgreSQL"))
}

/// Redis, or its successor.
pub(super) fn redis() -> PathBuf {
    ["redis-server", "valkey-server"]
        .iter()
        .find_map(|name| on_path(name))
        .unwrap_or_else(|| panic!("no server to test with: install Redis"))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())
}

/// `/usr/lib/postgresql/*/bin`, the newest version first.
fn debian_directories() -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir("/usr/lib/postgresql") else { return Vec::new() };
    let mut versions: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort_unstable();
    versions.into_iter().rev().map(|(_, directory)| directory).collect()
}

fn configured_directory() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
}
