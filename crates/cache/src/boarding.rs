//! A batch of entries: what is stored of them, which loads it leads, and which it waits for.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::time::{Instant, timeout_at};

use crate::backend::Stamp;
use crate::cache::Cache;
use crate::entry::{Entry, Loaded, Value};
use crate::extra::{Known, Named};
use crate::fill::{Looked, Origin};
use crate::flight::{Ticket, Turn};
use crate::load::{How, Landed};
use crate::namespace::{Count, Namespace};
use crate::shared::Shared;

/// What the batch has to do for an entry.
enum Seat {
    /// Nothing more.
    Answered,
    /// Load it, for itself and for whoever joins.
    Lead(Ticket, Turn, u64),
    /// Load it for itself only.
    Alone,
    Follow(Ticket),
}

pub(crate) struct Boarding<'c, T> {
    pub(crate) entries: Vec<Entry<'c, T>>,
    origins: Vec<Origin>,
    /// What the loader is expected to name, by entry.
    known: Vec<Known>,
    seats: Vec<Seat>,
    looked: Vec<Option<Looked>>,
    /// Outer `None`: not known yet. Inner `None`: known to be absent.
    values: Vec<Option<Option<T>>>,
    /// What a dry run would have answered.
    claimed: Vec<Option<Option<T>>>,
}

/// What a batch asks the shared level, each name once.
struct Question<'s> {
    shared: &'s Shared,
    namespace: &'s Namespace,
    adopts: bool,
    stamps: HashMap<String, Option<Stamp>>,
}

impl Question<'_> {
    /// The entries; `None` when the level is out of order.
    async fn ask(
        &mut self,
        keys: &[String],
        mut names: Vec<String>,
    ) -> Option<Vec<Option<Vec<u8>>>> {
        let mut asked = HashSet::new();
        names.retain(|name| asked.insert(name.clone()));
        let (entries, stamps) = match self.adopts {
            true => {
                let (entries, stamps) = self.shared.look(self.namespace, keys, &names).await?;
                (entries, stamps.into_iter().map(Some).collect())
            }
            false => {
                let reading = self.shared.read(self.namespace, keys, &names).await?;
                (reading.entries, reading.stamps)
            }
        };
        self.stamps = names.into_iter().zip(stamps).collect();
        Some(entries)
    }

    fn tell(&self, known: &mut Known) {
        let stamp = |name| self.stamps.get(&name).copied().flatten();
        let stamps: Vec<_> = known.unasked(self.shared).into_iter().map(stamp).collect();
        known.told(stamps);
    }
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
                    let load = ticket.flight.start(origin.since_ns);
                    Seat::Lead(ticket, turn, load)
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
            known: (0..count).map(|_| Known::default()).collect(),
            seats: (0..count).map(|_| Seat::Alone).collect(),
            looked: (0..count).map(|_| None).collect(),
            values: vec![None; count],
            claimed: vec![None; count],
        };
        for at in 0..count {
            boarding.recall(at);
            if boarding.values[at].is_none() {
                boarding.known[at] = boarding.entries[at].expected();
            }
        }
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
        let mut question = Question { shared, namespace, adopts, stamps: HashMap::new() };
        let expected = asked.iter().flat_map(|at| self.known[*at].unasked(shared));
        let names = targets.iter().flatten().cloned().chain(expected).collect();
        let Some(entries) = question.ask(&keys, names).await else { return };
        let mut more = Vec::new();
        for (at, bytes) in asked.iter().zip(&entries) {
            let known = &mut self.known[*at];
            question.tell(known);
            if self.entries[*at].notes_more(bytes.as_deref(), known) {
                more.extend(known.unasked(shared));
            }
        }
        // Asked even if told before: a stamp counts for a generation that was noted earlier.
        // Without an answer these entries do not count.
        let mut further = Question { shared, namespace, adopts, stamps: HashMap::new() };
        if !more.is_empty() && further.ask(&[], more).await.is_some() {
            asked.iter().for_each(|at| further.tell(&mut self.known[*at]));
        }
        for (((at, key), names), bytes) in asked.into_iter().zip(keys).zip(&targets).zip(entries) {
            let stamp = |name: &String| question.stamps.get(name).copied().flatten();
            let own: Option<Vec<Stamp>> = names.iter().map(stamp).collect();
            let Some(own) = own else { continue };
            let (entry, origin) = (&self.entries[at], self.origins[at]);
            let under = (&**names, &*own);
            let kept = entry.opened::<Option<T>>(shared, bytes.as_deref(), under, &self.known[at]);
            if let Some(kept) = kept.filter(|kept| kept.ages.is_fresh(entry.now_ns())) {
                let held = (&kept.value, kept.ages, &kept.extras);
                entry.hold(held, origin.seen, origin.since_ns);
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
        loaded: Vec<(usize, Loaded<Option<T>>)>,
    ) where
        E: Clone + Send + Sync + 'static,
    {
        let (mut sealed, mut landed) = (Vec::new(), Vec::with_capacity(loaded.len()));
        for (at, loaded) in loaded {
            let (entry, origin) = (&self.entries[at], self.origins[at]);
            let (value, ttl, named) = loaded.into_parts(entry.ttl);
            let tagged = !matches!(named, Named::Nothing);
            let load_ns = entry.now_ns().saturating_sub(origin.since_ns);
            let origin = Origin { load_ns, ..origin };
            let looked = self.looked[at].as_ref();
            let extras = entry.settled(&named, &self.known[at], &None);
            if let (Some(ttl), Some(extras)) = (ttl, &extras) {
                let (held, bytes) = entry.prepare((&value, ttl, extras), origin, looked);
                if held || bytes.is_some() {
                    entry.namespace.sets.count();
                }
                sealed.extend(bytes);
            }
            match &self.claimed[at] {
                Some(claimed) => entry.note_audit(claimed, &value, origin.seen, tagged).await,
                None => {
                    entry.namespace.misses.count();
                }
            }
            landed.push((at, value, extras));
        }
        if let (Some(shared), Some(first)) = (&cache.inner.shared, wanted.first())
            && !sealed.is_empty()
        {
            // A failure is counted and told; the values are returned all the same.
            shared.store(self.entries[*first].namespace, sealed).await;
        }
        for (at, value, extras) in landed {
            let (result, load) = (Ok(value.clone()), self.loads(at));
            self.land(at, Landed::<_, E> { result, how: How::Loaded, extras, load });
            self.values[at] = Some(value);
        }
    }

    /// Tells everybody who waits that the load failed.
    pub(crate) fn fail<E: Clone + Send + Sync + 'static>(&mut self, wanted: &[usize], error: &E) {
        for at in wanted {
            self.entries[*at].namespace.misses.count();
            let landed: Landed<Option<T>, E> = Landed::failed(error.clone(), self.loads(*at));
            self.land(*at, landed);
        }
    }

    /// Number of the load that this batch leads for the entry.
    fn loads(&self, at: usize) -> u64 {
        match &self.seats[at] {
            Seat::Lead(_, _, load) => *load,
            _ => 0,
        }
    }

    fn land<E: Clone + Send + Sync + 'static>(&mut self, at: usize, landed: Landed<Option<T>, E>) {
        if let Seat::Lead(ticket, mut turn, _) =
            std::mem::replace(&mut self.seats[at], Seat::Answered)
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
            match landed.filter(|landed| entry.takes(landed, ticket)) {
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
