//! SQLite bots.

use guildhall_domain::{CommunityZone, ImportedVip, Provider, Vip};
use guildhall_import::{ImportOptions, ImportReport, Importer, SourceKind, detect};

use crate::fake::{FakeStorage, FixedClock, options, run};
use crate::legacy;

fn warned(report: &ImportReport, table: &str, key: &str, field: &str) -> bool {
    let field = Some(field.to_owned());
    report.warnings.iter().any(|w| w.table == table && w.key == key && w.field == field)
}

fn skipped(report: &ImportReport, table: &str) -> Vec<(String, String)> {
    let table = report.table(table).unwrap();
    assert_eq!(table.skipped_total, table.skipped.len() as u64);
    table.skipped.iter().map(|skipped| (skipped.key.clone(), skipped.reason.clone())).collect()
}

#[tokio::test]
async fn the_real_database_arrives_whole_and_twice_is_once() {
    let Some(path) = legacy::real() else { return };
    assert_eq!(detect(&path).unwrap(), SourceKind::SqliteBot);
    let before = std::fs::read(&path).unwrap();
    let storage = FakeStorage::new();
    let report = run(&storage, &path, options()).await.unwrap();
    assert!(report.matches, "{report:#?}");
    assert_eq!(report.source, "sqlite-bot");
    assert_eq!(serde_json::to_value(&report.totals).unwrap()["source_balance"], "20.50");
    assert_eq!((report.totals.members_target, report.totals.entries_target), (2, 24));
    assert_eq!(report.table("levels").unwrap().written, 20);
    assert_eq!(report.table("user_stats").unwrap().written, 2);
    let rows = |table: &str| report.not_read.iter().find(|t| t.table == table).unwrap().rows;
    assert_eq!(["button_reactions", "channels"].map(rows), [7, 1]);
    assert_eq!(report.warnings_total, 0, "{:#?}", report.warnings);

    let marta = storage.member("700000001").member;
    assert_eq!(marta.balance.to_string(), "12.50");
    assert_eq!(marta.entries.len(), 15);
    assert_eq!(marta.entries[1].source.as_str(), "reaction___message_61");
    assert_eq!(marta.entries[1].source_ref.as_ref().unwrap().as_str(), "reaction_💯_message_61");
    assert_eq!(marta.vip, ImportedVip { standing: Vip::Lifetime, role_only: false });
    assert_eq!(marta.ui_state.unwrap().as_str(), "admin_main");
    assert_eq!(marta.created_at.to_string(), "2025-08-25T16:21:57Z");
    assert_eq!(marta.last_active_at.unwrap().to_string(), "2025-08-25T19:18:52.954841Z");
    assert_eq!(marta.user.externals[0].external_id.as_str(), "700000001");
    let ivan = storage.member("700000002").member;
    assert_eq!((ivan.balance.to_string().as_str(), ivan.entries.len()), ("8.00", 9));
    assert_eq!(ivan.user.last_name.unwrap().as_str(), "Müller");
    assert_eq!(ivan.vip.standing, Vip::Lifetime);

    let (stored, again) = (storage.members(), run(&storage, &path, options()).await.unwrap());
    assert!(again.matches && again.nothing_written());
    assert_eq!(again.table("users").unwrap().unchanged, 2);
    assert_eq!(again.table("point_transactions").unwrap().unchanged, 24);
    assert_eq!(again.table("levels").unwrap().unchanged, 20);
    assert_eq!(storage.members(), stored);
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn what_does_not_fit_is_left_out_and_said() {
    let dir = tempfile::tempdir().unwrap();
    let long = "x".repeat(65);
    let path = legacy::bot(
        dir.path(),
        &format!(
            "INSERT INTO users (id, username, first_name, points, created_at, role, menu_state,
               is_admin, achievements) VALUES
             (1, 'two words', 5, 1.005, 'yesterday', 'pirate', '{long}', 7, '{{\"a\": 1}}'),
             (2, '{long}', 'Ada', 'many', NULL, 'admin', NULL, 0, '{{}}'),
             (3, 'unwelcome', NULL, -4, '2025-01-01T00:00:00+02:00', NULL, '', NULL, NULL),
             (-9, 'minus', NULL, 1, NULL, NULL, NULL, NULL, NULL),
             ('abc', 'text', NULL, 1, NULL, NULL, NULL, NULL, NULL),
             (4, 'big', x'00', 9e999, '2025-01-01 00:00:00', 'free', NULL, 'true', NULL);
             INSERT INTO point_transactions (id, user_id, amount, source, description, created_at)
             VALUES (1, 2, 1.0, '', '{}', '2025-01-01 00:00:00'), (2, 2, 'lots', 'a', NULL, NULL),
             (3, 2, 9e999, 'a', NULL, NULL), (4, 2, 0.0, 'a', NULL, NULL), (5, 2, NULL, 'a', 'b', ''),
             (6, 2, 0.125, 'Día', 'b', 'never'), (7, 99, 1.0, 'a', NULL, NULL),
             (8, 2, 0.001, 'a', NULL, NULL);
             INSERT INTO user_stats (user_id, messages_sent, checkin_streak, last_checkin_at,
               last_roulette_at) VALUES
             (2, -1, 'x', '2025-01-05 23:30:00', '2025-01-01 00:00:00'), (77, 1, 1, NULL, NULL);",
            "d".repeat(501)
        ),
    );
    let zone = CommunityZone::parse("Europe/Madrid").unwrap();
    let storage = FakeStorage::new();
    let report = run(&storage, &path, ImportOptions { zone, ..options() }).await.unwrap();

    for (key, field) in [
        ("1", "username"),
        ("1", "first_name"),
        ("1", "points"),
        ("1", "created_at"),
        ("1", "role"),
        ("1", "menu_state"),
        ("1", "is_admin"),
        ("2", "username"),
        ("2", "points"),
        ("2", "created_at"),
        ("3", "points"),
        ("4", "first_name"),
        ("4", "points"),
    ] {
        let expected = !(key == "1" && field == "first_name"); // Affinity makes it text.
        assert_eq!(warned(&report, "users", key, field), expected, "{key} {field}");
    }
    assert!(warned(&report, "point_transactions", "6", "amount"));
    assert!(warned(&report, "point_transactions", "6", "created_at"));
    assert!(warned(&report, "point_transactions", "1", "description"));
    assert!(warned(&report, "user_stats", "2", "messages_sent"));
    let users = skipped(&report, "users");
    assert_eq!(users.iter().map(|s| s.0.as_str()).collect::<Vec<_>>(), ["-9", "abc", "3"]);
    let ledger = skipped(&report, "point_transactions");
    let ledger: Vec<&str> = ledger.iter().map(|s| s.0.as_str()).collect();
    assert_eq!(ledger, ["2", "3", "4", "5", "8", "7"]);
    assert_eq!(skipped(&report, "user_stats")[0].1, "its member 77 is not in users");
    assert!(!report.matches, "a member was refused by the storage");

    let ada = storage.member("2").member;
    assert_eq!(ada.balance.to_string(), "1.13", "taken from the ledger, 0.125 rounded up");
    assert_eq!(ada.entries.len(), 2);
    assert_eq!(ada.entries[1].source.as_str(), "d_a");
    assert_eq!(ada.entries[0].created_at.to_string(), "2024-12-31T23:00:00Z");
    assert_eq!(ada.entries[1].created_at, ada.entries[0].created_at);
    assert!(ada.user.is_admin && storage.member("4").member.user.is_admin);
    let stats = ada.stats.unwrap();
    assert_eq!((stats.messages_sent, stats.checkin_streak), (0, 0));
    assert_eq!(stats.last_checkin_day.unwrap().to_string(), "2025-01-05");
    assert_eq!(storage.member("1").member.balance.to_string(), "1.01");
    let columns: Vec<(&str, &str, u64)> = report
        .columns_not_read
        .iter()
        .map(|c| (c.table.as_str(), c.column.as_str(), c.rows))
        .collect();
    let expected = [("user_stats", "last_roulette_at", 1)];
    assert_eq!(columns, expected);
}

