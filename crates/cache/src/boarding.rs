//! A batch of entries: what is stored of them, which loads it leads, and which it waits for.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::time::{Instant, timeout_at};

use crate::backend::Stamp;
use crate::cache::Cache;
use crate::entry::{Entry, Value};
use crate::fill::{Looked, Origin};
use crate::flight::{Ticket, Turn};
use crate::load::{How, Landed};
use crate::namespace::Count;
use crate::shared::Shared;

/// What the batch has to do for an entry.
enum Seat {
    /// Nothing more.
    Answered,
    /// Load it, for itself and for whoever joins.
    Lead(Ticket, Turn),
    /// Load it for itself only.
    Alone,
    Follow(Ticket),
}

pub(crate) struct Boarding<'c, T> {
    pub(crate) entries: Vec<Entry<'c, T>>,
    origins: Vec<Origin>,
    seats: Vec<Seat>,
    looked: Vec<Option<Looked>>,
    /// Outer `None`: not known yet. Inner `None`: known to be absent.
    values: Vec<Option<Option<T>>>,
    /// What a dry run would have answered.
    claimed: Vec<Option<Option<T>>>,
}

impl<'c, T: Value> Boarding<'c, T> {
    /// Takes what is in this process, and a place in a flight for everything else.
    pub(crate) fn new(cache: &Cache, entries: Vec<Entry<'c, T>>) -> Self {
        let mut boarding = Self::open(cache, entries);
        if cache.inner.is_disabled() || cache.inner.settings.dry_run {
            return boarding;
        }
        for at in 0..boarding.entries.len() {
            if boarding.values[at].is_some() {
                continue;
            }
            let (entry, origin) = (&boarding.entries[at], boarding.origins[at]);
            let route = (&entry.key, origin.seen.generation, entry.tags.mark());
            let age_max_ns = cache.inner.settings.join_age_max_ns;
            let ticket = cache.inner.flights.join(route, origin.since_ns, age_max_ns);
            boarding.seats[at] = match ticket.flight.try_turn() {
                Some(turn) if turn.is_none() => {
                    ticket.flight.start(origin.since_ns);
                    Seat::Lead(ticket, turn)
                }
                _ => Seat::Follow(ticket),
            };
            // Another load may have landed just before this one began.
            if matches!(boarding.seats[at], Seat::Lead(..)) {
                boarding.recall(at);
            }
        }
        boarding
    }

    /// What is stored of these entries, the shared level included.
    pub(crate) async fn peek(cache: &Cache, entries: Vec<Entry<'c, T>>) -> Vec<Option<Option<T>>> {
        let mut boarding = Self::open(cache, entries);
        if let Some(shared) = &cache.inner.shared {
            boarding.look_in(shared, false).await;
        }
        for (entry, value) in boarding.entries.iter().zip(&boarding.values) {
            if value.is_none() {
                entry.namespace.misses.count();
            }
        }
        match cache.inner.settings.dry_run {
            true => vec![None; boarding.values.len()],
            false => boarding.values,
        }
    }

    fn open(cache: &Cache, entries: Vec<Entry<'c, T>>) -> Self {
        cache.tend_bus();
        let origins = entries.iter().map(|entry| entry.origin(entry.see())).collect();
        let count = entries.len();
        let mut boarding = Self {
            entries,
            origins,
            seats: (0..count).map(|_| Seat::Alone).collect(),
            looked: (0..count).map(|_| None).collect(),
            values: vec![None; count],
            claimed: vec![None; count],
        };
        (0..count).for_each(|at| boarding.recall(at));
        boarding
    }

    fn recall(&mut self, at: usize) {
        let (entry, origin) = (&self.entries[at], self.origins[at]);
        let kept = entry.remembered::<Option<T>>(origin.seen, origin.since_ns);
        if let Some(kept) = kept.filter(|kept| kept.ages.is_fresh(origin.since_ns)) {
            entry.count_hit(&kept.value, origin.since_ns);
            self.values[at] = Some(kept.value);
            self.seats[at] = Seat::Answered;
        }
    }

    /// Asks the shared level for what the batch has to load, where nothing is fenced off.
    pub(crate) async fn look(&mut self, cache: &Cache) {
        if self.pending().any(|at| self.origins[at].seen.fenced) {
            cache.tend_quarantine();
        }
        if let Some(shared) = &cache.inner.shared {
            self.look_in(shared, true).await;
        }
        if cache.inner.settings.dry_run {
            self.claimed = std::mem::replace(&mut self.values, vec![None; self.entries.len()]);
            self.seats.iter_mut().for_each(|seat| *seat = Seat::Alone);
        }
    }

    fn pending(&self) -> impl Iterator<Item = usize> {
        let seats = self.seats.iter().enumerate();
        seats.filter(|(_, seat)| matches!(seat, Seat::Lead(..) | Seat::Alone)).map(|(at, _)| at)
    }

