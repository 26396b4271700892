//! Many entries at once: one round trip, one load.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::time::Duration;

use crate::boarding::Boarding;
use crate::cache::Cache;
use crate::entry::{Entry, Loaded, Value};
use crate::key::Key;
use crate::tag::Tag;

/// At most this many ids go into one round trip and one call of the loader.
const CHUNK: usize = 500;

impl Cache {
    /// The values of many ids, in the order asked, duplicates included; `None` for an absent one.
    ///
    /// `describe` gives an id's key and tags. The loader is called with exactly the ids that
    /// are not stored and that nobody loads already, each once and in the order asked, at most
    /// 500 a call; it answers pairs in any order and leaves out the absent ones, whose absence is
    /// stored. Entries and loads under way are shared with [`Entry::get_or_load_optional`]. A
    /// load of somebody else that does not come to an end within the load deadline is made up for
    /// by one more call, whose values are not stored. A batch takes no lock against other
    /// processes and neither gives aged values nor refreshes early.
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
        E: Clone + Send + Sync + 'static,
        F: FnMut(Vec<I>) -> Fut,
        Fut: Future<Output = Result<Vec<(I, T)>, E>>,
    {
        let present = |loaded: Vec<(I, T)>| {
            loaded.into_iter().map(|(id, value)| (id, Loaded::Store(Some(value)))).collect()
        };
        let loading = |ids| {
            let load = loader(ids);
            async { load.await.map(present) }
        };
        self.get_or_load_many_with(ids, ttl, describe, loading).await
    }

    /// Like [`get_or_load_many`](Self::get_or_load_many); the loader decides of each value whether
    /// it is stored, for how long, and what it depends on. An id that it leaves out is absent, and
    /// its absence is stored as it would be there.
    ///
    /// # Errors
    /// The loader's first; what earlier calls brought stays stored.
    pub async fn get_or_load_many_with<I, T, G, E, F, Fut>(
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
        E: Clone + Send + Sync + 'static,
        F: FnMut(Vec<I>) -> Fut,
        Fut: Future<Output = Result<Vec<(I, Loaded<Option<T>>)>, E>>,
    {
        let asked = Asked::new(ids);
        let ttl = ttl.into();
        let mut values = Vec::with_capacity(asked.unique.len());
        for chunk in asked.unique.chunks(CHUNK) {
            let mut boarding = Boarding::new(self, self.entries(chunk, ttl, &describe));
            boarding.look(self).await;
            let wanted = boarding.to_load();
            if let Some(first) = wanted.first() {
                let some = wanted.iter().map(|at| chunk[*at].clone()).collect();
                let load = Box::pin(boarding.entries[*first].timed(loader(some)));
                match load.await {
                    Ok(loaded) => {
                        let loaded = answers(chunk, &wanted, loaded);
                        boarding.keep::<E>(self, &wanted, loaded).await;
                    }
                    Err(error) => {
                        boarding.fail(&wanted, &error);
                        return Err(error);
                    }
                }
            }
            let orphans = boarding.wait_for_others::<E>(self).await?;
            if let Some(first) = orphans.first() {
                let some = orphans.iter().map(|at| chunk[*at].clone()).collect();
                let load = Box::pin(boarding.entries[*first].timed(loader(some)));
                let loaded = answers(chunk, &orphans, load.await?).into_iter();
                boarding.give(loaded.map(|(at, loaded)| (at, loaded.into_value())).collect());
            }
            values.extend(boarding.into_values());
        }
        Ok(asked.in_order(values))
    }

    /// What is stored of many ids, in the order asked, duplicates included; `Some(None)` is a
    /// stored absence. Never loads and writes nothing, at one round trip for 500 ids. Entries are
    /// shared with [`Entry::get_optional`] and
    /// [`get_or_load_many`](Self::get_or_load_many).
    pub async fn get_many<I, T, G>(
        &self,
        ids: &[I],
        describe: impl Fn(&I) -> (Key, G),
    ) -> Vec<Option<Option<T>>>
    where
        I: Eq + Hash,
        T: Value,
        G: IntoIterator<Item = Tag>,
    {
        let asked = Asked::new(ids);
        let mut values = Vec::with_capacity(asked.unique.len());
        for chunk in asked.unique.chunks(CHUNK) {
            let boarding = Boarding::peek(self, self.entries(chunk, None, &describe));
            values.extend(boarding.await);
        }
        asked.in_order(values)
    }

    fn entries<I, T, G: IntoIterator<Item = Tag>>(
        &self,
        ids: &[&I],
        ttl: Option<Duration>,
        describe: &impl Fn(&I) -> (Key, G),
    ) -> Vec<Entry<'_, T>> {
        let entry = |id: &&I| {
            let (key, tags) = describe(id);
            self.entry(key, tags, ttl)
        };
        ids.iter().map(entry).collect()
    }
}

/// The ids of a question, each once, and where each of them stands.
struct Asked<'i, I> {
    unique: Vec<&'i I>,
    places: Vec<usize>,
}

impl<'i, I: Eq + Hash> Asked<'i, I> {
    fn new(ids: &'i [I]) -> Self {
        let mut known: HashMap<&I, usize> = HashMap::with_capacity(ids.len());
        let mut unique = Vec::with_capacity(ids.len());
        let mut place = |id| {
            *known.entry(id).or_insert_with(|| {
                unique.push(id);
                unique.len() - 1
            })
        };
        let places = ids.iter().map(&mut place).collect();
        Self { unique, places }
    }

    fn in_order<V: Clone>(&self, values: Vec<Option<V>>) -> Vec<Option<V>> {
        self.places.iter().map(|at| values.get(*at).cloned().flatten()).collect()
    }
}

/// What a loader answered for these places; absence where it said nothing.
fn answers<I: Eq + Hash, T>(
    chunk: &[&I],
    wanted: &[usize],
    loaded: Vec<(I, Loaded<Option<T>>)>,
) -> Vec<(usize, Loaded<Option<T>>)> {
    let mut loaded: HashMap<I, Loaded<Option<T>>> = loaded.into_iter().collect();
    let absent = || Loaded::Store(None);
    wanted.iter().map(|at| (*at, loaded.remove(chunk[*at]).unwrap_or_else(absent))).collect()
}
