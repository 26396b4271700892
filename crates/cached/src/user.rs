//! Members through the cache.
//!
//! A name, address or account elsewhere leads to an id by a *hint*, which no write invalidates:
//! every use checks it against the member's own entries, and those are never stale. Only "nobody
//! has it" needs a tag, which every registration and change bumps.

use std::future::Future;

use async_trait::async_trait;
use guildhall_cache::{Key, Tag};
use guildhall_domain::{
    Email, ExternalAccount, ExternalId, MatchId, NewExternal, NewUser, Nickname, Outcome, Patch,
    Provider, Timestamp, UiState, User, UserId, UserOverview, UserPatch, Username, Vip,
};
use guildhall_repository::{
    Cursor, ListLimit, Page, PageRequest, SearchField, StorageError, UserFilter, UserOrder,
    UserRepository,
};

use crate::keys::{key, tag};
use crate::link::{Inner, Link};
use crate::takeover::Takeover;

/// The user repository behind the cache.
pub(crate) struct CachedUsers {
    pub(crate) link: Link,
}

/// A page of ids: the members themselves are read by id, and so are never stale.
type Listed = (Vec<UserId>, Option<String>);

impl CachedUsers {
    fn inner(&self) -> &dyn UserRepository {
        self.link.inner().users()
    }

    /// Looks a member up by a hint, or by `find` where there is none or it is wrong.
    async fn hinted<V, F>(
        &self,
        hint: Key,
        holds: impl FnOnce(User) -> V + Send,
        find: impl Fn() -> F + Send + Sync,
    ) -> Result<Option<User>, StorageError>
    where
        V: Future<Output = Result<Option<User>, StorageError>> + Send,
        F: Future<Output = Result<Option<User>, StorageError>> + Send,
    {
        let Some(cache) = self.link.cache() else { return find().await };
        let ttl = self.link.ttl.lookup;
        let hinted = cache.entry::<UserId>(hint.clone(), [], ttl).get().await;
        if let Some(id) = hinted
            && let Some(user) = self.by_id(id).await?
            && let Some(user) = holds(user).await?
        {
            return Ok(Some(user));
        }
        let known = cache.entry::<bool>(hint.clone().part("absent"), [tag::absent()], ttl);
        let known = known.negative_if(|exists| !exists);
        let mut found = None;
        let exists = known.get_or_load_with(|| async {
            found = find().await?;
            Ok::<_, StorageError>(match found {
                Some(_) => guildhall_cache::Loaded::DoNotStore(true),
                None => guildhall_cache::Loaded::Store(false),
            })
        });
        if exists.await? && found.is_none() {
            // Another caller's load found the member, maybe before a write that was over when this
            // call began: only that somebody is there may be taken from it.
            found = find().await?;
        }
        if let Some(user) = &found {
            cache.put_untagged(hint, user.id, ttl).await;
        }
        Ok(found)
    }

    /// A first page of ids through the cache, and the members by id.
    async fn listed(
        &self,
        name: &'static str,
        page: &PageRequest,
        load: impl Future<Output = Result<Page<User>, StorageError>> + Send,
    ) -> Result<Page<User>, StorageError> {
        let Some(cache) = self.link.cache().filter(|_| page.cursor().is_none()) else {
            return load.await;
        };
        let entry =
            cache.entry::<Listed>(key::user_list(name, page), [tag::lists()], self.link.ttl.lists);
        let (ids, next) = entry
            .get_or_load(|| async {
                let page = load.await?;
                let ids = page.items.iter().map(|user| user.id).collect();
                Ok::<_, StorageError>((ids, page.next_cursor.map(|c| c.as_str().to_owned())))
            })
            .await?;
        let next_cursor = next.map(|text| text.parse::<Cursor>()).transpose()?;
        Ok(Page { items: self.by_ids(&ids).await?, next_cursor })
    }

    /// A change of a member's identity: the row, what finds it, and the lists it stands in.
    async fn identity<T, F>(
        &self,
        id: UserId,
        operation: impl FnOnce(Inner) -> F + Send,
    ) -> Result<T, StorageError>
    where
        F: Future<Output = Result<T, StorageError>> + Send,
    {
        self.link.write([tag::user(id), tag::absent(), tag::lists()], operation).await
    }

    /// Takes a username over, in a unit in which the holder and so the tags are known before the
    /// commit. In a caller's unit a holder who comes that very moment cannot be excluded, so all
    /// members' entries go with its commit.
    async fn take_over(
        &self,
        id: UserId,
        patch: &UserPatch,
        name: &Username,
        expected_version: i64,
        now: Timestamp,
    ) -> Result<User, StorageError> {
        let Some(storage) = self.link.storage() else {
            let update =
                async |on: Inner| on.users().update(id, patch, expected_version, true, now).await;
            return self.link.write_namespaces(&["user", "users"], update).await;
        };
        let mut attempt = 1;
        loop {
            let holder = self.inner().by_username(name).await?.map(|holder| holder.id);
            let changed = holder.into_iter().chain([id]).map(tag::user);
            let tags: Vec<_> = changed.chain([tag::absent(), tag::lists()]).collect();
            let takeover = Takeover { holder, id, patch, name, expected_version, now };
            let taken = async |on: Inner| takeover.run(storage, on.note()).await;
            match self.link.write(tags, taken).await {
                Err(StorageError::Contention) if attempt < Takeover::ATTEMPTS => attempt += 1,
                outcome => return outcome,
            }
        }
    }
}

