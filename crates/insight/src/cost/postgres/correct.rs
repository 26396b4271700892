//! What a sample tells that the planner cannot know of a hypothetical index: how many different
//! values an expression has, and how many combinations columns that hang together.

use std::collections::BTreeMap;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable};
use diesel_async::RunQueryDsl;

use super::planner::{Planner, asking};
use super::{CostError, CostOptions};
use crate::advise::{Candidate, Need, Rule};
use crate::catalog::{Catalog, KeyPart, quote_identifier};
use crate::cost::plan::{PlanCost, rescale};
use crate::snapshot::estimate_distinct;

/// Rows looked at for one candidate.
const SAMPLE_ROWS: f64 = 30_000.0;
/// The planner's guess is let stand if it is not so many times off.
const OFF_MAX: f64 = 2.0;

/// What a sample said of a candidate's keys.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Truth {
    /// Different keys in the whole table.
    pub(super) distinct: f64,
    /// Rows that one key has on average.
    rows_per_key: f64,
    /// How many times more rows a combination of columns has than if they were independent, as the
    /// planner takes them. It knows how common each value is, so only this factor is put right.
    together: Option<f64>,
}

#[derive(QueryableByName)]
struct SampleRow {
    #[diesel(sql_type = BigInt)]
    different: i64,
    #[diesel(sql_type = BigInt)]
    once: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    sampled: Option<i64>,
}

/// Samples the candidates that ask for it, by their place. A table that may not be read has no truth.
pub(super) async fn truths(
    planner: &mut Planner<'_>,
    catalog: &Catalog,
    candidates: &[Candidate],
    options: &CostOptions,
) -> Result<BTreeMap<usize, Truth>, CostError> {
    let mut truths = BTreeMap::new();
    if !options.may_sample {
        return Ok(truths);
    }
    for (place, candidate) in candidates.iter().enumerate() {
        let Some((keys, columns)) = keys_to_sample(catalog, candidate) else { continue };
        let Some(table) = catalog.table(&candidate.shape.table) else { continue };
        let Some(rows) = table.rows.filter(|rows| *rows >= 1.0) else { continue };
        let percent = (SAMPLE_ROWS / rows * 100.0).clamp(0.0001, 100.0);
        let condition = match &candidate.shape.predicate {
            Some(predicate) => format!(" WHERE {predicate}"),
            None => String::new(),
        };
        let sql = format!(
            "SELECT count(*) AS different, count(*) FILTER (WHERE c = 1) AS once, \
                    sum(c)::bigint AS sampled \
             FROM (SELECT count(*) AS c FROM \
                   (SELECT {keys} AS key FROM {} TABLESAMPLE SYSTEM ({percent}) REPEATABLE (42)\
                    {condition} LIMIT {SAMPLE_ROWS}) s \
                   GROUP BY key) g",
            table.name.quoted(),
        );
        let answer = diesel::sql_query(sql).load::<SampleRow>(planner.conn()).await;
        // A refusal is no failure: the role may not read the table.
        let Ok(found) = asking("a sample", answer)? else { continue };
        let Some(row) = found.as_slice().first() else { continue };
        let Some(sampled) = row.sampled.filter(|sampled| *sampled > 0) else { continue };
        let all = candidate.entries.unwrap_or(rows).max(1.0);
        let share = estimate_distinct(
            sampled as f64,
            row.different as f64,
            row.once as f64,
            sampled as f64,
            all,
        );
        let distinct = if share < 0.0 { -share * all } else { share }.max(1.0);
        let together = columns.map(|columns| {
            let own = |name: &String| table.column(name)?.stats.as_ref()?.distinct_of(rows);
            let product: f64 = columns.iter().filter_map(own).product();
            (product.min(all) / distinct).max(1.0)
        });
        truths.insert(place, Truth { distinct, rows_per_key: all / distinct, together });
    }
    Ok(truths)
}

/// The columns of a candidate that a sample showed to hang together.
pub(super) fn dependent(candidate: &Candidate, truth: &Truth) -> Option<Vec<String>> {
    truth.together.filter(|factor| *factor > OFF_MAX)?;
    candidate.needs.iter().find_map(|need| match need {
        Need::JointStatistics(columns) => {
            let mut columns = columns.clone();
            columns.sort();
            Some(columns)
        }
        _ => None,
    })
}

/// The keys to count together, as SQL, and the columns if there are several.
fn keys_to_sample<'c>(
    catalog: &Catalog,
    candidate: &'c Candidate,
) -> Option<(String, Option<&'c [String]>)> {
    for need in &candidate.needs {
        match need {
            // What the server keeps of the columns together, its planner uses.
            Need::JointStatistics(columns) => {
                let names: Vec<&str> = columns.iter().map(String::as_str).collect();
                let table = catalog.table(&candidate.shape.table)?;
                if table.together(&names).is_none() {
                    let quoted: Vec<String> =
                        names.iter().map(|name| quote_identifier(name)).collect();
                    return Some((format!("ROW({})", quoted.join(", ")), Some(columns.as_slice())));
                }
            }
            Need::ExpressionStatistics(_) => {}
            Need::CustomPlan | Need::Vacuum => {}
        }
    }
    if !candidate.rules.contains(&Rule::Expression) {
        return None;
    }
    candidate.shape.keys.iter().find_map(|key| match &key.part {
        KeyPart::Expression(sql) => Some((format!("({sql})"), None)),
        KeyPart::Column(_) => None,
    })
}

/// The cost of a plan, corrected where a sample contradicts it; and whether it was.
pub(super) fn cost_of(
    plan: &PlanCost,
    names: &[String],
    set: &[usize],
    truths: &BTreeMap<usize, Truth>,
) -> (f64, bool) {
    let mut cost = plan.cost;
    let mut is_corrected = false;
    for (name, place) in names.iter().zip(set) {
        let (Some(truth), Some(at)) =
            (truths.get(place), plan.indexes.iter().position(|index| index == name))
        else {
            continue;
        };
        let assumed = plan.rows.get(at).copied().unwrap_or(1.0).max(1.0);
        let rows = truth.together.map_or(truth.rows_per_key, |factor| assumed * factor);
        let off = rows / assumed;
        if !(1.0 / OFF_MAX..=OFF_MAX).contains(&off) {
            cost = rescale(cost, assumed, rows);
            is_corrected = true;
        }
    }
    (cost, is_corrected)
}
