//! Movements of points, as every side of a comparison makes them.

use std::hint::black_box;
use std::sync::Arc;

use guildhall_domain::{
    Amount, Award, Clock, Deduct, Source, SystemClock, Timestamp, Transfer, UserId,
};
use guildhall_repository::Storage;

use crate::rounds::Worker;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Award,
    Deduct,
    Transfer,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Award, Self::Deduct, Self::Transfer];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Award => "award",
            Self::Deduct => "deduct",
            Self::Transfer => "transfer",
        }
    }
}

/// Whose points a task moves.
pub(crate) struct Picks {
    first: i64,
    count: i64,
    random: fastrand::Rng,
}

/// Members that a task has to itself.
pub(crate) const OWN_MEMBERS: i64 = 500;

impl Picks {
    /// Members that no other task touches.
    pub(crate) fn own(task: usize) -> Self {
        let first = 1 + i64::try_from(task).unwrap() * OWN_MEMBERS;
        Self { first, count: OWN_MEMBERS, random: fastrand::Rng::with_seed(task as u64) }
    }

    /// One member whom all tasks want, or for a transfer two, in either direction.
    pub(crate) fn hot(kind: Kind, task: usize) -> Self {
        let count = if kind == Kind::Transfer { 2 } else { 1 };
        Self { first: 1, count, random: fastrand::Rng::with_seed(task as u64) }
    }

    /// A member, and another one if there is another.
    pub(crate) fn pair(&mut self) -> (i64, i64) {
        let one = self.random.i64(0..self.count);
        let other = (one + 1) % self.count;
        (self.first + one, self.first + other)
    }
}

/// The amount, in minor units.
pub(crate) const AMOUNT: i64 = 5;
pub(crate) const SOURCE: &str = "bench";

pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}

/// Moves points through the trait.
pub(crate) struct ByTrait {
    storage: Arc<dyn Storage>,
    kind: Kind,
    picks: Picks,
    amount: Amount,
    source: Source,
}

impl ByTrait {
    pub(crate) fn new(storage: &Arc<dyn Storage>, kind: Kind, picks: Picks) -> Self {
        let amount = Amount::from_minor(AMOUNT).unwrap();
        let source = Source::parse(SOURCE).unwrap();
        Self { storage: Arc::clone(storage), kind, picks, amount, source }
    }
}

impl Worker for ByTrait {
    async fn call(&mut self) {
        let (one, other) = self.picks.pair();
        let (one, other, points) = (UserId(one), UserId(other), self.storage.points());
        match self.kind {
            Kind::Award => {
                let award = Award::new(one, self.amount, self.source.clone());
                black_box(points.award(&award, now()).await.unwrap());
            }
            Kind::Deduct => {
                let deduct = Deduct::new(one, self.amount, self.source.clone());
                black_box(points.deduct(&deduct, now()).await.unwrap());
            }
            Kind::Transfer => {
                let transfer = Transfer::new(one, other, self.amount).unwrap();
                black_box(points.transfer(&transfer, now()).await.unwrap());
            }
        }
    }
}
