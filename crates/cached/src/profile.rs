//! Members in full, and counts of them, through the cache.

use guildhall_domain::{
    Engagement, FullProfile, ProfileStats, TableStats, Timestamp, UserId, UserTotals,
};
use guildhall_repository::ProfileRepository;

use crate::decorate::decorate;
use crate::keys::{key, tag};
use crate::user::removed;

decorate! {
    impl ProfileRepository by profiles, |link| {
        read full_profile(user: UserId) -> FullProfile
            = (key::profile_part(user, "full_profile"),
                [tag::user(user), tag::prefs(user), tag::interests(), tag::badges(user),
                    tag::badge_catalogue()], user);
        // Accounts elsewhere are counted, too, and change with the member's row.
        read profile_stats(user: UserId) -> ProfileStats
            = (key::profile_part(user, "stats"), [tag::user(user), tag::prefs(user)], user);
        // One snapshot of several aggregates, most of which change with every message.
        pass engagement(user: UserId, now: Timestamp) -> Engagement;
        read user_totals(now: Timestamp) -> UserTotals
            = (key::user_totals(), [tag::lists()], totals);
        pass table_stats(now: Timestamp) -> TableStats;
        write purge_user(user: UserId) -> bool = (removed(user));
    }
}
