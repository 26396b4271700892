//! A JSON user store is imported: validated, written and audited.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use guildhall_diesel::SqliteDurability;
use guildhall_domain::SystemClock;
use guildhall_import::{ImportOptions, Importer};
use guildhall_repository::Storage;
use guildhall_testkit::server::sqlite_file;

use crate::Bench;
use crate::setup::{Postgres, Sqlite};
use crate::table::{Row, Unit};

pub(crate) async fn run(bench: Bench) -> Vec<Row> {
    let members = if bench.quick { 5_000 } else { 100_000 };
    let place = sqlite_file();
    let file = place.directory().join("store.json");
    write_store(&file, members);
    let row = |what: &str, rate| {
        let what = format!("{what}: JSON store of {members} members, in one run");
        Row::once("import", what, rate, Unit::Rate)
    };

    let sqlite = Sqlite::with_members(0, SqliteDurability::Full).await;
    let on_sqlite = import(&sqlite.storage, &file, members).await;
    drop(sqlite);
    let postgres = Postgres::start().await;
    let on_postgres = import(&postgres.storage, &file, members).await;
    postgres.remove().await;
    vec![row("SQLite", on_sqlite).figure_at_least(5_000.0), row("PostgreSQL", on_postgres)]
}

/// Members a second.
async fn import(storage: &Arc<dyn Storage>, file: &Path, members: u64) -> f64 {
    let options = ImportOptions::default();
    let importer = Importer::new(Arc::clone(storage), Arc::new(SystemClock), options);
    let began = Instant::now();
    let report = importer.run(file, |_| {}).await.unwrap();
    let seconds = began.elapsed().as_secs_f64();
    assert!(report.matches && report.totals.members_target == members, "{:?}", report.totals);
    members as f64 / seconds
}

/// A store as statistics bots keep it; the same for the same number of members.
fn write_store(file: &Path, members: u64) {
    let mut random = fastrand::Rng::with_seed(7);
    let mut out = BufWriter::new(File::create(file).unwrap());
    writeln!(out, "{{\"users\": [").unwrap();
    for index in 0..members {
        let comma = if index + 1 < members { "," } else { "" };
        writeln!(out, "{}{comma}", member(index, &mut random)).unwrap();
    }
    writeln!(out, "], \"analytics\": {{\"total_users\": {members}}}}}").unwrap();
    out.flush().unwrap();
}

fn member(index: u64, random: &mut fastrand::Rng) -> serde_json::Value {
    let linked = random.u8(..) < 200;
    let player = format!("{:08x}-{:04x}-4abc-8def-{index:012x}", random.u32(..), random.u16(..));
    let (day, hour) = (random.u8(1..29), random.u8(..24));
    let mut member = serde_json::json!({
        "user_id": 100_000_000 + index * 37,
        "faceit_player_id": linked.then_some(player),
        "faceit_nickname": linked.then(|| format!("Ночной Волк_{index}")),
        "last_checked_match_id": linked.then(|| format!("1-{:032x}", random.u128(..))),
        "waiting_for_nickname": !linked,
        "language": if random.u8(..) < 180 { "ru" } else { "en" },
        "notifications_enabled": random.u8(..) < 220,
        "created_at": format!("2025-{:02}-{day:02}T{hour:02}:30:00", random.u8(1..13)),
        "last_active_at": linked.then(|| format!("2026-01-{day:02}T{hour:02}:30:00.250000")),
        "total_requests": random.u32(..500),
    });
    if random.u8(..) < 60 {
        member["subscription"] = serde_json::json!({
            "tier": "premium",
            "expires_at": "2026-12-31T00:00:00",
            "auto_renew": false,
            "referral_code": format!("REF{index}"),
        });
    }
    member
}
