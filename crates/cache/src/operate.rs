//! What operators do by hand: looking for entries by pattern, and freeing them.

use crate::backend::BackendError;
use crate::cache::Cache;
use crate::naming::Naming;
use crate::quarantine::Target;

impl Cache {
    /// At most this many keys go to the shared level in one call.
    const REMOVED_AT_ONCE: usize = 500;
    /// At most this many are looked for at once.
    const FOUND_AT_ONCE: usize = 100_000;

    /// The rendered keys in the shared level that match a glob pattern, such as `user:42:*`:
    /// without prefix and schema, in ascending order, at most `limit`. It walks over everything
    /// there is: for operators, never for normal work.
    ///
    /// # Errors
    /// What the backend reported; `NotSupported` without a shared level.
    pub async fn keys(&self, pattern: &str, limit: usize) -> Result<Vec<String>, BackendError> {
        let (entries, found) = self.found(pattern, limit).await?;
        let mut keys: Vec<_> = found
            .into_iter()
            .filter_map(|key| key.strip_prefix(entries.as_str()).map(str::to_owned))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }

    /// Frees the entries that match a glob pattern in the shared level, and everything in every
    /// process: how many there were in the shared level. Entries stored meanwhile stay; tags and
    /// [`invalidate`](Self::invalidate) are what a write needs. Walks over everything there is.
    ///
    /// # Errors
    /// What the backend reported; entries freed before that are gone. `NotSupported` without a
    /// shared level.
    pub async fn clear_matching(&self, pattern: &str) -> Result<u64, BackendError> {
        let (_, found) = self.found(pattern, Self::FOUND_AT_ONCE).await?;
        let shared = self.inner.shared.as_ref().ok_or(NO_LEVEL)?;
        let mut freed = 0;
        for chunk in found.chunks(Self::REMOVED_AT_ONCE) {
            freed += shared.remove(chunk).await?;
        }
        self.inner.forget_all();
        shared.publish(self.inner.namespaces.named("(all)"), &[Target::All]).await;
        Ok(freed)
    }

    /// Invalidates tags by their text, as [`keys`](Self::keys) shows names: `user:42`. For operators
    /// who know no types. Whether the shared level acknowledged it.
    ///
    /// # Errors
    /// `Protocol` for a text that no tag has; nothing is invalidated then. `NotSupported` without a
    /// shared level.
    pub async fn invalidate_text(&self, tags: &[String]) -> Result<bool, BackendError> {
        self.renew_text(tags, |naming, tag| naming.tag_of_text(tag)).await
    }

    /// Invalidates whole namespaces by name, like [`invalidate_text`](Self::invalidate_text).
    ///
    /// # Errors
    /// `NotSupported` without a shared level.
    pub async fn clear_namespace_text(&self, names: &[String]) -> Result<bool, BackendError> {
        self.renew_text(names, |naming, name| Some(naming.namespace_of_text(name))).await
    }

    async fn renew_text(
        &self,
        texts: &[String],
        rendered: impl Fn(&Naming, &str) -> Option<String>,
    ) -> Result<bool, BackendError> {
        let shared = self.inner.shared.as_ref().ok_or(NO_LEVEL)?;
        let names: Option<Vec<String>> =
            texts.iter().map(|text| rendered(&shared.naming, text)).collect();
        let names = names.ok_or_else(|| {
            BackendError::Protocol("a tag looks like user:42, encoded where needed".to_owned())
        })?;
        let namespace = self.inner.namespaces.named("(operator)");
        let acknowledged = shared.renew_named(namespace, &names).await;
        self.inner.forget_all(); // The message of it is our own, and not heard here.
        Ok(acknowledged)
    }

    async fn found(
        &self,
        pattern: &str,
        limit: usize,
    ) -> Result<(String, Vec<String>), BackendError> {
        let shared = self.inner.shared.as_ref().ok_or(NO_LEVEL)?;
        let entries = shared.naming.entries();
        let found = shared.find(&format!("{entries}{pattern}"), limit).await?;
        Ok((entries, found))
    }
}

const NO_LEVEL: BackendError = BackendError::NotSupported("patterns without a shared level");
