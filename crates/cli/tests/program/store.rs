//! The store: listed, and bought from.

use serde_json::{Value, json};

use crate::community::Place;

#[test]
fn a_purchase_happens_once_and_costs_its_price() {
    let place = Place::sqlite();
    let list = place.json("store list");
    let items = list["items"].as_array().unwrap();
    let titles: Vec<_> = items.iter().map(|item| &item["title"]).collect();
    assert_eq!(titles, ["Lamp", "Ring"]);
    let (lamp, ring) = (&items[0]["id"], &items[1]["id"]);
    assert_eq!((&items[0]["cost"], &items[0]["stock"]), (&"15.00".into(), &Value::Null));
    assert_eq!(place.json("store list --kind avatar")["items"], json!([]));

    let bought = place.json(&format!("store buy @ada {lamp} --key order-1"));
    assert_eq!((&bought["replayed"], &bought["price_paid"]), (&false.into(), &"15.00".into()));
    assert_eq!(place.json(&format!("store buy @ada {lamp} --key order-1"))["replayed"], true);
    place.fails(&format!("store buy @ada {lamp}"), 1, "already_exists");
    place.fails(&format!("store buy @ada {ring}"), 1, "insufficient_balance");
    place.fails(&format!("store buy @bob {lamp}"), 1, "insufficient_balance");
    place.fails(&format!("store buy @ada {ring} --key order-1"), 1, "conflict");
    assert_eq!(place.json("user show @ada")["points"]["balance"], "85.00");
    assert_eq!(place.json("verify")["clean"], true);
    assert!(place.shown("store list").contains("Lamp"));
}

#[test]
fn bad_input_names_the_argument_and_what_is_wrong_with_it() {
    let place = Place::sqlite();
    for (args, field, rule) in [
        (&["store", "buy", "@ada", "99"][..], "item", "unknown"),
        (&["store", "buy", "@ada", "0"], "item", "out_of_range"),
        (&["store", "buy", "@ada", "-1"], "item", "out_of_range"),
        (&["store", "buy", "@ada", "lamp"], "item", "out_of_range"),
        (&["store", "buy", "@nobody", "1"], "user", "unknown"),
        (&["store", "buy", "@ada", "1", "--key", ""], "idem_key", "empty"),
        (&["store", "list", "--kind", "gold"], "kind", "malformed"),
        (&["store", "list", "--limit", "0"], "limit", "out_of_range"),
    ] {
        place.is_bad_input(args, field, rule);
    }
}
