//! A Grafana dashboard of all metrics, from the one list of them.

use serde_json::{Value, json};

use super::metric_names::{Kind, METRICS, Metric, Source, Unit};

const WIDTH: u64 = 24;
const PANEL_WIDTH: u64 = 8;
const PANEL_HEIGHT: u64 = 8;

/// The sections in the order in which they are drawn.
const SECTIONS: [(Source, &str); 6] = [
    (Source::Health, "Health"),
    (Source::Profiler, "Operations and statements"),
    (Source::Pool, "Connections"),
    (Source::Cache, "Cache"),
    (Source::Bulk, "Bulk writes"),
    (Source::Advisor, "Index advice"),
];

/// The dashboard, to be imported into Grafana. It asks for a Prometheus data source.
pub fn dashboard() -> Value {
    let mut panels = Vec::new();
    let mut y = 0;
    for (source, title) in SECTIONS {
        panels.push(json!({
            "id": panels.len() + 1,
            "type": "row",
            "title": title,
            "collapsed": false,
            "panels": [],
            "gridPos": { "h": 1, "w": WIDTH, "x": 0, "y": y },
        }));
        y += 1;
        let mut x = 0;
        for metric in METRICS.iter().filter(|metric| metric.source == source) {
            if x + PANEL_WIDTH > WIDTH {
                (x, y) = (0, y + PANEL_HEIGHT);
            }
            panels.push(panel(metric, panels.len() + 1, x, y));
            x += PANEL_WIDTH;
        }
        y += PANEL_HEIGHT;
    }
    json!({
        "uid": "guildhall-insight",
        "title": "Data layer",
        "tags": ["database", "diesel"],
        "schemaVersion": 39,
        "version": 1,
        "editable": true,
        "refresh": "30s",
        "time": { "from": "now-1h", "to": "now" },
        "templating": { "list": [{
            "name": "datasource",
            "label": "Data source",
            "type": "datasource",
            "query": "prometheus",
            "current": {},
        }] },
        "panels": panels,
    })
}

fn panel(metric: &Metric, id: usize, x: u64, y: u64) -> Value {
    let unit = match (metric.unit, metric.kind) {
        (Unit::Seconds, _) => "s",
        (Unit::Count, Kind::Counter) => "ops",
        (Unit::Count, _) => "short",
    };
    json!({
        "id": id,
        "type": "timeseries",
        "title": metric.help.trim_end_matches('.'),
        "description": format!("{} ({})", metric.help, metric.otel),
        "datasource": { "type": "prometheus", "uid": "${datasource}" },
        "gridPos": { "h": PANEL_HEIGHT, "w": PANEL_WIDTH, "x": x, "y": y },
        "fieldConfig": { "defaults": { "unit": unit, "min": 0 }, "overrides": [] },
        "options": { "legend": { "displayMode": "list", "placement": "bottom" } },
        "targets": targets(metric),
    })
}

/// One line for each value of the label that tells most; a panel with all labels shows nothing.
fn targets(metric: &Metric) -> Vec<Value> {
    let name = metric.prometheus;
    let by = leading_label(metric);
    let legend = by.map_or_else(String::new, |label| format!(" {{{{{label}}}}}"));
    let target = |reference: &str, expression: String, legend: String| json!({ "refId": reference, "expr": expression, "legendFormat": legend });
    match metric.kind {
        Kind::Histogram => [("A", "0.5", "p50"), ("B", "0.9", "p90"), ("C", "0.99", "p99")]
            .into_iter()
            .map(|(reference, share, percentile)| {
                let labels = by.map_or_else(|| "le".to_owned(), |label| format!("le, {label}"));
                let rate = format!("sum by ({labels}) (rate({name}_bucket[$__rate_interval]))");
                let expression = format!("histogram_quantile({share}, {rate})");
                target(reference, expression, format!("{percentile}{legend}"))
            })
            .collect(),
        Kind::Counter => {
            let rate = format!("rate({name}[$__rate_interval])");
            vec![target("A", summed(&rate, by), legend.trim().to_owned())]
        }
        Kind::Gauge => vec![target("A", summed(name, by), legend.trim().to_owned())],
    }
}

fn summed(expression: &str, by: Option<&str>) -> String {
    match by {
        Some(label) => format!("sum by ({label}) ({expression})"),
        None => format!("sum({expression})"),
    }
}

fn leading_label(metric: &Metric) -> Option<&'static str> {
    let labels = metric.labels;
    let preferred = ["db_query_summary", "kind", "db_client_connection_state"];
    let found = preferred.iter().find(|label| labels.contains(label));
    found.or_else(|| labels.first()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_drawn_once_and_nothing_overlaps() {
        let dashboard = dashboard();
        let panels = dashboard["panels"].as_array().unwrap();
        let drawn = panels.iter().filter(|panel| panel["type"] == "timeseries").count();
        assert_eq!(drawn, METRICS.len());
        for metric in METRICS {
            let shown = panels.iter().filter(|panel| {
                panel["targets"][0]["expr"].as_str().is_some_and(|e| names(e, metric.prometheus))
            });
            assert_eq!(shown.count(), 1, "{}", metric.prometheus);
        }
        let mut taken = std::collections::HashSet::new();
        for panel in panels {
            let at = &panel["gridPos"];
            assert!(taken.insert((at["x"].to_string(), at["y"].to_string())), "{panel}");
        }
    }

    /// Whether an expression names exactly this metric.
    fn names(expression: &str, metric: &str) -> bool {
        expression
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .any(|word| word.strip_suffix("_bucket").unwrap_or(word) == metric)
    }
}
