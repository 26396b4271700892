//! Imports past the cache, and what they must empty in it.

use async_trait::async_trait;
use guildhall_domain::{ImportedMember, Level, Timestamp, UserId};
use guildhall_repository::{
    ImportId, ImportRepository, ImportRun, ImportedRows, MemberImport, NewImport, StorageError,
};

use crate::keys::tag;
use crate::link::{Inner, Link};

/// The import repository behind the cache.
pub(crate) struct CachedImports {
    pub(crate) link: Link,
}

/// Whose rows an import or its undoing touches is only known afterwards.
const TOUCHED: &[&str] = &["user", "points"];

impl CachedImports {
    fn inner(&self) -> &dyn ImportRepository {
        self.link.inner().imports()
    }
}

#[async_trait]
impl ImportRepository for CachedImports {
    async fn begin(&self, new: &NewImport, now: Timestamp) -> Result<ImportRun, StorageError> {
        self.inner().begin(new, now).await
    }

    async fn find(&self, source: &str) -> Result<Option<ImportRun>, StorageError> {
        self.inner().find(source).await
    }

    async fn write_levels(
        &self,
        run: &ImportRun,
        levels: &[Level],
        now: Timestamp,
    ) -> Result<u64, StorageError> {
        self.link
            .write([tag::catalogue()], async |on| on.imports().write_levels(run, levels, now).await)
            .await
    }

    async fn write_members(
        &self,
        run: &ImportRun,
        members: &[ImportedMember],
        checkpoint: &str,
        leased_until: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<MemberImport>, StorageError> {
        let write = async |on: Inner| {
            on.imports().write_members(run, members, checkpoint, leased_until, now).await
        };
        self.link.write_namespaces(TOUCHED, write).await
    }

    async fn finish(&self, run: &ImportRun, now: Timestamp) -> Result<(), StorageError> {
        self.inner().finish(run, now).await
    }

    async fn rows(&self, id: ImportId) -> Result<ImportedRows, StorageError> {
        self.inner().rows(id).await
    }

    async fn undo_page(
        &self,
        id: ImportId,
        limit: u32,
        now: Timestamp,
    ) -> Result<(u64, Vec<UserId>, bool), StorageError> {
        self.link
            .write_namespaces(TOUCHED, async |on| on.imports().undo_page(id, limit, now).await)
            .await
    }
}