#[tokio::test]
async fn the_longest_vip_standing_wins() {
    let dir = tempfile::tempdir().unwrap();
    let users: Vec<String> = (1..=9).map(|id| format!("({id}, 0, '2025-01-01', 'vip')")).collect();
    let path = legacy::bot(
        dir.path(),
        &format!(
            "INSERT INTO users (id, points, created_at, role) VALUES {};
             UPDATE users SET vip_expires_at = '2026-05-01 00:00:00' WHERE id IN (1, 2);
             ALTER TABLE users ADD COLUMN vip_until DATETIME;
             UPDATE users SET vip_until = '2026-06-01 00:00:00' WHERE id = 2;
             INSERT INTO vip_subscriptions VALUES (1, '2026-04-01 00:00:00', NULL), (3, NULL, NULL),
               (9, 'soon', NULL);
             INSERT INTO vip_transactions (id, user_id, action, duration_days, expires_at, is_active,
               created_at) VALUES
               (1, 4, 'grant', 30, NULL, 1, '2026-01-01 00:00:00'),
               (2, 5, 'grant', NULL, NULL, 0, NULL), (3, 5, 'extend', NULL, '2027-01-01', 1, NULL),
               (4, 6, 'revoke', NULL, NULL, 1, NULL), (5, 6, 'dance', NULL, NULL, 1, NULL);
             CREATE TABLE vip_access (id INTEGER PRIMARY KEY, user_id BIGINT, expires_at DATETIME,
               revoked BOOLEAN);
             INSERT INTO vip_access VALUES (1, 7, '2028-01-01 00:00:00', 0), (2, 8, NULL, 1);",
            users.join(", ")
        ),
    );
    let storage = FakeStorage::new();
    let report = run(&storage, &path, options()).await.unwrap();
    let vip = |key: &str| storage.member(key).member.vip;
    let until =
        |time: &str| ImportedVip { standing: Vip::Until(time.parse().unwrap()), role_only: false };
    assert_eq!(vip("1"), until("2026-05-01T00:00:00Z"));
    assert_eq!(vip("2"), until("2026-06-01T00:00:00Z"));
    assert_eq!(vip("3"), ImportedVip { standing: Vip::Lifetime, role_only: false });
    assert_eq!(vip("4"), until("2026-01-31T00:00:00Z"));
    assert_eq!(vip("5"), until("2027-01-01T00:00:00Z"));
    assert_eq!(vip("7"), until("2028-01-01T00:00:00Z"));
    for key in ["6", "8", "9"] {
        assert_eq!(vip(key), ImportedVip { standing: Vip::Lifetime, role_only: true });
        assert!(warned(&report, "users", key, "role"));
    }
    assert!(warned(&report, "vip_transactions", "5", "action"));
    assert!(warned(&report, "vip_subscriptions", "9", "expires_at"));
}

