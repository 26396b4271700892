//! A process that dies at any step of a workflow: a repeat under the same key ends as if nothing had
//! happened.
//!
//! The test runs itself as a child, which aborts at its n-th operation, for every n until the workflow
//! gets through; each time on a database of its own.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use guildhall_diesel::Faults;
use guildhall_domain::{FragmentKind, NewFragment, Requirement, Reward, UserId};
use guildhall_repository::{Storage, StorageError};
use guildhall_service::{Outbox, Pick};
use guildhall_testkit::builder::{award, key, now, page, slug, source};

use super::ground::{Ground, earned, errand, fragment, reward};

/// Where the child finds what it is to do: the workflow, the database, the operation to die at.
const WORKFLOW: &str = "GUILDHALL_TEST_CRASH_WORKFLOW";
const DATABASE: &str = "GUILDHALL_TEST_CRASH_DATABASE";
const STEP: &str = "GUILDHALL_TEST_CRASH_STEP";

/// Dies at one operation: before it, or after it was done and before anybody knows.
struct Dies {
    at: u32,
    asked: AtomicU32,
}

impl Dies {
    fn perhaps(&self) -> Result<(), StorageError> {
        if self.asked.fetch_add(1, Ordering::SeqCst) + 1 == self.at {
            std::process::abort();
        }
        Ok(())
    }
}

impl Faults for Dies {
    fn before(&self, _operation: &'static str) -> Result<(), StorageError> {
        self.perhaps()
    }

    fn after(&self, _operation: &'static str) -> Result<(), StorageError> {
        self.perhaps()
    }
}

const MEMBER: UserId = UserId(1);

/// The workflow that the tests are about: W3, W4, W7 or W8.
async fn run(workflow: &str, ground: &Ground) -> Result<(), StorageError> {
    let once = key("the one request");
    match workflow {
        "unlock" => {
            let achievements = &ground.achievements;
            achievements.unlock(MEMBER, &slug("finder"), &source("admin"), None).await.map(drop)
        }
        "advance" => {
            ground.missions.advance(MEMBER, &slug("dig"), 0, 1, Some(&once)).await.map(drop)
        }
        "complete" => ground.stories.complete(MEMBER, &slug("tower")).await.map(drop),
        "decide" => {
            let gate = slug("gate");
            ground.stories.decide(MEMBER, &gate, Pick::Index(0), Some(&once)).await.map(drop)
        }
        other => panic!("no workflow {other}"),
    }
}

/// A member who is at the gate with some points, and everything that the workflows touch.
async fn set_the_stage(ground: &Ground) {
    assert_eq!(ground.member("ada").await, MEMBER);
    ground.lore("old_map").await;
    ground.achievement(earned("rich", "points_earned", 2_100, 5)).await;
    let finder = guildhall_domain::NewAchievement {
        criteria: Vec::new(),
        ..earned("finder", "points", 1, 3)
    };
    ground.achievement(finder).await;
    ground.mission(errand("dig", "dig", 1, 6).reward(Reward::Lore(slug("old_map")))).await;
    let read = guildhall_domain::ObjectiveKind::Lore;
    let read = guildhall_domain::Objective::once(read, slug("old_map"));
    ground.mission(super::ground::mission("read").objective(read).reward(reward(2))).await;
    let effects = |trigger| {
        let action = guildhall_domain::EffectAction::Reward(reward(4));
        vec![guildhall_domain::Effect { trigger, action }]
    };
    let tower = NewFragment {
        effects: effects(guildhall_domain::EffectTrigger::Complete),
        requirements: vec![Requirement::Level(1)],
        ..fragment("tower", FragmentKind::Story)
    };
    ground.fragment(tower).await;
    let text = guildhall_domain::ChoiceText::parse("Up").unwrap();
    let up = guildhall_domain::NewChoice {
        cost: Some(guildhall_testkit::builder::amount(3)),
        reward: Some(guildhall_testkit::builder::amount(1)),
        ..guildhall_domain::NewChoice::new(text, slug("tower"))
    };
    let gate = NewFragment {
        is_start: true,
        choices: vec![up],
        ..fragment("gate", FragmentKind::Decision)
    };
    ground.fragment(gate).await;
    ground.storage.points().award(&award(MEMBER, 20), now()).await.unwrap();
    ground.stories.start(MEMBER).await.unwrap();
}

