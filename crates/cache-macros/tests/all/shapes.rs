//! The functions that the attributes go on.

use std::collections::HashMap;
use std::fmt::Display;
use std::marker::PhantomData;
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use guildhall_cache::{Cache, CacheSource, Part, ToPart, Value, cached, invalidates};

use crate::{Asked, Failed, memory};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct UserId(i64);

impl ToPart for UserId {
    fn to_part(&self) -> Part {
        self.0.to_part()
    }
}

struct Query {
    team: String,
    limit: u16,
}

impl Query {
    fn limit(&self) -> u16 {
        self.limit
    }
}

static SHARED: LazyLock<Cache> = LazyLock::new(memory);

#[cached(cache = cache, key = "double:{id.0}", tags = ["double"], ignore(asked))]
async fn double(cache: &Cache, asked: &Asked, id: UserId) -> Result<i64, Failed>
where
    UserId: Copy,
{
    asked.once_more();
    Ok(id.0 * 2)
}

#[cached(cache = SHARED, key = "team:{query.team}:{query.limit()}", tags = [], ignore(asked))]
async fn team(query: &Query, asked: &Asked) -> String {
    asked.once_more();
    format!("{}{}", query.team, query.limit)
}

/// Doc comments and attributes stay.
#[inline]
#[cached(cache = cache, key = "swap:{left}:{right}", tags = [])]
pub(crate) async fn swap<'a>(cache: Cache, (left, right): (&'a str, &'a u8)) -> (u8, String) {
    drop(cache);
    (*right, left.to_owned())
}

#[cached(cache = cache, key = "shown:{N}:{id}", tags = ["shown"], ignore(source))]
async fn shown<const N: usize, K, T>(cache: &Cache, id: K, source: &HashMap<K, T>) -> Option<T>
where
    K: ToPart + std::hash::Hash + Eq + Send + Sync,
    T: Value,
{
    source.get(&id).cloned().filter(|_| N > 0)
}

#[invalidates(cache = cache, tags = ["shown"])]
async fn forget(cache: &Cache, mut words: Vec<String>, word: impl Display + Send) -> usize {
    words.push(word.to_string());
    words.len()
}

/// Variables of ours and arguments do not meet.
#[cached(
    cache = SHARED,
    key = "names:{cache}:{source}:{entry}:{load}",
    tags = ["names:{tags}"],
    ignore(tags)
)]
async fn names(cache: u8, source: u8, entry: u8, load: u8, tags: u8) -> u8 {
    cache + source + entry + load + tags
}

#[tokio::test]
async fn free_functions_take_their_cache_from_an_argument_or_a_static() {
    let (cache, asked) = (memory(), Asked::default());
    assert_eq!(double(&cache, &asked, UserId(4)).await, Ok(8));
    assert_eq!(double(&cache, &asked, UserId(4)).await, Ok(8));
    assert_eq!(asked.times(), 1);
    let query = |limit| Query { team: "owls".to_owned(), limit };
    assert_eq!(team(&query(1), &asked).await, "owls1");
    assert_eq!(team(&query(1), &asked).await, "owls1");
    assert_eq!(team(&query(2), &asked).await, "owls2");
    assert_eq!(asked.times(), 3);
    assert_eq!(names(1, 2, 3, 4, 5).await, 15);
}

#[tokio::test]
async fn patterns_owned_arguments_and_generics_are_fine() {
    let cache = memory();
    assert_eq!(swap(cache.clone(), ("a", &1)).await, (1, "a".to_owned()));
    assert_eq!(swap(cache.clone(), ("a", &2)).await, (2, "a".to_owned()));
    let mut source = HashMap::from([(1_i64, "one".to_owned())]);
    assert_eq!(shown::<3, _, _>(&cache, 1, &source).await.as_deref(), Some("one"));
    assert_eq!(shown::<0, _, _>(&cache, 1, &source).await, None);
    source.clear();
    assert_eq!(shown::<3, _, _>(&cache, 1, &source).await.as_deref(), Some("one"));
    assert_eq!(forget(&cache, vec!["a".to_owned()], 'b').await, 2);
    assert_eq!(shown::<3, _, _>(&cache, 1, &source).await, None);
}

#[async_trait]
trait Repository: Send + Sync {
    async fn find(&self, id: UserId) -> Result<Option<String>, Failed>;
    async fn search(&self, name: &str, limit: Option<u16>) -> Result<Vec<String>, Failed>;
    async fn save(&self, id: UserId, name: &str) -> Result<(), Failed>;
    async fn forget(&self) -> u64 {
        0
    }
}

