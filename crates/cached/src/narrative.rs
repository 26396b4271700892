//! The story through the cache.

use guildhall_cache::Tag;
use guildhall_domain::{Fragment, FragmentConnections, NewFragment, Slug, StoryNode, Timestamp};
use guildhall_repository::{
    FragmentFilter, FragmentImport, NarrativeRepository, Page, PageRequest, StorageError,
};

use crate::decorate::{decorate, first_page};
use crate::keys::{key, tag};

decorate! {
    impl NarrativeRepository by narrative, |link| {
        find fragment(id: &Slug) -> Option<Fragment>
            = (key::narrative("fragment", id), [tag::narrative()], narrative);
        pass fragments_by_ids(ids: &[Slug]) -> Vec<Fragment>;
        find start() -> Option<Fragment> = (key::story("start"), [tag::narrative()], narrative);
        pass count_fragments(filter: &FragmentFilter) -> u64;
        write create_fragment(new: &NewFragment, now: Timestamp) -> Fragment = (catalogue());
        write update_fragment(new: &NewFragment, expected_version: i64, now: Timestamp) -> Fragment
            = (catalogue());
        write delete_fragment(id: &Slug, force: bool, now: Timestamp) -> bool = (catalogue());
        write create_fragments(new: &[NewFragment], now: Timestamp) -> Vec<Fragment>
            = (catalogue());
        write update_fragments(changes: &[(NewFragment, i64)], now: Timestamp) -> u64
            = (catalogue());
        write delete_fragments(ids: &[Slug], force: bool, now: Timestamp) -> u64 = (catalogue());
        pass fragment_exists(id: &Slug) -> bool;
        write import_fragments(new: &[NewFragment], dry_run: bool, now: Timestamp)
            -> FragmentImport = (catalogue());
        pass connections(id: &Slug) -> FragmentConnections;
        pass story_graph() -> Vec<StoryNode>;
    }
    and {
        async fn fragments(
            &self,
            filter: &FragmentFilter,
            page: &PageRequest,
        ) -> Result<Page<Fragment>, StorageError> {
            let load = || self.inner().narrative().fragments(filter, page);
            // Everybody searches for something else: what was found is not kept.
            let kept = page.cursor().is_none() && filter.text.is_none();
            let Some(cache) = self.cache().filter(|_| kept) else { return load().await };
            let key = key::fragments(filter, page);
            let entry = cache.entry(key, [tag::narrative()], self.ttl.narrative);
            first_page(entry, load).await
        }
    }
}

/// What a change of the story or of lore makes wrong: totals count both.
pub(crate) fn catalogue() -> [Tag; 2] {
    [tag::narrative(), tag::story_totals()]
}
