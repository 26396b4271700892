//! Many starts at once: each migration is applied once.

use std::collections::BTreeSet;

use guildhall_testkit::server::{postgres_schema, sqlite_file};

use crate::harness::{options, postgres_at, sqlite_on};

const STARTS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_migrates_once() {
    let file = std::sync::Arc::new(sqlite_file());
    let starts: Vec<_> = (0..STARTS)
        .map(|_| {
            let file = file.clone();
            tokio::spawn(async move {
                let storage = sqlite_on(&file, options()).await;
                storage.migration_status().await.unwrap()
            })
        })
        .collect();
    let mut found = BTreeSet::new();
    for start in starts {
        let status = start.await.unwrap();
        assert!(status.iter().all(|migration| migration.applied), "{status:?}");
        found.insert(status.len());
    }
    assert_eq!(found.len(), 1);
    let storage = sqlite_on(&file, options()).await;
    assert_eq!(storage.migrate().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_migrates_once() {
    let schema = std::sync::Arc::new(postgres_schema().await);
    let starts: Vec<_> = (0..STARTS)
        .map(|_| {
            let url = schema.url();
            tokio::spawn(async move {
                let storage = postgres_at(&url, options()).await;
                storage.migration_status().await.unwrap()
            })
        })
        .collect();
    let mut found = BTreeSet::new();
    for start in starts {
        let status = start.await.unwrap();
        assert!(status.iter().all(|migration| migration.applied), "{status:?}");
        found.insert(status.len());
    }
    assert_eq!(found.len(), 1);
    let storage = postgres_at(&schema.url(), options()).await;
    assert_eq!(storage.migrate().await.unwrap(), Vec::<String>::new());
}
