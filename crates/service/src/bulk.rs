//! Crediting many at once, more than one transaction holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use guildhall_domain::{Award, BasisPoints, Timestamp, UserId};
use guildhall_repository::{BulkMode, BulkOutcome, StorageError, UnitOfWork};

use crate::Crediting;
use crate::multiplier::{of_role, product};

/// The most requests that one transaction takes.
const CHUNK: usize = 1000;
/// The most members that one look-up takes.
const MEMBERS: usize = 500;
/// Neither an event nor a role multiplies.
const NOTHING: (BasisPoints, BasisPoints) = (BasisPoints::ONE, BasisPoints::ONE);

/// Requests of some members, with their places in the whole.
#[derive(Default)]
struct Lane {
    places: Vec<usize>,
    awards: Vec<Award>,
}

impl Crediting {
    /// Gives points to many, however many there are, in transactions of at most 1000 requests. As
    /// many are under way at a time as there are [lanes](Self::bulk_lanes), or one where the storage
    /// has a single writer. A member's requests take effect in their order, and all are multiplied
    /// like [`Self::award`].
    ///
    /// The outcomes are in the order of the requests. With [`BulkMode::Atomic`] each transaction is
    /// written wholly or not at all; once one fails no other begins, its error is the answer, and
    /// what other transactions wrote stays: give every request a once-only key, and the whole can
    /// be repeated. With [`BulkMode::BestEffort`] a request that fails has its error in its place,
    /// and only a storage that gives no answer ends the call.
    pub async fn award_all(
        &self,
        awards: &[Award],
        mode: BulkMode,
    ) -> Result<BulkOutcome, StorageError> {
        let now = self.clock.now();
        // Where only one may write, others would but wait for their turn.
        let lanes = if self.units.storage.writes_concurrently() { self.lanes } else { 1 };
        let lanes = in_lanes(awards, lanes);
        let stopped = AtomicBool::new(false);
        let done = join_all(lanes.iter().map(|lane| self.award_lane(lane, mode, now, &stopped)));
        let mut outcomes = Vec::with_capacity(awards.len());
        for (lane, done) in lanes.iter().zip(done.await) {
            outcomes.extend(lane.places.iter().copied().zip(done?)); // No lane stops without an error.
        }
        outcomes.sort_unstable_by_key(|(place, _)| *place);
        Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
    }

    async fn award_lane(
        &self,
        lane: &Lane,
        mode: BulkMode,
        now: Timestamp,
        stopped: &AtomicBool,
    ) -> Result<BulkOutcome, StorageError> {
        let mut outcomes = Vec::with_capacity(lane.awards.len());
        for chunk in lane.awards.chunks(CHUNK) {
            if stopped.load(Ordering::Relaxed) {
                break; // Another lane failed, and its error is the answer.
            }
            match self.award_chunk(chunk, mode, now).await {
                Ok(done) => outcomes.extend(done),
                Err(error) => {
                    stopped.store(true, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
        Ok(outcomes)
    }

    async fn award_chunk(
        &self,
        awards: &[Award],
        mode: BulkMode,
        now: Timestamp,
    ) -> Result<BulkOutcome, StorageError> {
        if self.is_plain() {
            return self.units.storage.points().award_bulk(awards, mode, now).await;
        }
        self.units
            .run(async |work| {
                let awards = self.multiplied_in(&*work, awards, now).await?;
                let outcomes = work.points().award_bulk(&awards, mode, now).await?;
                if self.outbox.is_on() {
                    let events = outcomes.iter().flatten().flat_map(|outcome| &outcome.events);
                    let events: Vec<_> = events.cloned().collect();
                    self.outbox.publish_in(&*work, &events, now).await?;
                }
                Ok(outcomes)
            })
            .await
    }

    /// The requests at the rates of this instant: members are read once, and many at a time.
    async fn multiplied_in(
        &self,
        work: &dyn UnitOfWork,
        awards: &[Award],
        now: Timestamp,
    ) -> Result<Vec<Award>, StorageError> {
        let users: BTreeSet<UserId> = awards.iter().map(|award| award.user).collect();
        let users: Vec<UserId> = users.into_iter().collect();
        let mut rates: BTreeMap<UserId, (BasisPoints, BasisPoints)> = BTreeMap::new();
        if self.events.may_apply() {
            for user in &users {
                let event = self.events.product(work, *user, now).await?;
                rates.entry(*user).or_insert(NOTHING).0 = event;
            }
        }
        let vip = self.rules.vip_multiplier;
        if vip != BasisPoints::ONE {
            for some in users.chunks(MEMBERS) {
                for member in work.users().by_ids(some).await? {
                    rates.entry(member.id).or_insert(NOTHING).1 = of_role(member.role(now), vip);
                }
            }
        }
        let multiplied = |award: &Award| {
            let (event, role) = rates.get(&award.user).copied().unwrap_or(NOTHING);
            let multiplier = product([award.multiplier, event, role], self.max());
            Award { multiplier, ..award.clone() }
        };
        Ok(awards.iter().map(multiplied).collect())
    }
}

/// Deals the requests out, all of a member to one lane, and the members evenly.
fn in_lanes(awards: &[Award], count: usize) -> Vec<Lane> {
    let fitting = awards.len().div_ceil(CHUNK).max(1);
    let mut lanes: Vec<Lane> = Vec::new();
    lanes.resize_with(count.clamp(1, fitting), Lane::default);
    let mut of_member: BTreeMap<UserId, usize> = BTreeMap::new();
    for (place, award) in awards.iter().enumerate() {
        let next = of_member.len() % lanes.len();
        let lane = *of_member.entry(award.user).or_insert(next);
        if let Some(lane) = lanes.get_mut(lane) {
            lane.places.push(place);
            lane.awards.push(award.clone());
        }
    }
    lanes.retain(|lane| !lane.awards.is_empty());
    lanes
}

#[cfg(test)]
mod tests {
    use guildhall_domain::{Amount, Source};

    use super::*;

    fn awards(users: impl IntoIterator<Item = i64>) -> Vec<Award> {
        let award = |user| {
            Award::new(UserId(user), Amount::from_minor(100).unwrap(), Source::parse("x").unwrap())
        };
        users.into_iter().map(award).collect()
    }

    #[test]
    fn a_member_stays_in_a_lane_and_every_request_has_its_place() {
        let awards = awards((0..2_500).map(|n| n * 7 % 100 + 1));
        let lanes = in_lanes(&awards, 2);
        assert_eq!(lanes.len(), 2);
        let members = |lane: &Lane| {
            lane.awards.iter().map(|award| award.user).collect::<std::collections::BTreeSet<_>>()
        };
        assert!(members(&lanes[0]).is_disjoint(&members(&lanes[1])));
        let mut places: Vec<_> = lanes.iter().flat_map(|lane| lane.places.clone()).collect();
        assert!(lanes.iter().all(|lane| lane.places.is_sorted()));
        places.sort_unstable();
        assert_eq!(places, (0..2_500).collect::<Vec<_>>());
    }

    #[test]
    fn there_are_no_more_lanes_than_transactions() {
        assert_eq!(in_lanes(&awards(1..=1_000), 8).len(), 1);
        assert_eq!(in_lanes(&awards(1..=1_001), 8).len(), 2);
        assert_eq!(in_lanes(&awards([]), 8).len(), 0);
        assert_eq!(in_lanes(&awards([1; 5_000]), 8).len(), 1);
    }
}
