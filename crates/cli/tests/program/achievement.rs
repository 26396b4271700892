//! Achievements and badges: listed, given, taken.

use serde_json::json;

use crate::community::Place;

#[test]
fn achievements_are_unlocked_by_hand_and_by_rule_once() {
    let place = Place::sqlite();
    let all = place.json("achievement list");
    let ids: Vec<_> = all["items"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!(ids, ["by_hand", "first_mission"]);
    let asked = json!([{"metric": "missions", "comparison": "gte", "threshold": 1}]);
    assert_eq!(all["items"][1]["criteria"], asked);
    assert_eq!(all["items"][1]["reward_points"], "10.00");

    let first = place.json("achievement unlock @ada by_hand --source quiz");
    assert_eq!((&first["replayed"], &first["unlocked"]["source"]), (&false.into(), &"quiz".into()));
    let again = place.json("achievement unlock @ada by_hand --source other");
    assert_eq!((&again["replayed"], &again["unlocked"]["source"]), (&true.into(), &"quiz".into()));

    let nothing = place.json("achievement evaluate @ada");
    assert_eq!(
        (&nothing["replayed"], &nothing["effects"]["points"]),
        (&true.into(), &"0.00".into())
    );
    let honours = place.json("achievement list --user @ada");
    assert_eq!(honours["held"][0]["achievement"], "by_hand");
    assert_eq!(honours["pending"][0]["criteria"][0]["value"], 0);
    // The rule is fulfilled by now, and looked at by the workflow itself.
    let done = place.json("mission complete @ada hello");
    assert_eq!(done["effects"]["achievements"], json!(["first_mission"]));
    let honours = place.json("achievement list --user @ada");
    assert_eq!(honours["held"].as_array().unwrap().len(), 2, "{honours}");
    assert!(place.shown("achievement list --user @ada").contains("first_mission"));
    assert!(place.shown("achievement list").contains("missions gte 1"));
    assert_eq!(place.json("verify")["clean"], true);
}

#[test]
fn badges_are_given_once_and_taken_back() {
    let place = Place::sqlite();
    let badges = place.json("badge list");
    let founder = &badges["items"][0];
    assert_eq!((&founder["name"], &founder["metric"]), (&"Founder".into(), &json!(null)));
    let id = founder["id"].as_i64().unwrap();
    let given = place.json(&format!("badge award @ada {id} --by @bob"));
    assert_eq!((&given["replayed"], &given["badge"]), (&false.into(), &id.into()), "{given}");
    assert!(given["awarded_by"].as_i64().is_some());
    assert_eq!(place.json("badge award @ada founder")["replayed"], true);

    place.fails("badge award @ada Master", 1, "access_denied");
    let forced = place.json("badge award @ada Master --force");
    assert_eq!(forced["replayed"], false);
    assert_eq!(place.json("achievement list --user @ada")["badges"].as_array().unwrap().len(), 2);

    let taken = place.json("badge revoke @ada Master --reason mistake");
    assert_eq!((&taken["revoked"], &taken["vip_revoked"]), (&true.into(), &false.into()));
    assert_eq!(place.json("badge revoke @ada Master")["revoked"], false);
    assert!(place.shown("badge revoke @ada Master").contains("did not have badge Master"));
}

#[test]
fn bad_input_names_the_argument_and_what_is_wrong_with_it() {
    let place = Place::sqlite();
    let long = "x".repeat(2_000);
    for (args, field, rule) in [
        (&["achievement", "unlock", "@ada", "by hand"][..], "achievement", "malformed"),
        (&["achievement", "unlock", "@ada", &long], "achievement", "too_long"),
        (&["achievement", "unlock", "@ada", "nothing"], "achievement", "unknown"),
        (&["achievement", "unlock", "@nobody", "by_hand"], "user", "unknown"),
        (&["achievement", "evaluate", "@nobody"], "user", "unknown"),
        (&["achievement", "list", "--category", "a b"], "category", "malformed"),
        (&["badge", "award", "@ada", "Nothing at all"], "badge", "unknown"),
        (&["badge", "award", "@ada", "99"], "badge", "unknown"),
        (&["badge", "award", "@ada", ""], "badge", "empty"),
        (&["badge", "award", "@ada", &long], "badge", "too_long"),
        (&["badge", "award", "@nobody", "Founder"], "user", "unknown"),
        (&["badge", "award", "@ada", "Founder", "--by", "@nobody"], "user", "unknown"),
        (&["badge", "revoke", "@ada", "Founder", "--reason", &long], "description", "too_long"),
    ] {
        place.is_bad_input(args, field, rule);
    }
}
