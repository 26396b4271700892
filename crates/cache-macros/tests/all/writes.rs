//! `#[invalidates]`: when entries go, and when they do not.

use std::sync::Arc;

use guildhall_cache::{Cache, Key, Tag, cached, invalidates};
use tokio::sync::Notify;

use crate::{Asked, memory};

#[derive(Clone, Debug, PartialEq, Eq)]
enum Refusal {
    Rule,
    Unknown,
}

fn rule(error: &Refusal) -> bool {
    *error == Refusal::Rule
}

struct Users {
    cache: Cache,
    asked: Asked,
    door: Notify,
}

impl Users {
    fn new() -> Arc<Self> {
        Arc::new(Self { cache: memory(), asked: Asked::default(), door: Notify::new() })
    }

    #[cached(key = "user:{id}", ttl = "1h", tags = ["user:{id}"])]
    async fn read(&self, id: i64) -> u64 {
        let _ = id;
        self.asked.once_more()
    }

    #[invalidates(tags = ["user:{id}"])]
    async fn write(&self, id: i64, outcome: Result<i64, Refusal>) -> Result<i64, Refusal> {
        let _ = id;
        let value = outcome?;
        Ok(value)
    }

    #[invalidates(tags = ["user:{id}"], rolled_back_if = rule)]
    async fn judged(&self, id: i64, outcome: Result<(), Refusal>) -> Result<(), Refusal> {
        let _ = id;
        outcome
    }

    #[invalidates(tags = ["user:{id}"], on_error = "rolled_back")]
    async fn rolled_back(&self, id: i64) -> Result<(), Refusal> {
        let _ = id;
        Err(Refusal::Unknown)
    }

    #[invalidates(tags = ["user:{id}"], on_error = "committed")]
    async fn committed(&self, id: i64) -> Result<(), Refusal> {
        let _ = id;
        Err(Refusal::Unknown)
    }

    #[invalidates(tags = ["user:{from}", Tag::new("user").id(to)])]
    async fn merge(&self, from: i64, to: i64) -> bool {
        from != to
    }

    #[invalidates(namespaces = ["user"])]
    async fn import(&self) {}

    #[invalidates(tags = ["user:{id}"])]
    async fn slow(&self, id: i64) -> Result<(), Refusal> {
        let _ = id;
        self.door.notified().await;
        Ok(())
    }
}

#[tokio::test]
async fn a_write_makes_the_next_read_load_and_leaves_others_alone() {
    let users = Users::new();
    assert_eq!((users.read(1).await, users.read(2).await), (1, 2));
    assert_eq!(users.write(1, Ok(5)).await, Ok(5));
    assert_eq!((users.read(1).await, users.read(2).await), (3, 2));
    assert_eq!(users.read(1).await, 3);
}

#[tokio::test]
async fn every_tag_and_namespace_goes() {
    let users = Users::new();
    assert_eq!((users.read(1).await, users.read(2).await, users.read(3).await), (1, 2, 3));
    assert!(users.merge(1, 2).await);
    assert_eq!((users.read(1).await, users.read(2).await, users.read(3).await), (4, 5, 3));
    users.import().await;
    assert_eq!((users.read(1).await, users.read(3).await), (6, 7));
}

#[tokio::test]
async fn an_error_leaves_the_tags_in_quarantine_by_default() {
    let users = Users::new();
    users.read(1).await;
    assert_eq!(users.write(1, Err(Refusal::Unknown)).await, Err(Refusal::Unknown));
    assert_eq!(users.cache.stats().quarantined_tags, 1);
    assert_eq!((users.read(1).await, users.read(1).await), (2, 3)); // Nothing is stored meanwhile.
}

#[tokio::test]
async fn an_error_that_is_known_to_have_written_nothing_invalidates_nothing() {
    let users = Users::new();
    users.read(1).await;
    assert_eq!(users.judged(1, Err(Refusal::Rule)).await, Err(Refusal::Rule));
    assert_eq!(users.rolled_back(1).await, Err(Refusal::Unknown));
    let stats = users.cache.stats();
    assert_eq!((stats.quarantined_tags, stats.total.invalidations), (0, 0));
    users.judged(1, Err(Refusal::Unknown)).await.unwrap_err();
    assert_eq!(users.cache.stats().quarantined_tags, 1);
}

#[tokio::test]
async fn an_error_may_count_as_committed() {
    let users = Users::new();
    users.read(1).await;
    users.committed(1).await.unwrap_err();
    assert_eq!(users.cache.stats().quarantined_tags, 0);
    assert_eq!((users.read(1).await, users.read(1).await), (2, 2));
}

#[tokio::test]
async fn while_the_body_runs_its_entries_are_neither_served_nor_stored() {
    let users = Users::new();
    users.read(1).await;
    let mut write = Box::pin(users.slow(1));
    assert!(poll_once(&mut write).await.is_none());
    assert_eq!((users.read(1).await, users.read(1).await), (2, 3));
    users.door.notify_one();
    write.await.unwrap();
    assert_eq!((users.read(1).await, users.read(1).await), (4, 4));
}

#[tokio::test]
async fn a_future_dropped_midway_leaves_its_tags_in_quarantine() {
    let users = Users::new();
    users.read(1).await;
    let mut write = Box::pin(users.slow(1));
    assert!(poll_once(&mut write).await.is_none());
    drop(write);
    assert_eq!(users.cache.stats().quarantined_tags, 1);
    let entry = users.cache.entry::<u64>(Key::new("user").id(1), [Tag::new("user").id(1)], None);
    assert_eq!(entry.get().await, None);
}

#[tokio::test]
async fn a_panic_leaves_its_tags_in_quarantine() {
    struct Broken(Cache);
    impl Broken {
        #[invalidates(cache = self.0, tags = ["user"])]
        async fn write(&self) {
            panic!("in the body");
        }
    }
    let cache = memory();
    let broken = Broken(cache.clone());
    tokio::spawn(async move { broken.write().await }).await.unwrap_err();
    assert_eq!(cache.stats().quarantined_tags, 1);
}

async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}