struct Cached<R> {
    cache: Cache,
    asked: Asked,
    inner: PhantomData<R>,
}

#[async_trait]
impl<R: Send + Sync> Repository for Cached<R> {
    #[cached(key = "user:{id}", ttl = "5m", tags = ["user:{id}"])]
    async fn find(&self, id: UserId) -> Result<Option<String>, Failed> {
        self.asked.once_more();
        if id.0 < 0 {
            return Err(Failed);
        }
        Ok((id.0 > 0).then(|| "Ada".to_owned()))
    }

    #[cached(key = "users:{name}:{limit}", tags = ["users"])]
    async fn search(&self, name: &str, limit: Option<u16>) -> Result<Vec<String>, Failed> {
        self.asked.once_more();
        let limit = limit.ok_or(Failed)?;
        Ok(vec![name.to_owned(); usize::from(limit)])
    }

    #[invalidates(tags = ["user:{id}", "users"])]
    async fn save(&self, id: UserId, name: &str) -> Result<(), Failed> {
        if id.0 < 0 || name.is_empty() { Err(Failed) } else { Ok(()) }
    }

    #[cached(key = "forgotten", tags = [])]
    async fn forget(&self) -> u64 {
        self.asked.once_more()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn async_trait_methods_are_cached_and_their_futures_are_sendable() {
    let cached =
        Arc::new(Cached::<u8> { cache: memory(), asked: Asked::default(), inner: PhantomData });
    let repository = Arc::clone(&cached) as Arc<dyn Repository>;
    let task = tokio::spawn(async move {
        for _ in 0..2 {
            assert_eq!(repository.find(UserId(1)).await.unwrap().as_deref(), Some("Ada"));
            assert_eq!(repository.find(UserId(0)).await, Ok(None));
            assert_eq!(repository.search("Ada", Some(2)).await.unwrap().len(), 2);
            assert_eq!(repository.forget().await, 4);
        }
        assert_eq!(repository.search("Ada", None).await, Err(Failed));
        assert_eq!(repository.find(UserId(-1)).await, Err(Failed));
        repository.save(UserId(1), "Eve").await.unwrap();
        repository.find(UserId(1)).await.unwrap();
        repository.save(UserId(-1), "Eve").await.unwrap_err();
    });
    task.await.unwrap();
    assert_eq!(cached.asked.times(), 7);
    assert_eq!(cached.cache.stats().quarantined_tags, 2);
}

trait Native {
    fn answer(&self, id: i64) -> impl Future<Output = Option<i64>> + Send;
}

struct Unit {
    inside: bool,
    cache: Cache,
    asked: Asked,
}

impl Unit {
    fn cache(&self) -> Option<&Cache> {
        (!self.inside).then_some(&self.cache)
    }
}

impl CacheSource for Unit {
    fn cache(&self) -> Option<&Cache> {
        self.cache()
    }
}

impl Native for Unit {
    #[cached(cache = self.cache(), key = "answer:{id}", tags = ["answer"])]
    async fn answer(&self, id: i64) -> Option<i64> {
        self.asked.once_more();
        (id > 0).then_some(id)
    }
}

impl Unit {
    #[invalidates(cache = self, tags = ["answer"])]
    async fn change(self: &Arc<Self>) {}

    #[cached(cache = self, key = "owned:{id}", tags = [])]
    async fn owned(self: Arc<Self>, id: i64) -> i64 {
        drop(self);
        id
    }

    #[cached(key = "exclusive", tags = [])]
    async fn exclusive(&mut self) -> bool {
        self.inside = !self.inside;
        self.inside
    }
}

#[tokio::test]
async fn where_there_is_no_cache_the_body_runs_each_time() {
    let mut unit = Unit { inside: true, cache: memory(), asked: Asked::default() };
    for _ in 0..2 {
        assert_eq!(unit.answer(1).await, Some(1));
    }
    assert_eq!(unit.asked.times(), 2);
    assert!(!unit.exclusive().await && !unit.exclusive().await);
    let unit = Arc::new(unit);
    for _ in 0..2 {
        assert_eq!(unit.answer(1).await, Some(1));
        assert_eq!(Arc::clone(&unit).owned(1).await, 1);
    }
    assert_eq!(unit.asked.times(), 3);
    unit.change().await;
    unit.answer(1).await;
    assert_eq!(unit.asked.times(), 4);
}
