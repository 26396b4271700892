//! Whether an existing index does it already: told by structure, never by text.

use super::access::Access;
use super::proposal::Proposal;
use crate::advise::refusal::Refusal;
use crate::catalog::{Direction, Index, IndexKey, Method};

/// The existing index that finds the one row.
pub(super) fn point_lookup(access: &Access<'_>) -> Option<Refusal> {
    let values = || access.equalities.iter().filter(|one| one.single && !one.of_nulls);
    let single = |name: &str| values().any(|one| one.target.column() == Some(name));
    if let Some(rowid) = access.table.rowid_column.as_deref()
        && single(rowid)
    {
        return Some(Refusal::PointLookup { index: rowid.to_owned() });
    }
    let mut unique = access.usable_indexes().filter(|index| index.unique);
    let found = unique.find(|index| {
        index.shape.keys.iter().all(|key| values().any(|one| access.same_key(&one.key, key)))
    })?;
    Some(Refusal::PointLookup { index: found.name.clone() })
}

/// The existing index that leaves so few rows that nothing more is gained.
pub(super) fn bounded(access: &Access<'_>) -> Option<Refusal> {
    let mut best: Option<(f64, &Index)> = None;
    for index in access.usable_indexes().filter(|index| index.shape.method == Method::BTree) {
        let predicate = index.shape.predicate.as_deref();
        let implied = predicate.and_then(|sql| access.implied_by(sql)).unwrap_or_default();
        let held = implied.iter().map(|condition| condition.kept).filter(|kept| kept.known);
        let (mut share, mut worst) =
            held.fold((1.0, 1.0), |(share, worst), kept| (share * kept.share, worst * kept.worst));
        for key in &index.shape.keys {
            let equality = access.equalities.iter().find(|one| access.same_key(&one.key, key));
            let Some(equality) = equality.filter(|one| one.kept.known) else { break };
            share *= equality.kept.share;
            worst *= equality.kept.worst;
        }
        let rows = access.rows() * share;
        let fits = share < 1.0
            && rows <= access.limits.bounded_rows
            && access.rows() * worst <= access.limits.bounded_rows * 10.0;
        if fits && best.is_none_or(|(least, _)| rows < least) {
            best = Some((rows, index));
        }
    }
    best.map(|(rows, index)| Refusal::Bounded { index: index.name.clone(), rows })
}

/// The existing index that serves as the proposal would.
pub(super) fn covered(access: &Access<'_>, proposal: &Proposal) -> Option<Refusal> {
    let mut indexes = access.usable_indexes();
    let found = indexes.find(|index| serves(access, proposal, index))?;
    Some(Refusal::Covered { index: found.name.clone() })
}

fn serves(access: &Access<'_>, proposal: &Proposal, index: &Index) -> bool {
    let (wanted, own) = (&proposal.shape, &index.shape);
    if wanted.method != own.method {
        return false;
    }
    if wanted.method != Method::BTree {
        // What an inverted index finds does not depend on the order of its keys.
        return wanted
            .keys
            .iter()
            .all(|key| own.keys.iter().any(|have| access.same_key(key, have)));
    }
    let (equal, rest) = wanted.keys.split_at(proposal.equalities.min(wanted.keys.len()));
    // What the index's condition says already needs no key.
    let implied = own.predicate.as_deref().and_then(|sql| access.implied_by(sql));
    let implied = implied.unwrap_or_default();
    let equal: Vec<&IndexKey> = equal
        .iter()
        .filter(|key| {
            !implied.iter().any(|condition| {
                access.key(&condition.target, None).is_some_and(|own| access.same_key(key, &own))
            })
        })
        .collect();
    let Some((head, tail)) = own.keys.split_at_checked(equal.len()) else { return false };
    let equal_served = equal.iter().all(|key| head.iter().any(|have| access.same_key(key, have)));
    if !equal_served {
        return false;
    }
    if proposal.covering {
        return rest.iter().all(|key| {
            tail.iter().any(|have| access.same_key(key, have))
                || key.column_name().is_some_and(|name| own.include.iter().any(|one| one == name))
        });
    }
    rest.len() <= tail.len() && in_order(access, rest, tail, proposal.stops)
}

/// The same keys, all in the same direction or all in the opposite one.
fn in_order(access: &Access<'_>, wanted: &[IndexKey], own: &[IndexKey], sorted: bool) -> bool {
    let pairs = || wanted.iter().zip(own);
    let same = pairs().all(|(one, two)| access.same_key(one, two));
    let turned = |key: &IndexKey| match key.direction {
        Direction::Asc => Direction::Desc,
        Direction::Desc => Direction::Asc,
    };
    let nulls = pairs().all(|(one, two)| one.nulls == two.nulls);
    let forward = pairs().all(|(one, two)| one.direction == two.direction);
    let backward = pairs().all(|(one, two)| one.direction == turned(two));
    same && (!sorted || nulls && (forward || backward))
}
