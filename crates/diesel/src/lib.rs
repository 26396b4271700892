#![doc = include_str!("../README.md")]
#![deny(missing_docs)]
#![allow(clippy::duplicate_mod, reason = "both/ is compiled once per backend on purpose")]

mod batch;
mod columns;
mod fault;
#[cfg(feature = "faults")]
mod faults;
mod kept;
mod noted;
mod options;
mod postgres;
mod queries;
mod rows;
mod run;
pub mod schema;
mod search;
mod sqlite;
mod types;

#[cfg(feature = "faults")]
pub use faults::Faults;
pub use options::{
    MigrationStatus, PoolState, ServerState, Sessions, SqliteDurability, StoreOptions, WriterTurn,
};
pub use postgres::PostgresStorage;
pub use sqlite::SqliteStorage;
