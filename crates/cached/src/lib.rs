#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod achievement;
mod achievement_report;
mod activity;
mod badge;
mod decorate;
mod event_outbox;
mod import;
mod interest;
mod invalidation;
mod keys;
mod language;
mod ledger;
mod level;
mod link;
mod lore;
mod mission;
mod mission_progress;
mod mission_report;
mod narrative;
mod once;
mod options;
mod outbox;
mod point;
mod preferences;
mod profile;
mod ranking;
mod reward;
mod storage;
mod store;
mod story;
mod takeover;
mod user;
mod user_achievement;

pub use options::CachedOptions;
pub use outbox::StorageOutbox;
pub use storage::CachedStorage;
