//! Activity through the cache.

use guildhall_cache::Tag;
use guildhall_domain::{
    ActivityRecord, CommunityZone, Counter, CounterBump, StatsPatch, Timestamp, UserId, UserStats,
};
use guildhall_repository::ActivityRepository;

use crate::decorate::decorate;
use crate::keys::{key, tag};

decorate! {
    impl ActivityRepository by activity, |link| {
        write record(records: &[ActivityRecord], zone: &CommunityZone) -> u64 = (recorded(records));
        find stats(user: UserId) -> Option<UserStats>
            = (key::stats(user), [tag::activity(user)], activity);
        write update_stats(user: UserId, patch: &StatsPatch, expected_version: i64) -> UserStats
            = ([tag::activity(user)]);
        write bump_counters(user: UserId, bumps: &[CounterBump], now: Timestamp) -> Vec<Counter>
            = ([tag::activity(user)]);
        list counters(user: UserId) -> Vec<Counter>
            = (key::counters(user), [tag::activity(user)], activity);
    }
}

/// The member's row changes too: last activity and requests stand there.
fn recorded(records: &[ActivityRecord]) -> Vec<Tag> {
    records.iter().flat_map(|it| [tag::activity(it.user), tag::user(it.user)]).collect()
}
