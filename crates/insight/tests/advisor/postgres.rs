//! On a live PostgreSQL.

mod create;
mod snapshot;
mod workload;
