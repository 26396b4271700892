//! Connecting, composing and probing, on a temporary SQLite file.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use guildhall_adapter::domain::{Amount, Award, Clock, NewUser, Points, Source, Timestamp, UserId};
use guildhall_adapter::repository::{ErrorKind, MockStorage, MockUnitOfWork, StorageError};
use guildhall_adapter::{Config, ConfigBuilder, ConnectError, Guildhall, Status};
use tempfile::TempDir;

fn sqlite(folder: &TempDir) -> ConfigBuilder {
    let path = folder.path().join("guildhall.db");
    Config::builder().database(&format!("sqlite://{}", path.display()))
}

async fn connected() -> (TempDir, Guildhall) {
    let folder = tempfile::tempdir().unwrap();
    let config = sqlite(&folder).build().unwrap();
    let guildhall = Guildhall::connect(config).await.unwrap();
    (folder, guildhall)
}

fn award(user: UserId, points: i64) -> Award {
    Award::new(user, Amount::whole(points).unwrap(), Source::parse("test").unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_connection_makes_the_tables_and_the_second_finds_them() {
    let (folder, guildhall) = connected().await;
    assert!(!guildhall.migrated().is_empty());
    assert!(guildhall.migrations().await.unwrap().iter().all(|(_, applied)| *applied));
    assert_eq!(guildhall.levels().list().await.unwrap().len(), 20);
    let again = Guildhall::connect(sqlite(&folder).build().unwrap()).await.unwrap();
    assert!(again.migrated().is_empty());
    assert!(again.migrate().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_migrations_an_outdated_database_is_refused_unless_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let config = sqlite(&folder).set("database.migrate", "false").build().unwrap();
    let refused = Guildhall::connect(config.clone()).await.unwrap_err();
    assert!(matches!(refused, ConnectError::Outdated { pending: 1.., .. }), "{refused:?}");
    let guildhall = Guildhall::builder(config).allow_outdated().connect().await.unwrap();
    assert!(!guildhall.migrate().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn services_write_through_the_cache_and_reads_follow() {
    let (_folder, guildhall) = connected().await;
    let user = guildhall.registration().register(&NewUser::default()).await.unwrap().value.id;
    for expected in 1..=3 {
        guildhall.crediting().award(&award(user, 1)).await.unwrap();
        let balance = guildhall.points().balance(user).await.unwrap();
        assert_eq!(balance, Points::whole(expected).unwrap());
    }
    guildhall.points().balance(user).await.unwrap();
    assert!(guildhall.cache_stats().total.hits > 0);
    assert_eq!(
        guildhall.uncached().points().balance(user).await.unwrap(),
        Points::whole(3).unwrap()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_all_or_nothing_also_when_it_panics() {
    let (_folder, guildhall) = connected().await;
    let user = guildhall.registration().register(&NewUser::default()).await.unwrap().value.id;
    let now = guildhall.clock().now();
    let failed: Result<(), StorageError> = guildhall
        .transaction(|work| {
            Box::pin(async move {
                work.points().award(&award(user, 5), now).await?;
                Err(StorageError::not_found("raffle", 1))
            })
        })
        .await;
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::NotFound);
    let panicking = guildhall.clone();
    let panicked = tokio::spawn(async move {
        panicking
            .transaction::<(), StorageError>(|work| {
                Box::pin(async move {
                    work.points().award(&award(user, 5), now).await?;
                    panic!("in the middle");
                })
            })
            .await
    });
    assert!(panicked.await.unwrap_err().is_panic());
    assert_eq!(guildhall.points().balance(user).await.unwrap(), Points::ZERO);
    let kept: Result<Points, StorageError> = guildhall
        .transaction(|work| {
            Box::pin(async move {
                work.points().award(&award(user, 2), now).await?;
                Ok(work.points().award(&award(user, 3), now).await?.value.balance_after)
            })
        })
        .await;
    assert_eq!(kept.unwrap(), Points::whole(5).unwrap());
    assert_eq!(guildhall.points().balance(user).await.unwrap(), Points::whole(5).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_down_degrades_and_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // Port 1 is nobody's.
    let config = sqlite(&folder).redis("redis://127.0.0.1:1").build().unwrap();
    let guildhall = Guildhall::connect(config).await.unwrap();
    let user = guildhall.registration().register(&NewUser::default()).await.unwrap().value.id;
    assert!(guildhall.users().by_id(user).await.unwrap().is_some());
    let health = guildhall.health().await;
    assert_eq!(health.status, Status::Degraded, "{health:?}");
    assert!(health.database.is_up() && !health.cache.is_up() && health.pool.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_that_redis_does_not_hear_of_leave_notes_unless_told_not_to() {
    for (setting, kept) in [(None, true), (Some("false"), false)] {
        let folder = tempfile::tempdir().unwrap();
        let config = sqlite(&folder).redis("redis://127.0.0.1:1");
        let config = match setting {
            Some(value) => config.set("cache.durable_invalidation", value),
            None => config,
        };
        let guildhall = Guildhall::connect(config.build().unwrap()).await.unwrap();
        let user = guildhall.registration().register(&NewUser::default()).await.unwrap().value.id;
        let credited = guildhall.points().award(&award(user, 5), guildhall.clock().now()).await;
        assert_eq!(credited.unwrap().value.balance_after, Points::whole(5).unwrap());
        let notes = guildhall.uncached().invalidations().left_behind(Duration::ZERO, 500).await;
        let notes = notes.unwrap();
        assert_eq!(!notes.is_empty(), kept, "{notes:?}");
        let award = format!("gh:%tag:points:{}", user.0);
        assert_eq!(notes.iter().any(|note| *note.targets == *award), kept, "{notes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_whole_says_so_within_its_deadline() {
    let (_folder, guildhall) = connected().await;
    let health = guildhall.health().await;
    assert_eq!(health.status, Status::Healthy, "{health:?}");
    let pool = health.pool.unwrap();
    assert!(pool.in_use <= pool.open && pool.open <= pool.max);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_is_tried_for_as_long_as_asked_and_told_in_one_sentence() {
    let config = Config::builder()
        .database("postgres://ada:hunter2@127.0.0.1:1/app")
        .set("pool.acquire_timeout", "600ms")
        .build()
        .unwrap();
    let began = Instant::now();
    let refused = Guildhall::connect(config.clone()).await.unwrap_err();
    // Not the five seconds that are waited unasked.
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let text = refused.to_string();
    assert!(text.starts_with("cannot connect to PostgreSQL at postgres://ada:***@"), "{text}");
    assert!(!format!("{refused:?}").contains("hunter2"), "{refused:?}");
    let health = Guildhall::builder(config).probe().await.unwrap();
    assert_eq!(health.status, Status::Unhealthy);
    assert!(!format!("{health:?}").contains("hunter2"), "{health:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_database_is_a_typed_error() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("guildhall.db"), "dear diary, ".repeat(1000)).unwrap();
    let refused = Guildhall::connect(sqlite(&folder).build().unwrap()).await.unwrap_err();
    let kind = refused.storage().map(StorageError::kind);
    assert_eq!(kind, Some(ErrorKind::Integrity), "{refused:?}");
    let nowhere = Config::builder().database("sqlite:///nowhere/at/all.db").build().unwrap();
    let refused = Guildhall::connect(nowhere).await.unwrap_err();
    let kind = refused.storage().map(StorageError::kind);
    assert_eq!(kind, Some(ErrorKind::Unavailable), "{refused:?}");
}

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        "2026-01-31T12:00:00Z".parse().unwrap()
    }
}

#[tokio::test]
async fn parts_of_ones_own_take_the_place_of_the_configured_ones() {
    let mut mocks = MockUnitOfWork::default();
    mocks.users.expect_set_admin().once().returning(|id, _, now| {
        assert_eq!(now, Noon.now());
        Err(StorageError::not_found("user", id))
    });
    let guildhall = Guildhall::builder(Config::builder().build().unwrap())
        .storage(Arc::new(MockStorage::new(mocks)))
        .clock(Arc::new(Noon))
        .connect()
        .await
        .unwrap();
    let now = guildhall.clock().now();
    assert!(guildhall.users().set_admin(UserId(7), true, now).await.is_err());
    assert_eq!(guildhall.migrate().await.unwrap_err().kind(), ErrorKind::NotSupported);
}
