//! What a recorder of the `metrics` facade is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use diesel::sql_query;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use guildhall_insight::profile::metric_names::{METRICS, Source};
use guildhall_insight::profile::{Options, Profiled, Profiler, operation};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

use crate::fake::Fake;

type Told = Arc<Mutex<BTreeMap<String, Vec<f64>>>>;

#[derive(Clone, Default)]
struct Telling(Told);

struct One(Told, String);

impl One {
    fn tell(&self, value: f64) {
        self.0.lock().unwrap().entry(self.1.clone()).or_default().push(value);
    }
}

impl CounterFn for One {
    fn increment(&self, value: u64) {
        self.tell(value as f64);
    }
    fn absolute(&self, value: u64) {
        self.tell(value as f64);
    }
}

impl GaugeFn for One {
    fn increment(&self, value: f64) {
        self.tell(value);
    }
    fn decrement(&self, value: f64) {
        self.tell(-value);
    }
    fn set(&self, value: f64) {
        self.tell(value);
    }
}

impl HistogramFn for One {
    fn record(&self, value: f64) {
        self.tell(value);
    }
}

impl Telling {
    fn one(&self, key: &Key) -> Arc<One> {
        let labels: Vec<String> =
            key.labels().map(|l| format!("{}={}", l.key(), l.value())).collect();
        Arc::new(One(Arc::clone(&self.0), format!("{}{{{}}}", key.name(), labels.join(","))))
    }
}

impl Recorder for Telling {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
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

#[tokio::test]
async fn metrics_have_the_names_and_labels_of_the_list() {
    let recorder = Telling::default();
    let guard = metrics::set_default_local_recorder(&recorder);
    let profiler = Profiler::new(Options::default());
    let mut conn = Profiled::new(Fake::default(), profiler.clone());
    operation("list", async {
        for n in 0..6 {
            let one = sql_query("SELECT name FROM users WHERE id = ? AND 'planted' = 'planted'");
            one.bind::<BigInt, _>(n).execute(&mut conn).await.unwrap();
        }
    })
    .await;
    profiler.emit_own();
    drop(guard);
    let told = recorder.0.lock().unwrap().clone();
    assert!(!format!("{told:?}").contains("planted"));
    for key in told.keys() {
        let (name, labels) = key.trim_end_matches('}').split_once('{').unwrap();
        let metric = METRICS.iter().find(|metric| metric.prometheus == name).unwrap();
        assert_eq!(metric.source, Source::Profiler);
        let labels: Vec<&str> =
            labels.split(',').filter_map(|label| Some(label.split_once('=')?.0)).collect();
        assert_eq!(labels, metric.labels, "{key}");
    }
    let count = |key: &str| told.get(key).map(Vec::len);
    assert_eq!(
        count(
            "db_client_operation_duration_seconds{db_system_name=sqlite,db_operation_name=SELECT,db_collection_name=users,db_query_summary=SELECT users,error_type=}"
        ),
        Some(6)
    );
    assert_eq!(told["datalayer_operation_queries{operation=list}"], [6.0]);
    assert_eq!(told["datalayer_query_n_plus_one_total{operation=list,kind=n_plus_one}"], [1.0]);
    assert_eq!(told["datalayer_profiler_fingerprints{}"], [1.0]);
}
