//! Without a planner to ask: pages read now against pages read through the index, from statistics.

use std::collections::BTreeMap;

use crate::advise::{Advice, Candidate, Rule, Rung, Unit};
use crate::catalog::{Catalog, Method, Table};
use crate::size::different;

use super::sets::is_only_in_set;
use super::{CostRefusal, Costs, Priced, VariantKind, judge};

/// A page at random costs so many in sequence; what the planner takes by default.
const RANDOM_PAGE: f64 = 4.0;
/// Looking at a row costs this part of reading a page in sequence.
const ROW: f64 = 0.01;
/// Pages from the root of a btree to a leaf; the upper ones are in memory.
const DESCENT: f64 = 2.0;

/// Columns hang together if their values meet so many times less often than by chance.
const TOGETHER: f64 = 2.0;
/// A further column of that kind must save more than a sample can be off by.
const TOGETHER_DOUBT: f64 = 1.25;

/// Prices a set: what each access of the statement costs through the best of its members, or as it is
/// now where none serves it. A member that does not help its own access refuses the set.
pub(crate) fn price_set(
    catalog: &Catalog,
    advice: &Advice,
    set: &[usize],
    statement: usize,
    sampled: &BTreeMap<usize, f64>,
) -> Result<Priced, CostRefusal> {
    let scans_of = |candidate: &Candidate| -> Vec<usize> {
        let own = candidate.serves.iter().filter(|one| one.statement == statement);
        own.map(|one| one.scan).collect()
    };
    // Accesses for which nothing was thought of cost the same either way.
    let mut accesses: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for candidate in &advice.candidates {
        let Some(before) = catalog.table(&candidate.shape.table).and_then(whole) else { continue };
        for scan in scans_of(candidate) {
            accesses.insert(scan, (before, before));
        }
    }
    let mut branches: BTreeMap<usize, f64> = BTreeMap::new();
    for &place in set {
        let candidate = &advice.candidates[place];
        let (before, after) = costs(catalog, candidate, sampled.get(&place).copied())?;
        judged(statement, vec![place], before, after)?;
        for scan in scans_of(candidate) {
            let access = accesses.entry(scan).or_insert((before, before));
            if set.len() > 1 && is_only_in_set(advice, place, statement) {
                // Every branch of an `OR` is looked up.
                *branches.entry(scan).or_default() += after;
            } else {
                access.1 = access.1.min(after);
            }
        }
    }
    for (scan, after) in branches {
        if let Some(access) = accesses.get_mut(&scan) {
            access.1 = access.1.min(after);
        }
    }
    let (before, after) =
        accesses.values().fold((0.0, 0.0), |sum, access| (sum.0 + access.0, sum.1 + access.1));
    judged(statement, set.to_vec(), before, after)
}

/// Prices one candidate for one statement by formula, as if that read nothing else.
#[cfg(feature = "postgres")]
pub(crate) fn price(
    catalog: &Catalog,
    candidate: &Candidate,
    place: usize,
    statement: usize,
    distinct: Option<f64>,
) -> Result<Priced, CostRefusal> {
    let (before, after) = costs(catalog, candidate, distinct)?;
    judged(statement, vec![place], before, after)
}

fn judged(
    statement: usize,
    set: Vec<usize>,
    before: f64,
    after: f64,
) -> Result<Priced, CostRefusal> {
    let costs =
        Costs { before: vec![(VariantKind::Middle, before)], after: vec![after], generic: None };
    judge(statement, set, &costs, Unit::Pages, Rung::StatisticsEstimate)
}

/// A look at every row.
fn whole(table: &Table) -> Option<f64> {
    Some(table.pages as f64 + table.rows? * ROW)
}

