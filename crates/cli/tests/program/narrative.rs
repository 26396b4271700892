//! The check of the story.

use guildhall_adapter::{Config, Guildhall};
use guildhall_testkit::builder::{decision, fragment};
use serde_json::{Value, json};

use crate::community::Place;

#[test]
fn a_sound_story_ends_with_zero_and_every_fault_is_named() {
    let place = Place::sqlite();
    let sound = place.json("narrative check");
    let expected = json!({"sound": true, "fragments": 2, "starts": ["gate"], "endings": ["field"],
        "unreachable": [], "dead_ends": [], "cycles": [], "missing": []});
    assert_eq!(sound, expected);
    assert!(place.shown("narrative check").contains("The story is sound"));

    let url = format!("sqlite://{}", place.home.path().join("guildhall.db").display());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let config = Config::builder().database(&url).build().unwrap();
        let guildhall = Guildhall::connect(config).await.unwrap();
        let (story, now) = (guildhall.storage().narrative(), guildhall.clock().now());
        let gone = fragment("gone");
        let faults = [
            fragment("island"),
            decision("left", &["right"]),
            decision("right", &["left", "gone"]),
        ];
        let new: Vec<_> = faults.into_iter().chain([gone]).collect();
        assert!(story.import_fragments(&new, false, now).await.unwrap().written);
        story.delete_fragment(&"gone".parse().unwrap(), true, now).await.unwrap();
    });

    let output = place.home.run("narrative check --json");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["sound"], &told["fragments"]), (&false.into(), &5.into()), "{told}");
    assert_eq!(told["unreachable"], json!(["island", "left", "right"]));
    assert_eq!(told["dead_ends"], json!(["island"]));
    assert_eq!(told["cycles"], json!([["left", "right"]]));
    assert_eq!(told["missing"], json!([{"from": "right", "choice": 1, "to": "gone"}]));
    let output = place.home.run("narrative check");
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("dead end") && table.contains("right, choice 1, to gone"), "{table}");
    assert!(table.contains("6 fault(s) among 5 active fragment(s)."), "{table}");
}
