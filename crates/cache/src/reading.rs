//! Reading through an entry.

use std::future::Future;

use tracing::Instrument;

use crate::entry::{Entry, Loaded, Shape, Value};
use crate::generations::Seen;
use crate::telemetry;

impl<T: Value> Entry<'_, T> {
    /// The stored value, if it is fresh. Never loads and writes nothing; what the shared level
    /// has is copied into this process.
    pub async fn get(&self) -> Option<T> {
        self.stored::<T>().await
    }

    /// The stored answer of [`get_or_load_optional`](Self::get_or_load_optional): `Some(None)`
    /// is a stored absence.
    pub async fn get_optional(&self) -> Option<Option<T>> {
        self.stored::<Option<T>>().await
    }

    /// The stored value, or the loader's, which is then stored.
    ///
    /// Of concurrent callers one loads and the others wait for its answer, at most for the load
    /// deadline. When that one is dropped, the next loads with a loader of its own, for this
    /// loader cannot outlive its caller; [`get_or_load_detached`](Self::get_or_load_detached)
    /// goes on loading. A loader must not ask for its own key.
    ///
    /// # Errors
    /// The loader's only. It reaches every waiter and is not stored.
    #[inline]
    pub async fn get_or_load<E, F, Fut>(&self, loader: F) -> Result<T, E>
    where
        E: Clone + Send + Sync + 'static,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let seen = self.see();
        match self.hit_at::<T>(seen) {
            Some(value) if !self.may_audit() => Ok(value),
            // Boxed: a hit must not pay for the size of a load.
            hit => Box::pin(self.resume(hit, seen, |_| storing(loader()))).await,
        }
    }

    /// Like [`get_or_load`](Self::get_or_load) for what may be absent. Absence is stored too,
    /// for no longer than the negative TTL.
    ///
    /// # Errors
    /// The loader's only.
    #[inline]
    pub async fn get_or_load_optional<E, F, Fut>(&self, loader: F) -> Result<Option<T>, E>
    where
        E: Clone + Send + Sync + 'static,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Option<T>, E>>,
    {
        let seen = self.see();
        match self.hit_at::<Option<T>>(seen) {
            Some(value) if !self.may_audit() => Ok(value),
            hit => Box::pin(self.resume(hit, seen, |_| storing(loader()))).await,
        }
    }

    /// Like [`get_or_load`](Self::get_or_load); the loader decides whether its value is stored, for
    /// how long, and what it depends on beside the entry's tags.
    ///
    /// # Errors
    /// The loader's only.
    pub async fn get_or_load_with<E, F, Fut>(&self, loader: F) -> Result<T, E>
    where
        E: Clone + Send + Sync + 'static,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Loaded<T>, E>>,
    {
        self.get_or_revalidate(|_| loader()).await
    }

    /// Like [`get_or_load_optional`](Self::get_or_load_optional); the loader decides whether and
    /// how its value or its absence is stored.
    ///
    /// # Errors
    /// The loader's only.
    pub async fn get_or_load_optional_with<E, F, Fut>(&self, loader: F) -> Result<Option<T>, E>
    where
        E: Clone + Send + Sync + 'static,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Loaded<Option<T>>, E>>,
    {
        let seen = self.see();
        match self.hit_at::<Option<T>>(seen) {
            Some(value) if !self.may_audit() => Ok(value),
            hit => Box::pin(self.resume(hit, seen, |_| loader())).await,
        }
    }

    /// Like [`get_or_load_with`](Self::get_or_load_with); the loader is given what is stored, if
    /// that was not invalidated, and may answer [`Loaded::NotModified`] with it.
    ///
    /// # Errors
    /// The loader's only.
    pub async fn get_or_revalidate<E, F, Fut>(&self, loader: F) -> Result<T, E>
    where
        E: Clone + Send + Sync + 'static,
        F: FnOnce(Option<T>) -> Fut,
        Fut: Future<Output = Result<Loaded<T>, E>>,
    {
        let seen = self.see();
        match self.hit_at::<T>(seen) {
            Some(value) if !self.may_audit() => Ok(value),
            hit => Box::pin(self.resume(hit, seen, loader)).await,
        }
    }

    /// What is not a plain hit: a sample for the auditor, or a load.
    async fn resume<S, E, L, F>(&self, hit: Option<S>, seen: Seen, loader: L) -> Result<S, E>
    where
        S: Value,
        E: Clone + Send + Sync + 'static,
        L: FnOnce(Option<S>) -> F,
        F: Future<Output = Result<Loaded<S>, E>>,
        Self: Shape<S>,
    {
        match hit {
            Some(value) => self.audit(value, seen, loader).await,
            None => {
                let span = telemetry::read_span(self.namespace.name);
                self.load(loader).instrument(span).await
            }
        }
    }

    /// Loads even if a value is stored, and stores the result in its place. Waits for nobody.
    ///
    /// # Errors
    /// The loader's only.
    pub async fn reload<E, F, Fut>(&self, loader: F) -> Result<T, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        Box::pin(self.reload_shape(storing(loader()))).await
    }
}

async fn storing<S, E>(load: impl Future<Output = Result<S, E>>) -> Result<Loaded<S>, E> {
    load.await.map(Loaded::Store)
}
