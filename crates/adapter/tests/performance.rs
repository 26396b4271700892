//! What a whole on a temporary SQLite file tells of its own performance. The rest of it is tested on
//! both databases, among the tests of the workspace.

use std::sync::Arc;
use std::time::Duration;

use guildhall_adapter::domain::{NewUser, UserId};
use guildhall_adapter::insight::Fingerprint;
use guildhall_adapter::insight::profile::{Options, PlanState, Profiler};
use guildhall_adapter::repository::{MockStorage, MockUnitOfWork};
use guildhall_adapter::{
    AdviceError, Config, ConfigBuilder, ExplainError, Guildhall, OptimizeOptions,
};
use tempfile::TempDir;

fn sqlite(folder: &TempDir) -> ConfigBuilder {
    let path = folder.path().join("guildhall.db");
    Config::builder().database(&format!("sqlite://{}", path.display()))
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_make_the_profiler() {
    let folder = tempfile::tempdir().unwrap();
    let config = sqlite(&folder).set("profiler.statements_max", "50").build().unwrap();
    let guildhall = Guildhall::connect(config).await.unwrap();
    let report = guildhall.performance_report(10);
    assert_eq!(report.profile.value().unwrap().own.statements_max, 50);
    let config = sqlite(&folder).set("profiler.enabled", "false").build().unwrap();
    let guildhall = Guildhall::connect(config).await.unwrap();
    assert!(!guildhall.profiler().is_on());
    assert!(guildhall.performance_report(10).profile.value().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_are_explained_slow_ones_by_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let profiler = Profiler::new(Options::new().slow_from(Duration::from_nanos(1)));
    let builder = Guildhall::builder(sqlite(&folder).build().unwrap()).profiler(profiler);
    let guildhall = builder.connect().await.unwrap();
    guildhall.registration().register(&NewUser::default()).await.unwrap();
    let read = async || guildhall.uncached().users().by_id(UserId(1)).await.unwrap();
    let mut fetched = false;
    for _ in 0..10_000 {
        read().await;
        let seen = guildhall.profiler().snapshot().unwrap();
        let own = |call: &&guildhall_adapter::insight::profile::SlowCall| {
            call.operation == Some("users.by_id")
        };
        fetched = seen.slow.iter().filter(own).any(|call| match &call.plan {
            PlanState::Fetched(plan) => plan.text.contains("SEARCH users"),
            _ => false,
        });
        if fetched {
            break;
        }
    }
    assert!(fetched, "no plan came");

    let seen = guildhall.profiler().snapshot().unwrap();
    let own = seen.statements.iter().find(|one| one.operations == ["users.by_id"]).unwrap();
    let explained = guildhall.explain(own.fingerprint).await.unwrap();
    assert_eq!((explained.fingerprint, &explained.text), (own.fingerprint, &own.text));
    assert!(explained.plan.text.contains("SEARCH users") && explained.plan.generic);
    let unknown = guildhall.explain(Fingerprint(7)).await;
    assert!(matches!(unknown, Err(ExplainError::Unknown(Fingerprint(7)))), "{unknown:?}");
    let settings = guildhall.explain_sql("PRAGMA user_version = 9").await;
    assert!(matches!(settings, Err(ExplainError::NotPlannable)), "{settings:?}");
    let wrong = guildhall.explain_sql("SELECT planted FROM nowhere").await.unwrap_err();
    assert!(matches!(wrong, ExplainError::Plan(_)) && !format!("{wrong:?}").contains("planted"));
}

#[tokio::test]
async fn on_a_storage_of_ones_own_what_it_does_not_tell_is_not_known() {
    let config = Config::builder().build().unwrap();
    let storage = Arc::new(MockStorage::new(MockUnitOfWork::default()));
    let guildhall = Guildhall::builder(config).storage(storage).connect().await.unwrap();
    assert!(guildhall.performance_report(1).pool.reason().unwrap().contains("own"));
    assert!(matches!(guildhall.recommendations(1).await, Err(AdviceError::Foreign)));
    let report = guildhall.optimize_system(OptimizeOptions::default()).await;
    assert!(report.statistics.value().is_none() && report.recommendations.value().is_none());
    assert_eq!(report.expired_swept.value(), Some(&0));
    assert!(matches!(guildhall.explain(Fingerprint(7)).await, Err(ExplainError::Foreign)));
}

#[tokio::test]
async fn dropped_on_one_thread_nothing_panics() {
    let folder = tempfile::tempdir().unwrap();
    let guildhall = Guildhall::connect(sqlite(&folder).build().unwrap()).await.unwrap();
    let options = OptimizeOptions { min_frequency: 1, ..OptimizeOptions::default() };
    for polls in 1..40 {
        let mut work = Box::pin(guildhall.optimize_system(options));
        let mut left = polls;
        std::future::poll_fn(|context| {
            left -= 1;
            match work.as_mut().poll(context) {
                std::task::Poll::Pending if left > 0 => std::task::Poll::Pending,
                _ => std::task::Poll::Ready(()),
            }
        })
        .await;
    }
    assert!(guildhall.optimize_system(options).await.statistics.value().is_some());
}
