//! Many entries at once: one round trip, one load.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::time::Duration;

use crate::backend::Stamp;
use crate::cache::{Cache, Level};
use crate::entry::{Entry, Value};
use crate::generations::Seen;
use crate::key::Key;
use crate::namespace::Count;
use crate::shared::Shared;
use crate::tag::Tag;

/// At most this many ids go into one round trip and one call of the loader.
const CHUNK: usize = 500;

impl Cache {
    /// The values of many ids, in the order asked, duplicates included; `None` for an absent one.
    ///
    /// `describe` gives an id's key and tags. The loader is called with exactly the ids that
    /// were not stored, each once and in the order asked, at most 500 a call; it answers pairs in
    /// any order and leaves out the absent ones, whose absence is stored. Entries are shared with
    /// [`Entry::get_or_load_optional`]. A batch neither joins the loads of others nor is joined.
    ///
    /// # Errors
    /// The loader's first; what earlier calls brought stays stored.
    pub async fn get_or_load_many<I, T, G, E, F, Fut>(
        &self,
        ids: &[I],
        ttl: impl Into<Option<Duration>>,
        describe: impl Fn(&I) -> (Key, G),
        mut loader: F,
    ) -> Result<Vec<Option<T>>, E>
    where
        I: Clone + Eq + Hash,
        T: Value,
        G: IntoIterator<Item = Tag>,
        F: FnMut(Vec<I>) -> Fut,
        Fut: Future<Output = Result<Vec<(I, T)>, E>>,
    {
        let ttl = ttl.into();
        let mut places: HashMap<&I, usize> = HashMap::with_capacity(ids.len());
        let mut unique = Vec::with_capacity(ids.len());
        for id in ids {
            places.entry(id).or_insert_with(|| {
                unique.push(id);
                unique.len() - 1
            });
        }
        let mut values = Vec::with_capacity(unique.len());
        for chunk in unique.chunks(CHUNK) {
            let entries = chunk.iter().map(|id| {
                let (key, tags) = describe(id);
                self.entry::<T>(key, tags, ttl)
            });
            let mut batch = Batch::new(entries.collect());
            let looked = batch.look(self).await;
            let missed = batch.missed();
            if let Some(first) = missed.first() {
                let wanted = missed.iter().map(|index| chunk[*index].clone()).collect();
                let load = batch.entries[*first].timed(loader(wanted));
                let mut loaded: HashMap<I, T> = Box::pin(load).await?.into_iter().collect();
                for index in &missed {
                    batch.values[*index] = Some(loaded.remove(chunk[*index]));
                }
                batch.keep(self, &missed, looked).await;
            }
            values.extend(batch.values.into_iter().map(Option::flatten));
        }
        Ok(ids.iter().map(|id| places.get(id).and_then(|at| values[*at].clone())).collect())
    }
}

/// Rendered tags of all entries, each once, with their stamps.
type Looked = (HashMap<String, usize>, Vec<Stamp>);

struct Batch<'c, T> {
    entries: Vec<Entry<'c, T>>,
    seen: Vec<Seen>,
    since_ns: u64,
    /// Outer `None`: not known yet. Inner `None`: known to be absent.
    values: Vec<Option<Option<T>>>,
}

impl<'c, T: Value> Batch<'c, T> {
    fn new(entries: Vec<Entry<'c, T>>) -> Self {
        let since_ns = entries.first().map_or(0, Entry::now_ns);
        let seen: Vec<_> = entries.iter().map(Entry::see).collect();
        let values = entries
            .iter()
            .zip(&seen)
            .map(|(entry, seen)| {
                let value = entry.held::<Option<T>>(*seen, since_ns)?;
                entry.count_hit(&value, since_ns);
                Some(value)
            })
            .collect();
        Self { entries, seen, since_ns, values }
    }

    fn missed(&self) -> Vec<usize> {
        let unknown = self.values.iter().enumerate().filter(|(_, value)| value.is_none());
        unknown.map(|(index, _)| index).collect()
    }

    /// Asks the shared level for what is missing and not fenced off, then counts the misses.
    async fn look(&mut self, cache: &Cache) -> Option<Looked> {
        let missed = self.missed();
        if missed.iter().any(|index| self.seen[*index].fenced) {
            cache.tend_quarantine();
        }
        let looked = match &cache.inner.level {
            Level::Shared(shared) => self.look_in(shared, &missed).await,
            _ => None,
        };
        for index in self.missed() {
            self.entries[index].namespace.misses.count();
        }
        looked
    }

    async fn look_in(&mut self, shared: &Shared, missed: &[usize]) -> Option<Looked> {
        let asked: Vec<_> = missed.iter().copied().filter(|at| !self.seen[*at].fenced).collect();
        let first = &self.entries[*asked.first()?];
        let keys: Vec<_> = asked.iter().map(|at| shared.key(&self.entries[*at].key)).collect();
        let (mut places, mut names) = (HashMap::new(), Vec::new());
        for target in asked.iter().flat_map(|at| self.entries[*at].targets(shared)) {
            places.entry(target).or_insert_with_key(|name: &String| {
                names.push(name.clone());
                names.len() - 1
            });
        }
        let (found, stamps) = shared.look(first.namespace, &keys, &names).await?;
        let looked = (places, stamps);
        for (index, bytes) in asked.iter().zip(found) {
            let entry = &self.entries[*index];
            let targets = entry.targets(shared);
            let Some(own) = own_stamps(&looked, &targets) else { continue };
            let value = entry.opened::<Option<T>>(shared, bytes.as_deref(), &targets, &own);
            if let Some(value) = &value {
                entry.count_hit(value, self.since_ns);
            }
            self.values[*index] = value;
        }
        Some(looked)
    }

    /// Stores what was loaded, unless a write overtook it.
    async fn keep(&self, cache: &Cache, loaded: &[usize], looked: Option<Looked>) {
        let mut sealed = Vec::new();
        for index in loaded {
            let (entry, seen) = (&self.entries[*index], self.seen[*index]);
            let Some(value) = &self.values[*index] else { continue };
            entry.hold(value, seen, self.since_ns);
            if let (Level::Shared(shared), Some(looked)) = (&cache.inner.level, &looked)
                && !seen.fenced
                && entry.see() == seen
            {
                let targets = entry.targets(shared);
                let Some(stamps) = own_stamps(looked, &targets) else { continue };
                let key = shared.key(&entry.key);
                sealed.extend(entry.sealed(shared, key, value, (&targets, &stamps)));
                entry.namespace.sets.count();
            }
        }
        if let (Level::Shared(shared), Some(first)) = (&cache.inner.level, loaded.first())
            && !sealed.is_empty()
        {
            // A failure is counted and told; the values are returned all the same.
            shared.store(self.entries[*first].namespace, sealed).await;
        }
    }
}

fn own_stamps((places, stamps): &Looked, targets: &[String]) -> Option<Vec<Stamp>> {
    targets.iter().map(|name| places.get(name).and_then(|at| stamps.get(*at)).copied()).collect()
}
