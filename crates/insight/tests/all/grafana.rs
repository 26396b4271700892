//! The dashboard in the documentation is the one that is generated.

use guildhall_insight::profile::dashboard;

#[test]
fn the_dashboard_is_the_generated_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/grafana/guildhall.json");
    let kept = std::fs::read_to_string(path).unwrap();
    let generated = format!("{}\n", serde_json::to_string_pretty(&dashboard()).unwrap());
    assert!(
        kept == generated,
        "run: cargo run -p guildhall-insight --example grafana > docs/grafana/guildhall.json"
    );
}
