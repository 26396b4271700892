//! What members are interested in, through the cache. Interests show their categories, and so are
//! stale when a category changes.

use guildhall_domain::{
    InterestCategory, InterestCategoryId, InterestLevel, InterestTopic, Timestamp, UserId,
    UserInterest,
};
use guildhall_repository::{InterestRepository, Page, PageRequest};

use crate::decorate::decorate;
use crate::keys::{key, tag};

decorate! {
    impl InterestRepository by interests, |link| {
        page categories(active_only: bool, page: &PageRequest) -> Page<InterestCategory>
            = (page, key::interest_categories(active_only, page), [tag::interests()], catalogue);
        write create_category(topic: &InterestTopic) -> InterestCategory = ([tag::interests()]);
        write update_category(
            id: InterestCategoryId,
            topic: &InterestTopic,
            expected_version: i64,
        ) -> InterestCategory = ([tag::interests()]);
        list of_user(user: UserId) -> Vec<UserInterest>
            = (key::profile_part(user, "interests"), [tag::prefs(user), tag::interests()], user);
        write add(
            user: UserId,
            category: InterestCategoryId,
            level: InterestLevel,
            now: Timestamp,
        ) -> UserInterest = ([tag::prefs(user)]);
        write remove(user: UserId, category: InterestCategoryId) -> bool = ([tag::prefs(user)]);
    }
}
