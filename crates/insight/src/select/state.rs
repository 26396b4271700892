//! A set of chosen items and what every query costs with it.

use std::collections::HashMap;

use super::Choice;
use super::problem::{Pruned, Way};

/// Chosen items within the limits.
#[derive(Clone, Debug)]
pub(super) struct State<'a> {
    pub(super) pruned: &'a Pruned<'a>,
    held: Vec<bool>,
    /// Not to be taken in again while its room is filled with something else.
    banned: Option<usize>,
    bytes: u64,
    by_table: Vec<usize>,
    /// Weighted cost of every query.
    costs: Vec<f64>,
    upkeep: f64,
}

/// Items that could be added together, and what that saves.
#[derive(Clone, Debug)]
pub(super) struct Move {
    pub(super) items: Vec<usize>,
    pub(super) bytes: u64,
    /// Saved cost less upkeep.
    pub(super) gain: f64,
}

impl<'a> State<'a> {
    pub(super) fn empty(pruned: &'a Pruned<'a>) -> Self {
        Self {
            pruned,
            held: vec![false; pruned.items.len()],
            banned: None,
            bytes: 0,
            by_table: vec![0; pruned.table_max.len()],
            costs: pruned.base.clone(),
            upkeep: 0.0,
        }
    }

    /// Every item some plan uses, whatever the limits say.
    pub(super) fn full(pruned: &'a Pruned<'a>) -> Self {
        let mut state = Self::empty(pruned);
        for way in pruned.ways.iter().flatten() {
            for &item in &way.items {
                state.put(item);
            }
        }
        state.reprice();
        state
    }

    /// All queries' cost, and the upkeep of what is held: what is minimised.
    pub(super) fn net_cost(&self) -> f64 {
        self.costs.iter().sum::<f64>() + self.upkeep
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn items(&self) -> Vec<usize> {
        (0..self.held.len()).filter(|&item| self.held[item]).collect()
    }

    pub(super) fn is_within_limits(&self) -> bool {
        self.bytes <= self.pruned.bytes_max
            && self.by_table.iter().zip(&self.pruned.table_max).all(|(held, max)| held <= max)
    }

    /// Whether the table of `item` has more of them than it may.
    pub(super) fn is_table_over(&self, item: usize) -> bool {
        let table = self.pruned.items[item].table;
        self.by_table[table] > self.pruned.table_max[table]
    }

    pub(super) fn is_over_bytes(&self) -> bool {
        self.bytes > self.pruned.bytes_max
    }

    fn fits(&self, items: &[usize]) -> bool {
        let bytes = self.bytes.saturating_add(self.pruned.bytes_of(items));
        bytes <= self.pruned.bytes_max
            && items.iter().all(|&item| {
                let table = self.pruned.items[item].table;
                let more = items.iter().filter(|&&i| self.pruned.items[i].table == table).count();
                self.by_table[table] + more <= self.pruned.table_max[table]
            })
    }

    fn put(&mut self, item: usize) {
        if !self.held[item] {
            self.held[item] = true;
            self.bytes = self.bytes.saturating_add(self.pruned.items[item].bytes);
            self.by_table[self.pruned.items[item].table] += 1;
        }
    }

    /// Takes the items in; they must fit.
    pub(super) fn add(&mut self, items: &[usize]) {
        for &item in items {
            self.put(item);
        }
        self.reprice();
    }

    /// Forbids one item to [`State::moves`], or none.
    pub(super) fn ban(&mut self, item: Option<usize>) {
        self.banned = item;
    }

    pub(super) fn remove(&mut self, item: usize) {
        if self.held[item] {
            self.held[item] = false;
            self.by_table[self.pruned.items[item].table] -= 1;
            self.bytes = self.pruned.bytes_of(&self.items());
            self.reprice();
        }
    }

    /// Costs afresh: adding and subtracting gains would let rounding errors pile up.
    fn reprice(&mut self) {
        self.costs = (0..self.pruned.base.len())
            .map(|query| {
                self.held_ways(query).next().map_or(self.pruned.base[query], |way| way.cost)
            })
            .collect();
        self.upkeep = self.items().iter().map(|&item| self.pruned.items[item].upkeep).sum();
    }

    /// The ways of a query that are open now, the cheapest first.
    fn held_ways(&self, query: usize) -> impl Iterator<Item = &'a Way> {
        let ways = &self.pruned.ways[query];
        ways.iter().filter(|way| way.items.iter().all(|&item| self.held[item]))
    }

