//! Files that authors write: stories and scripts of achievements.

use std::sync::Arc;

use guildhall_import::{Importer, SourceKind, detect};

use crate::facts::{changes_nothing_again, figures, slug, warned};
use crate::fake::{FakeStorage, FixedClock, options, run};

#[tokio::test]
async fn a_story_in_json_replaces_what_is_here() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("story.txt");
    let story = |text: &str| {
        format!(
            r#"{{"fragments": [{{"key": "start", "content": "{text}", "decisions":
             [{{"text": "Go", "next_fragment": "End"}}, {{"text": "Jump", "next_fragment": "void"}}]}},
             {{"fragment_id": "End", "text": "fin"}}, {{"text": "no key"}},
             {{"key": "no", "title": "unwelcome", "text": "x"}},
             {{"key": "after", "text": "x", "auto_next_fragment_key": "no"}}]}}"#
        )
    };
    std::fs::write(&path, story("one")).unwrap();
    assert_eq!(detect(&path).unwrap(), SourceKind::NarrativeJson);
    let storage = FakeStorage::new();
    let report = run(&storage, &path, options()).await.unwrap();
    assert_eq!(report.source, "narrative-json");
    assert_eq!(figures(&report, "fragments"), [5, 3, 0, 2]);
    assert!(warned(&report, "fragments", "start", "leads to void"));
    assert!(warned(&report, "fragments", "after", "leads to no,"), "{report:#?}");
    let there = storage.community();
    assert_eq!(there.fragments[&slug("end")].legacy_key.as_ref().unwrap().as_str(), "End");
    changes_nothing_again(&storage, &path).await;
    std::fs::write(&path, story("two")).unwrap();
    let report = run(&storage, &path, options()).await.unwrap();
    assert_eq!(figures(&report, "fragments"), [5, 1, 2, 2]);
    assert_eq!(storage.community().fragments[&slug("start")].content.as_str(), "two");
    let importer = Importer::new(storage.clone(), Arc::new(FixedClock), options());
    let error = importer.undo("narrative-json", |_| {}).await.unwrap_err();
    assert_eq!(error.code(), "nothing_to_undo");
    assert!(error.to_string().contains("the story"), "{error}");
    std::fs::write(&path, r#"{"fragments": [{"key": "a""#).unwrap();
    let error = run(&storage, &path, options()).await.unwrap_err();
    assert_eq!(error.code(), "truncated_json", "{error}");
}

#[tokio::test]
async fn more_fragments_than_one_call_takes_lead_to_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("long.json");
    let one = |n: u32| {
        format!(
            r#"{{"key": "f{n}", "text": "x", "auto_next_fragment_key": "f{}"}}"#,
            (n + 1) % 1200
        )
    };
    let all: Vec<String> = (0..1200).map(one).collect();
    std::fs::write(&path, format!("[{}]", all.join(","))).unwrap();
    let storage = FakeStorage::new();
    let report = run(&storage, &path, options()).await.unwrap();
    assert_eq!(figures(&report, "fragments"), [1200, 1200, 0, 0]);
    assert_eq!(report.warnings_total, 0);
    let there = storage.community();
    assert_eq!(there.fragments[&slug("f1199")].auto_next, Some(slug("f0")));
    changes_nothing_again(&storage, &path).await;
}

#[tokio::test]
async fn a_script_of_achievements_is_a_source() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("Achievments.js");
    let script = "// all of them\ndb.achievements.insertMany([{ achievementId: 'a', title: '🎓 A',
        criteria: { testCount: 1 } }, { title: 'nobody' }]);";
    std::fs::write(&path, script).unwrap();
    assert_eq!(detect(&path).unwrap(), SourceKind::AchievementScript);
    let storage = FakeStorage::new();
    let report = run(&storage, &path, options()).await.unwrap();
    assert_eq!(report.source, "achievement-script");
    assert_eq!(figures(&report, "achievements"), [2, 1, 0, 1]);
    changes_nothing_again(&storage, &path).await;
    let importer = Importer::new(storage.clone(), Arc::new(FixedClock), options());
    let inspection = importer.inspect(&path).await.unwrap();
    assert_eq!(
        (inspection.tables[0].table.as_str(), inspection.tables[0].rows),
        ("achievements", 2)
    );
    std::fs::write(&path, "db.achievements.insertMany([{ achievementId: ").unwrap();
    let error = run(&storage, &path, options()).await.unwrap_err();
    assert_eq!(error.code(), "invalid_script", "{error}");
}
