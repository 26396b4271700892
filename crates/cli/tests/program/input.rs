//! What people type, whatever the command: a refusal that names the argument and touches nothing, or
//! the text exactly as it was written.

use std::path::Path;

use guildhall_adapter::domain::{MissionPatch, NewFragment, Objective};
use guildhall_adapter::{Config, Guildhall};
use guildhall_testkit::builder::{achievement, badge, decision, fragment, label, mission, title};
use serde_json::{Value, json};

use crate::Home;
use crate::community::Place;

/// Joined, right to left, decomposed, turned around, quoted, and what commands a terminal.
const TEXTS: [&str; 6] = [
    "👩‍👩‍👧‍👦 🏴‍☠️ 🇺🇳 👍🏽",
    "שלום עולם — مرحبا ١٢٣",
    "e\u{301} ≠ é; ﬁ; ａ; Ǆ",
    "\u{202e}txet desrever\u{202c} \"quoted\" 'single' \\ % _ ; --",
    "line one\nline two\tand a tab",
    "\u{1b}[2Jnothing to see",
];

/// Something done by the library, on the database of a place.
fn on_the_side(place: &Place, act: impl AsyncFnOnce(&Guildhall)) {
    let url = format!("sqlite://{}", place.home.path().join("guildhall.db").display());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let config = Config::builder().database(&url).build().unwrap();
        act(&Guildhall::connect(config).await.unwrap()).await;
    });
}

fn entries(place: &Place) -> usize {
    let page = place.json("points history @ada --limit 200");
    page["items"].as_array().unwrap().len()
}

#[test]
fn amounts_are_more_than_nothing_and_finite() {
    let place = Place::sqlite();
    let before = entries(&place);
    let unfit = [
        "0",
        "-0",
        "0.00",
        "-1",
        "-0.01",
        "0.001",
        "1e400",
        "1e2",
        "NaN",
        "nan",
        "inf",
        "-inf",
        "",
        " ",
        "١٢",
        "１",
        "1,5",
        "1_000",
        "0x10",
        "+-1",
        ".",
        "90000000000001e9",
        "99999999999999999999999999",
        "12 points",
        "🦀",
    ];
    for amount in unfit {
        for command in [
            &["points", "award", "@ada"][..],
            &["points", "deduct", "@ada"],
            &["points", "transfer", "@ada", "@bob"],
        ] {
            let args = [command, &["--", amount]].concat();
            let options = ["--json"];
            let output = place.home.run_with(&[&options[..], &args].concat());
            let told: Value = serde_json::from_slice(&output.stderr).unwrap();
            let told = &told["error"];
            let code = (output.status.code(), told["kind"].as_str(), told["field"].as_str());
            assert_eq!(code, (Some(2), Some("validation"), Some("amount")), "{args:?}: {told}");
        }
    }
    place.is_bad_input(&["points", "transfer", "@ada", "@ada", "1"], "to", "self_target");
    assert_eq!(entries(&place), before);
}

#[test]
fn every_list_has_a_limit_and_every_cursor_its_list() {
    let place = Place::sqlite();
    let lists = [
        "points history @ada",
        "leaderboard",
        "mission list",
        "mission list --user @ada",
        "achievement list",
        "achievement list --user @ada",
        "badge list",
        "store list",
    ];
    for list in lists {
        for limit in ["0", "10000", "4294967295"] {
            let args: Vec<&str> = list.split(' ').chain(["--limit", limit]).collect();
            place.is_bad_input(&args, "limit", "out_of_range");
        }
        for limit in ["-1", "4294967296", "1.5", "1e3", "NaN", "", "all"] {
            let args: Vec<&str> = list.split(' ').chain(["--limit", limit]).collect();
            let (code, error) = place.home.refused_with(&args);
            assert_eq!((code, error["kind"].as_str()), (2, Some("usage")), "{args:?}: {error}");
        }
        place.json(&format!("{list} --limit 1"));
    }
    for list in ["points history @ada", "mission list", "achievement list", "badge list"] {
        for cursor in ["", "x", "store.items~1", "🦀", "missions~", &"9".repeat(10_000)] {
            let args: Vec<&str> = list.split(' ').chain(["--after", cursor]).collect();
            let (code, error) = place.home.refused_with(&args);
            let told = (code, error["kind"].as_str(), error["field"].as_str());
            assert_eq!(told, (2, Some("validation"), Some("cursor")), "{args:?}: {error}");
        }
    }
    place.is_bad_input(&["leaderboard", "--offset", "10001"], "offset", "out_of_range");
}

