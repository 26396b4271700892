//! Tags that a loader names: found out while loading, and known by their text from then on.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::backend::Stamp;
use crate::entry::{Entry, Loaded};
use crate::generations::Generations;
use crate::hash::Precomputed;
use crate::key::Key;
use crate::name;
use crate::namespace::Count;
use crate::shared::Shared;
use crate::tag::Tag;

/// A tag that a loader named, in this process or in another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extra {
    hash: u64,
    text: Arc<str>,
}

impl Extra {
    fn of(tag: &Tag) -> Self {
        let mut text = String::new();
        tag.0.render(&mut text);
        Self { hash: tag.0.hash(), text: text.into() }
    }

    /// `None` for a text that no tag renders to.
    fn read(text: &str) -> Option<Self> {
        Some(Self { hash: name::rendered_hash(text)?, text: text.into() })
    }
}

/// Such a tag as it was before a value that depends on it was loaded or looked up.
#[derive(Clone, Debug)]
pub(crate) struct Noted {
    extra: Extra,
    generation: u64,
    /// A write or a quarantine fenced it off: nothing that depends on it is stored.
    fenced: bool,
    /// Told after the generation was noted, and before the load.
    stamp: Option<Stamp>,
}

impl Noted {
    fn now(extra: Extra, generations: &Generations) -> Self {
        let seen = generations.see_hashed(extra.hash);
        Self { extra, generation: seen.generation, fenced: seen.fenced, stamp: None }
    }
}

/// What a value depends on beside the tags of its entry. `None`: nothing, as mostly.
pub(crate) type Extras = Option<Arc<[Noted]>>;

impl Generations {
    /// Whether nothing was written to these tags since they were noted. A fence moves the
    /// generation, too.
    pub(crate) fn unmoved(&self, noted: &[Noted]) -> bool {
        noted.iter().all(|one| self.see_hashed(one.extra.hash).generation == one.generation)
    }
}

/// Whether a value that depends on these may be stored, or taken from where it is.
pub(crate) fn is_open(extras: &Extras) -> bool {
    extras.as_ref().is_none_or(|noted| noted.iter().all(|one| !one.fenced))
}

/// Texts and stamps for the shared level; `None` when it did not tell one of them.
pub(crate) fn stamped(extras: &Extras) -> Option<Vec<(&str, Stamp)>> {
    let noted = extras.as_deref().unwrap_or_default();
    noted.iter().map(|one| Some((&*one.extra.text, one.stamp?))).collect()
}

/// The tags that a loader is expected to name, noted before it begins.
#[derive(Debug, Default)]
pub(crate) struct Known(Vec<Noted>);

impl Known {
    fn note(&mut self, extra: &Extra, generations: &Generations) {
        if self.get(&extra.text).is_none() {
            self.0.push(Noted::now(extra.clone(), generations));
        }
    }

    fn get(&self, text: &str) -> Option<&Noted> {
        self.0.iter().find(|noted| *noted.extra.text == *text)
    }

    /// The rendered names of those whose nonce was not asked for yet.
    pub(crate) fn unasked(&self, shared: &Shared) -> Vec<String> {
        let bare = self.0.iter().filter(|noted| noted.stamp.is_none());
        bare.map(|noted| shared.naming.target_of(&noted.extra.text)).collect()
    }

    /// What the shared level said of [`unasked`](Self::unasked), in that order.
    pub(crate) fn told(&mut self, stamps: impl IntoIterator<Item = Option<Stamp>>) {
        let bare = self.0.iter_mut().filter(|noted| noted.stamp.is_none());
        bare.zip(stamps).for_each(|(noted, stamp)| noted.stamp = stamp);
    }

    /// Notes the tags of a stored entry that are new here. Whether there are any.
    pub(crate) fn note_texts(&mut self, texts: &[&str], generations: &Generations) -> bool {
        let before = self.0.len();
        for extra in texts.iter().filter_map(|text| Extra::read(text)) {
            self.note(&extra, generations);
        }
        self.0.len() > before
    }

    pub(crate) fn stamp(&self, text: &str) -> Option<Stamp> {
        self.get(text)?.stamp
    }

    /// All stamps: they tell one load from the next.
    pub(crate) fn stamps(&self) -> impl Iterator<Item = Stamp> {
        self.0.iter().filter_map(|noted| noted.stamp)
    }

    pub(crate) fn is_fenced(&self) -> bool {
        self.0.iter().any(|noted| noted.fenced)
    }

    /// As noted here; `None` when one of them was not.
    pub(crate) fn pick<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Option<Extras> {
        let noted: Vec<_> = texts.map(|text| self.get(text).cloned()).collect::<Option<_>>()?;
        Some((!noted.is_empty()).then(|| noted.into()))
    }
}

/// What a loader said of tags.
pub(crate) enum Named {
    Nothing,
    /// What was stored is still right, and so is what it depends on.
    AsBefore,
    Tags(Vec<Tag>),
}

