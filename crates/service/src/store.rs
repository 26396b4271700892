//! Buying in the store.

use guildhall_domain::{
    Amount, Deduct, DomainEvent, EntryReference, IdemKey, Outcome, Source, StoreItemId, UserId,
    UserItem,
};
use guildhall_repository::StorageError;

use crate::cascade::Cascade;
use crate::workflows::{Done, Workflows, once};

/// Sells what is in the store.
#[derive(Clone)]
pub struct Store {
    workflows: Workflows,
}

impl Store {
    /// On this ground.
    #[must_use]
    pub const fn new(workflows: Workflows) -> Self {
        Self { workflows }
    }

    /// Buys a thing: takes one out of stock, puts it into the member's hands, spends its price and
    /// does what it does. However many clicks there are, one of them buys and pays.
    ///
    /// `NotFound` without the member or the thing; `InvalidState` for one that is inactive or sold
    /// out; `AccessDenied` names the balance or level that is missing; `InsufficientBalance` for the
    /// price; `AlreadyExists` for who has it, unless the repeat bears the key of the first call.
    pub async fn purchase(
        &self,
        user: UserId,
        item: StoreItemId,
        key: Option<&IdemKey>,
    ) -> Result<Outcome<Done<UserItem>>, StorageError> {
        let request = once(key, "purchase_item", user, || item.to_string())?;
        self.workflows
            .run_on(Some(item), user, request, async |mut cascade| {
                let value = cascade.purchase().await?;
                Ok((cascade, value))
            })
            .await
    }
}

impl Cascade {
    async fn purchase(&mut self) -> Result<UserItem, StorageError> {
        // The workflow took it from the store before it came here.
        let Some(item) = self.item.take() else {
            return Err(StorageError::Internal { operation: "purchase", source: None });
        };
        let (user, offer) = (self.user, &item.offer);
        let account = self.work.points().account(user).await?;
        let account = account.ok_or_else(|| StorageError::not_found("user", user))?;
        if let Some(requirement) = offer.unmet_by(&account) {
            return Err(StorageError::AccessDenied { requirement });
        }
        let mut owned = self.work.store().own(user, &item, offer.cost, self.now).await?;
        if let Ok(cost) = Amount::from_minor(offer.cost.minor()) {
            let deduct = Deduct {
                source_ref: Some(EntryReference::parse(&item.id.to_string())?),
                idem_key: Some(IdemKey::parse(&format!("store:{}:{user}", item.id))?),
                ..Deduct::new(user, cost, Source::parse("store")?)
            };
            let spent = self.work.points().deduct(&deduct, self.now).await?;
            self.tell(spent.events);
        }
        match offer.xp_boost() {
            Some(boost) => {
                self.work.points().raise_xp_boost(user, boost, self.now).await?;
            }
            None => owned = self.work.store().equip(user, item.id).await?,
        }
        self.tell([DomainEvent::ItemPurchased { user, item: item.id }]);
        self.evaluate();
        Ok(owned)
    }
}
