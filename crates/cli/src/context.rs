//! What every command gets: the global options, and how the program is interrupted.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use guildhall_adapter::{Config, ConfigBuilder, Database, Guildhall};

use crate::args::Cli;
use crate::error::CliError;

/// The global options.
pub(crate) struct Context {
    pub(crate) json: bool,
    pub(crate) stop: Stop,
    pub(crate) database: Option<String>,
    pub(crate) redis: Option<String>,
    file: Option<PathBuf>,
}

impl Context {
    pub(crate) fn new(cli: &Cli) -> Self {
        Self {
            json: cli.json,
            stop: Stop::default(),
            database: cli.database.clone(),
            redis: cli.redis.clone(),
            file: cli.config.clone(),
        }
    }

    /// File, environment, options.
    pub(crate) fn config(&self) -> Result<Config, CliError> {
        Ok(self.layers().build()?)
    }

    /// The same, with one setting that the command itself decides.
    pub(crate) fn config_with(&self, key: &str, value: &str) -> Result<Config, CliError> {
        Ok(self.layers().set_from("the command", key, value).build()?)
    }

    /// What file, environment and options say, to be added to.
    pub(crate) fn layers(&self) -> ConfigBuilder {
        let mut builder = Config::builder().default_file().environment();
        if let Some(file) = &self.file {
            builder = builder.file(file);
        }
        if let Some(url) = &self.database {
            builder = builder.set_from("--database", "database.url", url);
        }
        if let Some(url) = &self.redis {
            builder = builder.set_from("--redis", "redis.url", url);
        }
        builder
    }

    /// Connects to a database that is there already: a command that reads makes no empty file.
    pub(crate) async fn connect(&self) -> Result<Guildhall, CliError> {
        let config = self.config()?;
        require_file(&config)?;
        Ok(Guildhall::connect(config).await?)
    }

    /// The same, to look at the database as it is: its tables are not brought up to date.
    pub(crate) async fn look(&self) -> Result<Guildhall, CliError> {
        let config = self.config_with("database.migrate", "false")?;
        require_file(&config)?;
        Ok(Guildhall::builder(config).allow_outdated().connect().await?)
    }

    /// Connects, and makes the SQLite file when there is none.
    pub(crate) async fn connect_or_create(&self) -> Result<Guildhall, CliError> {
        Ok(Guildhall::connect(self.config()?).await?)
    }
}

/// A SQLite file that has to exist.
pub(crate) fn require_file(config: &Config) -> Result<(), CliError> {
    match &config.settings().database {
        Database::Sqlite(path) if !path.exists() => {
            let message = format!("there is no database at {}", path.display());
            Err(CliError::failed("unavailable", message).hint(
                "name another with --database, make an empty one with `guildhall migrate up`, \
                 or fill one with `guildhall import FILE`",
            ))
        }
        _ => Ok(()),
    }
}

/// How Ctrl-C reaches a command: it may end gracefully by itself, or is dropped.
#[derive(Clone, Default)]
pub(crate) struct Stop {
    handled: Arc<AtomicBool>,
    asked: Arc<AtomicBool>,
}

impl Stop {
    /// From now on the first Ctrl-C is the command's own to handle; the second still ends it.
    pub(crate) fn handle(&self) {
        self.handled.store(true, Ordering::Relaxed);
    }

    /// Whether the command was asked to end.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Ends when the program is to be interrupted at once.
    pub(crate) async fn interrupted(&self) {
        loop {
            if signal().await.is_err() {
                return std::future::pending().await; // No signals here: nothing ever interrupts.
            }
            let again = self.asked.swap(true, Ordering::Relaxed);
            if again || !self.handled.load(Ordering::Relaxed) {
                return;
            }
        }
    }
}

/// Ctrl-C, or the polite signal of a service manager.
#[cfg(unix)]
async fn signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = tokio::signal::ctrl_c() => outcome,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
