//! Missions: listed, advanced, completed, on both databases.

use serde_json::{Value, json};

use crate::community::Place;

fn ids(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect()
}

fn played_through(place: &Place) {
    let all = place.json("mission list --all");
    assert_eq!((ids(&all), &all["next_cursor"]), (vec!["hello", "later", "off"], &Value::Null));
    let hello = &all["items"][0];
    let objective = json!({"kind": "action", "key": "message", "target": 3, "mode": "add",
                           "description": null});
    assert_eq!(hello["objectives"], json!([objective]));
    assert_eq!(hello["rewards"], json!([{"kind": "points", "key": null, "amount": "12.00"}]));
    assert_eq!(hello["standing"], Value::Null);
    let first = place.json("mission list --limit 1");
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(ids(&place.json(&format!("mission list --after {cursor}"))), ["later"]);

    let step = place.json("mission advance @ada hello");
    let expected = json!({"replayed": false, "mission": "hello", "period": "once",
        "progress_bp": 3333, "completed": false,
        "objectives": [{"idx": 0, "value": 1, "target": 3}]});
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&step[field], value, "{field}: {step}");
    }
    let keyed = place.json("mission advance @ada hello 1 --key step-2");
    let again = place.json("mission advance @ada hello 1 --key step-2");
    assert_eq!((&keyed["replayed"], &again["replayed"]), (&false.into(), &true.into()));
    assert_eq!((&keyed["progress_bp"], &again["progress_bp"]), (&6666.into(), &6666.into()));
    place.fails("mission advance @ada hello 2 --key step-2", 1, "conflict");
    let standing = &place.json("mission list --user @ada")["items"][0]["standing"];
    assert_eq!((&standing["status"], &standing["progress_bp"]), (&"active".into(), &6666.into()));

    let done = place.json("mission advance @ada hello 5");
    assert_eq!((&done["completed"], &done["progress_bp"]), (&true.into(), &10_000.into()));
    // Completing it pays 12, and unlocks an achievement that pays 10.
    assert_eq!(done["effects"]["points"], "22.00", "{done}");
    assert_eq!(done["effects"]["achievements"], json!(["first_mission"]));
    let after = place.json("mission advance @ada hello");
    assert_eq!((&after["replayed"], &after["effects"]["points"]), (&true.into(), &"0.00".into()));
    place.fails("mission complete @ada hello", 1, "invalid_state");
    place.fails("mission complete @ada off", 1, "invalid_state");

    let by_hand = place.json("mission complete @bob hello --key by-hand");
    assert_eq!(by_hand["completed"], true, "{by_hand}");
    assert_eq!(place.json("mission complete @bob hello --key by-hand")["replayed"], true);
    let bob = place.json("user show @bob");
    assert_eq!(bob["points"]["balance"], "22.00", "{bob}");
    assert_eq!(place.json("verify")["clean"], true);

    let table = place.shown("mission list --user @bob");
    assert!(
        table.contains("hello") && table.contains("100.0 %") && table.contains("done"),
        "{table}"
    );
    assert!(place.shown("mission list").contains("action message x 3"));
    let told = place.shown("mission advance @bob later 4");
    assert!(told.contains("44.4 % of mission later (once)"), "{told}");
}

#[test]
fn missions_are_played_on_sqlite() {
    played_through(&Place::sqlite());
}

#[tokio::test(flavor = "multi_thread")]
async fn missions_are_played_on_postgres() {
    let schema = guildhall_testkit::server::postgres_schema().await;
    let url = schema.url();
    tokio::task::spawn_blocking(move || played_through(&Place::at(&url))).await.unwrap();
}

#[test]
fn bad_input_names_the_argument_and_what_is_wrong_with_it() {
    let place = Place::sqlite();
    let (long, long_key) = ("x".repeat(101), "k".repeat(201));
    let advance = |rest: &[&str], field: &str, rule: &str| {
        place.is_bad_input(&[&["mission", "advance"], rest].concat(), field, rule);
    };
    advance(&["@ada", "dig deep"], "mission", "malformed");
    advance(&["@ada", "Hello"], "mission", "malformed");
    advance(&["@ada", ""], "mission", "empty");
    advance(&["@ada", &long], "mission", "too_long");
    advance(&["@ada", "nothing"], "mission", "unknown");
    for amount in ["0", "-1", "1.5", "NaN", "1e400", "99999999999999999999"] {
        advance(&["@ada", "hello", amount], "amount", "out_of_range");
    }
    advance(&["@ada", "hello", "1", "--objective", "1"], "objective", "unknown");
    advance(&["@ada", "hello", "1", "--key", &long_key], "idem_key", "too_long");
    advance(&["@nobody", "hello"], "user", "unknown");
    advance(&["99", "hello"], "user", "unknown");
    advance(&["ada", "hello"], "user", "malformed");
    place.is_bad_input(&["mission", "complete", "@ada", "nothing"], "mission", "unknown");
    place.is_bad_input(&["mission", "list", "--limit", "201"], "limit", "out_of_range");
    place.is_bad_input(&["mission", "list", "--after", "x~1"], "cursor", "malformed");
    // Nothing was done by any of it.
    let standing = &place.json("mission list --user @ada")["items"][0]["standing"];
    assert_eq!(standing["progress_bp"], 0, "{standing}");
}
