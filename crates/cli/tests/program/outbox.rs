//! The outbox, turned on by a setting.

use serde_json::Value;

use crate::community::Place;

#[test]
fn events_wait_in_the_outbox_once_it_is_enabled() {
    let place = Place::sqlite();
    place.json("mission advance @ada hello");
    let off = place.json("outbox status");
    assert_eq!((&off["enabled"], &off["pending"]), (&false.into(), &0.into()), "{off}");
    assert_eq!(off["oldest_age_ms"], Value::Null);
    assert!(place.shown("outbox status").contains("outbox.enabled is off"));

    std::fs::write(place.home.path().join("guildhall.toml"), "[outbox]\nenabled = true\n").unwrap();
    place.json("mission advance @ada hello");
    let on = place.json("outbox status");
    assert_eq!((&on["enabled"], &on["pending"]), (&true.into(), &1.into()), "{on}");
    assert!(on["oldest_age_ms"].is_u64(), "{on}");
    // Points, the mission, the achievement that it unlocks, and its points.
    place.json("mission complete @bob hello");
    assert!(place.json("outbox status")["pending"].as_u64() >= Some(5));
    assert!(!place.shown("outbox status").contains("outbox.enabled is off"));
}
