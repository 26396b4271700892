//! The btree: equal columns, then what is sorted or one range; and no more than tells something new.

use std::collections::BTreeMap;

use super::access::{Access, Bound, Equality};
use super::proposal::Proposal;
use crate::advise::candidate::{Need, Rule};
use crate::advise::shape::Target;
use crate::catalog::{IndexKey, Kept, StatisticsSource, TableName};

/// How many accesses of the workload compare a target for equality.
pub(crate) type Shared = BTreeMap<(TableName, Target), usize>;

/// The equal columns chosen.
struct Chosen<'a> {
    equalities: Vec<&'a Equality>,
    kept: Kept,
    /// Columns that may depend on each other, with nothing known of them together.
    unknown: Option<Vec<String>>,
    /// Columns that a sample says depend on each other.
    dependent: Option<Vec<String>>,
}

/// The btrees for an access, first choice first. What they keep has not been judged yet.
pub(super) fn propose(access: &Access<'_>, holds: Kept, shared: &Shared) -> Vec<Proposal> {
    let chosen = choose(access, holds);
    let mut found = Vec::new();
    complete(access, &chosen, holds, shared, &mut found);
    if let Some(columns) = &chosen.unknown
        && let Some(first) = chosen.equalities.first()
    {
        // In case the further columns follow from the first.
        let short =
            Chosen { equalities: vec![first], kept: first.kept, unknown: None, dependent: None };
        let mut shorter = Vec::new();
        complete(access, &short, holds, shared, &mut shorter);
        for proposal in &mut found {
            proposal.needs.push(Need::JointStatistics(columns.clone()));
        }
        let prefixes = shorter.into_iter().map(|one| one.by(Rule::Prefix).ranked(2));
        found.extend(prefixes.filter(|one| one.kept.share <= found_kept_max(access)));
    }
    found
}

/// Columns that a sample showed to depend on each other, with no statistics of the database's own.
pub(super) fn dependent(access: &Access<'_>) -> Option<Vec<String>> {
    choose(access, Kept::known(1.0)).dependent
}

fn found_kept_max(access: &Access<'_>) -> f64 {
    access.limits.kept_max(access.system())
}

/// The most telling columns, until few rows are left or the next tells little.
fn choose<'a>(access: &'a Access<'_>, holds: Kept) -> Chosen<'a> {
    let limits = access.limits;
    let mut by_kept: Vec<&Equality> = access.equalities.iter().collect();
    by_kept.sort_by(|one, two| {
        let known = two.joined.cmp(&one.joined);
        known.then(one.kept.share.total_cmp(&two.kept.share)).then(one.target.cmp(&two.target))
    });
    let mut chosen = Chosen { equalities: Vec::new(), kept: holds, unknown: None, dependent: None };
    let sorted = !access.order.is_empty() && access.limit.is_some();
    let width = limits.width_max - usize::from(sorted);
    for equality in by_kept {
        let rows = access.rows() * chosen.kept.share;
        let worst = access.rows() * chosen.kept.worst;
        let enough = rows <= limits.rows_enough && worst <= limits.bounded_rows;
        let few = !chosen.equalities.is_empty() && rows <= limits.rows_enough;
        if chosen.equalities.len() >= width || !chosen.equalities.is_empty() && (enough || few) {
            break;
        }
        let (kept, joint) = further(access, &chosen.equalities, equality);
        // By itself, and with nothing sorted, even half of the rows may be worth an index that answers
        // alone. Whether it does is judged later.
        let first = chosen.equalities.is_empty() && !sorted;
        let most = if first { limits.covering_share_max } else { 1.0 - limits.removes_min };
        // What is bound may be another value tomorrow: without the column, a rare one would be looked
        // for along the whole order.
        let average = equality.distinct.map_or(1.0, |distinct| 1.0 / distinct.max(1.0));
        let varies = sorted && equality.varies && average <= most;
        if kept.share > most && !varies {
            if joint == Joint::Sampled && chosen.dependent.is_none() {
                chosen.dependent = names(&chosen.equalities, equality);
            }
            continue;
        }
        if joint == Joint::Unknown && chosen.unknown.is_none() {
            chosen.unknown = names(&chosen.equalities, equality);
        }
        chosen.kept = chosen.kept.and(kept);
        chosen.equalities.push(equality);
    }
    chosen
}

