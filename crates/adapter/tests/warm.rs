//! Warming: what it loads, what it survives, on a temporary SQLite file and on mocks.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use guildhall_adapter::domain::{
    Content, FragmentKind, Label, MissionCadence, NewAchievement, NewBadge, NewExternal,
    NewFragment, NewMission, NewUser, Objective, Points, Slug, StoreItemKind, StoreOffer, Title,
    UserId,
};
use guildhall_adapter::repository::{
    ErrorKind, ListLimit, MockStorage, MockUnitOfWork, OffsetRequest, Page, PageRequest,
    StorageError, StoreFilter,
};
use guildhall_adapter::{Config, Guildhall, WarmPart, WarmPlan};
use tempfile::TempDir;

fn slug(raw: &str) -> Slug {
    Slug::parse(raw).unwrap()
}

fn mission(id: &str) -> NewMission {
    let title = Title::parse(id).unwrap();
    NewMission::new(slug(id), title, MissionCadence::OneTime)
        .objective(Objective::action(slug("dig"), 3))
}

/// A community of three, with one of everything.
async fn community() -> (TempDir, Guildhall, Vec<UserId>) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("guildhall.db").display());
    let config = Config::builder().database(&url).build().unwrap();
    let guildhall = Guildhall::connect(config).await.unwrap();
    let (on, now) = (guildhall.storage(), guildhall.clock().now());
    on.missions().create(&mission("dig_deep"), now).await.unwrap();
    let content = Content::parse("It begins.").unwrap();
    let kind = FragmentKind::Story;
    let gate = NewFragment::new(slug("gate"), Title::parse("Gate").unwrap(), content, kind);
    let gate = NewFragment { is_start: true, is_milestone: true, ..gate };
    on.narrative().create_fragment(&gate, now).await.unwrap();
    let first = NewAchievement::new(slug("first"), Label::parse("First").unwrap());
    on.achievements().create(&first, now).await.unwrap();
    on.badges().create(&NewBadge::new(Label::parse("Founder").unwrap()), now).await.unwrap();
    let price = Points::whole(5).unwrap();
    let lamp = StoreOffer::new(Label::parse("Lamp").unwrap(), StoreItemKind::Custom, price);
    on.store().create(&lamp, now).await.unwrap();
    let mut members = Vec::new();
    for number in 1..=3 {
        let telegram = NewExternal::telegram(number);
        let ensured = guildhall.registration().ensure(&telegram, &NewUser::default()).await;
        members.push(ensured.unwrap().value.id);
    }
    (folder, guildhall, members)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_warmed_is_not_read_from_the_database_again() {
    let (_folder, guildhall, members) = community().await;
    let (warming, steps) = (guildhall.clone(), Arc::new(Mutex::new(Vec::new())));
    let heard = Arc::clone(&steps);
    // On a task of its own: it may be run beside everything else.
    let report = tokio::spawn(async move {
        let plan = WarmPlan { members: 2, ..WarmPlan::default() };
        warming.warm(&plan, |step| heard.lock().unwrap().push(step)).await
    });
    let report = report.await.unwrap().unwrap();
    assert_eq!(report.failed(), 0, "{:?}", report.failures);
    let loaded = |part| report.parts.iter().find(|it| it.part == part).unwrap().loaded;
    let counts = WarmPart::ALL.map(loaded);
    assert_eq!(counts, [1, 2, 2, 0, 1, 1, 1, 15, 2], "{:?}", report.parts);
    let last = steps.lock().unwrap().last().copied().unwrap();
    assert_eq!((last.part, last.done, last.total), (WarmPart::Members, 2, Some(2)));

    guildhall.cache().reset_stats();
    let (on, now) = (guildhall.storage(), guildhall.clock().now());
    on.levels().list().await.unwrap();
    assert!(on.missions().by_id(&slug("dig_deep")).await.unwrap().is_some());
    let most = ListLimit::default();
    assert_eq!(on.missions().active(None, None, most, now).await.unwrap().len(), 1);
    assert!(on.narrative().start().await.unwrap().is_some());
    assert!(on.narrative().fragment(&slug("gate")).await.unwrap().is_some());
    assert!(on.achievements().by_id(&slug("first")).await.unwrap().is_some());
    let page = PageRequest::default();
    assert_eq!(on.store().items(&StoreFilter::default(), &page).await.unwrap().items.len(), 1);
    let rows = OffsetRequest::default();
    on.rankings().leaderboard("balance".parse().unwrap(), rows, now).await.unwrap();
    let zone = &guildhall.config().settings().rules.earning.zone;
    let mut warmed = 0;
    for (number, id) in (1..).zip(&members) {
        let before = guildhall.cache_stats().total.loads;
        let telegram = NewExternal::telegram(number);
        let found = on.users().by_external(&telegram.provider, &telegram.external_id).await;
        assert_eq!(found.unwrap().unwrap().id, *id);
        on.points().account(*id).await.unwrap();
        on.profiles().full_profile(*id).await.unwrap();
        on.mission_progress().available(*id, None, most, zone, now).await.unwrap();
        on.user_achievements().summary(*id).await.unwrap();
        warmed += u64::from(guildhall.cache_stats().total.loads == before);
    }
    assert_eq!(warmed, 2, "two of three members were in the plan");
    let stats = guildhall.cache_stats();
    for namespace in ["mission", "narrative", "achievements"] {
        let counted = &stats.namespaces[namespace];
        assert!(counted.hits > 0, "{namespace}: {counted:?}");
    }
    assert_eq!(stats.namespaces["narrative"].loads, 0);
}

