//! On a live PostgreSQL.

mod create;
mod old_snapshot;
mod snapshot;
mod workload;