impl<T> Entry<'_, T> {
    /// Whether nothing was written, since the value was loaded, to the tags its loader named.
    #[inline(always)]
    pub(crate) fn stands(&self, extras: &Extras) -> bool {
        match extras {
            None => true,
            Some(noted) => self.cache.inner.generations.unmoved(noted),
        }
    }

    /// What the loader is expected to name: what it named when its value was not stored for that,
    /// and what the entry depends on that is or was in this process.
    pub(crate) fn expected(&self) -> Known {
        let inner = &*self.cache.inner;
        let mut known = Known::default();
        for extra in inner.hints.get(&self.key).iter().flat_map(|hint| hint.iter()) {
            known.note(extra, &inner.generations);
        }
        let held = inner
            .memory
            .as_ref()
            .and_then(|memory| memory.look(&self.key, |held| Some(Arc::clone(held))));
        for noted in held.iter().flat_map(|held| held.extras.as_deref().unwrap_or_default()) {
            known.note(&noted.extra, &inner.generations);
        }
        if known.is_fenced() {
            self.cache.tend_quarantine();
        }
        known
    }

    /// What a loaded value depends on beside the entry's tags. `None`: it cannot be stored, for
    /// a tag was not noted before the load (the next one will) or there are too many.
    pub(crate) fn settled(
        &self,
        named: &Named,
        known: &Known,
        previous: &Extras,
    ) -> Option<Extras> {
        let tags = match named {
            Named::Nothing => return Some(None),
            Named::AsBefore => {
                let texts = previous.as_deref().unwrap_or_default().iter();
                return known.pick(texts.map(|noted| &*noted.extra.text));
            }
            Named::Tags(tags) => tags,
        };
        let mut extras: Vec<Extra> = Vec::new();
        for tag in tags.iter().filter(|tag| self.tags.iter().all(|own| own != *tag)) {
            let extra = Extra::of(tag);
            if !extras.contains(&extra) {
                extras.push(extra);
            }
            if extras.len() > Loaded::<T>::TAGS_MAX {
                self.namespace.overtagged.count();
                return None;
            }
        }
        let found = known.pick(extras.iter().map(|extra| &*extra.text));
        if found.is_none() {
            self.namespace.unsettled.count();
            self.cache.inner.hints.learn(&self.key, extras);
        }
        found
    }
}

type Hint = Arc<[Extra]>;

#[derive(Debug, Default)]
struct Table {
    hints: HashMap<Key, Hint, Precomputed>,
    /// In the order in which they came.
    order: VecDeque<Key>,
}

/// What loaders named when it was too late to store their values. Bounded: the oldest goes first,
/// which costs its key another load that is not stored.
#[derive(Debug, Default)]
pub(crate) struct Hints {
    /// Spares everybody the lock while there are none.
    len: AtomicUsize,
    table: Mutex<Table>,
}

impl Hints {
    const MAX: usize = 4_096;

    fn get(&self, key: &Key) -> Option<Hint> {
        if self.len.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.hints.get(key).cloned()
    }

    /// Keeps what it knew of the key beside, where there is room: tags that come and go in turns
    /// would otherwise never be known in time.
    fn learn(&self, key: &Key, mut extras: Vec<Extra>) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hint) = table.hints.get_mut(key) {
            let room = Loaded::<()>::TAGS_MAX.saturating_sub(extras.len());
            let older = hint.iter().filter(|extra| !extras.contains(extra)).take(room);
            let older: Vec<_> = older.cloned().collect();
            extras.extend(older);
            *hint = extras.into();
            return;
        }
        if table.order.len() >= Self::MAX
            && let Some(oldest) = table.order.pop_front()
        {
            table.hints.remove(&oldest);
        }
        table.order.push_back(key.clone());
        table.hints.insert(key.clone(), extras.into());
        self.len.store(table.hints.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extra(id: i64) -> Extra {
        Extra::of(&Tag::new("fragment").id(id))
    }

    #[test]
    fn the_oldest_hint_goes_first_and_tags_in_turns_are_all_known() {
        let hints = Hints::default();
        let key = |id: usize| Key::new("story").id(id as i64);
        for id in 0..=Hints::MAX {
            hints.learn(&key(id), vec![extra(1)]);
        }
        assert!(hints.get(&key(0)).is_none());
        assert_eq!(hints.len.load(Ordering::Relaxed), Hints::MAX);
        hints.learn(&key(1), vec![extra(2)]);
        assert_eq!(hints.get(&key(1)).as_deref(), Some(&[extra(2), extra(1)][..]));
        hints.learn(&key(1), (10..26).map(extra).collect());
        assert_eq!(hints.get(&key(1)).map(|hint| hint.len()), Some(Loaded::<()>::TAGS_MAX));
    }

    #[test]
    fn a_tag_is_the_same_from_a_loader_and_from_a_stored_entry() {
        let named = Extra::of(&Tag::new("story").id(7).text("a:b"));
        assert_eq!(Extra::read(&named.text), Some(named));
    }

    #[test]
    fn any_write_since_it_was_noted_shows() {
        let (generations, tag) = (Generations::new(), Tag::new("fragment").id(1));
        let mut known = Known::default();
        known.note(&extra(1), &generations);
        let noted = known.pick(["fragment:1"].into_iter()).unwrap();
        assert!(generations.unmoved(noted.as_deref().unwrap()) && is_open(&noted));
        generations.slot(&tag).raise();
        assert!(!generations.unmoved(noted.as_deref().unwrap()));
        let mut during = Known::default();
        during.note(&extra(1), &generations);
        assert!(during.is_fenced() && known.pick(["fragment:2"].into_iter()).is_none());
    }
}
