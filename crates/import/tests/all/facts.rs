//! Catalogues and what members did, as SQLite bots and authors' files bring them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use guildhall_domain::{
    BadgeId, MissionCadence, MissionStatus, ObjectiveMode, Requirement, Reward, Slug, UserId,
    VipTerm,
};
use guildhall_import::{ImportOptions, ImportReport, Importer};

use crate::fake::{FakeStorage, FixedClock, options, run};
use crate::legacy;

const TABLES: &str = "
ALTER TABLE missions ADD COLUMN description TEXT; ALTER TABLE missions ADD COLUMN reward_points INT;
ALTER TABLE missions ADD COLUMN type VARCHAR; ALTER TABLE missions ADD COLUMN target_value INT;
ALTER TABLE missions ADD COLUMN duration_days INT; ALTER TABLE missions ADD COLUMN is_active BOOLEAN;
ALTER TABLE missions ADD COLUMN action_data JSON;
ALTER TABLE missions ADD COLUMN unlocks_lore_piece_code VARCHAR;
ALTER TABLE missions ADD COLUMN created_at DATETIME;
CREATE TABLE user_mission_entries (id INTEGER PRIMARY KEY, user_id BIGINT, mission_id VARCHAR,
  progress_value INT, completed BOOLEAN, completed_at DATETIME);
CREATE TABLE achievements (id VARCHAR PRIMARY KEY, name VARCHAR, condition_type VARCHAR,
  condition_value INT, reward_text VARCHAR, created_at DATETIME);
CREATE TABLE user_achievements (user_id BIGINT, achievement_id VARCHAR, unlocked_at DATETIME);
CREATE TABLE badges (id INTEGER PRIMARY KEY, name VARCHAR, requirement VARCHAR,
  condition_type VARCHAR, condition_value INT, is_active BOOLEAN, grants_vip_access BOOLEAN,
  vip_duration_days INT);
CREATE TABLE user_badges (id INTEGER PRIMARY KEY, user_id BIGINT, badge_id INT, awarded_at DATETIME);
CREATE TABLE lore_pieces (id INTEGER PRIMARY KEY, code_name VARCHAR, title VARCHAR,
  content_type VARCHAR, content TEXT, unlock_condition_type VARCHAR, unlock_condition_value VARCHAR,
  is_active BOOLEAN);
CREATE TABLE user_lore_pieces (user_id BIGINT, lore_piece_id INT, unlocked_at DATETIME, context JSON);
CREATE TABLE narrative_fragments_unified (id VARCHAR PRIMARY KEY, title VARCHAR, content TEXT,
  fragment_type VARCHAR, choices JSON, triggers JSON, required_clues JSON, is_active BOOLEAN);
CREATE TABLE story_fragments (id INTEGER PRIMARY KEY, key VARCHAR, text TEXT, character VARCHAR,
  level INT, min_besitos INT, required_role VARCHAR, reward_besitos INT,
  unlocks_achievement_id VARCHAR, auto_next_fragment_key VARCHAR);
CREATE TABLE narrative_choices (id INTEGER PRIMARY KEY, source_fragment_id INT,
  destination_fragment_key VARCHAR, text TEXT, required_besitos INT, required_role VARCHAR);
CREATE TABLE user_narrative_states_unified (user_id BIGINT PRIMARY KEY, current_fragment_id VARCHAR,
  visited_fragments JSON, completed_fragments JSON, unlocked_clues JSON);
CREATE TABLE user_narrative_states (user_id BIGINT PRIMARY KEY, current_fragment_key VARCHAR,
  choices_made JSON, narrative_started_at DATETIME, last_activity_at DATETIME);
CREATE TABLE rewards (id INTEGER PRIMARY KEY, title VARCHAR, required_points INT,
  reward_type VARCHAR, is_active BOOLEAN);
CREATE TABLE user_rewards (user_id BIGINT, reward_id INT, claimed_at DATETIME);
INSERT INTO users (id, points, created_at) VALUES (1, 10, '2025-01-01'), (2, 5, '2025-01-01');
";

/// A bot's file with all tables, two members, and `rows`.
fn bot(dir: &Path, rows: &str) -> PathBuf {
    legacy::bot(dir, &format!("{TABLES}{rows}"))
}

pub(crate) fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