#[test]
fn a_slug_is_a_key_and_no_text() {
    let place = Place::sqlite();
    let long = "a".repeat(100_000);
    for (raw, rule) in [
        ("two words", "malformed"),
        ("UPPER", "malformed"),
        ("🦀", "malformed"),
        ("שלום", "malformed"),
        ("a/b", "malformed"),
        ("a'; DROP TABLE missions; --", "malformed"),
        ("", "empty"),
        ("   ", "empty"),
        (&long, "too_long"),
        ("nothing.at:all", "unknown"),
    ] {
        for (command, field) in [
            (&["mission", "advance", "@ada"][..], "mission"),
            (&["mission", "complete", "@ada"], "mission"),
            (&["achievement", "unlock", "@ada"], "achievement"),
        ] {
            place.is_bad_input(&[command, &[raw]].concat(), field, rule);
        }
        if rule != "unknown" {
            for command in [&["points", "award", "@ada", "1"][..], &["points", "history", "@ada"]] {
                place.is_bad_input(&[command, &["--source", raw]].concat(), "source", rule);
            }
            let args = ["achievement", "list", "--category", raw];
            place.is_bad_input(&args, "category", rule);
        }
    }
    assert_eq!(place.json("user show @ada")["missions"]["started"], 0);
}

#[test]
fn members_and_things_that_are_not_there_are_named() {
    let place = Place::sqlite();
    let long = format!("@{}", "a".repeat(100_000));
    for (user, rule) in [
        ("@nobody", "unknown"),
        ("999999", "unknown"),
        ("telegram:1", "unknown"),
        ("other:forum:🦀", "unknown"),
        ("@🦀ہے", "unknown"),
    ] {
        for args in [
            &["user", "show", user][..],
            &["points", "award", user, "1"],
            &["points", "deduct", user, "1"],
            &["points", "transfer", user, "@ada", "1"],
            &["points", "transfer", "@ada", user, "1"],
            &["points", "history", user],
            &["mission", "list", "--user", user],
            &["mission", "advance", user, "hello"],
            &["mission", "complete", user, "hello"],
            &["achievement", "list", "--user", user],
            &["achievement", "evaluate", user],
            &["achievement", "unlock", user, "by_hand"],
            &["badge", "award", user, "Founder"],
            &["badge", "award", "@ada", "Founder", "--by", user],
            &["badge", "revoke", user, "Founder"],
            &["store", "buy", user, "1"],
        ] {
            place.is_bad_input(args, "user", rule);
        }
    }
    let told = place.home.run_with(&["user", "show", "@\u{1b}[2Jada"]);
    assert_eq!(told.status.code(), Some(2), "{told:?}");
    assert!(!told.stderr.contains(&0x1b), "no command for the terminal: {told:?}");
    for user in ["", "0", "-1", "ada", "9223372036854775808", "1e400", "NaN", "@", &long] {
        let output = place.home.run_with(&["--json", "user", "show", "--", user]);
        let told: Value = serde_json::from_slice(&output.stderr).unwrap();
        let error = &told["error"];
        let ended = (output.status.code(), error["kind"].as_str());
        assert_eq!(ended, (Some(2), Some("validation")), "{user}: {error}");
        assert!(error["field"].is_string() && error["rule"].is_string(), "{error}");
        assert!(error.to_string().len() < 1_000, "the text itself is not repeated");
    }
}

#[test]
fn texts_come_back_as_they_were_written() {
    let place = Place::sqlite();
    on_the_side(&place, async |guildhall| {
        let (on, now) = (guildhall.storage(), guildhall.clock().now());
        for (n, text) in TEXTS.into_iter().enumerate() {
            let mut new = mission(&format!("t{n}"), 1);
            new.title = title(text);
            on.missions().create(&new, now).await.unwrap();
            let mut new = achievement(&format!("t{n}"), &[]);
            new.title = label(text);
            on.achievements().create(&new, now).await.unwrap();
            on.badges().create(&badge(text), now).await.unwrap();
        }
    });
    for (n, text) in TEXTS.into_iter().enumerate() {
        let key = format!("{n} {text}");
        let args = ["points", "award", "@ada", "1", "--json", "--ref", text, "--description", text];
        let first = place.home.run_with(&[&args[..], &["--key", &key]].concat());
        let told: Value = serde_json::from_slice(&first.stdout).unwrap();
        assert_eq!((&told["entry"]["ref"], &told["replayed"]), (&text.into(), &false.into()));
        let again = place.home.run_with(&[&args[..], &["--key", &key]].concat());
        let told: Value = serde_json::from_slice(&again.stdout).unwrap();
        assert_eq!(told["replayed"], true, "{told}");
        let page = place.json("points history @ada --limit 1");
        let entry = &page["items"][0];
        assert_eq!((&entry["ref"], &entry["description"]), (&text.into(), &text.into()));
        let missions = place.json("mission list");
        let one =
            missions["items"].as_array().unwrap().iter().find(|it| it["id"] == format!("t{n}"));
        assert_eq!(one.unwrap()["title"], text);
        let given = place.home.run_with(&["badge", "award", "@ada", text, "--json"]);
        assert!(given.status.success(), "{given:?}");
        let badges = &place.json("user show @ada")["achievements"]["badges"];
        assert!(badges.as_array().unwrap().iter().any(|badge| badge["name"] == text), "{badges}");
        let taken = ["badge", "revoke", "@ada", text, "--reason", text, "--json"];
        assert!(place.home.run_with(&taken).status.success());
    }
    // People get the words, and no command for their terminal.
    for args in ["mission list", "achievement list", "badge list", "points history @ada"] {
        assert!(!place.shown(args).contains('\u{1b}'), "{args}");
    }
    assert_eq!(place.json("verify")["clean"], true);
}

