//! The database of a legacy bot arrives whole on every storage, the same on each, and once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use guildhall_adapter::import::{ImportOptions, ImportReport, Importer};
use guildhall_domain::{MissionStatus, Slug, UserId};
use guildhall_repository::{EntryFilter, FragmentFilter, MissionFilter, Storage};
use guildhall_testkit::FixedClock;
use guildhall_testkit::builder::{external_id, now, page, provider};

use crate::harness;

/// The members of the real file, by their Telegram ids, with what they have there in hundredths.
const MEMBERS: [(&str, i64); 2] = [("700000001", 12_50), ("700000002", 8_00)];

/// The real file, when this is the workspace it is shared with.
fn real() -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = workspace.join("../shared/data/legacy/community-bot.sqlite");
    if path.exists() {
        return Some(path);
    }
    eprintln!("NOT TESTED: {} is absent", path.display());
    None
}

async fn import(storage: &Arc<dyn Storage>, path: &Path) -> ImportReport {
    let options = ImportOptions { owner: "tester".to_owned(), ..ImportOptions::default() };
    let importer = Importer::new(Arc::clone(storage), Arc::new(FixedClock::at(now())), options);
    importer.run(path, |_| {}).await.unwrap()
}

/// A report as a program reads it, without how long it took.
fn told(report: &ImportReport) -> serde_json::Value {
    let mut told = serde_json::to_value(report).unwrap();
    told.as_object_mut().unwrap().remove("duration_ms").unwrap();
    told
}

/// What was read, written, found unchanged and skipped of a table.
fn figures(report: &ImportReport, table: &str) -> [u64; 4] {
    let table = report.table(table).unwrap();
    [table.read, table.written, table.unchanged, table.skipped_total]
}

async fn members(storage: &Arc<dyn Storage>) -> Vec<UserId> {
    let mut found = Vec::new();
    for (id, _) in MEMBERS {
        let (telegram, id) = (provider("telegram"), external_id(id));
        found.push(storage.users().by_external(&telegram, &id).await.unwrap().unwrap().id);
    }
    found
}

/// Everything that stands there now, as text, in a fixed order: members with their accounts,
/// ledgers, statistics, missions and stories, and the catalogues.
async fn stands(storage: &Arc<dyn Storage>) -> Vec<String> {
    let mut all = Vec::new();
    for user in members(storage).await {
        let profile = storage.profiles().full_profile(user).await.unwrap();
        let account = storage.points().account(user).await.unwrap();
        let entries = EntryFilter::default();
        let entries = storage.ledger().transactions(user, &entries, &page(200)).await.unwrap();
        let stats = storage.activity().stats(user).await.unwrap();
        let missions = storage.mission_progress().user_missions(user, None, &page(200)).await;
        let state = storage.story().state(user).await.unwrap();
        let rewards = storage.rewards().of_user(user, &page(200)).await.unwrap();
        all.push(format!("{profile:?} {account:?} {entries:?} {stats:?}"));
        all.push(format!("{:?} {state:?} {rewards:?}", missions.unwrap()));
    }
    let missions = storage.missions().list(MissionFilter::default(), &page(200)).await.unwrap();
    let fragments = FragmentFilter::default();
    let fragments = storage.narrative().fragments(&fragments, &page(200)).await.unwrap();
    all.push(format!("{missions:?} {fragments:?} {:?}", storage.levels().list().await.unwrap()));
    all
}

/// Imports twice; gives both reports and what stands there afterwards.
async fn imported_twice(
    storage: &Arc<dyn Storage>,
    path: &Path,
) -> ([serde_json::Value; 2], Vec<String>) {
    let before = std::fs::read(path).unwrap();
    let first = import(storage, path).await;
    assert!(first.matches && first.warnings_total == 0, "{first:#?}");
    assert_eq!(figures(&first, "users"), [2, 2, 0, 0]);
    assert_eq!(figures(&first, "point_transactions"), [24, 24, 0, 0]);
    assert_eq!(figures(&first, "levels"), [20, 20, 0, 0]);
    assert_eq!(figures(&first, "missions"), [5, 5, 0, 0]);
    assert_eq!(figures(&first, "user_mission_entries"), [10, 10, 0, 0]);
    assert_eq!(figures(&first, "narrative_fragments_unified"), [1, 1, 0, 0]);
    completions_paid_nothing(storage).await;
    let stood = stands(storage).await;

    let again = import(storage, path).await;
    assert!(again.matches && again.nothing_written(), "{again:#?}");
    assert_eq!(figures(&again, "user_mission_entries"), [10, 0, 10, 0]);
    assert_eq!(figures(&again, "narrative_fragments_unified"), [1, 0, 1, 0]);
    assert_eq!(stands(storage).await, stood, "the second run changes nothing");
    let audit = guildhall_service::audit(&**storage, |_| {}).await.unwrap();
    assert!(audit.is_clean(), "{audit:?}");
    assert_eq!((audit.members, audit.entries), (2, 24));
    assert_eq!(std::fs::read(path).unwrap(), before, "the source is only read");
    ([told(&first), told(&again)], stood)
}

/// Every member has completed every mission, and has what they had in the source.
async fn completions_paid_nothing(storage: &Arc<dyn Storage>) {
    for (user, (_, balance)) in members(storage).await.into_iter().zip(MEMBERS) {
        let account = storage.points().account(user).await.unwrap().unwrap();
        assert_eq!(account.balance().minor(), balance);
        let done = Some(MissionStatus::Completed);
        let done = storage.mission_progress().user_missions(user, done, &page(200)).await.unwrap();
        assert_eq!(done.items.len(), 5);
        assert!(done.items.iter().all(|one| one.paid_elsewhere && one.rewarded_entry.is_none()));
        assert!(storage.rewards().of_user(user, &page(1)).await.unwrap().items.is_empty());
    }
    let told = storage.mission_reports().totals().await.unwrap();
    assert_eq!((told.missions, told.completions, told.points_paid.minor()), (5, 10, 0));
    let fragment = Slug::parse("58284030-ad46-4da1-a09e-dff665dc6d97").unwrap();
    let fragment = storage.narrative().fragment(&fragment).await.unwrap().unwrap();
    assert_eq!(fragment.title.as_str(), "Historia");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_legacy_database_arrives_the_same_on_sqlite_and_postgres() {
    let Some(path) = real() else { return };
    let sqlite = harness::sqlite_file().await;
    let (on_sqlite, stands_on_sqlite) = imported_twice(&sqlite, &path).await;
    let postgres = harness::postgres_schema_of_its_own().await;
    let (on_postgres, stands_on_postgres) = imported_twice(&postgres, &path).await;
    assert_eq!(on_sqlite, on_postgres);
    assert_eq!(stands_on_sqlite, stands_on_postgres);
}

/// The cache was asked before: what it then said was wrong as soon as the import was over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_legacy_database_arrives_behind_a_cache() {
    let Some(path) = real() else { return };
    let storage = harness::cached_redis_postgres().await;
    let (missions, fragments) = (MissionFilter::default(), FragmentFilter::default());
    assert!(storage.missions().list(missions, &page(200)).await.unwrap().items.is_empty());
    assert!(storage.narrative().fragments(&fragments, &page(200)).await.unwrap().items.is_empty());
    assert_eq!(storage.mission_reports().totals().await.unwrap().completions, 0);
    let (told, stands) = imported_twice(&storage, &path).await;
    let plain = harness::sqlite_file().await;
    let (told_plain, stands_plain) = imported_twice(&plain, &path).await;
    assert_eq!((told, stands), (told_plain, stands_plain));
}