pub(crate) fn figures(report: &ImportReport, table: &str) -> [u64; 4] {
    let table = report.table(table).unwrap_or_else(|| panic!("{table} in {report:#?}"));
    [table.read, table.written, table.unchanged, table.skipped_total]
}

fn reasons(report: &ImportReport, table: &str) -> Vec<String> {
    let skipped = &report.table(table).unwrap().skipped;
    skipped.iter().map(|row| format!("{}: {}", row.key, row.reason)).collect()
}

pub(crate) fn warned(report: &ImportReport, table: &str, key: &str, words: &str) -> bool {
    report.warnings.iter().any(|w| w.table == table && w.key == key && w.message.contains(words))
}

/// A second run changes nothing, neither does one that begins anew.
pub(crate) async fn changes_nothing_again(storage: &Arc<FakeStorage>, path: &Path) {
    let before = storage.community();
    let again = run(storage, path, options()).await.unwrap();
    assert!(again.nothing_written(), "{again:#?}");
    assert_eq!(storage.community(), before);
    {
        let mut state = storage.state.lock().unwrap();
        state.phase = Some(guildhall_repository::ImportPhase::Running);
        state.checkpoint = None;
    }
    let anew = run(storage, path, options()).await.unwrap();
    assert!(anew.nothing_written(), "{anew:#?}");
    assert_eq!(storage.community(), before);
}

#[tokio::test]
async fn the_real_database_brings_its_missions_and_its_story() {
    let Some(path) = legacy::real() else { return };
    let storage = FakeStorage::new();
    let report = run(&storage, &path, options()).await.unwrap();
    assert!(report.matches, "{report:#?}");
    assert_eq!(figures(&report, "missions"), [5, 5, 0, 0]);
    assert_eq!(figures(&report, "user_mission_entries"), [10, 10, 0, 0]);
    assert_eq!(figures(&report, "narrative_fragments_unified"), [1, 1, 0, 0]);
    let there = storage.community();
    assert_eq!((there.missions.len(), there.entries.len(), there.fragments.len()), (5, 10, 1));
    let balances: i64 = storage.members().iter().map(|one| one.member.balance.minor()).sum();
    assert_eq!(balances, 20_50, "a completion pays nothing");
    let mission = &there.missions[&slug("reaction_reaccionar_61")];
    assert_eq!((mission.cadence, mission.objectives[0].target), (MissionCadence::OneTime, 1));
    assert_eq!(mission.objectives[0].key, slug("reaction"));
    assert_eq!(mission.ends_at.unwrap().to_string(), "2025-09-01T16:22:57Z");
    assert_eq!(mission.created_at.to_string(), "2025-08-25T16:22:57Z");
    assert_eq!(mission.action_data.as_ref().unwrap().value()["target_message_id"], 61);
    assert!(matches!(&mission.rewards[..], [Reward::Points(points)] if points.minor() == 100));
    assert!(
        there
            .entries
            .values()
            .all(|entry| { entry.status == MissionStatus::Completed && entry.paid_elsewhere })
    );
    changes_nothing_again(&storage, &path).await;
    let again = run(&storage, &path, options()).await.unwrap();
    assert_eq!(figures(&again, "user_mission_entries"), [10, 0, 10, 0]);
    assert_eq!(figures(&again, "missions"), [5, 0, 5, 0]);
}

