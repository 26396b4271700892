//! What a recorder is told: every documented name and no other, and sums that agree.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use guildhall_cache::{Cache, describe_metrics};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

use crate::fake::{Failed, Fake, Loads, key, listening, tag};

const TTL: Duration = Duration::from_secs(100);

/// By name and labels: the sum of what was told.
type Sums = Arc<Mutex<BTreeMap<String, f64>>>;

#[derive(Clone, Default)]
struct Told {
    sums: Sums,
    described: Arc<Mutex<BTreeSet<String>>>,
}

struct One(Sums, String);

impl One {
    fn add(&self, value: f64) {
        *self.0.lock().unwrap().entry(self.1.clone()).or_default() += value;
    }
}

impl CounterFn for One {
    fn increment(&self, value: u64) {
        self.add(value as f64);
    }

    fn absolute(&self, _: u64) {
        panic!("several caches add up");
    }
}

impl GaugeFn for One {
    fn increment(&self, value: f64) {
        self.add(value);
    }

    fn decrement(&self, value: f64) {
        self.add(-value);
    }

    fn set(&self, _: f64) {
        panic!("several caches add up");
    }
}

impl HistogramFn for One {
    fn record(&self, _: f64) {
        self.add(1.0);
    }
}

impl Told {
    fn one(&self, key: &Key) -> Arc<One> {
        let labels: BTreeSet<_> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let labels: Vec<_> = labels.into_iter().collect();
        Arc::new(One(Arc::clone(&self.sums), format!("{} {}", key.name(), labels.join(" "))))
    }

    fn describe(&self, name: &KeyName, unit: Option<Unit>) {
        assert!(unit.is_some(), "{name:?} has no unit");
        self.described.lock().unwrap().insert(name.as_str().to_owned());
    }

    fn sum(&self, what: &str) -> f64 {
        self.sums.lock().unwrap().get(what).copied().unwrap_or(-1.0)
    }
}

impl Recorder for Told {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&key, unit);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&key, unit);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&key, unit);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.one(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.one(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.one(key))
    }
}

/// The names in the guide's table.
fn documented() -> BTreeSet<String> {
    let guide = include_str!("../../../../docs/guide/caching.md");
    let rows = guide.lines().filter_map(|line| line.strip_prefix("| `guildhall.cache."));
    let name = |row: &str| format!("guildhall.cache.{}", row.split('`').next().unwrap());
    rows.map(name).collect()
}

#[tokio::test(start_paused = true)]
async fn every_documented_name_is_told_and_no_other() {
    let told = Told::default();
    let _guard = metrics::set_default_local_recorder(&told);
    describe_metrics();
    let (fake, builder) = Fake::tiered();
    let caches = [builder.build(), fake.process().build()];
    for (id, cache) in (1..).zip(&caches) {
        listening(cache).await;
        let entry = cache.entry::<u32>(key(id), [tag(id)], TTL);
        assert_eq!(entry.get_or_load(async || Err(Failed)).await, Err(Failed));
        entry.reload(async || Loads::Ok(1)).await.unwrap();
        for _ in 0..3 {
            entry.get_or_load(async || Loads::Ok(1)).await.unwrap();
        }
        cache.publish_metrics();
        cache.publish_metrics();
    }
    assert_eq!(
        told.sum("guildhall.cache.entry.count cache.level=memory cache.namespace=user"),
        2.0
    );
    fake.down.store(true, Ordering::SeqCst);
    assert!(!caches[0].invalidate([tag(3)]).await);
    caches.iter().for_each(Cache::publish_metrics);
    assert_eq!(told.sum("guildhall.cache.quarantined_tag.count "), 1.0);
    assert_eq!(told.sum("guildhall.cache.breaker.open cache.level=shared"), 2.0, "both share it");
    let sums: Vec<_> =
        caches.iter().map(|cache| cache.stats().namespaces["user"].clone()).collect();
    let all = |of: fn(&guildhall_cache::NamespaceStats) -> u64| sums.iter().map(of).sum::<u64>();
    let requests = |outcome: &str| {
        told.sum(&format!("guildhall.cache.requests cache.namespace=user cache.outcome={outcome}"))
    };
    assert_eq!(requests("hit"), all(|stats| stats.hits) as f64);
    assert_eq!(requests("hit") + requests("miss"), all(|stats| stats.reads()) as f64);
    let loads = |outcome: &str| {
        let labels = format!("cache.namespace=user cache.outcome={outcome}");
        let counted = told.sum(&format!("guildhall.cache.loads {labels}"));
        assert_eq!(told.sum(&format!("guildhall.cache.load.duration {labels}")), counted);
        counted
    };
    assert_eq!((loads("error"), loads("ok")), (2.0, all(|stats| stats.loads) as f64 - 2.0));
    let errors = told.sum("guildhall.cache.errors cache.level=shared cache.namespace=user");
    assert_eq!(errors, all(|stats| stats.errors) as f64);
    let before = requests("hit");
    caches[0].reset_stats();
    caches[0].publish_metrics();
    assert_eq!(requests("hit"), before, "a reset takes nothing back");

    let names: BTreeSet<_> = told
        .sums
        .lock()
        .unwrap()
        .keys()
        .map(|key| key.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(names, documented());
    assert_eq!(*told.described.lock().unwrap(), documented());
}
