//! Reading what `EXPLAIN (FORMAT JSON)` says, with a doubt where planners are known to be rash.

use serde_json::Value;

/// A plan's cost and what it would use.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PlanCost {
    /// In planner units, doubt included.
    pub(crate) cost: f64,
    /// Names of the indexes it uses, hypothetical ones included.
    pub(crate) indexes: Vec<String>,
    /// Rows that the scans by each of those indexes are expected to give, in the same order.
    pub(crate) rows: Vec<f64>,
}

/// A walk along an index that hopes to meet a limit early counts as a walk to its end unless the
/// rows expected are so many times the limit: the rows wanted may all lie at the far end.
const HOPE_MIN: f64 = 5.0;
/// Plans are trees; deeper ones are not followed.
const DEPTH_MAX: usize = 64;

/// The plan in the server's answer; `None` if it has another form.
pub(crate) fn read(json: &str) -> Option<PlanCost> {
    let answer: Value = serde_json::from_str(json).ok()?;
    let root = answer.get(0)?.get("Plan")?;
    let mut plan = PlanCost { cost: number(root, "Total Cost")?, ..PlanCost::default() };
    plan.cost += walk(root, &mut plan, 0);
    Some(plan)
}

/// Milliseconds that `EXPLAIN (ANALYZE)` measured.
pub(crate) fn read_time(json: &str) -> Option<f64> {
    let answer: Value = serde_json::from_str(json).ok()?;
    answer.get(0)?.get("Execution Time")?.as_f64()
}

fn number(node: &Value, key: &str) -> Option<f64> {
    node.get(key)?.as_f64()
}

fn text<'a>(node: &'a Value, key: &str) -> &'a str {
    node.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Gathers indexes; gives the cost that doubt adds.
fn walk(node: &Value, plan: &mut PlanCost, depth: usize) -> f64 {
    if depth > DEPTH_MAX {
        return 0.0;
    }
    let index = text(node, "Index Name");
    if !index.is_empty() {
        plan.indexes.push(index.to_owned());
        plan.rows.push(number(node, "Plan Rows").unwrap_or(0.0));
    }
    let children = node.get("Plans").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let below: f64 = children.iter().map(|child| walk(child, plan, depth + 1)).sum();
    let doubt = if text(node, "Node Type") == "Limit" { doubt(node, children) } else { 0.0 };
    below + doubt
}

/// What the walk below a limit costs if the limit is met only at its end.
fn doubt(limit: &Value, children: &[Value]) -> f64 {
    let Some(child) = children.first() else { return 0.0 };
    let is_walk = text(child, "Node Type").starts_with("Index") && child.get("Filter").is_some();
    let wanted = number(limit, "Plan Rows").unwrap_or(0.0);
    let expected = number(child, "Plan Rows").unwrap_or(0.0);
    if !is_walk || expected >= wanted * HOPE_MIN {
        return 0.0;
    }
    let whole = number(child, "Total Cost").unwrap_or(0.0);
    (whole - number(limit, "Total Cost").unwrap_or(whole)).max(0.0)
}

/// The cost when an index gives other rows than the planner thought. Rows cost alike, so the part of
/// the cost beyond finding the first grows with them.
pub(crate) fn rescale(cost: f64, rows_assumed: f64, rows_true: f64) -> f64 {
    /// A descent through the tree.
    const DESCENT: f64 = 8.0;
    let per_row = (cost - DESCENT).max(0.0) / rows_assumed.max(1.0);
    // A row fetched through an index costs a page at random at most.
    cost.min(DESCENT) + per_row.min(4.1) * rows_true.max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit_over(child_rows: u32) -> String {
        format!(
            r#"[{{"Plan": {{"Node Type": "Limit", "Total Cost": 900.0, "Plan Rows": 50, "Plans": [
                {{"Node Type": "Index Scan", "Index Name": "<1>btree_messages_created_at",
                  "Filter": "(guild_id = 1900)", "Total Cost": 26000.0, "Plan Rows": {child_rows}}}]}}}}]"#
        )
    }

    #[test]
    fn a_walk_that_hopes_for_a_limit_counts_in_full() {
        let plan = read(&limit_over(120)).unwrap();
        assert_eq!(plan.cost, 26_000.0);
        assert_eq!(plan.indexes, ["<1>btree_messages_created_at"]);
        assert_eq!(read(&limit_over(25_000)).unwrap().cost, 900.0);
    }

    #[test]
    fn fewer_rows_than_assumed_cost_less_and_more_cost_more() {
        assert!(rescale(2_000.0, 1_000.0, 1.0) < 20.0);
        assert!(rescale(50.0, 12.0, 500.0) > 1_000.0);
    }

    #[test]
    fn another_form_is_no_plan() {
        assert_eq!(read("{}"), None);
        assert_eq!(read("nonsense"), None);
    }
}