    /// What net cost rises by when each held item alone is taken away, by item.
    pub(super) fn losses(&self) -> Vec<(usize, f64)> {
        let mut lost = vec![0.0; self.held.len()];
        for (query, &base) in self.pruned.base.iter().enumerate() {
            let Some(best) = self.held_ways(query).next() else { continue };
            for &item in &best.items {
                let next = self.held_ways(query).find(|way| !way.items.contains(&item));
                lost[item] += next.map_or(base, |way| way.cost) - best.cost;
            }
        }
        let items = self.items().into_iter();
        items.map(|item| (item, lost[item] - self.pruned.items[item].upkeep)).collect()
    }

    /// Everything that can be added in one go and saves something: single items, and what a
    /// plan of several items still lacks.
    pub(super) fn moves(&self) -> Vec<Move> {
        let mut known: HashMap<Vec<usize>, usize> = HashMap::new();
        let mut missing: Vec<Vec<usize>> = Vec::new();
        let lacks = |items: &Vec<usize>| -> Vec<usize> {
            items.iter().copied().filter(|&item| !self.held[item]).collect()
        };
        let of_set: Vec<usize> = self
            .pruned
            .sets
            .iter()
            .map(|items| {
                let next = missing.len();
                let place = *known.entry(lacks(items)).or_insert(next);
                if place == next {
                    missing.push(lacks(items));
                }
                place
            })
            .collect();
        // What each set of missing items would bring queries to, by query, ascending.
        let mut costs: Vec<Vec<(usize, f64)>> = vec![Vec::new(); missing.len()];
        for (query, ways) in self.pruned.ways.iter().enumerate() {
            for way in ways.iter().take_while(|way| way.cost < self.costs[query]) {
                let own = &mut costs[of_set[way.set]];
                // The cheapest comes first.
                if own.last().is_none_or(|(last, _)| *last != query) {
                    own.push((query, way.cost));
                }
            }
        }
        (0..missing.len())
            .filter(|&place| !costs[place].is_empty() && self.is_open(&missing[place]))
            .filter_map(|place| {
                let items = &missing[place];
                let singles = items.iter().filter(|_| items.len() > 1);
                let below = singles.filter_map(|&item| known.get([item].as_slice()));
                let gain = self.gain(items, &costs[place], below.map(|&at| costs[at].as_slice()));
                let bytes = self.pruned.bytes_of(items);
                (gain > 0.0).then(|| Move { items: items.clone(), bytes, gain })
            })
            .collect()
    }

    fn is_open(&self, items: &[usize]) -> bool {
        !items.iter().any(|&item| self.banned == Some(item)) && self.fits(items)
    }

    /// A set brings what its subsets bring as well. Of more than two items only the single ones
    /// are looked at: fewer gains are then seen than there are, never more.
    fn gain<'s>(
        &self,
        items: &[usize],
        own: &[(usize, f64)],
        below: impl Iterator<Item = &'s [(usize, f64)]>,
    ) -> f64 {
        let mut best = own.to_vec();
        for &(query, cost) in below.flatten() {
            match best.binary_search_by_key(&query, |(held, _)| *held) {
                Ok(place) => best[place].1 = best[place].1.min(cost),
                Err(place) => best.insert(place, (query, cost)),
            }
        }
        let saved: f64 = best.iter().map(|&(query, cost)| self.costs[query] - cost).sum();
        saved - items.iter().map(|&item| self.pruned.items[item].upkeep).sum::<f64>()
    }

    pub(super) fn into_choice(self) -> Choice {
        let marginal = self.losses().into_iter().map(|(_, loss)| loss).collect();
        Choice {
            chosen: self.items(),
            bytes: self.bytes,
            cost_before: self.pruned.base.iter().sum(),
            cost_after: self.costs.iter().sum(),
            marginal,
        }
    }
}