#[derive(Clone, Copy, PartialEq)]
enum Joint {
    /// One column, or an expression: there is nothing to depend on.
    Alone,
    /// Nothing is known of the columns together.
    Unknown,
    /// The database keeps statistics.
    Kept,
    /// A sample was taken.
    Sampled,
}

/// What a further column keeps of what those before leave.
fn further(access: &Access<'_>, before: &[&Equality], next: &Equality) -> (Kept, Joint) {
    let rows = access.rows();
    let (Some(next_name), false) = (next.target.column(), before.is_empty()) else {
        return (next.kept, Joint::Alone);
    };
    let before: Vec<&str> = before.iter().filter_map(|one| one.target.column()).collect();
    if before.is_empty() {
        return (next.kept, Joint::Alone);
    }
    for statistics in &access.table.extended {
        let joint = match statistics.source {
            StatisticsSource::Database => Joint::Kept,
            StatisticsSource::Sample => Joint::Sampled,
        };
        let degree = statistics
            .dependencies
            .iter()
            .filter(|(from, to, _)| before.contains(&from.as_str()) && to == next_name)
            .map(|(_, _, degree)| *degree)
            .fold(None, |most: Option<f64>, degree| {
                Some(most.map_or(degree, |one| one.max(degree)))
            });
        if let Some(degree) = degree {
            let share = degree + (1.0 - degree) * next.kept.share;
            return (Kept { share, ..next.kept }, joint);
        }
        let mut all = before.clone();
        all.push(next_name);
        if let (true, Some(together)) = (statistics.is_about(&all), statistics.n_distinct) {
            let together = if together < 0.0 { -together * rows } else { together };
            let alone: f64 = before
                .iter()
                .filter_map(|name| access.table.column(name)?.stats.as_ref()?.distinct_of(rows))
                .product();
            let share = (alone / together.max(1.0)).clamp(0.0, 1.0).max(next.kept.share);
            return (Kept { share, ..next.kept }, joint);
        }
    }
    (next.kept, Joint::Unknown)
}

fn names(before: &[&Equality], next: &Equality) -> Option<Vec<String>> {
    let all =
        before.iter().copied().chain([next]).map(|one| one.target.column().map(str::to_owned));
    let mut names: Vec<String> = all.collect::<Option<_>>()?;
    names.sort();
    Some(names)
}

