//! Indexes on only the rows of a constant condition.

use super::access::Access;
use super::ordered::{self, Shared};
use super::proposal::Proposal;
use crate::advise::candidate::{Need, Rule};
use crate::advise::refusal::Refusal;
use crate::advise::rewrite::Rewrite;
use crate::advise::shape::{Condition, Target, Test};
use crate::catalog::{IndexKey, Kept};
use crate::fingerprint::System;

/// What became of the constant conditions of an access.
#[derive(Default)]
pub(super) struct Partial {
    pub(super) proposals: Vec<Proposal>,
    pub(super) refusals: Vec<Refusal>,
    pub(super) rewrites: Vec<Rewrite>,
}

pub(super) fn propose(access: &Access<'_>, conditions: &[&Condition], shared: &Shared) -> Partial {
    let mut found = Partial::default();
    let mut predicate: Vec<(String, Kept)> = Vec::new();
    let mut dropped: Vec<&Target> = Vec::new();
    let mut custom_plan = false;
    for condition in conditions {
        let Some((sql, needs_plan)) = constant(access, condition, conditions, &mut found) else {
            continue;
        };
        if !predicate.iter().any(|(own, _)| *own == sql) {
            predicate.push((sql, condition.kept));
            dropped.push(&condition.target);
            custom_plan |= needs_plan;
        }
    }
    if predicate.is_empty() {
        return found;
    }
    let holds = predicate.iter().fold(Kept::known(1.0), |all, (_, kept)| all.and(*kept));
    let mut rest = access.clone();
    rest.equalities.retain(|equality| !dropped.contains(&&equality.target));
    predicate.sort_by(|one, two| one.0.cmp(&two.0));
    let sql = match predicate.as_slice() {
        [(only, _)] => only.clone(),
        several => several.iter().map(|(sql, _)| sql.as_str()).collect::<Vec<_>>().join(" AND "),
    };
    let mut proposals = ordered::propose(&rest, holds, shared);
    if proposals.is_empty() {
        // Nothing else to sort by: the order without a limit, or the column itself.
        let key = rest
            .order
            .first()
            .cloned()
            .or_else(|| dropped.iter().find_map(|target| access.key(target, None)));
        let keys: Vec<IndexKey> = key.into_iter().collect();
        if keys.is_empty() {
            return found;
        }
        let mut proposal = Proposal::btree(&access.table.name, keys, 0);
        proposal.kept = holds;
        proposal.holds = holds;
        proposals.push(proposal);
    }
    for mut proposal in proposals {
        proposal.shape.predicate = Some(sql.clone());
        proposal.rules.retain(|rule| *rule != Rule::Ordered);
        proposal = proposal.by(Rule::Partial);
        if custom_plan {
            proposal = proposal.needing(Need::CustomPlan);
        }
        found.proposals.push(proposal);
    }
    found
}

/// The condition as a predicate, and whether the plan must know the value; `None` if it is not
/// constant, not rare, or may be one of many like it.
fn constant(
    access: &Access<'_>,
    condition: &Condition,
    all: &[&Condition],
    found: &mut Partial,
) -> Option<(String, bool)> {
    let limits = access.limits;
    let kept = condition.kept;
    let rare = kept.known && kept.share <= limits.partial_share_max;
    match &condition.test {
        Test::Null(_) | Test::Truth(_) if rare => Some((condition.sql.clone()?, false)),
        Test::Equal(value) if value.is_bind() => bound(access, condition, found),
        Test::Equal(_) | Test::AnyOf(_) | Test::NotEqual(_) if rare => {
            let exceptional = is_exceptional(access, condition);
            // Beside another literal nobody can tell which of them never changes.
            let lonely = !all.iter().any(|other| {
                other.target != condition.target
                    && matches!(&other.test, Test::Equal(value) if value.is_literal())
            });
            let literal = match &condition.test {
                Test::Equal(value) | Test::NotEqual(value) => value.is_literal(),
                Test::AnyOf(values) => values.iter().all(|value| value.is_literal()),
                _ => false,
            };
            let narrowed = !access.order.is_empty()
                || access.equalities.iter().any(|one| one.target != condition.target)
                || !access.bounds.is_empty();
            (literal && exceptional && lonely && narrowed)
                .then(|| Some((condition.sql.clone()?, false)))?
        }
        _ => None,
    }
}

/// A value far rarer than the others is asked for as such; one of many like it is one of many.
fn is_exceptional(access: &Access<'_>, condition: &Condition) -> bool {
    let column = condition.target.column().and_then(|name| access.table.column(name));
    let Some(stats) = column.and_then(|column| column.stats.as_ref()) else { return false };
    let Some(distinct) = stats.distinct_of(access.rows()) else { return false };
    let values = match &condition.test {
        Test::AnyOf(values) => values.len().max(1) as f64,
        _ => 1.0,
    };
    if matches!(condition.test, Test::NotEqual(_)) {
        return true;
    }
    condition.kept.share <= values / distinct / access.limits.exceptional
}

/// A bound value makes a predicate only on SQLite, or when the caller says that it never changes.
fn bound(
    access: &Access<'_>,
    condition: &Condition,
    found: &mut Partial,
) -> Option<(String, bool)> {
    let Target::Column(name) = &condition.target else { return None };
    let column = access.table.column(name)?;
    let limits = access.limits;
    let least = column.stats.as_ref().and_then(|stats| stats.common.last());
    let could_be_rare = least.is_some_and(|least| least.share <= limits.partial_share_max);
    let constant = access.bound_spellings(condition).next();
    let declared = match &condition.test {
        Test::Equal(crate::advise::shape::Operand::Bind { place, .. }) => {
            access.statement.constants.contains_key(place)
        }
        _ => false,
    };
    let rare = condition.kept.known
        && condition.kept.share <= limits.partial_share_max
        && is_exceptional(access, condition);
    match (constant, access.system()) {
        // The value stands in the index then, for everybody to read: one of a few states, nobody's name.
        (Some(sql), System::Sqlite) if rare && is_few_valued(access, name) => Some((sql, false)),
        (Some(sql), System::Postgres) if rare && declared => {
            found.rewrites.push(Rewrite::MakeLiteral { column: name.clone() });
            Some((sql, true))
        }
        (_, System::Postgres) if could_be_rare && is_few_valued(access, name) => {
            found.refusals.push(Refusal::BoundPredicate { column: name.clone() });
            found.rewrites.push(Rewrite::MakeLiteral { column: name.clone() });
            None
        }
        _ => None,
    }
}

/// Whether a column is a flag or a state rather than a name of something.
fn is_few_valued(access: &Access<'_>, name: &str) -> bool {
    let stats = access.table.column(name).and_then(|column| column.stats.as_ref());
    stats.and_then(|stats| stats.distinct_of(access.rows())).is_some_and(|count| count <= 10.0)
}
