//! A storage made of mocks.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use guildhall_domain::Timestamp;

use crate::storage::{Repositories, Storage, StorageHealth, UnitOfWork};
use crate::{InvalidationNote, StorageError};

crate::lend! { @each mock () }

/// A storage whose repositories, inside and outside of units, are the same mocks.
#[derive(Clone)]
pub struct MockStorage(Arc<MockUnitOfWork>);

impl MockStorage {
    /// From mocks whose expectations are set.
    #[must_use]
    pub fn new(mocks: MockUnitOfWork) -> Self {
        Self(Arc::new(mocks))
    }
}

#[async_trait]
impl Storage for MockStorage {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StorageError> {
        Ok(Box::new(self.clone()))
    }

    /// The same mocks: the note is forgotten.
    fn noting(&self, _note: &InvalidationNote) -> Box<dyn Repositories> {
        Box::new(self.clone())
    }

    async fn health(&self, _now: Timestamp) -> Result<StorageHealth, StorageError> {
        Ok(StorageHealth {
            system: "mock",
            version: env!("CARGO_PKG_VERSION").to_owned(),
            write_latency: Duration::ZERO,
            connections: 0,
            idle: 0,
            connections_max: 0,
        })
    }
}

#[async_trait]
impl UnitOfWork for MockStorage {
    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        self.0.commit_error.clone().map_or(Ok(()), Err)
    }

    async fn rollback(self: Box<Self>) -> Result<(), StorageError> {
        Ok(())
    }
}
