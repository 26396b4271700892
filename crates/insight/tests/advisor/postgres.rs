//! On a live PostgreSQL.

mod create;
mod old_snapshot;
mod refused;
mod snapshot;
mod workload;