/// What a registration changes: somebody may have asked for the member before, and "absent" is an
/// answer that is kept.
fn registered<'a>(users: impl IntoIterator<Item = &'a User>) -> Vec<Tag> {
    let each = |user: &User| [tag::user(user.id), tag::activity(user.id), tag::points(user.id)];
    let mut tags: Vec<Tag> = users.into_iter().flat_map(each).collect();
    tags.extend([tag::absent(), tag::lists()]);
    tags
}

/// The namespaces of everything about members.
const EVERY_MEMBER: &[&str] = &["user", "points"];

#[async_trait]
impl UserRepository for CachedUsers {
    async fn by_id(&self, id: UserId) -> Result<Option<User>, StorageError> {
        let Some(cache) = self.link.cache() else { return self.inner().by_id(id).await };
        let entry = cache.entry(key::user(id), [tag::user(id)], self.link.ttl.user);
        entry.get_or_load_optional(|| self.inner().by_id(id)).await
    }

    async fn by_ids(&self, ids: &[UserId]) -> Result<Vec<User>, StorageError> {
        let Some(cache) = self.link.cache().filter(|_| (1..=500).contains(&ids.len())) else {
            return self.inner().by_ids(ids).await;
        };
        let mut wanted: Vec<UserId> = Vec::with_capacity(ids.len());
        let mut seen = std::collections::HashSet::with_capacity(ids.len());
        wanted.extend(ids.iter().copied().filter(|id| seen.insert(*id)));
        let users: Vec<Option<User>> = cache
            .get_or_load_many(
                &wanted,
                self.link.ttl.user,
                |id| (key::user(*id), [tag::user(*id)]),
                |missing| async move {
                    let users = self.inner().by_ids(&missing).await?;
                    Ok::<_, StorageError>(users.into_iter().map(|user| (user.id, user)).collect())
                },
            )
            .await?;
        Ok(users.into_iter().flatten().collect())
    }

    async fn by_username(&self, name: &Username) -> Result<Option<User>, StorageError> {
        let holds = |user: User| {
            let same = user.username.as_ref().is_some_and(|own| own.folded() == name.folded());
            std::future::ready(Ok(same.then_some(user)))
        };
        self.hinted(key::by_name(name), holds, || self.inner().by_username(name)).await
    }

    async fn by_email(&self, email: &Email) -> Result<Option<User>, StorageError> {
        let holds = |user: User| {
            let same = user.email.as_ref().is_some_and(|own| own.folded() == email.folded());
            std::future::ready(Ok(same.then_some(user)))
        };
        self.hinted(key::by_email(email), holds, || self.inner().by_email(email)).await
    }

    async fn by_external(
        &self,
        provider: &Provider,
        external_id: &ExternalId,
    ) -> Result<Option<User>, StorageError> {
        let holds = |user: User| async move {
            let accounts = self.external_accounts(user.id).await?;
            let linked = accounts
                .iter()
                .any(|own| own.provider == *provider && own.external_id == *external_id);
            Ok(linked.then_some(user))
        };
        let find = || self.inner().by_external(provider, external_id);
        self.hinted(key::by_external(provider, external_id), holds, find).await
    }

    async fn by_external_nickname(
        &self,
        provider: &Provider,
        nickname: &Nickname,
    ) -> Result<Vec<User>, StorageError> {
        self.inner().by_external_nickname(provider, nickname).await
    }

    async fn search(
        &self,
        text: &str,
        fields: &[SearchField],
        limit: ListLimit,
    ) -> Result<Vec<User>, StorageError> {
        self.inner().search(text, fields, limit).await
    }

    async fn create(&self, new: &NewUser, now: Timestamp) -> Result<User, StorageError> {
        let changed = |user: &User| registered([user]);
        self.link
            .write_then(async |on| on.users().create(new, now).await, changed, EVERY_MEMBER)
            .await
    }

    async fn create_batch(
        &self,
        new: &[NewUser],
        now: Timestamp,
    ) -> Result<Vec<User>, StorageError> {
        let changed = |users: &Vec<User>| registered(users);
        self.link
            .write_then(async |on| on.users().create_batch(new, now).await, changed, EVERY_MEMBER)
            .await
    }

