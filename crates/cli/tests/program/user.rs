//! One member at a glance.

use serde_json::{Value, json};

use crate::community::Place;

#[test]
fn a_member_is_shown_with_all_that_the_member_plays() {
    let place = Place::sqlite();
    let before = place.json("user show @ada");
    assert_eq!((&before["story"], &before["missions"]["started"]), (&Value::Null, &0.into()));
    assert_eq!(before["achievements"]["completion_bp"], 0);
    assert_eq!(before["profile"]["completion_bp"], 0);

    place.json("mission advance @ada later 3");
    place.json("mission complete @ada hello");
    place.json("badge award @ada Founder");
    let shown = place.json("user show @ada");
    let missions = &shown["missions"];
    assert_eq!((&missions["started"], &missions["completed"]), (&2.into(), &1.into()));
    assert_eq!(missions["points_earned"], "12.00", "{missions}");
    let open = json!([{"mission": "later", "title": "Mission later", "period": "once",
                       "progress_bp": 3333}]);
    assert_eq!(missions["open"], open);
    let honours = &shown["achievements"];
    assert_eq!((&honours["total"], &honours["completion_bp"]), (&1.into(), &5000.into()));
    assert_eq!(honours["latest"][0]["achievement"], "first_mission");
    assert_eq!(honours["badges"][0]["name"], "Founder");
    let table = place.shown("user show @ada");
    for part in ["1 of 2 completed, 12.00 points", "Founder", "first_mission", "not begun"] {
        assert!(table.contains(part), "{part}: {table}");
    }
}

#[test]
fn a_member_who_is_in_the_story_is_shown_where() {
    let place = Place::sqlite();
    let url = format!("sqlite://{}", place.home.path().join("guildhall.db").display());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let config = guildhall_adapter::Config::builder().database(&url).build().unwrap();
        let guildhall = guildhall_adapter::Guildhall::connect(config).await.unwrap();
        let ada = guildhall.users().by_username(&"ada".parse().unwrap()).await.unwrap().unwrap();
        guildhall.stories().start(ada.id).await.unwrap();
        let bob = guildhall.users().by_username(&"bob".parse().unwrap()).await.unwrap().unwrap();
        guildhall.members().delete(bob.id).await.unwrap();
    });
    let story = &place.json("user show @ada")["story"];
    let expected = json!({"fragment": "gate", "karma": 0, "visited": 1, "completed": 0, "total": 2,
                          "progress_bp": 0});
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&story[field], value, "{field}: {story}");
    }
    assert!(place.shown("user show @ada").contains("at gate; 0 of 2 completed"));
    // Of who left, the ledger is left.
    let (code, error) = place.refused("user show @bob");
    assert_eq!((code, error["field"].as_str()), (2, Some("user")), "{error}");
}