#[tokio::test]
async fn an_older_file_without_a_ledger_becomes_opening_entries() {
    let dir = tempfile::tempdir().unwrap();
    let path = legacy::file(
        dir.path(),
        "older.db",
        "CREATE TABLE users (id BIGINT PRIMARY KEY, points FLOAT, vip_until DATETIME);
         INSERT INTO users VALUES (5, 3.5, '2026-01-01 00:00:00.000001'), (6, 0, NULL);
         CREATE TABLE \"odd \"\"name\" (x); INSERT INTO \"odd \"\"name\" VALUES (1);",
    );
    let storage = FakeStorage::new();
    let report = run(&storage, &path, options()).await.unwrap();
    assert!(report.matches, "{report:#?}");
    assert_eq!(report.totals.entries_target, 1);
    assert_eq!(report.not_read[0].table, "odd \"name");
    let absent: Vec<&str> = report
        .warnings
        .iter()
        .filter(|w| w.message.contains("absent"))
        .map(|w| w.table.as_str())
        .collect();
    assert_eq!(absent, ["user_stats", "levels", "point_transactions"]);
    assert!(!report.warnings.iter().any(|w| w.field.as_deref() == Some("points")));
    assert_eq!(storage.member("5").member.user.externals[0].provider, Provider::Telegram);
}

