//! Errors as the program tells them: a sentence, a hint, an exit code.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use guildhall_adapter::domain::Violation;
use guildhall_adapter::import::ImportError;
use guildhall_adapter::repository::{ErrorKind, StorageError};
use guildhall_adapter::{AdviceError, ConfigError, ConnectError};
use serde::Serialize;

/// The exit code of something that failed.
pub(crate) const FAILED: u8 = 1;
/// The exit code of bad usage, configuration or input.
pub(crate) const USAGE: u8 = 2;
/// The exit code of an interrupted program, by the custom of shells.
const INTERRUPTED: u8 = 130;

/// What went wrong, as it is told.
#[derive(Debug)]
pub(crate) struct CliError {
    kind: String,
    message: String,
    hint: Option<String>,
    /// The offending part of the input, and the code of the rule it breaks.
    input: Option<(&'static str, &'static str)>,
    exit: u8,
}

#[derive(Serialize)]
struct Wrapped<'a> {
    error: Told<'a>,
}

#[derive(Serialize)]
struct Told<'a> {
    kind: &'a str,
    message: &'a str,
    hint: Option<&'a str>,
    field: Option<&'a str>,
    rule: Option<&'a str>,
}

impl CliError {
    pub(crate) fn failed(kind: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind: kind.to_owned(), message, hint: None, input: None, exit: FAILED }
    }

    pub(crate) fn usage(kind: &str, message: impl Into<String>) -> Self {
        Self { exit: USAGE, ..Self::failed(kind, message) }
    }

    /// What was typed is well-formed and names nothing: bad input like any other.
    pub(crate) fn unknown(field: &'static str, message: impl Into<String>) -> Self {
        Self::usage("not_found", message).input(field, "unknown")
    }

    pub(crate) fn interrupted() -> Self {
        let told = Self::failed("interrupted", "interrupted before the end");
        Self { exit: INTERRUPTED, ..told }
    }

    /// Nobody reads the output any more, as after `| head`: not worth a word.
    pub(crate) fn closed() -> Self {
        Self { exit: 0, ..Self::failed("closed", "") }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Names the offending part of the input, and the rule that it breaks.
    pub(crate) fn input(mut self, field: &'static str, rule: &'static str) -> Self {
        self.input = Some((field, rule));
        self
    }

    pub(crate) fn from_clap(refused: &clap::Error) -> Self {
        let text = refused.render().to_string();
        let told: Vec<&str> = text
            .lines()
            .map(str::trim)
            .take_while(|line| !line.starts_with("Usage:"))
            .filter(|line| !line.is_empty() && !line.starts_with("For more information"))
            .collect();
        let told = told.join(" ");
        Self::usage("usage", told.trim_start_matches("error: ")).hint("see `guildhall --help`")
    }

    /// Tells it on standard error, and how the program is to end.
    pub(crate) fn report(&self, as_json: bool) -> ExitCode {
        let text = if as_json {
            let hint = self.hint.as_deref();
            let (field, rule) = self.input.unzip();
            let error = Told { kind: &self.kind, message: &self.message, hint, field, rule };
            serde_json::to_string(&Wrapped { error }).unwrap_or_default()
        } else {
            let hint = self.hint.as_ref().map(|hint| format!("\n hint: {hint}"));
            format!("error: {}{}", self.message, hint.unwrap_or_default())
        };
        if self.exit != 0 {
            // Nobody is left to be told when standard error is closed.
            let _told = writeln!(std::io::stderr(), "{text}");
        }
        ExitCode::from(self.exit)
    }
}

/// An error with its causes, in one sentence.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let told = error.to_string();
        if !text.ends_with(&told) {
            text = format!("{text}: {told}");
        }
        cause = error.source();
    }
    text
}

fn hint_for(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::InsufficientBalance => "held points cannot be spent; see `guildhall user show`",
        ErrorKind::Conflict => "the once-only key was used for another request; choose another key",
        ErrorKind::Contention => "nothing was written; try again",
        ErrorKind::Timeout => {
            "it may or may not have been written: repeat it with the same --key, or look at the history"
        }
        ErrorKind::Unavailable => "see `guildhall health`, and whether the address is right",
        ErrorKind::Integrity => {
            "the stored data is damaged; `guildhall verify` lists what is broken"
        }
        ErrorKind::Internal => "this is a bug; RUST_LOG=debug shows more",
        _ => return None,
    })
}

impl From<StorageError> for CliError {
    fn from(error: StorageError) -> Self {
        let kind = error.kind();
        let exit = if kind == ErrorKind::Validation { USAGE } else { FAILED };
        let hint = hint_for(kind).map(str::to_owned);
        let input = match &error {
            StorageError::Validation(broken) => Some((broken.field, broken.rule.code())),
            _ => None,
        };
        Self { kind: kind.code().to_owned(), message: chain(&error), hint, input, exit }
    }
}

impl From<Violation> for CliError {
    fn from(violation: Violation) -> Self {
        StorageError::from(violation).into()
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        let hint = match &error {
            ConfigError::UnknownKey { .. } | ConfigError::Invalid { .. } => {
                "`guildhall config show` lists every setting and where it came from"
            }
            ConfigError::UnknownScheme { .. } => {
                "other databases can be attached in a program of your own through the trait `Storage`"
            }
            ConfigError::Missing { .. } => "give --redis URL, REDIS_URL, or set it in the file",
            _ => "check the path and the syntax; the format is TOML",
        };
        Self::usage("config", chain(&error)).hint(hint)
    }
}

impl From<ConnectError> for CliError {
    fn from(error: ConnectError) -> Self {
        let message = chain(&error);
        let kind = error.storage().map(StorageError::kind);
        match error {
            ConnectError::Config(error) => error.into(),
            ConnectError::Outdated { .. } => Self::failed("outdated", message)
                .hint("`guildhall migrate up` brings them up to date; `database.migrate` is off"),
            ConnectError::Cache(_) => Self::usage("config", message)
                .hint("an address looks like redis://user:password@host:6379/0"),
            _ => {
                let kind = kind.unwrap_or(ErrorKind::Internal);
                let hint = match kind {
                    ErrorKind::Integrity => "the file is not a database of guildhall",
                    _ if message.contains("readonly database") => {
                        "the file is read-only: allow this user to write it and its folder, where \
                         SQLite keeps its log"
                    }
                    _ => "check address, password and permissions, and whether the server runs",
                };
                let exit = if kind == ErrorKind::Validation { USAGE } else { FAILED };
                Self { exit, ..Self::failed(kind.code(), message) }.hint(hint)
            }
        }
    }
}

impl From<AdviceError> for CliError {
    fn from(error: AdviceError) -> Self {
        let kind = match error {
            AdviceError::Storage(error) => return error.into(),
            AdviceError::Uncounted(_) | AdviceError::Foreign => ErrorKind::NotSupported,
            _ => ErrorKind::Internal,
        };
        Self::failed(kind.code(), chain(&error))
    }
}

impl From<ImportError> for CliError {
    fn from(error: ImportError) -> Self {
        if let ImportError::Storage(error) = error {
            return error.into();
        }
        let told = Self::failed(error.code(), chain(&error));
        match error.hint() {
            Some(hint) => told.hint(hint),
            None => told,
        }
    }
}
