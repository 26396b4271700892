//! Small legacy files.

use std::path::{Path, PathBuf};

use diesel::Connection;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;

pub(crate) const SCHEMA: &str = "
CREATE TABLE users (id BIGINT NOT NULL, username VARCHAR, first_name VARCHAR, last_name VARCHAR,
  points FLOAT, level INTEGER, achievements JSON, missions_completed JSON, created_at DATETIME,
  updated_at DATETIME, role VARCHAR, vip_expires_at DATETIME, last_reminder_sent_at DATETIME,
  menu_state VARCHAR, is_admin BOOLEAN, PRIMARY KEY (id));
CREATE TABLE user_stats (user_id BIGINT NOT NULL, last_activity_at DATETIME,
  last_checkin_at DATETIME, last_daily_gift_at DATETIME, messages_sent INTEGER,
  checkin_streak INTEGER, last_roulette_at DATETIME, days_active INTEGER,
  last_reaction_at DATETIME, PRIMARY KEY (user_id));
CREATE TABLE point_transactions (id INTEGER NOT NULL, user_id BIGINT NOT NULL,
  amount FLOAT, balance_after FLOAT, source VARCHAR(50), description TEXT,
  created_at DATETIME, PRIMARY KEY (id));
CREATE TABLE vip_subscriptions (user_id BIGINT NOT NULL, expires_at DATETIME, created_at DATETIME,
  PRIMARY KEY (user_id));
CREATE TABLE vip_transactions (id INTEGER NOT NULL, user_id BIGINT, action VARCHAR, source VARCHAR,
  source_id INTEGER, duration_days INTEGER, expires_at DATETIME, is_active BOOLEAN,
  created_at DATETIME, notes VARCHAR, PRIMARY KEY (id));
CREATE TABLE levels (level_id INTEGER NOT NULL, name VARCHAR NOT NULL, min_points INTEGER NOT NULL,
  reward VARCHAR, unlocks_lore_piece_code VARCHAR, PRIMARY KEY (level_id));
CREATE TABLE missions (id VARCHAR NOT NULL, name VARCHAR, PRIMARY KEY (id));
";

/// A file of the given statements.
pub(crate) fn file(dir: &Path, name: &str, statements: &str) -> PathBuf {
    let path = dir.join(name);
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    conn.batch_execute(statements).unwrap();
    path
}

/// A bot's file with `rows` inserted.
pub(crate) fn bot(dir: &Path, rows: &str) -> PathBuf {
    file(dir, "bot.sqlite", &format!("{SCHEMA}{rows}"))
}

/// A bot's file with `members`, each with `entries` of one point.
pub(crate) fn crowd(dir: &Path, members: u32, entries: u32) -> PathBuf {
    let rows = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {members})
         INSERT INTO users (id, username, points, created_at, role)
         SELECT 1000 + i * 3, 'member_' || i, {entries}, '2025-01-01 00:00:00', 'free' FROM n;
         WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n
                                 WHERE i < {members} * {entries} - 1)
         INSERT INTO point_transactions
         SELECT i + 1, 1000 + (i % {members} + 1) * 3, 1.0, 0, 'unknown', NULL,
                '2025-01-02 00:00:00' FROM n;"
    );
    bot(dir, &rows)
}

/// The real file, when this is the workspace it is shared with.
pub(crate) fn real() -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = workspace.join("../shared/data/legacy/community-bot.sqlite");
    if path.exists() {
        return Some(path);
    }
    eprintln!("NOT TESTED: {} is absent", path.display());
    None
}