#[tokio::test]
async fn missions_keep_their_meaning_and_completions_their_period() {
    let dir = tempfile::tempdir().unwrap();
    let path = bot(
        dir.path(),
        "INSERT INTO missions (id, name, reward_points, type, target_value, duration_days, is_active,
           action_data, unlocks_lore_piece_code, created_at) VALUES
         ('Día Uno', 'Saluda', 2, 'daily', 3, 0, 1, '{}', NULL, '2025-01-01'),
         ('semana', 'Semana', NULL, 'weekly', NULL, NULL, NULL, NULL, 'El Mapa', '2025-01-01'),
         ('racha', 'Racha', 1.5, 'login_streak', 7, 30, 0, 'oops', NULL, NULL),
         ('mil', 'Mil', -1, 'messages', 0, 0, 1, '{\"unlocks_lore_piece_code\": \"m\"}', NULL, NULL),
         ('una', NULL, 1, 'one_time', 10, 0, 1, NULL, NULL, '2025-01-01'),
         (' ', 'Blank', 1, 'one_time', 1, 0, 1, NULL, NULL, NULL),
         ('una ', 'Twice', 1, 'one_time', 1, 0, 1, NULL, NULL, NULL);
         UPDATE users SET missions_completed = '{\"una\": \"2025-02-01T10:00:00\",
           \"semana\": \"2025-01-05T23:00:00Z\", \"gone\": \"2025-01-01T00:00:00\"}' WHERE id = 1;
         UPDATE users SET missions_completed = 'null and void' WHERE id = 2;
         INSERT INTO user_mission_entries (user_id, mission_id, progress_value, completed, completed_at)
         VALUES (1, 'Día Uno', 3, 1, '2025-03-30 23:30:00'), (1, 'una', 10, 1, '2025-01-31 10:00:00'),
         (1, 'semana', 1, 1, NULL), (2, 'una', 4, 0, NULL), (2, 'semana', 4, 0, NULL),
         (2, 'nowhere', 1, 1, NULL), (2, NULL, 1, 1, NULL), (9, 'una', 1, 1, NULL);",
    );
    let storage = FakeStorage::new();
    let report = run(&storage, &path, options()).await.unwrap();
    let there = storage.community();
    assert_eq!(figures(&report, "missions"), [7, 5, 0, 2]);
    let daily = &there.missions[&slug("d_a_uno")];
    assert_eq!(daily.legacy_key.as_ref().unwrap().as_str(), "Día Uno");
    assert_eq!((daily.cadence, daily.ends_at), (MissionCadence::Daily, None));
    let weekly = &there.missions[&slug("semana")];
    assert_eq!(weekly.rewards, [Reward::Lore(slug("el_mapa"))]);
    let streak = &there.missions[&slug("racha")];
    assert_eq!(streak.objectives[0].mode, ObjectiveMode::Max);
    assert!(!streak.is_active && streak.ends_at.is_none(), "nobody knows when it began");
    assert!(warned(&report, "missions", "racha", "without end"));
    assert!(warned(&report, "missions", "racha", "is not JSON"));
    let thousand = &there.missions[&slug("mil")];
    assert_eq!(thousand.objectives[0].key, slug("message"));
    assert_eq!(thousand.rewards, [Reward::Lore(slug("m"))]);
    assert!(warned(&report, "missions", "mil", "taken as 1"));
    assert_eq!(there.missions[&slug("una")].title.as_str(), "una");

    let done = |user: i64, id: &str, period: &str| {
        let key = (UserId(user), slug(id), period.to_owned());
        there.entries.get(&key).map(|entry| (entry.status, entry.completed_at))
    };
    let first = done(1, "una", "once").unwrap();
    assert_eq!(first.1.unwrap().to_string(), "2025-01-31T10:00:00Z", "the table comes first");
    assert!(done(1, "d_a_uno", "2025-03-30").is_some());
    assert!(done(1, "semana", "2025-W01").is_some());
    assert_eq!(done(2, "una", "once"), Some((MissionStatus::Active, None)));
    let entry = &there.entries[&(UserId(2), slug("una"), "once".to_owned())];
    assert_eq!(entry.objectives[0].value, 4);
    assert_eq!(there.entries.len(), 4);
    assert_eq!(figures(&report, "user_mission_entries"), [8, 3, 0, 5]);
    assert_eq!(figures(&report, "users.missions_completed"), [3, 1, 1, 1]);
    assert_eq!(reasons(&report, "users.missions_completed"), ["gone: its mission is not here"]);
    assert!(warned(&report, "users", "2", "is not a JSON object"));
    changes_nothing_again(&storage, &path).await;
}