/// Everything that the workflows may have changed, without what differs from run to run.
async fn everything(ground: &Ground) -> String {
    let storage = &ground.storage;
    let account = storage.points().account(MEMBER).await.unwrap().unwrap();
    let missions = storage.mission_progress().user_missions(MEMBER, None, &page(50)).await.unwrap();
    let held = storage.user_achievements();
    let held = held.list(MEMBER, &Default::default(), &page(50)).await.unwrap();
    let story = storage.story();
    let (state, visited) =
        (story.state(MEMBER).await.unwrap(), story.visited(MEMBER, &page(50)).await.unwrap());
    let decisions = story.decisions(MEMBER, &page(50)).await.unwrap();
    let lore = storage.lore().unlocked(MEMBER, &page(50)).await.unwrap();
    let log = storage.rewards().of_user(MEMBER, &page(50)).await.unwrap();
    let sources = ground.sources(MEMBER).await;
    let missions: Vec<_> =
        missions.items.iter().map(|it| (&it.mission, it.status, &it.objectives)).collect();
    let held: Vec<_> = held.items.iter().map(|it| &it.achievement.id).collect();
    let visited: Vec<_> =
        visited.items.iter().map(|it| (&it.fragment, it.visits, it.completed_at)).collect();
    let decisions: Vec<_> = decisions.items.iter().map(|it| (&it.fragment, it.choice)).collect();
    let lore: Vec<_> = lore.items.iter().map(|it| &it.piece.code).collect();
    let log: Vec<_> = log.items.iter().map(|it| &it.reward).collect();
    format!(
        "{account:?}\n{missions:?}\n{held:?}\n{state:?}\n{visited:?}\n{decisions:?}\n{lore:?}\n\
         {log:?}\n{sources:?}\n{:?}",
        ground.outbox().await
    )
}

/// What the child does; without the variables it is no test.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(workflow) = std::env::var(WORKFLOW) else { return };
    let database = std::env::var(DATABASE).unwrap();
    let at = std::env::var(STEP).unwrap().parse().unwrap();
    let faults = Arc::new(Dies { at, asked: AtomicU32::new(0) });
    let storage = crate::harness::faulty_at(&database, faults).await;
    run(&workflow, &Ground::with(&storage, Outbox::on())).await.unwrap();
}

/// Whether the child came to its end.
fn survives(workflow: &str, database: &str, step: u32) -> bool {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["workflows::crashes::child", "--exact", "--quiet"])
        .envs([(WORKFLOW, workflow), (DATABASE, database), (STEP, &step.to_string())])
        .output()
        .unwrap();
    assert!(child.status.success() || child.status.code().is_none(), "{child:?}");
    child.status.success()
}

async fn dies_everywhere(workflow: &str, on_postgres: bool) {
    let mut expected: Option<String> = None;
    let mut step = 0;
    loop {
        let place = crate::harness::Place::new(on_postgres).await;
        let storage: Arc<dyn Storage> = place.open().await;
        set_the_stage(&Ground::with(&storage, Outbox::on())).await;
        drop(storage);
        // Step 0 is never reached: how it ends undisturbed.
        let survived = survives(workflow, place.url(), step);
        let storage: Arc<dyn Storage> = place.open().await;
        let ground = Ground::with(&storage, Outbox::on());
        run(workflow, &ground).await.unwrap();
        ground.verify().await;
        let found = everything(&ground).await;
        match &expected {
            None => expected = Some(found),
            Some(expected) => assert_eq!(&found, expected, "{workflow}: died at operation {step}"),
        }
        if step > 0 && survived {
            break;
        }
        step += 1;
    }
    assert!(step > 8, "{workflow} has more steps than {step}");
}

macro_rules! die_everywhere {
    ($($name:ident: $workflow:literal, $on_postgres:literal;)+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            dies_everywhere($workflow, $on_postgres).await;
        }
    )+};
}

die_everywhere! {
    an_unlock_dies_on_sqlite: "unlock", false;
    an_unlock_dies_on_postgres: "unlock", true;
    an_advance_dies_on_sqlite: "advance", false;
    an_advance_dies_on_postgres: "advance", true;
    a_completion_dies_on_sqlite: "complete", false;
    a_completion_dies_on_postgres: "complete", true;
    a_decision_dies_on_sqlite: "decide", false;
    a_decision_dies_on_postgres: "decide", true;
}