fn down() -> StorageError {
    StorageError::Unavailable { resource: "SQLite", source: None }
}

async fn on_mocks(mocks: MockUnitOfWork, backend: &str) -> Guildhall {
    let config = Config::builder().set("cache.backend", backend).build().unwrap();
    let storage = Arc::new(MockStorage::new(mocks));
    Guildhall::builder(config).storage(storage).connect().await.unwrap()
}

#[tokio::test]
async fn what_fails_is_told_and_stops_nothing_else() {
    let mut mocks = MockUnitOfWork::default();
    let now = guildhall_adapter::domain::Timestamp::EPOCH;
    let missions = ["a", "b", "c"].map(|id| mission(id).created(now).unwrap());
    mocks.levels.expect_list().once().returning(|| Err(down()));
    let listed = missions.to_vec();
    // Once for what is active, once for the catalogue.
    mocks
        .missions
        .expect_list()
        .times(2)
        .returning(move |_, _| Ok(Page { items: listed.clone(), next_cursor: None }));
    mocks.missions.expect_by_id().times(3).returning(move |id| match id.as_str() {
        "b" => Err(down()),
        _ => Ok(missions.iter().find(|mission| mission.id == *id).cloned()),
    });
    mocks.badges.expect_list().once().returning(|_, _| Err(down()));
    let guildhall = on_mocks(mocks, "memory").await;
    let plan = WarmPlan::default().only([WarmPart::Levels, WarmPart::Missions, WarmPart::Badges]);
    let report = guildhall.warm(&plan, |_| {}).await.unwrap();
    let counted = |part| {
        let found = report.parts.iter().find(|it| it.part == part).unwrap();
        (found.loaded, found.failed, found.skipped)
    };
    assert_eq!(counted(WarmPart::Levels), (0, 1, false));
    assert_eq!(counted(WarmPart::Missions), (3, 1, false));
    assert_eq!(counted(WarmPart::Badges), (0, 1, false));
    assert_eq!(counted(WarmPart::Story), (0, 0, true));
    let told: Vec<_> = report
        .failures
        .iter()
        .map(|it| (it.part.as_str(), it.what.as_str(), it.error.kind()))
        .collect();
    let down = ErrorKind::Unavailable;
    let expected =
        [("levels", "the table", down), ("missions", "b", down), ("badges", "the list", down)];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn with_the_cache_disabled_nothing_is_read() {
    let guildhall = on_mocks(MockUnitOfWork::default(), "disabled").await;
    let report = guildhall.warm(&WarmPlan::default(), |_| {}).await.unwrap();
    assert!(report.parts.iter().all(|part| part.skipped && part.loaded == 0), "{report:?}");
}

#[tokio::test]
async fn a_plan_out_of_range_names_its_field() {
    let guildhall = on_mocks(MockUnitOfWork::default(), "memory").await;
    let plan = WarmPlan::default;
    for (field, refused) in [
        ("concurrency", WarmPlan { concurrency: 0, ..plan() }),
        ("concurrency", WarmPlan { concurrency: 257, ..plan() }),
        ("members", WarmPlan { members: 100_001, ..plan() }),
        ("entries", WarmPlan { entries: 20_001, ..plan() }),
    ] {
        assert_eq!(guildhall.warm(&refused, |_| {}).await.unwrap_err().field, field);
    }
    assert!("weather".parse::<WarmPart>().is_err());
    for part in WarmPart::ALL {
        assert_eq!(part.as_str().parse(), Ok(part));
    }
}

/// Polls a future so many times, and drops it there. Whether it was over before.
async fn polled(times: u32, future: impl Future) -> bool {
    let mut future = pin!(future);
    for _ in 0..times {
        let mut once = true;
        let over = poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if std::mem::take(&mut once) => Poll::Pending,
            Poll::Pending => Poll::Ready(false),
        });
        if over.await {
            return true;
        }
    }
    false
}

#[tokio::test] // On one thread, where dropping a statement midway would be worst.
async fn it_may_be_dropped_at_any_await() {
    let (_folder, guildhall, members) = community().await;
    let mut times = 1;
    loop {
        guildhall.cache().clear().await;
        let plan = WarmPlan { concurrency: 2, ..WarmPlan::default() };
        if polled(times, guildhall.warm(&plan, |_| {})).await {
            break;
        }
        // Whatever was under way: everything works on, and nothing is wrong.
        for id in &members {
            assert_eq!(guildhall.users().by_id(*id).await.unwrap().unwrap().id, *id);
        }
        times += 1;
    }
    assert!(times > 5, "it was over after {times} polls");
}
