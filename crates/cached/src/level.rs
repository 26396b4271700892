//! Levels through the cache.

use guildhall_domain::{Level, Timestamp, UserId};
use guildhall_repository::{LevelRepository, ListLimit};

use crate::decorate::decorate;
use crate::keys::{key, tag};

decorate! {
    impl LevelRepository by levels, |link| {
        read list() -> Vec<Level> = (key::global("levels"), [tag::catalogue()], catalogue);
        write save(level: &Level) -> Level = ([tag::catalogue()]);
        write replace_all(levels: &[Level]) -> () = ([tag::catalogue()]);
        write delete(level: u32) -> bool = ([tag::catalogue()]);
        write_all recompute(after: Option<UserId>, limit: ListLimit, now: Timestamp)
            -> (u64, Option<UserId>) = (&["points"]);
    }
}
