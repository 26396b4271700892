//! Commits that fail. PostgreSQL sends the rows of a statement before it commits it: who answers
//! with the first row acknowledges what may never be.

use std::sync::Arc;

use guildhall_domain::{BasisPoints, MissionPeriod, StoreOffer};
use guildhall_repository::{ErrorKind, Storage};
use guildhall_testkit::builder::{
    adjustment, award, badge, deduct, fragment, key, lore_unlocked, mission, now, offer, points,
    slug, topic, transfer, user,
};

use crate::harness::{self, Ground};

/// Refuses every change, at the commit and not before.
const REFUSE: &str = "
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'refused at commit'; END $$;
    DO $$ DECLARE name text; BEGIN
        FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP
            EXECUTE format(
                'CREATE CONSTRAINT TRIGGER refuse AFTER INSERT OR UPDATE OR DELETE ON %I
                 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()', name);
        END LOOP;
    END $$";

/// Asserts that each of these calls, which write outside a transaction of their own, is refused.
macro_rules! assert_refused {
    ($($call:expr),* $(,)?) => {
        $(assert!($call.await.is_err(), "acknowledged: {}", stringify!($call));)*
    };
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_committed_is_never_acknowledged() {
    let (storage, ground) = harness::ground_postgres().await;
    let ada = storage.users().create(&user("ada"), now()).await.unwrap().id;
    let bob = storage.users().create(&user("bob"), now()).await.unwrap().id;
    storage.points().award(&award(ada, 10), now()).await.unwrap();
    storage.missions().create(&mission("m", 3), now()).await.unwrap();
    storage.narrative().create_fragment(&fragment("f"), now()).await.unwrap();
    let few = StoreOffer { stock: Some(5), ..offer("hat", 1) };
    let item = storage.store().create(&few, now()).await.unwrap();
    refuse_commits(&ground).await;
    let (request, once) = (award(ada, 1).key(key("k")), MissionPeriod::Once);
    let (mission, fragment, event) = (slug("m"), slug("f"), [lore_unlocked(ada, "l")]);
    assert_refused![
        storage.points().award(&award(ada, 1), now()),
        storage.points().award(&request, now()),
        storage.points().deduct(&deduct(ada, 1), now()),
        storage.points().transfer(&transfer(ada, bob, 1), now()),
        storage.points().adjust(&adjustment(ada, 1), now()),
        storage.points().raise_xp_boost(ada, BasisPoints::new(20_000).unwrap(), now()),
        storage.users().set_admin(ada, true, now()),
        storage.users().create(&user("eve"), now()),
        storage.mission_progress().open_period(ada, &mission, once, now()),
        storage.story().ensure_state(ada, now()),
        storage.story().visit(ada, &fragment, now()),
        storage.badges().create(&badge("b"), now()),
        storage.store().create(&offer("coat", 1), now()),
        storage.store().take_stock(item.id),
        storage.store().own(ada, &item, points(1), now()),
        storage.interests().create_category(&topic("chess")),
        storage.outbox().append(&event, None, now()),
    ];
    assert_eq!(storage.points().balance(ada).await.unwrap(), points(10));
    assert_eq!(storage.ledger().verify(ada).await.unwrap().entries, 1);
}

/// A call without a savepoint fails in the database, its error is let go, and it was the last one.
/// PostgreSQL has given the transaction up by then and answers the commit as if nothing were wrong.
async fn a_unit_is_not_committed_after_a_failure(
    storage: Arc<dyn Storage>,
    refusal: &str,
    ground: &Ground,
) {
    let ada = storage.users().create(&user("ada"), now()).await.unwrap().id;
    ground.run(refusal).await.unwrap();
    let work = storage.begin().await.unwrap();
    work.points().award(&award(ada, 10), now()).await.unwrap();
    work.users().touch_login(ada, now()).await.unwrap_err();
    let committed = work.commit().await;
    assert_eq!(committed.unwrap_err().kind(), ErrorKind::InvalidState);
    assert_eq!(storage.points().balance(ada).await.unwrap(), points(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_on_postgres_is_not_committed_after_a_failure() {
    let (storage, ground) = harness::ground_postgres().await;
    let refusal = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
                       AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
                   CREATE TRIGGER refuse BEFORE UPDATE OF last_login_at ON users
                       FOR EACH ROW EXECUTE FUNCTION refuse()";
    a_unit_is_not_committed_after_a_failure(storage, refusal, &ground).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_on_sqlite_is_not_committed_after_a_failure() {
    let (storage, ground) = harness::ground_sqlite().await;
    let refusal = "CREATE TRIGGER refuse BEFORE UPDATE OF last_login_at ON users
                   BEGIN SELECT RAISE(ABORT, 'refused'); END";
    a_unit_is_not_committed_after_a_failure(storage, refusal, &ground).await;
}

async fn refuse_commits(ground: &Arc<Ground>) {
    ground.run(REFUSE).await.unwrap();
}
