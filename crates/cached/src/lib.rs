#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod activity;
mod import;
mod keys;
mod ledger;
mod level;
mod link;
mod options;
mod outbox;
mod point;
mod ranking;
mod storage;
mod takeover;
mod user;

pub use options::CachedOptions;
pub use outbox::StorageOutbox;
pub use storage::CachedStorage;
