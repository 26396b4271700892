//! Single flight: one load at a time per key and generation.

use std::any::Any;
use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, watch};

use crate::hash::Precomputed;
use crate::key::Key;

/// What a landed flight brought, whatever its type.
pub(crate) type Outcome = Arc<dyn Any + Send + Sync>;

/// One load that several callers wait for. Whoever holds the lock and finds it empty leads: a
/// leader that is dropped or panics releases the lock, and the next waiter leads with a loader
/// of its own. No loader has to outlive its caller for that.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    outcome: Arc<AsyncMutex<Option<Outcome>>>,
    /// What the leader found before it began to load, for those who take it.
    offer: watch::Sender<Option<Outcome>>,
    started_ns: AtomicU64,
    /// How many loads began.
    loads: AtomicU64,
}

/// The right to load, held by one caller or task at a time.
pub(crate) type Turn = OwnedMutexGuard<Option<Outcome>>;

impl Flight {
    pub(crate) fn try_turn(&self) -> Option<Turn> {
        Arc::clone(&self.outcome).try_lock_owned().ok()
    }

    pub(crate) fn turn(&self) -> impl Future<Output = Turn> + Send + 'static {
        Arc::clone(&self.outcome).lock_owned()
    }

    pub(crate) fn offer(&self, value: Outcome) {
        self.offer.send_replace(Some(value));
    }

    /// Waits until the leader has a value to offer; for ever when it has none.
    pub(crate) fn offered(&self) -> impl Future<Output = Outcome> + Send + 'static {
        let mut offers = self.offer.subscribe();
        async move {
            loop {
                if let Some(value) = offers.borrow_and_update().clone() {
                    return value;
                }
                if offers.changed().await.is_err() {
                    return std::future::pending().await;
                }
            }
        }
    }

    /// A leader begins: joiners measure the age of the load from here. Gives the load's number.
    pub(crate) fn start(&self, now_ns: u64) -> u64 {
        self.started_ns.store(now_ns, Ordering::Relaxed);
        self.loads.fetch_add(1, Ordering::SeqCst) + 1
    }
}

/// The generation is part of the identity: a load older than a write is never joined after it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Route {
    key: Key,
    generation: u64,
    mark: u64,
}

impl std::hash::Hash for Route {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key.hash(state);
        state.write_u64(self.generation);
    }
}

#[derive(Debug)]
struct Departure {
    flight: Arc<Flight>,
    passengers: usize,
}

type Board = HashMap<Route, Departure, Precomputed>;

/// All flights under way; as many as there are callers at most.
#[derive(Debug)]
pub(crate) struct Flights {
    boards: Box<[Mutex<Board>]>,
}

impl Flights {
    const BOARDS: usize = 16;

    pub(crate) fn new() -> Self {
        Self { boards: (0..Self::BOARDS).map(|_| Mutex::default()).collect() }
    }

    fn board(&self, route: &Route) -> MutexGuard<'_, Board> {
        let index = (route.key.0.hash() >> 20) as usize % Self::BOARDS;
        self.boards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins the flight under way, or opens one when there is none or it is `age_max_ns` old.
    pub(crate) fn join(
        self: &Arc<Self>,
        (key, generation, mark): (&Key, u64, u64),
        now_ns: u64,
        age_max_ns: u64,
    ) -> Ticket {
        let route = Route { key: key.clone(), generation, mark };
        let mut board = self.board(&route);
        let fresh = || Departure {
            flight: Arc::new(Flight { started_ns: now_ns.into(), ..Flight::default() }),
            passengers: 0,
        };
        let departure = board.entry(route.clone()).or_insert_with(fresh);
        let started_ns = departure.flight.started_ns.load(Ordering::Relaxed);
        if now_ns.saturating_sub(started_ns) >= age_max_ns {
            *departure = fresh();
        }
        departure.passengers += 1;
        let flight = Arc::clone(&departure.flight);
        drop(board);
        let loads = flight.loads.load(Ordering::SeqCst);
        Ticket { flights: Arc::clone(self), route, flight, loads }
    }

    #[cfg(test)]
    fn under_way(&self) -> usize {
        self.boards.iter().map(|board| board.lock().unwrap().len()).sum()
    }
}

/// A place on a flight. Returned by dropping it; the last one closes the flight.
#[derive(Debug)]
pub(crate) struct Ticket {
    flights: Arc<Flights>,
    route: Route,
    pub(crate) flight: Arc<Flight>,
    /// How many of its loads had begun when this place was taken.
    pub(crate) loads: u64,
}

impl Ticket {
    /// The outcome is in and stored: later callers look there, not here.
    pub(crate) fn land(&self) {
        let mut board = self.flights.board(&self.route);
        if board.get(&self.route).is_some_and(|entry| Arc::ptr_eq(&entry.flight, &self.flight)) {
            board.remove(&self.route);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut board = self.flights.board(&self.route);
        if let Some(departure) = board.get_mut(&self.route)
            && Arc::ptr_eq(&departure.flight, &self.flight)
        {
            departure.passengers -= 1;
            if departure.passengers == 0 {
                board.remove(&self.route);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flights_are_joined_while_young_and_of_one_generation_and_close_behind_the_last() {
        let flights = Arc::new(Flights::new());
        let key = Key::new("user").id(1);
        let first = flights.join((&key, 1, 0), 0, 10);
        let same = flights.join((&key, 1, 0), 9, 10);
        let newer = flights.join((&key, 2, 0), 9, 10);
        assert!(Arc::ptr_eq(&first.flight, &same.flight));
        assert!(!Arc::ptr_eq(&first.flight, &newer.flight));
        let late = flights.join((&key, 1, 0), 10, 10);
        assert!(!Arc::ptr_eq(&first.flight, &late.flight));
        drop((first, same, newer));
        assert_eq!(flights.under_way(), 1);
        drop(late);
        assert_eq!(flights.under_way(), 0);
    }
}