#[tokio::test]
async fn the_two_tables_of_the_story_become_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = bot(
        dir.path(),
        r#"INSERT INTO narrative_fragments_unified VALUES
         ('start', 'Inicio', 'Hola', 'DECISION', '[{"text": "Entra", "next_fragment_id": "Sala"},
           {"text": "Huye", "next_fragment_id": "nada"}, {"text": ""}]',
           '{"reward_points": 5, "unlock_lore": "Mapa", "dance": 1}', '["Llave", "Llave"]', 1),
         ('bad', 'Sin texto', '', 'STORY', '[]', '{}', '[]', 1),
         ('off', 'Apagado', 'x', 'POEM', '{}', NULL, NULL, 0);
         INSERT INTO story_fragments VALUES
         (1, 'start', 'otra', 'Diana', 1, 0, 'free', 0, NULL, NULL),
         (2, 'Sala', 'La sala', 'Diana', 2, 3, 'vip', 4, 'primera', 'start'),
         (3, NULL, 'x', 'D', 1, 0, NULL, 0, NULL, NULL);
         INSERT INTO narrative_choices VALUES (1, 2, 'start', 'Vuelve', 0, 'free'),
         (2, 2, 'lejos', 'Sube', 2, NULL), (3, 77, 'start', 'x', 0, NULL);
         INSERT INTO lore_pieces (id, code_name, title, content_type, content, unlock_condition_type,
           unlock_condition_value, is_active) VALUES
         (7, 'Llave', 'La llave', 'TEXT', 'brilla', 'level', '3', 0),
         (8, 'mapa', 'El mapa', 'hologram', 'x', 'luck', '1', 1), (9, NULL, 'y', 'text', 'y', NULL, NULL, 1);
         INSERT INTO user_lore_pieces VALUES (1, 7, '2025-01-03 00:00:00', '{"by": "hint"}'),
         (1, 99, NULL, NULL);
         INSERT INTO user_narrative_states_unified VALUES
         (1, 'Sala', '["start", "Sala", "lost"]', '["start"]', '["mapa", "Llave"]'), (2, NULL, '[', NULL, NULL);
         INSERT INTO user_narrative_states VALUES (1, 'start',
         '[{"fragment_key": "start", "choice_index": 0, "choice_text": "Entra", "timestamp": "2025-01-04T00:00:00"},
           {"fragment_key": "Sala", "choice_index": 5, "choice_text": "Salta"}, {"choice_index": 1}]',
         '2025-01-02 00:00:00', '2025-01-05 00:00:00');"#,
    );
    let storage = FakeStorage::new();
    let report = run(&storage, &path, options()).await.unwrap();
    let there = storage.community();
    assert_eq!(figures(&report, "narrative_fragments_unified"), [3, 2, 0, 1]);
    assert_eq!(figures(&report, "story_fragments"), [3, 1, 0, 2]);
    assert_eq!(
        reasons(&report, "narrative_choices"),
        ["3: its fragment is not in story_fragments"]
    );
    let start = &there.fragments[&slug("start")];
    assert!(start.is_start && start.choices.len() == 1, "{start:#?}");
    assert_eq!(start.choices[0].destination, slug("sala"));
    assert!(warned(&report, "narrative_fragments_unified", "start", "leads to nada"));
    assert_eq!(start.requirements, [Requirement::Lore(slug("llave"))]);
    assert_eq!(start.effects.len(), 2);
    assert!(!there.fragments[&slug("off")].is_active);
    let hall = &there.fragments[&slug("sala")];
    assert_eq!((hall.legacy_key.as_ref().unwrap().as_str(), hall.chapter_level), ("Sala", 2));
    assert_eq!(hall.auto_next, Some(slug("start")));
    assert_eq!((hall.requirements.len(), hall.effects.len(), hall.choices.len()), (2, 2, 1));

    let key = there.lore.iter().find(|piece| piece.code == slug("llave")).unwrap();
    assert!(!key.is_active, "switched off once those who had it have it");
    assert_eq!(key.requirements, [Requirement::Level(3)]);
    let found = &there.found[&(UserId(1), key.id)];
    assert_eq!(found.unlocked_at.to_string(), "2025-01-03T00:00:00Z");
    assert_eq!(found.context.as_ref().unwrap().value()["by"], "hint");
    assert_eq!(there.found.len(), 2);
    assert_eq!(figures(&report, "user_lore_pieces"), [2, 1, 0, 1]);
    let clues = "user_narrative_states_unified.unlocked_clues";
    assert_eq!(figures(&report, clues), [2, 1, 1, 0]);

    let state = &there.states[&UserId(1)];
    assert_eq!(state.current_fragment, Some(slug("sala")));
    assert_eq!(state.started_at.to_string(), "2025-01-02T00:00:00Z");
    let seen = |id: &str| &there.visits[&(UserId(1), slug(id))];
    assert!(seen("start").completed_at.is_some() && seen("sala").completed_at.is_none());
    assert!(seen("start").first_visited_at < seen("sala").first_visited_at);
    assert_eq!(there.decisions.len(), 1);
    assert_eq!(there.decisions[0].made_at.to_string(), "2025-01-04T00:00:00Z");
    let states = "user_narrative_states_unified";
    assert!(warned(&report, states, "1", "no longer one of sala"));
    assert!(warned(&report, states, "1", "visit left out"));
    assert_eq!(figures(&report, states), [2, 2, 0, 0]);
    assert_eq!(figures(&report, "user_narrative_states"), [1, 1, 0, 0]);
    changes_nothing_again(&storage, &path).await;
}

