#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod activity;
mod import;
mod keys;
mod ledger;
mod level;
mod link;
mod options;
mod point;
mod ranking;
mod storage;
mod user;

pub use options::CachedOptions;
pub use storage::CachedStorage;