    async fn ensure(
        &self,
        external: &NewExternal,
        seed: &NewUser,
        now: Timestamp,
    ) -> Result<Outcome<User>, StorageError> {
        // A new member changes who is absent. For one who exists the row may be filled, and whose
        // it is the result says: it may have been registered at this moment.
        let ensure = async |on: Inner| on.users().ensure(external, seed, now).await;
        let changed = |ensured: &Outcome<User>| registered([&ensured.value]);
        self.link.write_then(ensure, changed, EVERY_MEMBER).await
    }

    async fn update(
        &self,
        id: UserId,
        patch: &UserPatch,
        expected_version: i64,
        takeover: bool,
        now: Timestamp,
    ) -> Result<User, StorageError> {
        match &patch.username {
            Patch::Set(name) if takeover => {
                self.take_over(id, patch, name, expected_version, now).await
            }
            _ => {
                let update = async |on: Inner| {
                    on.users().update(id, patch, expected_version, takeover, now).await
                };
                self.identity(id, update).await
            }
        }
    }

    async fn delete(&self, id: UserId, now: Timestamp) -> Result<bool, StorageError> {
        let tags = [
            tag::user(id),
            tag::activity(id),
            tag::points(id),
            tag::absent(),
            tag::lists(),
            tag::leaderboard(),
            tag::totals(),
        ];
        self.link.write(tags, async |on| on.users().delete(id, now).await).await
    }

    async fn list(
        &self,
        filter: &UserFilter,
        order: UserOrder,
        now: Timestamp,
        page: &PageRequest,
    ) -> Result<Page<User>, StorageError> {
        self.inner().list(filter, order, now, page).await
    }

    async fn count(&self, filter: &UserFilter, now: Timestamp) -> Result<u64, StorageError> {
        self.inner().count(filter, now).await
    }

    async fn top_active(&self, limit: ListLimit) -> Result<Vec<User>, StorageError> {
        self.inner().top_active(limit).await
    }

    async fn set_admin(
        &self,
        id: UserId,
        is_admin: bool,
        now: Timestamp,
    ) -> Result<User, StorageError> {
        self.identity(id, async |on| on.users().set_admin(id, is_admin, now).await).await
    }

    async fn link_external(
        &self,
        id: UserId,
        external: &NewExternal,
        now: Timestamp,
    ) -> Result<ExternalAccount, StorageError> {
        self.identity(id, async |on| on.users().link_external(id, external, now).await).await
    }

    async fn unlink_external(
        &self,
        id: UserId,
        provider: &Provider,
        now: Timestamp,
    ) -> Result<bool, StorageError> {
        self.identity(id, async |on| on.users().unlink_external(id, provider, now).await).await
    }

    async fn external_accounts(&self, id: UserId) -> Result<Vec<ExternalAccount>, StorageError> {
        let Some(cache) = self.link.cache() else {
            return self.inner().external_accounts(id).await;
        };
        let entry = cache.entry(key::externals(id), [tag::user(id)], self.link.ttl.user);
        let entry = entry.negative_if(|accounts: &Vec<ExternalAccount>| accounts.is_empty());
        entry.get_or_load(|| self.inner().external_accounts(id)).await
    }

    async fn ui_state(&self, id: UserId) -> Result<Option<UiState>, StorageError> {
        if self.link.cache().is_none() {
            return self.inner().ui_state(id).await;
        }
        Ok(self.by_id(id).await?.map(|user| user.ui_state))
    }

    async fn set_ui_state(&self, id: UserId, state: &UiState) -> Result<(), StorageError> {
        self.link.write([tag::user(id)], async |on| on.users().set_ui_state(id, state).await).await
    }

    async fn set_last_checked_match(
        &self,
        id: UserId,
        found: &MatchId,
    ) -> Result<(), StorageError> {
        self.link
            .write([tag::user(id)], async |on| on.users().set_last_checked_match(id, found).await)
            .await
    }

    async fn touch_login(&self, id: UserId, at: Timestamp) -> Result<(), StorageError> {
        self.link.write([tag::user(id)], async |on| on.users().touch_login(id, at).await).await
    }

    async fn overview(
        &self,
        id: UserId,
        now: Timestamp,
    ) -> Result<Option<UserOverview>, StorageError> {
        // One snapshot of several aggregates: parts of different age would not add up.
        self.inner().overview(id, now).await
    }

    async fn admins(&self, now: Timestamp, page: &PageRequest) -> Result<Page<User>, StorageError> {
        self.listed("admins", page, self.inner().admins(now, page)).await
    }

    async fn vip_users(
        &self,
        now: Timestamp,
        page: &PageRequest,
    ) -> Result<Page<User>, StorageError> {
        let mut listed = self.listed("vips", page, self.inner().vip_users(now, page)).await?;
        // The list was made at another time than `now`.
        listed.items.retain(|user| user.vip != Vip::None && user.vip.is_active(now));
        Ok(listed)
    }
}
