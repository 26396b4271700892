//! Warming a cache.

use std::process::Command;

use serde_json::Value;

use crate::community::Place;

const TRIES: usize = 20;

#[test]
fn everything_is_loaded_and_it_is_told_that_memory_ends_with_the_process() {
    let place = Place::sqlite();
    let warmed = place.json("warm");
    assert_eq!((&warmed["kept"], &warmed["failed"]), (&false.into(), &0.into()), "{warmed}");
    let loaded = |part: &str| {
        let parts = warmed["parts"].as_array().unwrap();
        parts.iter().find(|it| it["part"] == part).unwrap()["loaded"].as_u64().unwrap()
    };
    let parts =
        ["levels", "missions", "story", "lore", "achievements", "badges", "store", "members"];
    // Of missions those that are switched on, and the list of them; of the story its start, too.
    assert_eq!(parts.map(loaded), [1, 3, 3, 1, 2, 2, 2, 2], "{warmed}");
    let some = place.json("warm --only members,store --members 1");
    let skipped = some["parts"].as_array().unwrap().iter().filter(|it| it["skipped"] == true);
    assert_eq!((&some["loaded"], skipped.count()), (&3.into(), 7), "{some}");
    assert!(place.shown("warm").contains("Nobody will find it"));

    place.is_bad_input(&["warm", "--only", "weather"], "part", "malformed");
    place.is_bad_input(&["warm", "--members", "100001"], "members", "out_of_range");
    place.is_bad_input(&["warm", "--entries", "20001"], "entries", "out_of_range");
    place.is_bad_input(&["warm", "--concurrency", "0"], "concurrency", "out_of_range");
    let off = "[cache]\nbackend = 'disabled'\n";
    std::fs::write(place.home.path().join("guildhall.toml"), off).unwrap();
    place.fails("warm", 2, "config");
}

#[test]
fn what_is_loaded_into_redis_is_there_for_the_next_process() {
    let redis = guildhall_testkit::server::redis_url();
    let place = Place::sqlite();
    let prefix = format!("cli-warm-{}", std::process::id());
    let json = |args: &[&str]| -> Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_guildhall"));
        command.current_dir(place.home.path()).args(["--json", "--redis", &redis]).args(args);
        let output = command.env("GUILDHALL_CACHE_PREFIX", &prefix).env_remove("RUST_LOG").output();
        let output = output.unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    // A write that finds Redis slow goes on without it, which a crowded machine may cause.
    for _ in 0..TRIES {
        assert_eq!(json(&["warm"])["kept"], true);
        let keys = ["mission:hello*", "narrative:fragment:gate*", "user:1:profile*"];
        let found = keys.map(|pattern| json(&["cache", "keys", pattern])["keys"].clone());
        if found.iter().all(|keys| *keys != Value::Array(vec![])) {
            return;
        }
    }
    panic!("{TRIES} rounds of warming left nothing in Redis");
}
