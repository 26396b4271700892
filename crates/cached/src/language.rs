//! Members' languages through the cache.

use guildhall_domain::{LanguageTag, Proficiency, Timestamp, UserId, UserLanguage};
use guildhall_repository::LanguageRepository;

use crate::decorate::decorate;
use crate::keys::{key, tag};

decorate! {
    impl LanguageRepository by languages, |link| {
        list of_user(user: UserId) -> Vec<UserLanguage>
            = (key::profile_part(user, "languages"), [tag::prefs(user)], user);
        write add(
            user: UserId,
            language: &LanguageTag,
            proficiency: Option<Proficiency>,
            primary: bool,
            now: Timestamp,
        ) -> UserLanguage = ([tag::prefs(user)]);
        write remove(user: UserId, language: &LanguageTag) -> bool = ([tag::prefs(user)]);
        write set_primary(user: UserId, language: &LanguageTag) -> UserLanguage
            = ([tag::prefs(user)]);
    }
}
