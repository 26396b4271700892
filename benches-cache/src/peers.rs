//! One value under one key, read through each of the caches.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use cached::macros::{cached, concurrent_cached};
use guildhall_cache::{Cache, Key, Tag};
use serde::{Deserialize, Serialize};

pub(crate) const TTL: Duration = Duration::from_secs(3_600);

/// What an application keeps.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Profile {
    id: i64,
    name: String,
    bio: String,
    points: i64,
}

impl Profile {
    /// Of any member: some 200 bytes when serialised.
    pub(crate) fn of(id: i64) -> Arc<Self> {
        let bio = "Writes programs for engines that are not built yet. ".repeat(3);
        Arc::new(Self { id, name: format!("member_{id}"), bio, points: id * 10 })
    }
}

/// A cache of profiles that finds or makes one.
pub(crate) trait Profiles: Clone + Send + 'static {
    fn profile(&self, id: i64) -> impl Future<Output = Arc<Profile>> + Send;
}

/// Reads through the typed API: a key, a tag, a TTL, a loader.
#[derive(Clone)]
pub(crate) struct Ours(pub(crate) Cache);

impl Ours {
    pub(crate) fn in_memory() -> Self {
        Self(Cache::builder().memory().build())
    }
}

impl Profiles for Ours {
    #[inline]
    async fn profile(&self, id: i64) -> Arc<Profile> {
        let entry = self.0.entry::<Arc<Profile>>(
            Key::new("member").id(id),
            [Tag::new("member").id(id)],
            TTL,
        );
        let Ok(profile) = entry.get_or_load(async || Ok::<_, Infallible>(Profile::of(id))).await;
        profile
    }
}

type QuickTable = quick_cache::sync::Cache<i64, Arc<Profile>>;
type MokaSyncTable = moka::sync::Cache<i64, Arc<Profile>>;
type MokaFutureTable = moka::future::Cache<i64, Arc<Profile>>;
type FoyerTable = foyer_memory::Cache<i64, Arc<Profile>>;

/// A bare look-up.
#[derive(Clone)]
pub(crate) struct Quick(pub(crate) Arc<QuickTable>);

impl Profiles for Quick {
    #[inline]
    async fn profile(&self, id: i64) -> Arc<Profile> {
        self.0.get(&id).unwrap_or_else(|| {
            let made = Profile::of(id);
            self.0.insert(id, Arc::clone(&made));
            made
        })
    }
}

/// A bare look-up.
#[derive(Clone)]
pub(crate) struct MokaSync(pub(crate) MokaSyncTable);

impl Profiles for MokaSync {
    #[inline]
    async fn profile(&self, id: i64) -> Arc<Profile> {
        self.0.get(&id).unwrap_or_else(|| {
            let made = Profile::of(id);
            self.0.insert(id, Arc::clone(&made));
            made
        })
    }
}

/// A bare look-up.
#[derive(Clone)]
pub(crate) struct MokaFuture(pub(crate) MokaFutureTable);

impl Profiles for MokaFuture {
    #[inline]
    async fn profile(&self, id: i64) -> Arc<Profile> {
        match self.0.get(&id).await {
            Some(found) => found,
            None => {
                let made = Profile::of(id);
                self.0.insert(id, Arc::clone(&made)).await;
                made
            }
        }
    }
}

/// A bare look-up.
#[derive(Clone)]
pub(crate) struct Foyer(pub(crate) FoyerTable);

impl Profiles for Foyer {
    #[inline]
    async fn profile(&self, id: i64) -> Arc<Profile> {
        match self.0.get(&id) {
            Some(found) => Arc::clone(found.value()),
            None => Arc::clone(self.0.insert(id, Profile::of(id)).value()),
        }
    }
}

#[cached(max_size = 10_000)]
async fn by_macro(id: i64) -> Arc<Profile> {
    Profile::of(id)
}

/// The attribute that an application of the `cached` crate writes first.
#[derive(Clone)]
pub(crate) struct CachedMacro;

impl Profiles for CachedMacro {
    #[inline]
    async fn profile(&self, id: i64) -> Arc<Profile> {
        by_macro(id).await
    }
}

#[concurrent_cached(max_size = 10_000)]
async fn by_concurrent_macro(id: i64) -> Arc<Profile> {
    Profile::of(id)
}

/// The attribute of the `cached` crate with a lock for each part of the table.
#[derive(Clone)]
pub(crate) struct ConcurrentCachedMacro;

impl Profiles for ConcurrentCachedMacro {
    #[inline]
    async fn profile(&self, id: i64) -> Arc<Profile> {
        by_concurrent_macro(id).await
    }
}
