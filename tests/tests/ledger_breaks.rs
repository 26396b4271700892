//! The audit finds every break that somebody with SQL access could leave, each by its rule, and the
//! database itself refuses what it can.

use std::collections::BTreeSet;
use std::sync::Arc;

use guildhall_domain::{LedgerRule, UserId};
use guildhall_repository::{ErrorKind, ListLimit, Storage};
use guildhall_testkit::builder::{award, deduct, hold, now, points, transfer, user};

use crate::harness::Ground;

use LedgerRule::{L1, L2, L3, L4, L5, L6};

/// Two members: one whose ledger will be broken, and one whose ledger stays as it is.
struct Scene {
    storage: Arc<dyn Storage>,
    ground: Arc<Ground>,
    ada: UserId,
    bob: UserId,
}

impl Scene {
    /// Ada was awarded 100, spent 10, sent 20 to Bob and has 5 held.
    async fn set((storage, ground): (Arc<dyn Storage>, Arc<Ground>)) -> Self {
        let ada = storage.users().create(&user("ada"), now()).await.unwrap().id;
        let bob = storage.users().create(&user("bob"), now()).await.unwrap().id;
        storage.points().award(&award(ada, 100), now()).await.unwrap();
        storage.points().deduct(&deduct(ada, 10), now()).await.unwrap();
        storage.points().transfer(&transfer(ada, bob, 20), now()).await.unwrap();
        storage.points().hold(&hold(ada, 5, "a1"), now()).await.unwrap();
        let scene = Self { storage, ground, ada, bob };
        assert_eq!(scene.found(None).await, (BTreeSet::new(), BTreeSet::new()));
        scene
    }

    /// Runs `sql` with `:ada` and `:bob` for their ids.
    async fn plant(&self, sql: &str) {
        let ids = |sql: &str| {
            sql.replace(":ada", &self.ada.to_string()).replace(":bob", &self.bob.to_string())
        };
        let free = match *self.ground {
            Ground::Sqlite(_) => {
                "DROP TRIGGER IF EXISTS point_entries_no_update; \
                 DROP TRIGGER IF EXISTS point_entries_no_delete;"
            }
            Ground::Postgres(_) => {
                "DROP TRIGGER IF EXISTS point_entries_append_only ON point_entries; \
                 ALTER TABLE point_accounts DROP CONSTRAINT IF EXISTS point_accounts_range, \
                     DROP CONSTRAINT IF EXISTS point_accounts_sums; \
                 ALTER TABLE point_holds DROP CONSTRAINT IF EXISTS point_holds_user_id_fkey; \
                 ALTER TABLE point_entries DROP CONSTRAINT IF EXISTS \
                     point_entries_balance_after_check;"
            }
        };
        self.ground.run(free).await.unwrap();
        self.ground.run(&ids(sql)).await.unwrap();
    }

    /// The rules that the audits of a page and of `member` find broken.
    async fn found(&self, member: Option<UserId>) -> (BTreeSet<LedgerRule>, BTreeSet<UserId>) {
        let ledger = self.storage.ledger();
        let page = ledger.verify_page(None, ListLimit::default()).await.unwrap();
        if let Some(member) = member {
            let single = ledger.verify(member).await.unwrap();
            let of_member: Vec<_> =
                page.breaks.iter().filter(|found| found.user == member).cloned().collect();
            assert_eq!(single.breaks, of_member);
        }
        for found in &page.breaks {
            assert!(!found.detail.is_empty());
        }
        (
            page.breaks.iter().map(|found| found.rule).collect(),
            page.breaks.iter().map(|found| found.user).collect(),
        )
    }
}

/// Breaks of Ada's ledger alone: what to plant, and exactly the rules that it breaks.
const BREAKS: [(&str, &[LedgerRule]); 11] = [
    ("UPDATE point_accounts SET balance = balance + 1 WHERE user_id = :ada", &[L1]),
    ("UPDATE point_accounts SET balance = balance - 1 WHERE user_id = :ada", &[L1]),
    ("UPDATE point_entries SET seq = seq + 1 WHERE user_id = :ada AND seq = 3", &[L2]),
    (
        "UPDATE point_entries SET balance_after = balance_after + 1 WHERE user_id = :ada AND seq = 2",
        &[L2],
    ),
    ("UPDATE point_accounts SET next_seq = next_seq + 1 WHERE user_id = :ada", &[L2]),
    (
        "UPDATE point_holds SET amount = 999900 WHERE user_id = :ada; \
         UPDATE point_accounts SET held = 999900 WHERE user_id = :ada",
        &[L3],
    ),
    ("UPDATE point_accounts SET held = held - 1 WHERE user_id = :ada", &[L4]),
    ("UPDATE point_holds SET status = 'released' WHERE user_id = :ada", &[L4]),
    ("UPDATE point_accounts SET lifetime_earned = lifetime_earned + 1 WHERE user_id = :ada", &[L5]),
    ("UPDATE point_accounts SET lifetime_spent = lifetime_spent - 1 WHERE user_id = :ada", &[L5]),
    ("DELETE FROM point_accounts WHERE user_id = :ada", &[L6]),
];

