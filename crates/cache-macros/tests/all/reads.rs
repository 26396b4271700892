//! `#[cached]`: when the body runs, and what is stored.

use std::sync::Arc;
use std::time::Duration;

use guildhall_cache::{Cache, Clock, Key, Tag, cached};

use crate::{Asked, Failed, memory};

struct Users {
    cache: Cache,
    region: &'static str,
    asked: Arc<Asked>,
}

impl Users {
    fn new() -> Self {
        Self { cache: memory(), region: "eu", asked: Arc::default() }
    }

    #[cached(key = "user:{id}:name", ttl = "1h", tags = ["user:{id}"])]
    async fn name(&self, id: i64) -> Result<String, Failed> {
        if id < 0 {
            self.asked.once_more();
            return Err(Failed);
        }
        Ok(format!("{id}-{}", self.asked.once_more()))
    }

    #[cached(key = "user:{id}:nick", tags = ["user:{id}"])]
    async fn nick(&self, id: i64) -> Result<Option<String>, Failed> {
        self.asked.once_more();
        Ok((id > 0).then(|| "Ada".to_owned()))
    }

    #[cached(key = "user:{id}:level", tags = ["user:{id}"])]
    async fn level(&self, id: i64) -> Option<u32> {
        self.asked.once_more();
        let id = u32::try_from(id).ok()?;
        Some(id * 2)
    }

    #[cached(key = "users:{self.region}:{first}:{limit}", tags = [])]
    async fn page(&self, first: Option<&str>, limit: u16) -> Vec<u64> {
        let _ = first;
        vec![self.asked.once_more(); usize::from(limit)]
    }

    #[cached(key = "greeting:{name}", tags = [], ignore(trace))]
    async fn greeting(&self, name: String, trace: &str) -> String {
        assert!(!trace.is_empty());
        self.asked.once_more();
        name + "!"
    }

    #[cached(key = Key::new("sum").id(left).id(right), tags = [Tag::new("sums"), "sums:{left}"])]
    async fn sum(&self, left: i64, right: i64) -> i64 {
        self.asked.once_more();
        left + right
    }
}

#[tokio::test]
async fn the_second_call_does_not_run_the_body_and_another_argument_does() {
    let users = Users::new();
    assert_eq!(users.name(1).await.unwrap(), "1-1");
    assert_eq!(users.name(1).await.unwrap(), "1-1");
    assert_eq!(users.name(2).await.unwrap(), "2-2");
    assert_eq!(users.asked.times(), 2);
}

#[tokio::test]
async fn the_entry_is_the_one_that_the_template_names() {
    let users = Users::new();
    users.name(7).await.unwrap();
    let (key, tag) = (Key::new("user").id(7).part("name"), Tag::new("user").id(7));
    assert_eq!(users.cache.entry::<String>(key, [tag.clone()], None).get().await.unwrap(), "7-1");
    assert!(users.cache.invalidate([tag]).await);
    assert_eq!(users.name(7).await.unwrap(), "7-2");
}

#[tokio::test]
async fn errors_are_returned_and_not_stored() {
    let users = Users::new();
    assert_eq!(users.name(-1).await, Err(Failed));
    assert_eq!(users.name(-1).await, Err(Failed));
    assert_eq!(users.asked.times(), 2);
}

#[tokio::test]
async fn absence_is_stored_with_and_without_errors() {
    let users = Users::new();
    for _ in 0..3 {
        assert_eq!(users.nick(0).await, Ok(None));
        assert_eq!(users.nick(1).await.unwrap().as_deref(), Some("Ada"));
        assert_eq!(users.level(-1).await, None); // By `?` out of the body.
        assert_eq!(users.level(3).await, Some(6));
    }
    assert_eq!(users.asked.times(), 4);
    assert_eq!(users.cache.stats().total.negative_hits, 4);
}

