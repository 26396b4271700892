//! JSON user stores.

use std::path::PathBuf;

use guildhall_domain::{CommunityZone, Provider};
use guildhall_import::{ImportOptions, ImportReport};

use crate::fake::{FakeStorage, options, run};

fn store(dir: &tempfile::TempDir, text: &str) -> PathBuf {
    let path = dir.path().join("data.json");
    std::fs::write(&path, text).unwrap();
    path
}

fn fields(report: &ImportReport, key: &str) -> Vec<String> {
    let of_key = report.warnings.iter().filter(|warning| warning.key == key);
    of_key.filter_map(|warning| warning.field.clone()).collect()
}

#[tokio::test]
async fn the_first_shape_is_read_field_by_field() {
    let dir = tempfile::tempdir().unwrap();
    let path = store(
        &dir,
        r#"{"users": [
          {"user_id": 9007199254740993, "faceit_player_id": "5ea07280-2399-4c7e-88ab-f2f7db0c449f",
           "faceit_nickname": "Ночь", "last_checked_match_id": "1-abc", "waiting_for_nickname": true,
           "language": "en", "notifications_enabled": false, "created_at": "2025-07-01T12:00:00",
           "last_active_at": "2025-07-02T12:00:00.5Z", "total_requests": 7, "mood": "good",
           "subscription": {"tier": "premium", "expires_at": null, "daily_requests": 3}},
          {"user_id": 2, "created_at": "2025-07-01T12:00:00+02:00"}
        ], "analytics": {"total_users": 2, "daily_stats": {}}, "settings": [1, 2, 3]}"#,
    );
    let zone = CommunityZone::parse("Europe/Moscow").unwrap();
    let storage = FakeStorage::new();
    let report = run(&storage, &path, ImportOptions { zone, ..options() }).await.unwrap();
    assert!(report.matches && report.warnings.is_empty(), "{report:#?}");
    assert_eq!(report.source, "json-store");
    let member = storage.member("9007199254740993").member;
    let faceit = &member.user.externals[1];
    assert_eq!(faceit.provider, Provider::Faceit);
    assert_eq!(faceit.nickname.as_ref().unwrap().as_str(), "Ночь");
    assert_eq!(member.ui_state.unwrap().as_str(), "waiting_for_nickname");
    assert_eq!(member.created_at.to_string(), "2025-07-01T09:00:00Z");
    assert_eq!(member.last_active_at.unwrap().to_string(), "2025-07-02T12:00:00.5Z");
    assert_eq!((member.total_requests, member.notifications_enabled), (7, false));
    let second = storage.member("2").member;
    assert_eq!(second.user.language.unwrap().as_str(), "ru");
    assert_eq!(second.ui_state.unwrap().as_str(), "root");
    assert_eq!(second.created_at.to_string(), "2025-07-01T10:00:00Z");
    let rows = |table: &str| report.not_read.iter().find(|t| t.table == table).unwrap().rows;
    assert_eq!([rows("users.subscription"), rows("analytics"), rows("settings")], [1, 2, 3]);
    let unread: Vec<&str> = report.columns_not_read.iter().map(|c| c.column.as_str()).collect();
    assert_eq!(unread, ["tier", "daily_requests", "mood"]);
}

#[tokio::test]
async fn members_keyed_by_their_ids_are_read_too() {
    let dir = tempfile::tempdir().unwrap();
    let member = r#"{"telegram_id": 11, "username": "ada", "faceit_player_id": "p-1",
        "subscription": {"tier": "FREE", "requests_used": 1, "requests_limit": 20}}"#;
    for text in [
        format!(r#"{{"11": {member}, "meta": {{"version": 2}}}}"#),
        format!(r#"{{"users": {{"u11": {member}}}, "meta": {{"version": 2}}}}"#),
        format!("\u{feff}{{\"users\": {{\"u11\": {member}}}, \"meta\": {{\"version\": 2}}}}"),
    ] {
        let storage = FakeStorage::new();
        let report = run(&storage, &store(&dir, &text), options()).await.unwrap();
        assert_eq!(storage.member("11").member.user.username.unwrap().as_str(), "ada");
        assert!(report.not_read.iter().any(|t| t.table == "meta" && t.rows == 1));
    }
    let storage = FakeStorage::new();
    run(&storage, &store(&dir, r#"{"users": {"12": {"language": "en"}}}"#), options())
        .await
        .unwrap();
    assert_eq!(storage.member("12").member.user.language.unwrap().as_str(), "en");
}

#[tokio::test]
async fn a_bad_record_costs_itself_and_a_bad_field_itself() {
    let dir = tempfile::tempdir().unwrap();
    let path = store(
        &dir,
        r#"{"users": [
          {"user_id": 1, "faceit_player_id": 5, "faceit_nickname": "x", "language": "en_GB!",
           "waiting_for_nickname": "perhaps", "notifications_enabled": [], "created_at": 5,
           "last_active_at": "soon", "total_requests": -1, "subscription": 3, "username": {}},
          {"user_id": 1}, {"user_id": 0}, {"user_id": -5}, {"user_id": "text"}, {"user_id": 2.5},
          {"name": "nobody"}, 7, null, "text", [1],
          {"user_id": 2, "total_requests": 1e400}, {"user_id": 3, "faceit_nickname": "\ud800"},
          {"user_id": 18446744073709551615},
          {"user_id": 4, "faceit_player_id": "p"}, {"user_id": "5", "faceit_player_id": "p"},
          {"user_id": 6, "total_requests": "9", "last_active_at": ""}
        ]}"#,
    );
    let storage = FakeStorage::new();
    let report = run(&storage, &path, options()).await.unwrap();
    let keys: Vec<String> = storage.members().into_iter().map(|s| s.member.source_key).collect();
    assert_eq!(keys, ["1", "4", "5", "6"]);
    let mut found = fields(&report, "1");
    found.sort();
    found.dedup();
    let expected = [
        "created_at",
        "faceit_nickname",
        "faceit_player_id",
        "language",
        "last_active_at",
        "notifications_enabled",
        "subscription",
        "total_requests",
        "username",
        "waiting_for_nickname",
    ];
    assert_eq!(found, expected);
    assert_eq!(fields(&report, "5"), ["created_at", "faceit_player_id"]);
    assert_eq!(storage.member("5").member.user.externals.len(), 1);
    let users = report.table("users").unwrap();
    assert_eq!((users.read, users.written, users.skipped_total), (17, 4, 13));
    let reason = |at: usize| users.skipped[at].reason.as_str();
    assert_eq!((users.skipped[0].key.as_str(), users.skipped[5].key.as_str()), ("1", "#7"));
    assert!(reason(0).contains("twice") && reason(6).contains("not an object"));
    assert!(report.matches, "what could be read arrived: {:?}", report.totals);
}

#[tokio::test]
async fn reports_stay_small_however_bad_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let users: Vec<String> =
        (1..=3000).map(|id| format!("{{\"user_id\": {id}}}, {{\"user_id\": {id}}}")).collect();
    let path = store(&dir, &format!("{{\"users\": [{}]}}", users.join(",")));
    let report = run(&FakeStorage::new(), &path, options()).await.unwrap();
    let users = report.table("users").unwrap();
    assert_eq!((users.skipped_total, users.skipped.len()), (3000, 1000));
    assert_eq!((report.warnings_total, report.warnings.len()), (3000, 1000));
}