#[tokio::test]
async fn achievements_badges_and_rewards_are_held_and_not_paid() {
    let dir = tempfile::tempdir().unwrap();
    let path = bot(
        dir.path(),
        r#"INSERT INTO achievements VALUES ('Primer Día', 'Primero', 'checkins', 1, 'Bravo', NULL),
         ('raro', 'Raro', 'luck', 3, NULL, NULL);
         INSERT INTO user_achievements VALUES (1, 'Primer Día', '2025-01-02 00:00:00'), (2, 'nada', NULL);
         UPDATE users SET achievements = '{"conversador": {"unlocked_at": "2025-01-03T00:00:00",
           "context": {"messages": 100}}, "Primer Día": {"unlocked_at": "2025-01-09T00:00:00"}}'
           WHERE id = 1;
         INSERT INTO badges (id, name, requirement, condition_type, condition_value, is_active,
           grants_vip_access, vip_duration_days) VALUES
         (1, 'Veterano', 'Alcanzar nivel 5', NULL, NULL, 1, 0, NULL),
         (2, 'Mecenas', 'Ser generoso', NULL, NULL, 0, 1, 30),
         (3, 'Hablador', NULL, 'messages', 50, 1, 1, NULL), (4, 'mecenas', NULL, NULL, NULL, 1, 0, NULL);
         INSERT INTO user_badges VALUES (1, 1, 1, '2025-01-02'), (2, 1, 2, '2025-01-02'),
         (3, 2, 3, NULL), (4, 2, 9, NULL);
         INSERT INTO rewards VALUES (1, 'Taza', 50, 'physical', 1), (2, 'Nada', -5, NULL, 0);
         INSERT INTO user_rewards VALUES (1, 1, '2025-01-06 00:00:00'), (1, 2, NULL), (2, 7, NULL);"#,
    );
    let storage = FakeStorage::new();
    let report = run(&storage, &path, options()).await.unwrap();
    assert!(report.matches, "{report:#?}");
    let there = storage.community();
    assert_eq!(figures(&report, "achievements"), [3, 3, 0, 0], "one of the program's own");
    let first = &there.achievements[&slug("primer_d_a")];
    assert_eq!(first.criteria[0].metric.to_string(), "checkin_streak");
    assert!(there.achievements[&slug("raro")].criteria.is_empty());
    let held = &there.unlocks[&(UserId(1), slug("conversador"))];
    assert_eq!(held.context.as_ref().unwrap().value()["messages"], 100);
    assert!(there.unlocks.values().all(|held| held.points_awarded.minor() == 0));
    let first = &there.unlocks[&(UserId(1), slug("primer_d_a"))];
    assert_eq!(first.unlocked_at.to_string(), "2025-01-02T00:00:00Z");
    assert_eq!(figures(&report, "user_achievements"), [2, 1, 0, 1]);
    assert_eq!(figures(&report, "users.achievements"), [2, 1, 1, 0]);

    assert_eq!(figures(&report, "badges"), [4, 3, 0, 1]);
    let badge = |name: &str| there.badges.iter().find(|one| one.name.as_str() == name).unwrap();
    let rule = badge("Veterano").rule.as_ref().unwrap();
    assert_eq!((rule.metric.to_string().as_str(), rule.threshold), ("level", 5));
    assert_eq!(
        (badge("Mecenas").vip, badge("Mecenas").is_active),
        (Some(VipTerm::Days(30)), false)
    );
    assert_eq!(badge("Hablador").vip, Some(VipTerm::Lifetime));
    assert!(warned(&report, "badges", "2", "by hand"));
    assert_eq!(there.awards.len(), 3);
    assert!(there.awards.contains_key(&(UserId(1), BadgeId(2))));
    assert_eq!(reasons(&report, "user_badges"), ["4: its badge is not here"]);

    assert_eq!(figures(&report, "rewards"), [2, 2, 0, 0]);
    assert_eq!(figures(&report, "user_rewards"), [3, 2, 0, 1]);
    assert_eq!(there.items[0].offer.required_points.to_string(), "50.00");
    assert_eq!(there.items[0].offer.cost.minor(), 0);
    assert!(there.owned.values().all(|owned| owned.price_paid.minor() == 0));
    changes_nothing_again(&storage, &path).await;
}

