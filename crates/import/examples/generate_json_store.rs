//! Writes a believable JSON user store, the same for the same number:
//! `cargo run -p guildhall-import --example generate_json_store -- 100000 > data.json`

use std::io::{BufWriter, Write};

const NICKNAMES: [&str; 8] = [
    "s1mple_fan",
    "Ночной Волк",
    "headshot",
    "Żubr",
    "クラッチ",
    "eco_king",
    "Lucía",
    "ace_of_base",
];

fn main() -> std::io::Result<()> {
    let Some(members) = std::env::args().nth(1).and_then(|arg| arg.parse::<u64>().ok()) else {
        eprintln!("usage: generate_json_store MEMBERS > data.json");
        std::process::exit(2);
    };
    let mut random = fastrand::Rng::with_seed(7);
    let mut out = BufWriter::new(std::io::stdout().lock());
    writeln!(out, "{{\n  \"users\": [")?;
    for index in 0..members {
        let comma = if index + 1 < members { "," } else { "" };
        writeln!(out, "{}{comma}", member(index, &mut random))?;
    }
    writeln!(
        out,
        "  ],\n  \"analytics\": {{\"total_users\": {members}, \"daily_stats\": {{}}}}\n}}"
    )?;
    out.flush()
}

fn member(index: u64, random: &mut fastrand::Rng) -> serde_json::Value {
    let linked = random.u8(..) < 200;
    let player = format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        random.u32(..),
        random.u16(..),
        random.u16(..) & 0xfff,
        random.u16(..) & 0xfff,
        index
    );
    let (day, hour, minute) = (random.u8(1..29), random.u8(..24), random.u8(..60));
    let mut member = serde_json::json!({
        "user_id": 100_000_000 + index * 37,
        "faceit_player_id": linked.then_some(player),
        "faceit_nickname": linked.then(|| format!("{}_{index}", NICKNAMES[index as usize % 8])),
        "last_checked_match_id": linked.then(|| format!("1-{:032x}", random.u128(..))),
        "waiting_for_nickname": !linked,
        "language": if random.u8(..) < 180 { "ru" } else { "en" },
        "notifications_enabled": random.u8(..) < 220,
        "created_at": format!("2025-{:02}-{day:02}T{hour:02}:{minute:02}:00", random.u8(1..13)),
        "last_active_at": linked.then(|| format!("2026-01-{day:02}T{hour:02}:{minute:02}:00.250000")),
        "total_requests": random.u32(..500),
    });
    if random.u8(..) < 60 {
        member["subscription"] = serde_json::json!({
            "tier": "premium",
            "expires_at": "2026-12-31T00:00:00",
            "auto_renew": false,
            "daily_requests": random.u8(..20),
            "referral_code": format!("REF{index}"),
        });
    }
    member
}