#[tokio::test]
async fn every_segment_tells_entries_apart_and_ignored_arguments_do_not() {
    let mut users = Users::new();
    assert_eq!(users.page(None, 1).await, [1]);
    assert_eq!(users.page(Some(""), 1).await, [2]);
    assert_eq!(users.page(None, 2).await, [3, 3]);
    assert_eq!(users.page(None, 1).await, [1]);
    users.region = "us";
    assert_eq!(users.page(None, 1).await, [4]);
    assert_eq!(users.greeting("Ada".to_owned(), "a").await, "Ada!");
    assert_eq!(users.greeting("Ada".to_owned(), "b").await, "Ada!");
    assert_eq!(users.asked.times(), 5);
}

#[tokio::test]
async fn keys_and_tags_may_be_expressions() {
    let users = Users::new();
    for _ in 0..2 {
        assert_eq!(users.sum(1, 2).await, 3);
    }
    assert_eq!(users.asked.times(), 1);
    users.cache.invalidate([Tag::new("sums").id(1)]).await;
    users.sum(1, 2).await;
    users.cache.invalidate([Tag::new("sums")]).await;
    users.sum(1, 2).await;
    users.cache.invalidate([Tag::new("sums").id(2)]).await;
    users.sum(1, 2).await;
    assert_eq!(users.asked.times(), 3);
}

#[tokio::test]
async fn concurrent_callers_of_a_cold_key_run_the_body_once() {
    struct Slow {
        cache: Cache,
        asked: Asked,
        door: tokio::sync::Notify,
    }
    impl Slow {
        #[cached(key = "slow:{id}", tags = [])]
        async fn value(&self, id: i64) -> i64 {
            self.asked.once_more();
            self.door.notified().await;
            id
        }
    }
    let slow = Slow { cache: memory(), asked: Asked::default(), door: tokio::sync::Notify::new() };
    slow.door.notify_one();
    let all = tokio::join!(slow.value(1), slow.value(1), slow.value(1));
    assert_eq!((all, slow.asked.times()), ((1, 1, 1), 1));
}

/// Stands still until it is set.
#[derive(Debug, Default)]
struct HandClock(std::sync::atomic::AtomicU64);

impl Clock for HandClock {
    fn monotonic_ns(&self) -> u64 {
        self.0.load(std::sync::atomic::Ordering::SeqCst)
    }

    fn unix_ms(&self) -> u64 {
        self.monotonic_ns() / 1_000_000
    }
}

#[tokio::test]
async fn an_entry_lives_as_long_as_its_ttl_says() {
    struct Short {
        cache: Cache,
        asked: Asked,
        ttl: Duration,
    }
    impl Short {
        #[cached(key = "written", ttl = "1m 30s", tags = [])]
        async fn written(&self) -> u64 {
            self.asked.once_more()
        }

        #[cached(key = "given", ttl = self.ttl, tags = [])]
        async fn given(&self) -> u64 {
            self.asked.once_more()
        }
    }
    let clock = Arc::new(HandClock::default());
    let cache = Cache::builder().memory().jitter(false).clock(Arc::clone(&clock) as _).build();
    let short = Short { cache, asked: Asked::default(), ttl: Duration::from_secs(10) };
    let at =
        |second: u64| clock.0.store(second * 1_000_000_000, std::sync::atomic::Ordering::SeqCst);
    assert_eq!((short.written().await, short.given().await), (1, 2));
    at(9);
    assert_eq!((short.written().await, short.given().await), (1, 2));
    at(11);
    assert_eq!((short.written().await, short.given().await), (1, 3));
    at(91);
    assert_eq!(short.written().await, 4);
}

#[tokio::test]
async fn empty_values_and_weights_reach_the_entry() {
    struct Lists {
        cache: Cache,
    }
    impl Lists {
        #[cached(key = "list:{id}", tags = [], negative_if = Vec::is_empty, weigh = Vec::len)]
        async fn list(&self, id: i64) -> Vec<u8> {
            vec![0; usize::try_from(id).unwrap_or(0)]
        }
    }
    let lists = Lists { cache: memory() };
    for _ in 0..2 {
        assert!(lists.list(0).await.is_empty());
        assert_eq!(lists.list(1_000_000).await.len(), 1_000_000);
    }
    let stats = lists.cache.stats().total;
    assert_eq!((stats.hits, stats.negative_hits), (2, 1));
    assert!(stats.bytes > 1_000_000, "{}", stats.bytes);
}
