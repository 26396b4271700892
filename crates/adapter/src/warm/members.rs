//! Members: everything that a bot looks up when one of them writes to it.

use guildhall_domain::{CommunityZone, LeaderboardMetric, Timestamp, UserId};
use guildhall_repository::{
    HeldFilter, ListLimit, PageRequest, Storage, StorageError, UserFilter, UserOrder,
};

use super::run::{Item, Listing, Warming};

impl Warming<'_> {
    pub(super) async fn members(&mut self) {
        let (on, zone, now, most) = (self.storage, self.zone, self.now, self.plan.members);
        match on.users().count(&UserFilter::default(), now).await {
            Ok(count) => self.expect(count.min(most.into())),
            Err(error) => self.note("their number".to_owned(), Err(error)),
        }
        let list = |page: PageRequest| -> Listing<'_, UserId> {
            Box::pin(async move {
                let (everybody, order) = (UserFilter::default(), UserOrder::LastActive);
                let found = on.users().list(&everybody, order, now, &page).await?;
                let ids = found.items.iter().map(|user| user.id).collect();
                Ok((ids, found.next_cursor))
            })
        };
        let entry = |id: UserId| Item::new(id.to_string(), member(on, id, zone, now));
        self.walk((PageRequest::default(), most), list, entry).await;
    }
}

/// One member. A read that fails leaves the others to be loaded; the first failure is told.
async fn member(
    on: &dyn Storage,
    id: UserId,
    zone: &CommunityZone,
    now: Timestamp,
) -> Result<(), StorageError> {
    let mut outcome = Ok(());
    let mut note = |read: Result<(), StorageError>| match read {
        // Who was deleted a moment ago need not be loaded.
        Ok(()) | Err(StorageError::NotFound { .. }) => {}
        Err(error) => outcome = std::mem::replace(&mut outcome, Ok(())).and(Err(error)),
    };
    let page = PageRequest::default();
    note(on.users().by_id(id).await.map(drop));
    note(accounts(on, id).await);
    note(on.profiles().full_profile(id).await.map(drop));
    note(on.points().account(id).await.map(drop));
    note(on.rankings().rank_of(id, LeaderboardMetric::Balance).await.map(drop));
    note(on.activity().stats(id).await.map(drop));
    note(on.activity().counters(id).await.map(drop));
    let missions = on.mission_progress();
    note(missions.available(id, None, ListLimit::default(), zone, now).await.map(drop));
    note(missions.user_missions(id, None, &page).await.map(drop));
    note(on.story().state(id).await.map(drop));
    note(on.story().current_fragment(id).await.map(drop));
    note(on.story().progress(id).await.map(drop));
    let achievements = on.user_achievements();
    note(achievements.list(id, &HeldFilter::default(), &page).await.map(drop));
    note(achievements.summary(id).await.map(drop));
    note(on.badges().held_by(id, &page).await.map(drop));
    outcome
}

/// Accounts elsewhere, and what finds the member by each: a bot begins with that.
async fn accounts(on: &dyn Storage, id: UserId) -> Result<(), StorageError> {
    for account in on.users().external_accounts(id).await? {
        on.users().by_external(&account.provider, &account.external_id).await?;
    }
    Ok(())
}
