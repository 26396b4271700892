//! Values that must not get out are planted wherever one can stand.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use guildhall_insight::profile::{Options, Profiler, operation};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::schema::{open, users};
use super::{leave, planner};

const PLANTED: &str = "planted7391";

/// Counts the log lines that hold what was planted.
#[derive(Clone, Default)]
struct Listener(Arc<AtomicUsize>);

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("guildhall_insight")
    }
    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _span: &Id, _values: &Record<'_>) {}
    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let shown = format!("{event:?}");
        self.0.fetch_add(usize::from(shown.contains(PLANTED)), Relaxed);
    }
    fn enter(&self, _span: &Id) {}
    fn exit(&self, _span: &Id) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn no_bind_literal_or_password_is_shown_anywhere() {
    let listener = Listener::default();
    let _guard = tracing::subscriber::set_default(listener.clone());
    // Every call is slow, so that all of them come by every place.
    let options = Options::new().slow_from(Duration::ZERO).plans_per_minute(100).keep_binds(true);
    let profiler = Profiler::new(options);
    let (place, mut conn) = open(&profiler).await;
    let planner = planner(&place, &profiler);
    let attached = profiler.attach_planner();
    operation("planted", async {
        for n in 0..10 {
            let bind = users::table.filter(users::name.eq(format!("{PLANTED}{n}")));
            let none: Vec<i64> = bind.select(users::id).load(&mut conn).await.unwrap();
            assert!(none.is_empty());
            let literal = format!("SELECT id FROM users WHERE name = '{PLANTED}{n}' AND team < 10");
            sql_query(literal).execute(&mut conn).await.unwrap();
            let lines = format!("SELECT team FROM users WHERE name = 'a\n{PLANTED}{n} owes\nb'");
            sql_query(lines).execute(&mut conn).await.unwrap();
            let both =
                sql_query("SELECT id FROM users WHERE name = 'planted7391' OR name = ".to_owned());
            let both = match super::SYSTEM {
                guildhall_insight::System::Postgres => both.sql("$1"),
                guildhall_insight::System::Sqlite => both.sql("?"),
            };
            both.bind::<Text, _>(PLANTED).execute(&mut conn).await.unwrap();
        }
        // Errors quote what they do not like.
        conn.batch_execute(&format!("SELECT '{PLANTED}")).await.unwrap_err();
        conn.batch_execute(&format!("SELECT nothing /* {PLANTED} */ ('{PLANTED}')"))
            .await
            .unwrap_err();
        let twice = (users::id.eq(1), users::name.eq(PLANTED), users::team.eq(1));
        diesel::insert_into(users::table).values(twice).execute(&mut conn).await.unwrap_err();
    })
    .await;
    while profiler.plan_next(&planner).await {}
    let snapshot = profiler.snapshot().unwrap();
    let json = serde_json::to_string(&snapshot).unwrap();
    let shown = format!("{snapshot:?} {:?} {profiler:?} {conn:?}", profiler.samples());
    assert!(snapshot.own.not_understood > 0 && snapshot.statements.len() > 5);
    assert!(json.contains("fetched"), "no plan came by: {json}");
    for text in [json, shown] {
        assert!(!text.contains(PLANTED), "{text}");
        assert!(!text.contains("7391"), "{text}");
    }
    assert_eq!(AtomicUsize::load(&listener.0, Relaxed), 0);
    // They are there for who asks for them, and only then.
    let samples = profiler.samples();
    let kept = samples.iter().flat_map(|sample| &sample.binds).flat_map(|binds| binds.expose());
    assert!(kept.filter(|bind| bind.contains(PLANTED)).count() > 0);
    assert!(samples.iter().any(|s| s.sent.as_ref().is_some_and(|t| t.expose().contains(PLANTED))));
    drop(attached);
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn binds_are_not_kept_unless_asked_for() {
    let profiler = Profiler::new(Options::default());
    let (place, mut conn) = open(&profiler).await;
    for n in 0..10 {
        let bind = users::table.filter(users::name.eq(format!("{PLANTED}{n}")));
        let none: Vec<i64> = bind.select(users::id).limit(3).load(&mut conn).await.unwrap();
        assert!(none.is_empty());
    }
    let samples = profiler.samples();
    assert!(samples.iter().all(|sample| sample.binds.is_empty() && sample.skew.is_empty()));
    assert_eq!(samples[0].windows[0].limit, Some(3));
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_of_a_url_is_not_shown() {
    let profiler = Profiler::new(Options::default());
    let url = format!("postgres://user:{PLANTED}@127.0.0.1:1/none");
    let manager = guildhall_insight::profile::manager::<super::Inner>(url, &profiler);
    assert!(!format!("{manager:?} {profiler:?}").contains(PLANTED));
}