#[tokio::test]
async fn what_is_here_already_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = bot(
        dir.path(),
        "INSERT INTO missions (id, name, type, created_at) VALUES ('a', 'A', 'daily', '2025-01-01');
         INSERT INTO badges (id, name, is_active) VALUES (1, 'B', 1);",
    );
    let storage = FakeStorage::new();
    run(&storage, &path, options()).await.unwrap();
    {
        let mut community = storage.community.lock().unwrap();
        community.missions.get_mut(&slug("a")).unwrap().sort_order = 9;
        community.badges[0].auto_permissions = true;
    }
    let again = run(&storage, &path, options()).await.unwrap();
    assert!(again.nothing_written() && again.warnings_total == 0, "edited here since: {again:#?}");
    let other = ImportOptions { source_name: Some("other".to_owned()), ..options() };
    let report = run(&storage, &path, other).await.unwrap();
    assert!(warned(&report, "missions", "a", "the one here is kept"));
    assert!(warned(&report, "badges", "1", "the one here is kept"));
    assert_eq!(storage.community().missions[&slug("a")].sort_order, 9);
    let importer = Importer::new(storage.clone(), Arc::new(FixedClock), options());
    let undone = importer.undo("other", |_| {}).await.unwrap();
    assert!(undone.complete && undone.undone == 2 && undone.stays.contains(&"missions"));
    assert_eq!(storage.community().missions.len(), 1);
}

#[tokio::test]
async fn facts_of_a_broken_off_run_are_written_by_the_next_one() {
    let dir = tempfile::tempdir().unwrap();
    let members: Vec<String> = (10..40).map(|id| format!("({id}, 0, '2025-01-01')")).collect();
    let entries: Vec<String> =
        (10..40).map(|id| format!("({id}, 'a', 1, 1, '2025-01-02 00:00:00')")).collect();
    let path = bot(
        dir.path(),
        &format!(
            "INSERT INTO missions (id, name, type) VALUES ('a', 'A', 'one_time');
             INSERT INTO users (id, points, created_at) VALUES {};
             INSERT INTO user_mission_entries (user_id, mission_id, progress_value, completed,
               completed_at) VALUES {};",
            members.join(", "),
            entries.join(", "),
        ),
    );
    let small = || ImportOptions { batch_members: 7, ..options() };
    let whole = run(&FakeStorage::new(), &path, small()).await.unwrap();
    assert_eq!(figures(&whole, "user_mission_entries"), [30, 29, 0, 1]);
    let reason = "a: user 13 does not exist";
    assert_eq!(reasons(&whole, "user_mission_entries"), [reason], "deleted meanwhile");
    for unit in 1..=5 {
        let storage = FakeStorage::new();
        storage.state.lock().unwrap().fail_unit = Some(unit);
        assert_eq!(run(&storage, &path, small()).await.unwrap_err().code(), "unavailable");
        assert!(storage.community().entries.len() < 29);
        let report = run(&storage, &path, small()).await.unwrap();
        assert!(report.matches, "{report:#?}");
        assert_eq!(storage.community().entries.len(), 29, "broken off at unit {unit}");
    }
}

#[tokio::test]
async fn a_dry_run_writes_no_definition_and_no_fact() {
    let dir = tempfile::tempdir().unwrap();
    let rows = "INSERT INTO missions (id, name, type) VALUES ('a', 'A', 'one_time');
                INSERT INTO user_mission_entries VALUES (1, 1, 'a', 1, 1, NULL);";
    let path = bot(dir.path(), rows);
    let storage = FakeStorage::new();
    let dry = ImportOptions { dry_run: true, ..options() };
    let report = run(&storage, &path, dry).await.unwrap();
    assert_eq!(figures(&report, "missions"), [1, 0, 0, 0]);
    assert_eq!(figures(&report, "user_mission_entries"), [1, 0, 0, 0]);
    assert_eq!(storage.community().writes, 0);
}
