//! Building what was recommended, once a person said so.
//!
//! Three steps, each asked for: read the report, look at the [`script`](render::script) or the
//! [`migrations`](render::migrations), or let [`postgres::create`] or [`sqlite::create`] do it. Names
//! and expressions that the catalogue does not know are refused, and nothing is dropped but what an
//! earlier run of this crate left half-built.

mod name;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod render;
#[cfg(feature = "sqlite")]
pub mod sqlite;

pub use name::{PREFIX, is_ours, name_of};