#[tokio::test]
async fn balances_that_the_ledger_does_not_explain_are_entries_and_still_match() {
    let dir = tempfile::tempdir().unwrap();
    let path = legacy::bot(
        dir.path(),
        "INSERT INTO users (id, points, created_at) VALUES (1, 10, '2025-01-01'), (2, 5, '2025-01-01');
         INSERT INTO point_transactions (id, user_id, amount, source, created_at) VALUES
         (1, 1, 4, 'a', '2025-01-01'), (2, 2, -3, 'a', '2025-01-01'), (3, 2, 5, 'a', '2025-01-01');",
    );
    let dry = run(&FakeStorage::new(), &path, ImportOptions { dry_run: true, ..options() }).await;
    let dry = dry.unwrap();
    assert!(warned(&dry, "users", "1", "points") && warned(&dry, "users", "2", "points"));
    let storage = FakeStorage::new();
    let report = run(&storage, &path, options()).await.unwrap();
    assert!(report.matches, "{report:#?}");
    let totals = &report.totals;
    assert_eq!((totals.entries_source, totals.entries_target, totals.entries_added), (3, 5, 2));
    assert!(warned(&report, "users", "1", "points"));
    assert!(warned(&report, "point_transactions", "2", "amount"));
    assert_eq!(storage.member("2").member.xp_at_least.to_string(), "5.00");
}

#[tokio::test]
async fn levels_that_do_not_rise_are_not_taken() {
    let dir = tempfile::tempdir().unwrap();
    let path = legacy::bot(
        dir.path(),
        "INSERT INTO levels VALUES (1, 'A', 0, '', NULL), (2, 'B', 500, 'x', 'Lore One'),
         (3, 'C', 400, '', NULL), (0, 'Z', 0, '', NULL);",
    );
    let storage = FakeStorage::new();
    let report = run(&storage, &path, options()).await.unwrap();
    assert!(storage.state.lock().unwrap().levels.is_empty());
    assert!(report.warnings.iter().any(|w| w.table == "levels"));
    assert_eq!(skipped(&report, "levels")[0].0, "0");
}

#[tokio::test]
async fn a_dry_run_and_an_inspection_write_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = legacy::crowd(dir.path(), 12, 3);
    let storage = FakeStorage::new();
    let dry = ImportOptions { dry_run: true, ..options() };
    let report = run(&storage, &path, dry).await.unwrap();
    assert!(report.dry_run && report.matches && report.ledger.is_none());
    assert_eq!((report.totals.members_source, report.totals.entries_source), (12, 36));
    let importer = Importer::new(storage.clone(), std::sync::Arc::new(FixedClock), options());
    let inspection = importer.inspect(&path).await.unwrap();
    let users = inspection.tables.iter().find(|table| table.table == "users").unwrap();
    assert_eq!(users.rows, 12);
    let state = storage.state.lock().unwrap();
    assert!(state.writes == 0 && state.phase.is_none());
}

#[tokio::test]
async fn a_log_is_read_when_there_is_one_and_none_is_left_behind() {
    use diesel::Connection;
    use diesel::connection::SimpleConnection;
    let dir = tempfile::tempdir().unwrap();
    let path = legacy::crowd(dir.path(), 2, 1);
    let mut bot = diesel::sqlite::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    bot.batch_execute("PRAGMA journal_mode = WAL; INSERT INTO users (id, points) VALUES (9, 0);")
        .unwrap();
    let report = run(&FakeStorage::new(), &path, options()).await.unwrap();
    assert_eq!(report.totals.members_target, 3, "the newest row stands in the log");
    drop(bot); // Folds the log into the file.
    let report = run(&FakeStorage::new(), &path, options()).await.unwrap();
    assert_eq!(report.totals.members_target, 3);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing beside the file");
}
