//! Recommendations that were followed: are they there, are they used, did they help?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Comparison, Latencies, Verdict, compare, verdict_of};
use crate::advise::{Recommendation, RecommendationId};
use crate::catalog::{Catalog, IndexShape};
use crate::create::is_ours;

/// Latencies by the fingerprint of the statement, as the profiler counts them.
pub type LatenciesByStatement = BTreeMap<u64, Latencies>;

/// What is kept of a recommendation when it is followed, to be compared with later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Which recommendation.
    pub id: RecommendationId,
    /// The index's name.
    pub name: String,
    /// Latencies of the statements that it was to help, up to now.
    pub before: LatenciesByStatement,
}

impl Baseline {
    /// Of a recommendation, with what the profiler knows at this moment.
    #[must_use]
    pub fn of(one: &Recommendation, now: &LatenciesByStatement) -> Self {
        let helped = one.helped.iter().filter_map(|helped| helped.fingerprint);
        let before = helped.filter_map(|key| Some((key, now.get(&key)?.clone()))).collect();
        Self { id: one.id, name: one.name.clone(), before }
    }
}

/// An index that was once recommended, or bears a name of ours, and is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adopted {
    /// The same as when it was recommended.
    pub id: RecommendationId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub shape: IndexShape,
    /// Scans of it since the server's counters began, if it counts them.
    pub scans: Option<u64>,
    /// Statements before and since, by fingerprint.
    pub comparisons: BTreeMap<u64, Comparison>,
    /// What to make of it; `None` where nothing was kept from before.
    pub verdict: Option<Verdict>,
}

/// The recommendations that were followed, with the change that was measured since.
///
/// `now` is read from the same counters as the baselines were.
#[must_use]
pub fn adopted(
    catalog: &Catalog,
    baselines: &[Baseline],
    now: &LatenciesByStatement,
) -> Vec<Adopted> {
    let mut all = Vec::new();
    for index in catalog.tables.iter().flat_map(|table| &table.indexes).filter(|one| one.valid) {
        let id = RecommendationId::of(&index.shape);
        let baseline = baselines.iter().find(|one| one.id == id || one.name == index.name);
        // The parts of a partitioned table's index stand and fall with it.
        let is_part = index.partition_of.is_some();
        if is_part || baseline.is_none() && !is_ours(&index.name) {
            continue;
        }
        let since = |(key, before): (&u64, &Latencies)| {
            let after = now.get(key).map(|latencies| latencies.since(before)).unwrap_or_default();
            (*key, compare(before, &after))
        };
        let before = baseline.iter().flat_map(|one| &one.before);
        let comparisons: BTreeMap<u64, Comparison> = before.map(since).collect();
        let each: Vec<Comparison> = comparisons.values().cloned().collect();
        all.push(Adopted {
            id: baseline.map_or(id, |one| one.id),
            name: index.name.clone(),
            shape: index.shape.clone(),
            scans: index.usage.map(|usage| usage.scans),
            verdict: baseline.map(|_| verdict_of(&each)),
            comparisons,
        });
    }
    all.sort_by(|one, two| one.name.cmp(&two.name));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Index, Table, TableName};
    use crate::create::name_of;

    fn latencies(ms: f64, calls: u64) -> Latencies {
        let spread = (0..10_u32).map(|step| (ms * (0.95 + 0.01 * f64::from(step)), calls / 10));
        Latencies { buckets: spread.collect() }
    }

    fn both(one: &Latencies, two: &Latencies) -> Latencies {
        let buckets = one.buckets.iter().chain(&two.buckets).copied().collect();
        Latencies { buckets }
    }

    fn catalog(name: &str) -> Catalog {
        let table = TableName::new("public", "letters");
        let shape = IndexShape::btree(table.clone(), ["reader"]);
        let table = Table::new(table, 1e6, 10_000, Vec::new()).with_index(Index::new(name, shape));
        Catalog { tables: vec![table], ..Catalog::default() }
    }

    fn baseline() -> Baseline {
        let shape = IndexShape::btree(TableName::new("public", "letters"), ["reader"]);
        let before = [(7, latencies(10.0, 500))].into();
        Baseline { id: RecommendationId::of(&shape), name: name_of(&shape), before }
    }

    #[test]
    fn what_was_followed_is_found_with_its_change() {
        let now = [(7, both(&latencies(10.0, 500), &latencies(0.1, 400)))].into();
        // Under whatever name: a migration may have chosen its own.
        for name in [name_of(&catalog("x").tables[0].indexes[0].shape), "letters_by_reader".into()]
        {
            let found = adopted(&catalog(&name), &[baseline()], &now);
            let [one] = found.as_slice() else { panic!("{found:?}") };
            assert_eq!((one.verdict, one.id), (Some(Verdict::Kept), baseline().id));
            assert_eq!(one.comparisons[&7].faster_share, 1.0);
        }
    }

    #[test]
    fn nothing_new_is_no_verdict_and_what_was_not_followed_is_not_there() {
        let now = baseline().before;
        let found = adopted(&catalog("letters_by_reader"), &[baseline()], &now);
        assert_eq!(found[0].verdict, Some(Verdict::TooFewCalls));
        assert_eq!(adopted(&Catalog::default(), &[baseline()], &now), []);
        // Another's index is none of ours; ours is, though nothing was kept of it.
        assert_eq!(adopted(&catalog("letters_by_reader"), &[], &now), []);
        let ours = name_of(&catalog("x").tables[0].indexes[0].shape);
        assert_eq!(adopted(&catalog(&ours), &[], &now)[0].verdict, None);
    }

    #[test]
    fn counters_that_began_anew_are_all_new() {
        let earlier = latencies(10.0, 500);
        let later = both(&earlier, &latencies(1.0, 300));
        assert_eq!(later.since(&earlier).calls(), 300);
        assert_eq!(latencies(1.0, 900).since(&earlier).calls(), 900);
        assert_eq!(latencies(10.0, 100).since(&earlier).calls(), 100);
    }
}
