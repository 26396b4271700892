//! Every service, as `Guildhall` composes them, on a temporary SQLite file.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::{Arc, Mutex};

use guildhall_adapter::domain::{
    Amount, BasisPoints, Label, MissionCadence, NewBadge, NewExternal, NewMission, NewUser,
    Objective, Points, Reward, Slug, Source, StoreItemKind, StoreOffer, Timestamp, Title, UserId,
};
use guildhall_adapter::repository::{OutboxEvent, StorageError, UnitOfWork};
use guildhall_adapter::service::{
    DispatchOptions, Dispatched, EventMultiplier, HandlerError, OutboxHandler,
};
use guildhall_adapter::{Config, Guildhall};
use tempfile::TempDir;

fn slug(raw: &str) -> Slug {
    Slug::parse(raw).unwrap()
}

/// Everything counts twice.
struct Twice;

#[async_trait::async_trait]
impl EventMultiplier for Twice {
    async fn product(
        &self,
        _work: &dyn UnitOfWork,
        _user: UserId,
        _now: Timestamp,
    ) -> Result<BasisPoints, StorageError> {
        Ok(BasisPoints::new(20_000).unwrap())
    }
}

async fn connected(settings: &[(&str, &str)]) -> (TempDir, Guildhall) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("guildhall.db").display());
    let config = settings
        .iter()
        .fold(Config::builder().database(&url), |config, (key, value)| config.set(key, value));
    let builder = Guildhall::builder(config.build().unwrap()).events(Arc::new(Twice));
    let guildhall = builder.connect().await.unwrap();
    let now = guildhall.clock().now();
    let title = Title::parse("Say hello").unwrap();
    let mission = NewMission::new(slug("hello"), title, MissionCadence::OneTime)
        .objective(Objective::action(slug("message"), 1))
        .reward(Reward::Points(Amount::whole(10).unwrap()));
    guildhall.storage().missions().create(&mission, now).await.unwrap();
    (folder, guildhall)
}

#[derive(Default)]
struct Ear(Mutex<Vec<String>>);

#[async_trait::async_trait]
impl OutboxHandler for Ear {
    async fn handle(&self, event: &OutboxEvent) -> Result<(), HandlerError> {
        self.0.lock().unwrap().push(event.kind.clone());
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_outbox_enabled_every_service_tells_and_the_dispatcher_hands_it_out() {
    let (_folder, guildhall) = connected(&[("outbox.enabled", "true")]).await;
    let telegram = NewExternal::telegram(7);
    let seed = NewUser::default();
    let user = guildhall.registration().ensure(&telegram, &seed).await.unwrap().value.id;
    guildhall.registration().ensure(&telegram, &seed).await.unwrap();
    guildhall.registration().register(&NewUser::default()).await.unwrap();
    guildhall.activities().record_message(user).await.unwrap();
    guildhall.members().delete(user).await.unwrap();
    let status = guildhall.outbox().status(guildhall.clock().now()).await.unwrap();

    let ear = Arc::new(Ear::default());
    let handler = Arc::clone(&ear) as Arc<dyn OutboxHandler>;
    let dispatcher = guildhall.dispatcher(handler, DispatchOptions::default()).unwrap();
    let mut handled = 0;
    loop {
        let done = dispatcher.run_once().await.unwrap();
        if done == Dispatched::default() {
            break;
        }
        handled += done.handled;
    }
    assert_eq!(handled, status.pending);
    let heard = ear.0.lock().unwrap();
    let times = |kind: &str| heard.iter().filter(|it| *it == kind).count();
    assert_eq!(times("UserCreated"), 2, "{heard:?}");
    for kind in ["PointsCredited", "MissionCompleted", "UserDeleted"] {
        assert!(times(kind) > 0, "{kind}: {heard:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn by_default_nothing_is_written_to_the_outbox_and_rewards_are_multiplied() {
    let (_folder, guildhall) = connected(&[]).await;
    let user = guildhall.registration().register(&NewUser::default()).await.unwrap().value.id;
    let done = guildhall.missions().complete(user, &slug("hello"), None).await.unwrap();
    assert_eq!(done.value.effects.points, Points::whole(20).unwrap());
    let status = guildhall.outbox().status(guildhall.clock().now()).await.unwrap();
    assert_eq!(status.pending + status.published, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn rewards_are_left_alone_by_multipliers_when_the_setting_says_so() {
    let (_folder, guildhall) = connected(&[("rewards.use_multiplier", "false")]).await;
    let user = guildhall.registration().register(&NewUser::default()).await.unwrap().value.id;
    let done = guildhall.missions().complete(user, &slug("hello"), None).await.unwrap();
    assert_eq!(done.value.effects.points, Points::whole(10).unwrap());
    let told = guildhall.activities().record_message(user).await.unwrap();
    let paid = told.value.value.unwrap().amount;
    assert_eq!(paid, Points::whole(2).unwrap(), "a message is no reward");
}

#[tokio::test(flavor = "multi_thread")]
async fn badges_rewards_and_the_store_work_on_the_same_ledger() {
    let (_folder, guildhall) = connected(&[]).await;
    let (on, now) = (guildhall.storage(), guildhall.clock().now());
    let user = guildhall.registration().register(&NewUser::default()).await.unwrap().value.id;
    let badge = NewBadge::new(Label::parse("Founder").unwrap());
    let badge = on.badges().create(&badge, now).await.unwrap().id;
    assert!(!guildhall.badges().award(user, badge, None, false).await.unwrap().replayed);
    let prize = [Reward::Points(Amount::whole(30).unwrap())];
    let source = Source::parse("contest").unwrap();
    for replayed in [false, true] {
        let given = guildhall.rewards().grant(user, &prize, &source, "spring").await.unwrap();
        assert_eq!(given.replayed, replayed);
    }
    let price = Points::whole(25).unwrap();
    let lamp = StoreOffer::new(Label::parse("Lamp").unwrap(), StoreItemKind::Custom, price);
    let lamp = on.store().create(&lamp, now).await.unwrap().id;
    guildhall.store().purchase(user, lamp, None).await.unwrap();
    // Twice 30, less 25.
    assert_eq!(guildhall.points().balance(user).await.unwrap(), Points::whole(35).unwrap());
    assert!(guildhall.achievements().evaluate(user).await.unwrap().replayed);
    let refused = guildhall.stories().start(user).await.unwrap_err();
    assert_eq!(refused.kind(), guildhall_adapter::repository::ErrorKind::NotFound);
}
