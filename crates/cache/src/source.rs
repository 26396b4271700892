//! Where `#[cached]` and `#[invalidates]` find their cache.

use std::sync::{Arc, LazyLock};

use crate::cache::Cache;

/// Something that has a cache, or has none at the moment.
///
/// With `None` a `#[cached]` function runs its body and stores nothing, and an `#[invalidates]`
/// function announces nothing. So a repository that works inside a transaction, whose rows are
/// rumours until the commit, can offer its cache as an `Option<Cache>`.
///
/// ```
/// use guildhall_cache::{Cache, CacheSource};
///
/// struct App { cache: Cache }
/// impl CacheSource for App { fn cache(&self) -> Option<&Cache> { Some(&self.cache) } }
///
/// assert!(App { cache: Cache::builder().build() }.cache().is_some());
/// assert!(CacheSource::cache(&None::<Cache>).is_none());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no cache to offer",
    note = "give a `Cache`, an `Option` of one or a pointer to one, or implement `CacheSource`"
)]
pub trait CacheSource {
    /// The cache to use, if any.
    fn cache(&self) -> Option<&Cache>;
}

impl CacheSource for Cache {
    #[inline(always)]
    fn cache(&self) -> Option<&Cache> {
        Some(self)
    }
}

impl<C: CacheSource> CacheSource for Option<C> {
    #[inline]
    fn cache(&self) -> Option<&Cache> {
        self.as_ref().and_then(CacheSource::cache)
    }
}

macro_rules! pointers {
    ($($pointer:ty)+) => {$(
        impl<C: CacheSource + ?Sized> CacheSource for $pointer {
            #[inline]
            fn cache(&self) -> Option<&Cache> {
                (**self).cache()
            }
        }
    )+};
}

pointers! { &C &mut C Box<C> Arc<C> }

/// For a cache in a `static`.
impl<C: CacheSource> CacheSource for LazyLock<C> {
    #[inline]
    fn cache(&self) -> Option<&Cache> {
        (**self).cache()
    }
}