    /// `adopts`: tags without a nonce get one, so that what is loaded can be stored.
    async fn look_in(&mut self, shared: &Shared, adopts: bool) {
        let asked: Vec<_> = self.pending().filter(|at| !self.origins[*at].seen.fenced).collect();
        let Some(namespace) = asked.first().map(|at| self.entries[*at].namespace) else { return };
        let keys: Vec<_> =
            asked.iter().map(|at| shared.naming.key(&self.entries[*at].key)).collect();
        let targets: Vec<_> = asked.iter().map(|at| self.entries[*at].targets(shared)).collect();
        let (mut places, mut names) = (HashMap::new(), Vec::new());
        for name in targets.iter().flatten() {
            places.entry(name.as_str()).or_insert_with(|| {
                names.push(name.clone());
                names.len() - 1
            });
        }
        let answer = match adopts {
            true => shared.look(namespace, &keys, &names).await.map(|(entries, stamps)| {
                (entries, stamps.into_iter().map(Some).collect::<Vec<_>>())
            }),
            false => shared.read(namespace, &keys, &names).await.map(|r| (r.entries, r.stamps)),
        };
        let Some((entries, stamps)) = answer else { return };
        for (((at, key), names), bytes) in asked.into_iter().zip(keys).zip(&targets).zip(entries) {
            let stamp = |name: &String| *stamps.get(*places.get(name.as_str())?)?;
            let own: Option<Vec<Stamp>> = names.iter().map(stamp).collect();
            let Some(own) = own else { continue };
            let (entry, origin) = (&self.entries[at], self.origins[at]);
            let kept = entry.opened::<Option<T>>(shared, bytes.as_deref(), (names, &own));
            if let Some(kept) = kept.filter(|kept| kept.ages.is_fresh(entry.now_ns())) {
                entry.hold(&kept.value, kept.ages, origin.seen, origin.since_ns);
                entry.count_hit(&kept.value, origin.since_ns);
                self.values[at] = Some(kept.value);
                // Dropping a turn without an outcome lets the next caller look for itself.
                self.seats[at] = Seat::Answered;
            }
            self.looked[at] = Some(Looked { key, targets: names.clone(), stamps: own });
        }
    }

    pub(crate) fn to_load(&self) -> Vec<usize> {
        self.pending().collect()
    }

    /// Stores what was loaded unless a write overtook it, and lets others have it.
    pub(crate) async fn keep<E>(
        &mut self,
        cache: &Cache,
        wanted: &[usize],
        loaded: Vec<(usize, Option<T>)>,
    ) where
        E: Clone + Send + Sync + 'static,
    {
        let mut sealed = Vec::new();
        for (at, value) in &loaded {
            let (entry, origin) = (&self.entries[*at], self.origins[*at]);
            let load_ns = entry.now_ns().saturating_sub(origin.since_ns);
            let origin = Origin { load_ns, ..origin };
            let looked = self.looked[*at].as_ref();
            let (held, bytes) = entry.prepare((value, entry.ttl), origin, looked);
            if held || bytes.is_some() {
                entry.namespace.sets.count();
            }
            sealed.extend(bytes);
            match &self.claimed[*at] {
                Some(claimed) => entry.note_audit(claimed, value, origin.seen).await,
                None => {
                    entry.namespace.misses.count();
                }
            }
        }
        if let (Some(shared), Some(first)) = (&cache.inner.shared, wanted.first())
            && !sealed.is_empty()
        {
            // A failure is counted and told; the values are returned all the same.
            shared.store(self.entries[*first].namespace, sealed).await;
        }
        for (at, value) in &loaded {
            let landed = Landed::<_, E> { result: Ok(value.clone()), how: How::Loaded };
            self.land(*at, landed);
        }
        self.give_counted(loaded);
    }

    /// Tells everybody who waits that the load failed.
    pub(crate) fn fail<E: Clone + Send + Sync + 'static>(&mut self, wanted: &[usize], error: &E) {
        for at in wanted {
            self.entries[*at].namespace.misses.count();
            let landed: Landed<Option<T>, E> =
                Landed { result: Err(error.clone()), how: How::Loaded };
            self.land(*at, landed);
        }
    }

    fn land<E: Clone + Send + Sync + 'static>(&mut self, at: usize, landed: Landed<Option<T>, E>) {
        if let Seat::Lead(ticket, mut turn) = std::mem::replace(&mut self.seats[at], Seat::Answered)
        {
            *turn = Some(Arc::new(landed));
            ticket.land();
        }
    }

    /// Waits for the loads of others, all of them together no longer than for one. Gives those
    /// that brought nothing.
    pub(crate) async fn wait_for_others<E>(&mut self, cache: &Cache) -> Result<Vec<usize>, E>
    where
        E: Clone + Send + Sync + 'static,
    {
        let deadline = Instant::now() + cache.inner.settings.load_wait;
        let mut orphans = Vec::new();
        for at in 0..self.entries.len() {
            let Seat::Follow(ticket) = &self.seats[at] else { continue };
            let (entry, since_ns) = (&self.entries[at], self.origins[at].since_ns);
            entry.namespace.coalesced_waits.count();
            let turn = timeout_at(deadline, ticket.flight.turn()).await.ok();
            let outcome = turn.and_then(|turn| turn.clone());
            let landed =
                outcome.as_ref().and_then(|outcome| outcome.downcast_ref::<Landed<Option<T>, E>>());
            match landed {
                Some(landed) => {
                    entry.count_read(landed.result.as_ref().ok(), landed.how, since_ns);
                    self.values[at] = Some(landed.result.clone()?);
                }
                None => orphans.push(at),
            }
        }
        Ok(orphans)
    }

    /// Takes values that are not to be stored.
    pub(crate) fn give(&mut self, loaded: Vec<(usize, Option<T>)>) {
        for (at, _) in &loaded {
            self.entries[*at].namespace.misses.count();
        }
        self.give_counted(loaded);
    }

    fn give_counted(&mut self, loaded: Vec<(usize, Option<T>)>) {
        for (at, value) in loaded {
            self.values[at] = Some(value);
        }
    }

    pub(crate) fn into_values(self) -> impl Iterator<Item = Option<T>> {
        self.values.into_iter().map(Option::flatten)
    }
}
