#![doc = include_str!("../README.md")]
#![deny(missing_docs)]
#![allow(clippy::duplicate_mod, reason = "both/ is compiled once per backend on purpose")]

mod columns;
mod fault;
mod kept;
mod options;
mod postgres;
mod rows;
pub mod schema;
mod sqlite;
mod types;

pub use options::{MigrationStatus, SqliteDurability, StoreOptions};
pub use postgres::PostgresStorage;
pub use sqlite::SqliteStorage;
