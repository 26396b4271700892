use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A server's files, and the account it runs under.
#[derive(Debug)]
pub(super) struct ServerDirectory {
    directory: TempDir,
    account: Option<Account>,
}

/// Whom a server runs as when the test runs as root, which PostgreSQL refuses to.
#[derive(Clone, Copy, Debug)]
struct Account {
    uid: u32,
    gid: u32,
}

impl ServerDirectory {
    /// In the temporary directory, or in `/tmp` where the server's account cannot get there.
    pub(super) fn create() -> Self {
        let usual = Self::create_in(&std::env::temp_dir());
        if usual.is_reachable() { usual } else { Self::create_in(Path::new("/tmp")) }
    }

    fn create_in(parent: &Path) -> Self {
        let directory = tempfile::Builder::new().prefix("guildhall-").tempdir_in(parent).unwrap();
        let is_root = fs::metadata(directory.path()).unwrap().uid() == 0;
        let account = is_root.then(unprivileged);
        if let Some(Account { uid, gid }) = account {
            chown(directory.path(), Some(uid), Some(gid)).unwrap();
        }
        Self { directory, account }
    }

    fn is_reachable(&self) -> bool {
        let test = self.command("test").arg("-w").arg(self.path()).status();
        test.is_ok_and(|status| status.success())
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file that the server's account owns.
    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        if let Some(Account { uid, gid }) = self.account {
            chown(path, Some(uid), Some(gid)).unwrap();
        }
    }

    pub(super) fn log(&self) -> PathBuf {
        self.path().join("log")
    }

    /// A command of the server's account, in a process group of its own so that the Ctrl-C of a
    /// terminal is the test's alone. What it prints is kept in the log.
    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        if let Some(Account { uid, gid }) = self.account {
            command.uid(uid).gid(gid);
        }
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        let errors = log.try_clone().unwrap();
        command.current_dir(self.path()).process_group(0);
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        command
    }

    /// The end of the log, for a panic's message.
    pub(super) fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }
}

fn unprivileged() -> Account {
    let accounts = fs::read_to_string("/etc/passwd").unwrap();
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| account(&accounts, name))
        .unwrap_or_else(|| panic!("there is no account `postgres` or `nobody` to run servers as"))
}

fn account(accounts: &str, name: &str) -> Option<Account> {
    let mut fields = accounts
        .lines()
        .map(|line| line.split(':'))
        .find(|line| line.clone().next() == Some(name))?;
    // name:password:uid:gid:...
    let uid = fields.nth(2)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(Account { uid, gid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let accounts = "postgresql:x:1:2::/:/bin/sh\npostgres:x:101:104::/:/bin/sh\n";
        let found = account(accounts, "postgres").unwrap();
        assert_eq!((found.uid, found.gid), (101, 104));
        assert!(account(accounts, "nobody").is_none());
    }
}