/// Adds what follows the equal columns.
fn complete(
    access: &Access<'_>,
    chosen: &Chosen<'_>,
    holds: Kept,
    shared: &Shared,
    found: &mut Vec<Proposal>,
) {
    let limits = access.limits;
    let rows = access.rows() * chosen.kept.share;
    let few = rows <= limits.rows_enough
        && access.rows() * chosen.kept.worst <= limits.bounded_rows
        && !chosen.equalities.is_empty();
    let base = |equalities: &[&Equality], tail: &[IndexKey]| {
        let mut equalities = equalities.to_vec();
        equalities.sort_by(|one, two| prefer(access, shared, one, two));
        let mut keys: Vec<IndexKey> = equalities.iter().map(|one| one.key.clone()).collect();
        let count = keys.len();
        for key in tail {
            if !keys.iter().any(|own| own.part == key.part) {
                keys.push(key.clone());
            }
        }
        keys.truncate(limits.width_max);
        let mut proposal = Proposal::btree(&access.table.name, keys, count);
        proposal.kept = chosen.kept;
        proposal.holds = holds;
        if equalities.iter().any(|one| one.joined) {
            proposal = proposal.by(Rule::Join);
        }
        for key in &proposal.shape.keys.clone() {
            if let crate::catalog::KeyPart::Expression(sql) = &key.part {
                proposal =
                    proposal.by(Rule::Expression).needing(Need::ExpressionStatistics(sql.clone()));
            }
        }
        proposal
    };
    let bound = best_bound(access, &chosen.equalities);
    // A common value may have many rows where an average one has few.
    let most = access.rows() * chosen.kept.worst.max(chosen.kept.share);
    let limited = access.limit.is_some_and(|limit| limit < most) && !access.order.is_empty();
    if few || bound.is_none() && !limited {
        if !chosen.equalities.is_empty() {
            found.push(base(&chosen.equalities, &[]));
        }
        return;
    }
    let mut ranged = bound.map(|bound| {
        let mut proposal = base(&chosen.equalities, &bound.keys);
        proposal.kept = proposal.kept.and(bound.kept);
        if bound.pattern {
            proposal = proposal.by(Rule::PatternOps);
        }
        if bound.custom_plan {
            proposal = proposal.needing(Need::CustomPlan);
        }
        proposal
    });
    let mut sorted = limited.then(|| {
        let singles: Vec<&Equality> =
            chosen.equalities.iter().copied().filter(|one| one.single).collect();
        let mut proposal = base(&singles, &access.order).by(Rule::SortLimit);
        proposal.stops = true;
        proposal.reads = reads(access, &singles, holds);
        proposal
    });
    if let (Some(one), Some(two)) = (&mut ranged, &mut sorted) {
        let same = access.order.first().zip(one.shape.keys.get(one.equalities));
        if same.is_some_and(|(sort, bound)| access.same_key(sort, bound)) {
            // The order serves as the range.
            two.kept = one.kept;
            ranged = None;
        } else {
            let read = access.rows() * one.kept.share;
            let limit = access.limit.unwrap_or_default();
            let walked = limit / bound.map_or(1.0, |bound| bound.kept.share).max(1e-9);
            if one.kept.known && read < walked {
                two.rank = 1;
            } else {
                one.rank = 1;
            }
        }
    }
    let several = chosen.equalities.iter().any(|one| !one.single);
    found.extend(sorted);
    found.extend(ranged);
    if several && limited {
        found.push(base(&chosen.equalities, &[]).ranked(1));
    }
}

/// Rows read in order until as many as the limit wants have passed the conditions that neither the key
/// nor the index's own condition answers.
fn reads(access: &Access<'_>, keys: &[&Equality], holds: Kept) -> Option<f64> {
    let in_key = |target: &Target| keys.iter().any(|one| one.target == *target);
    let left = access.scan.conditions.iter().filter(|one| !in_key(&one.target));
    let passed = left.fold(access.scan.residual, |all, one| all.and(one.kept));
    let held = access.rows() * holds.share;
    let found = keys.iter().fold(held, |rows, one| rows * one.kept.share);
    let wanted = access.limit? / (passed.share / holds.share.max(1e-9)).clamp(1e-9, 1.0);
    Some(wanted.min(found))
}

/// The range that keeps least, if it is worth a key.
fn best_bound<'a>(access: &'a Access<'_>, equalities: &[&Equality]) -> Option<&'a Bound> {
    let free = access
        .bounds
        .iter()
        .filter(|bound| !equalities.iter().any(|one| one.target == bound.target));
    let best = free.min_by(|one, two| one.kept.share.total_cmp(&two.kept.share))?;
    // A range that keeps most of what the equal columns leave is a filter. Alone, it is judged with
    // the whole.
    let telling = !best.kept.known || best.kept.share <= 0.5 || equalities.is_empty();
    telling.then_some(best)
}

/// Columns of joins and of several statements first, then the most different values, then by name.
fn prefer(
    access: &Access<'_>,
    shared: &Shared,
    one: &Equality,
    two: &Equality,
) -> std::cmp::Ordering {
    let times = |of: &Equality| {
        shared.get(&(access.table.name.clone(), of.target.clone())).copied().unwrap_or(0)
    };
    let distinct = |of: &Equality| of.distinct.unwrap_or_default();
    two.joined
        .cmp(&one.joined)
        .then(times(two).cmp(&times(one)))
        .then(distinct(two).total_cmp(&distinct(one)))
        .then(one.target.cmp(&two.target))
}