/// Pages without and with a candidate.
fn costs(
    catalog: &Catalog,
    candidate: &Candidate,
    distinct: Option<f64>,
) -> Result<(f64, f64), CostRefusal> {
    let unknown = || CostRefusal::NotPriced { why: "there are no statistics".to_owned() };
    let table = catalog.table(&candidate.shape.table).ok_or_else(unknown)?;
    let rows = table.rows.ok_or_else(unknown)?;
    let independent = different(table, &candidate.shape, rows);
    let entries = candidate.entries.unwrap_or(rows);
    let per_key = |keys: f64| entries / keys.max(1.0);
    // A sample tells more than the columns' own statistics, and these more than nothing.
    let kept = match candidate.shape.method {
        Method::Gin | Method::Gist => {
            candidate.rows_kept.or_else(|| holding(table, candidate, rows))
        }
        _ => match (distinct, candidate.rows_kept, independent) {
            // How common the values are is known of each column; what the sample adds is how much
            // the columns hang together.
            (Some(keys), Some(kept), Some(independent)) if candidate.shape.keys.len() > 1 => {
                let together = (independent / keys.max(1.0)).max(1.0);
                match together > TOGETHER {
                    true => Some((kept * together).max(per_key(keys)) * TOGETHER_DOUBT),
                    false => Some(kept * together),
                }
            }
            (Some(keys), _, _) => Some(per_key(keys)),
            (None, Some(kept), _) => Some(kept),
            (None, None, keys) => keys.map(per_key),
        },
    };
    let kept = kept.ok_or_else(unknown)?.clamp(0.0, rows);
    let before = whole(table).ok_or_else(unknown)?;
    Ok((before, after(table, candidate, rows, kept)))
}

/// Rows that hold an element, where it is not known which: as many as hold a middling one of the
/// common elements, or, of documents and texts, what the planner takes where it knows nothing.
fn holding(table: &Table, candidate: &Candidate, rows: f64) -> Option<f64> {
    const UNKNOWN: f64 = 0.001;
    let column = table.column(candidate.shape.keys.first()?.column_name()?)?;
    let elements = column.stats.as_ref().map_or(&[][..], |stats| &stats.common_elements);
    let share = elements.get(elements.len() / 2).map_or(UNKNOWN, |element| element.share);
    Some(rows * share.max(UNKNOWN))
}

fn after(table: &Table, candidate: &Candidate, rows: f64, kept: f64) -> f64 {
    let heap = heap_pages(table.pages as f64, rows, kept);
    let correlation = candidate
        .shape
        .keys
        .first()
        .and_then(|key| table.column(key.column_name()?)?.stats.as_ref()?.correlation);
    // Rows that lie in the order of the index lie on few pages, one after the other.
    let ordered = (table.pages as f64 * kept / rows.max(1.0)).ceil();
    let follows = correlation.unwrap_or(0.0).powi(2);
    // What an index answers alone is looked up in the table only where a page is not visible to all.
    let is_covering = candidate.rules.contains(&Rule::Covering);
    let fetched = if is_covering { 1.0 - table.all_visible.unwrap_or(1.0) } else { 1.0 };
    let heap_cost = fetched * (follows * ordered + (1.0 - follows) * heap * RANDOM_PAGE);
    match candidate.shape.method {
        // A range of blocks is read whole.
        Method::Brin => {
            (table.pages as f64 / 128.0 / 100.0).ceil() + ordered.max(128.0) + kept * ROW
        }
        // Several lists of rows are read and laid over each other.
        Method::Gin => 10.0 * RANDOM_PAGE + kept / 50.0 + heap_cost + kept * ROW,
        _ => DESCENT * RANDOM_PAGE + kept / 200.0 + heap_cost + kept * ROW,
    }
}

/// Mackert and Lohman: different pages met by fetching `fetched` rows at random.
fn heap_pages(pages: f64, rows: f64, fetched: f64) -> f64 {
    if rows <= 0.0 || pages <= 0.0 {
        return 0.0;
    }
    (2.0 * pages * fetched / (2.0 * pages + fetched)).min(pages).ceil()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_rows_meet_as_many_pages_and_many_meet_all() {
        assert_eq!(heap_pages(10_000.0, 1e6, 10.0), 10.0);
        assert_eq!(heap_pages(10_000.0, 1e6, 1e6), 10_000.0);
        assert!(heap_pages(10_000.0, 1e6, 5_000.0) < 5_000.0);
    }
}
