//! Catalogues: what is active in them, entry by entry, and the first page of it.

use guildhall_domain::{BadgeId, Slug, StoreItemId};
use guildhall_repository::{
    AchievementFilter, BadgeFilter, FragmentFilter, ListLimit, LoreFilter, MissionFilter, Page,
    PageRequest, StoreFilter,
};

use super::run::{Item, Listed, Listing, Warming};

fn keyed<T, K>(page: Page<T>, key: impl FnMut(T) -> K) -> Listed<K> {
    (page.items.into_iter().map(key).collect(), page.next_cursor)
}

impl Warming<'_> {
    /// What is walked by default: a first page as the one that most callers ask for.
    fn catalogue(&self) -> (PageRequest, u32) {
        (PageRequest::default(), self.plan.entries)
    }

    pub(super) async fn levels(&mut self) {
        let levels = self.storage.levels();
        self.load(vec![Item::new("the table", levels.list())]).await;
    }

    pub(super) async fn missions(&mut self) {
        let (missions, now) = (self.storage.missions(), self.now);
        let active = missions.active(None, None, ListLimit::default(), now);
        self.load(vec![Item::new("the active ones", active)]).await;
        let list = |page: PageRequest| -> Listing<'_, Slug> {
            Box::pin(async move {
                let on = MissionFilter { is_active: Some(true), ..MissionFilter::default() };
                Ok(keyed(missions.list(on, &page).await?, |mission| mission.id))
            })
        };
        let entry = |id: Slug| Item::new(id.to_string(), async move { missions.by_id(&id).await });
        self.walk(self.catalogue(), list, entry).await;
    }

    pub(super) async fn story(&mut self) {
        let story = self.storage.narrative();
        self.load(vec![Item::new("the start", story.start())]).await;
        let list = |page: PageRequest| -> Listing<'_, Slug> {
            Box::pin(async move {
                let on = FragmentFilter { is_active: Some(true), ..FragmentFilter::default() };
                Ok(keyed(story.fragments(&on, &page).await?, |fragment| fragment.id))
            })
        };
        let entry = |id: Slug| Item::new(id.to_string(), async move { story.fragment(&id).await });
        self.walk(self.catalogue(), list, entry).await;
    }

    pub(super) async fn lore(&mut self) {
        let lore = self.storage.lore();
        let list = |page: PageRequest| -> Listing<'_, Slug> {
            Box::pin(async move {
                let on = LoreFilter { is_active: Some(true), ..LoreFilter::default() };
                Ok(keyed(lore.pieces(&on, &page).await?, |piece| piece.code))
            })
        };
        let entry =
            |code: Slug| Item::new(code.to_string(), async move { lore.piece(&code).await });
        self.walk(self.catalogue(), list, entry).await;
    }

    pub(super) async fn achievements(&mut self) {
        let achievements = self.storage.achievements();
        let list = |page: PageRequest| -> Listing<'_, Slug> {
            Box::pin(async move {
                let on = AchievementFilter { is_active: Some(true), category: None };
                Ok(keyed(achievements.list(&on, &page).await?, |achievement| achievement.id))
            })
        };
        let entry =
            |id: Slug| Item::new(id.to_string(), async move { achievements.by_id(&id).await });
        self.walk(self.catalogue(), list, entry).await;
    }

    pub(super) async fn badges(&mut self) {
        let badges = self.storage.badges();
        let list = |page: PageRequest| -> Listing<'_, BadgeId> {
            Box::pin(async move {
                let on = BadgeFilter { is_active: Some(true), vip_only: false };
                Ok(keyed(badges.list(on, &page).await?, |badge| badge.id))
            })
        };
        let entry = |id: BadgeId| Item::new(id.to_string(), badges.by_id(id));
        self.walk(self.catalogue(), list, entry).await;
    }

    pub(super) async fn store(&mut self) {
        let store = self.storage.store();
        let list = |page: PageRequest| -> Listing<'_, StoreItemId> {
            Box::pin(async move {
                Ok(keyed(store.items(&StoreFilter::default(), &page).await?, |item| item.id))
            })
        };
        let entry = |id: StoreItemId| Item::new(id.to_string(), store.by_id(id));
        self.walk(self.catalogue(), list, entry).await;
    }
}