#[test]
fn texts_that_are_too_long_are_refused_by_name() {
    let place = Place::sqlite();
    let before = entries(&place);
    let long = "🦀".repeat(25_000);
    for (args, field) in [
        (&["points", "award", "@ada", "1", "--description", &long][..], "description"),
        (&["points", "award", "@ada", "1", "--ref", &long], "source_ref"),
        (&["points", "award", "@ada", "1", "--key", &long], "idem_key"),
        (&["points", "deduct", "@ada", "1", "--description", &long], "description"),
        (&["points", "transfer", "@ada", "@bob", "1", "--description", &long], "description"),
        (&["points", "transfer", "@ada", "@bob", "1", "--key", &long], "idem_key"),
        (&["mission", "complete", "@ada", "hello", "--key", &long], "idem_key"),
        (&["store", "buy", "@ada", "1", "--key", &long], "idem_key"),
        (&["badge", "award", "@ada", &long], "badge"),
        (&["badge", "revoke", "@ada", &long], "badge"),
        (&["badge", "revoke", "@ada", "Founder", "--reason", &long], "description"),
    ] {
        place.is_bad_input(args, field, "too_long");
        let (_, error) = place.home.refused_with(args);
        assert!(!error.to_string().contains('🦀'), "the text itself is not repeated");
    }
    assert_eq!(entries(&place), before);
}

/// A circle, a second start, a way to what was deleted; and a target that is met all at once.
#[test]
fn catalogues_that_changed_under_their_members_are_told_or_paid_once() {
    let place = Place::sqlite();
    place.json("mission advance @ada later 4");
    on_the_side(&place, async |guildhall| {
        let (on, now) = (guildhall.storage(), guildhall.clock().now());
        let later = "later".parse().unwrap();
        let lower = vec![Objective::action("message".parse().unwrap(), 2)];
        let lower = MissionPatch { objectives: Some(lower), ..MissionPatch::default() };
        on.missions().update(&later, &lower, 1, now).await.unwrap();
        let faults = [decision("a", &["b", "gone"]), decision("b", &["a"]), fragment("gone")];
        let story: Vec<NewFragment> = faults.into();
        assert!(on.narrative().import_fragments(&story, false, now).await.unwrap().written);
        on.narrative().delete_fragment(&"gone".parse().unwrap(), true, now).await.unwrap();
    });
    let list = place.json("mission list --user @ada");
    let later = list["items"].as_array().unwrap().iter().find(|it| it["id"] == "later").unwrap();
    assert_eq!(
        (&later["standing"]["status"], later["standing"]["progress_bp"].as_u64()),
        (&"active".into(), Some(10_000))
    );
    assert_eq!(place.json("mission advance @ada later")["completed"], true);
    assert_eq!(place.json("mission advance @ada later")["replayed"], true);
    let output = place.home.run("narrative check --json");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &told["cycles"]), (Some(1), &json!([["a", "b"]])), "{told}");
    assert_eq!(told["missing"], json!([{"from": "a", "choice": 1, "to": "gone"}]));
    assert_eq!(place.json("verify")["clean"], true);
}

#[test]
fn a_folder_is_no_database_whatever_the_command() {
    let home = Home::new();
    let folder = home.path().join("folder.db");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(home.path().join("story.json"), "{}").unwrap();
    for args in [
        "migrate",
        "migrate up",
        "verify",
        "leaderboard",
        "user show 1",
        "warm",
        "points award 1 1",
        "points history 1",
        "mission list",
        "mission advance 1 a",
        "achievement list",
        "badge list",
        "narrative check",
        "store list",
        "outbox status",
        "load --acks acks --seconds 1",
        "demo --members 10 --seconds 1",
        "import story.json",
    ] {
        let (code, error) = home.refused(&format!("{args} --database sqlite://folder.db"));
        assert_eq!((code, error["kind"].as_str()), (1, Some("unavailable")), "{args}: {error}");
    }
    let output = home.run("health --json --database sqlite://folder.db");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &told["database"]["up"]), (Some(1), &false.into()), "{told}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}