async fn each_break_is_found_by_its_rule<F>(fresh: fn() -> F)
where
    F: Future<Output = (Arc<dyn Storage>, Arc<Ground>)>,
{
    for (sql, rules) in BREAKS {
        let scene = Scene::set(fresh().await).await;
        scene.plant(sql).await;
        let (found, members) = scene.found(Some(scene.ada)).await;
        assert_eq!(found, rules.iter().copied().collect(), "{sql}");
        assert_eq!(members, BTreeSet::from([scene.ada]), "{sql}");
    }
}

async fn an_account_that_lost_its_entries_is_found(scene: Scene) {
    scene.plant("DELETE FROM point_entries WHERE user_id = :ada AND seq = 3").await;
    let (found, members) = scene.found(Some(scene.ada)).await;
    assert!(found.contains(&L1) && found.contains(&L2), "{found:?}");
    assert!(members.contains(&scene.ada));
}

/// Though both accounts agree with what is left of their entries.
async fn half_a_transfer_is_found(scene: Scene) {
    scene
        .plant(
            "DELETE FROM point_entries WHERE user_id = :bob; \
             UPDATE point_accounts SET balance = 0, next_seq = 1 WHERE user_id = :bob",
        )
        .await;
    let (found, members) = scene.found(Some(scene.ada)).await;
    assert_eq!((found, members), (BTreeSet::from([L6]), BTreeSet::from([scene.ada])));
}

async fn entries_are_not_changed_even_by_hand(scene: Scene) {
    let entry = format!("WHERE user_id = {}", scene.ada);
    for sql in [
        format!("UPDATE point_entries SET amount = 1 {entry}"),
        format!("UPDATE point_entries SET description = 'x' {entry} AND seq = 1"),
        format!("DELETE FROM point_entries {entry} AND seq = 3"),
        format!("DELETE FROM point_entries {entry}"),
    ] {
        let refusal = scene.ground.run(&sql).await.unwrap_err();
        assert!(refusal.contains("append-only"), "{refusal}");
    }
    assert_eq!(scene.found(None).await.0, BTreeSet::new());
}

async fn a_rebuilt_account_is_sound_again(scene: Scene) {
    scene
        .plant(
            "UPDATE point_accounts SET balance = balance + 700, held = held + 3, \
             lifetime_earned = lifetime_earned + 1, lifetime_spent = lifetime_spent + 1 \
             WHERE user_id = :ada",
        )
        .await;
    let broken = scene.found(Some(scene.ada)).await.0;
    assert_eq!(broken, BTreeSet::from([L1, L4, L5]));
    let ledger = scene.storage.ledger();
    let planned = ledger.rebuild_account(scene.ada, true, now()).await.unwrap();
    assert!(!planned.stored);
    assert_eq!((planned.before.balance, planned.after.balance), (points(77), points(70)));
    assert_eq!(scene.found(None).await.0, broken);
    let done = ledger.rebuild_account(scene.ada, false, now()).await.unwrap();
    assert!(done.stored);
    assert_eq!((done.after.balance, done.after.held), (points(70), points(5)));
    assert_eq!((done.after.lifetime_earned, done.after.lifetime_spent), (points(100), points(10)));
    assert_eq!(scene.found(None).await.0, BTreeSet::new());
}

async fn inconsistent_entries_are_not_built_upon(scene: Scene) {
    scene.plant("UPDATE point_entries SET seq = seq + 1 WHERE user_id = :ada AND seq = 3").await;
    for dry_run in [true, false] {
        let outcome = scene.storage.ledger().rebuild_account(scene.ada, dry_run, now()).await;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Integrity);
    }
}

async fn an_account_that_cannot_be_is_an_error_not_an_answer(scene: Scene) {
    scene.plant("UPDATE point_accounts SET held = balance + 1 WHERE user_id = :ada").await;
    let read = scene.storage.points().account(scene.ada).await;
    assert_eq!(read.unwrap_err().kind(), ErrorKind::Integrity);
}

macro_rules! stamp {
    ($($database:ident $ground:ident;)+) => {$(
        mod $database {
            use crate::harness::$ground as fresh;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn each_break_is_found_by_its_rule() {
                super::each_break_is_found_by_its_rule(fresh).await;
            }
            stamp!(@scene
                an_account_that_lost_its_entries_is_found
                half_a_transfer_is_found
                entries_are_not_changed_even_by_hand
                a_rebuilt_account_is_sound_again
                inconsistent_entries_are_not_built_upon
                an_account_that_cannot_be_is_an_error_not_an_answer
            );
        }
    )+};
    (@scene $($test:ident)+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            super::$test(super::Scene::set(fresh().await).await).await;
        }
    )+};
}
stamp! {
    sqlite ground_sqlite;
    postgres ground_postgres;
}
