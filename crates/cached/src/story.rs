//! Members' ways through the story, through the cache. What decides a step is read past it.

use guildhall_cache::Tag;
use guildhall_domain::{
    Access, Decision, Fragment, FragmentPopularity, JourneyStep, Outcome, Requirement, Slug,
    Standing, StoryProgress, StoryState, StoryStatePatch, StoryTotals, Timestamp, UserFragment,
    UserId,
};
use guildhall_repository::{
    Journey, ListLimit, NewDecision, Page, PageRequest, StorageError, StoryRepository,
};

use crate::decorate::{Kept, decorate, keep, shown};
use crate::keys::{key, tag};

/// A journey as the cache keeps it.
type KeptJourney = (StoryProgress, Kept<JourneyStep>);

decorate! {
    impl StoryRepository by story, |link| {
        pass standing(user: UserId, requirements: &[Requirement]) -> Standing;
        pass can_access(user: UserId, fragment: &Slug, now: Timestamp) -> Access;
        find state(user: UserId) -> Option<StoryState>
            = (key::story_of(user, "state"), [tag::story(user)], story);
        write ensure_state(user: UserId, now: Timestamp) -> Outcome<StoryState> = (step(user));
        pass state_locked(user: UserId) -> Option<StoryState>;
        write update_state(
            user: UserId,
            patch: &StoryStatePatch,
            expected_version: i64,
            now: Timestamp,
        ) -> StoryState = ([tag::story(user)]);
        write move_to(user: UserId, fragment: &Slug, now: Timestamp) -> StoryState = (step(user));
        write visit(user: UserId, fragment: &Slug, now: Timestamp) -> Outcome<UserFragment>
            = (step(user));
        write complete(user: UserId, fragment: &Slug, now: Timestamp) -> Outcome<UserFragment>
            = (step(user));
        write record_decision(new: &NewDecision, expected_version: i64, now: Timestamp) -> Decision
            = ([tag::story(new.user)]);
        find current_fragment(user: UserId) -> Option<Fragment>
            = (key::story_of(user, "current"), [tag::story(user), tag::narrative()], story);
        pass user_fragment(user: UserId, fragment: &Slug) -> Option<UserFragment>;
        page visited(user: UserId, page: &PageRequest) -> Page<UserFragment>
            = (page, key::story_list(user, "visited", page), [tag::story(user)], story);
        page completed(user: UserId, page: &PageRequest) -> Page<UserFragment>
            = (page, key::story_list(user, "completed", page), [tag::story(user)], story);
        page decisions(user: UserId, page: &PageRequest) -> Page<Decision>
            = (page, key::story_list(user, "decisions", page), [tag::story(user)], story);
        read progress(user: UserId) -> StoryProgress
            = (key::story_of(user, "progress"), [tag::story(user), tag::narrative()], story);
        write reset(user: UserId, keep_lore: bool) -> bool = (step(user));
        read totals() -> StoryTotals = (key::story("totals"), [tag::story_totals()], story_totals);
        list popularity(limit: ListLimit) -> Vec<FragmentPopularity>
            = (key::story("popularity").id(limit.get()), [tag::story_totals()], story_totals);
    }
    and {
        async fn journey(&self, user: UserId, page: &PageRequest) -> Result<Journey, StorageError> {
            let load = || self.inner().story().journey(user, page);
            let Some(cache) = self.cache().filter(|_| page.cursor().is_none()) else {
                return load().await;
            };
            let key = key::story_list(user, "journey", page);
            let tags = [tag::story(user), tag::narrative()];
            let entry = cache.entry::<KeptJourney>(key, tags, self.ttl.story);
            let entry = entry.negative_if(|(_, (steps, _))| steps.is_empty());
            let kept = entry.get_or_load(|| async {
                let Journey { progress, steps } = load().await?;
                Ok::<_, StorageError>((progress, keep(steps)))
            });
            let (progress, steps) = kept.await?;
            Ok(Journey { progress, steps: shown(steps)? })
        }
    }
}

/// What a step that begins, visits, completes or forgets makes wrong: totals count those.
fn step(user: UserId) -> [Tag; 2] {
    [tag::story(user), tag::story_totals()]
}