fn configured(home: &Home, text: &str) -> (i32, Value) {
    std::fs::write(home.path().join("guildhall.toml"), text).unwrap();
    home.refused("config show")
}

#[test]
fn a_configuration_that_cannot_be_is_refused_with_its_key() {
    let home = Home::new();
    for (text, named) in [
        ("[pool]\nmaximum = 3\n", "pool.maximum"),
        ("[pol]\nmax = 3\n", "pol"),
        ("colour = \"red\"\n", "colour"),
        ("[pool]\nmax = 0\n", "pool.max"),
        ("[pool]\nmax = -1\n", "pool.max"),
        ("[pool]\nmax = nan\n", "pool.max"),
        ("[pool]\nmax = 1e400\n", ""),
        ("[pool]\nmax = \"🦀\"\n", "pool.max"),
        ("[pool]\nmax = []\n", "pool.max"),
        ("[database]\nurl = \"sqlite://a\\u0000b.db\"\n", "database.url"),
        ("[database]\nurl = \"\"\n", "database.url"),
        ("[database]\nurl = \"sqlite://\"\n", "database.url"),
        ("[outbox]\nenabled = \"perhaps\"\n", "outbox.enabled"),
        ("[pool\nmax = 3\n", ""),
        ("\u{0}", ""),
    ] {
        let (code, error) = configured(&home, text);
        let text: String = text.chars().take(60).collect();
        assert_eq!((code, error["kind"].as_str()), (2, Some("config")), "{text}: {error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(named) && message.len() < 2_000, "{text}: {error}");
    }
    std::fs::write(home.path().join("guildhall.toml"), [0xff, 0xfe, 0x00]).unwrap();
    let (code, error) = home.refused("config show");
    assert_eq!((code, error["kind"].as_str()), (2, Some("config")), "{error}");
}

/// Ten megabytes, NUL, no UTF-8, nothing at all.
#[test]
fn files_that_are_nothing_are_told_and_bring_nothing() {
    let home = Home::new();
    let huge = "a".repeat(10_000_000);
    let user = |name: &str| json!({"1": {"name": name}}).to_string();
    for (content, name) in [
        (huge.clone().into_bytes(), "huge.json"),
        (user(&huge).into_bytes(), "name.json"),
        (vec![0; 4_096], "nul.json"),
        (vec![0xff; 4_096], "bytes.json"),
        (Vec::new(), "empty.json"),
        (b"[[[[[".to_vec(), "open.json"),
        ("[".repeat(1_000_000).into_bytes(), "deep.json"),
    ] {
        std::fs::write(home.path().join(name), content).unwrap();
        let (code, error) = home.refused(&format!("import {name} --dry-run"));
        assert_eq!(code, 1, "{name}: {error}");
        assert!(error["kind"].is_string() && error.to_string().len() < 2_000, "{name}: {error}");
    }
    let (code, error) = home.refused("import . --dry-run");
    assert_eq!(code, 1, "{error}");
    assert!(!Path::new(&home.path().join("guildhall.db")).exists());

    let place = Place::sqlite();
    std::fs::write(place.home.path().join("acks"), &huge).unwrap();
    // Half a line was never an acknowledgement.
    let checked = place.json("load --check acks");
    assert_eq!((&checked["acknowledged"], &checked["missing"]), (&0.into(), &0.into()));
}

#[cfg(unix)]
#[test]
fn arguments_that_are_no_text_are_refused() {
    use std::os::unix::ffi::OsStrExt;
    use std::process::Command;
    let home = Home::new();
    for args in [&["user", "show"][..], &["points", "award", "1"], &["mission", "advance", "@ada"]]
    {
        let mut command = Command::new(env!("CARGO_BIN_EXE_guildhall"));
        command.current_dir(home.path()).arg("--json").args(args);
        let output = command.arg(std::ffi::OsStr::from_bytes(b"\xff\xfe")).output().unwrap();
        let told: Value = serde_json::from_slice(&output.stderr).unwrap();
        let told = (output.status.code(), told["error"]["kind"].as_str());
        assert_eq!(told, (Some(2), Some("usage")), "{args:?}");
    }
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_path_may_be_written_in_any_script() {
    let home = Home::new();
    let name = "données 🦀 שלום.db";
    let url = format!("sqlite://{name}");
    assert!(home.run_with(&["migrate", "up", "--database", &url]).status.success());
    assert!(home.path().join(name).exists());
}
