//! Prints the dashboard: `cargo run -p guildhall-insight --example grafana`.

fn main() -> Result<(), serde_json::Error> {
    println!("{}", serde_json::to_string_pretty(&guildhall_insight::profile::dashboard())?);
    Ok(())
}
