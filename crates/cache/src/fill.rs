//! Between a value and what the levels keep of it.

use std::time::Duration;

use crate::backend::{Reading, Sealed, Stamp};
use crate::entry::{Entry, Kept, Shape, Value};
use crate::envelope::{self, Times};
use crate::extra::{Extras, Known, is_open, stamped};
use crate::generations::Seen;
use crate::life::Ages;
use crate::namespace::Count;
use crate::quarantine::Target;
use crate::shared::Shared;

/// What the shared level said of one entry: under these stamps a value may be stored there.
pub(crate) struct Looked {
    pub(crate) key: String,
    pub(crate) targets: Vec<String>,
    pub(crate) stamps: Vec<Stamp>,
}

/// When a value was loaded, and what was known then.
#[derive(Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) seen: Seen,
    pub(crate) since_ns: u64,
    pub(crate) since_unix_ms: u64,
    pub(crate) load_ns: u64,
}

impl<T> Entry<'_, T> {
    pub(crate) fn shared(&self) -> Option<&Shared> {
        self.cache.inner.shared.as_deref()
    }

    /// What the entry depends on, rendered: its tags, its namespace and all.
    pub(crate) fn targets(&self, shared: &Shared) -> Vec<String> {
        let hidden = [Target::All, Target::Namespace(self.key.namespace())];
        let tags = self.tags.iter().cloned().map(Target::Tag);
        hidden.into_iter().chain(tags).map(|target| shared.naming.target(&target)).collect()
    }

    /// A value of the shared level. Bytes that cannot be read are a miss, counted and told.
    pub(crate) fn opened<S: Value>(
        &self,
        shared: &Shared,
        bytes: Option<&[u8]>,
        (targets, stamps): (&[String], &[Stamp]),
        known: &Known,
    ) -> Option<Kept<S>> {
        let (bytes, extra) = (bytes?, |text: &str| known.stamp(text));
        let opened = shared.open(self.namespace, bytes, (targets, stamps), extra)?;
        let extras = known.pick(envelope::extras(bytes).into_iter())?;
        let ages = Ages::shared(&opened.times, shared.now_unix_ms(), self.now_ns());
        // What a quarantine knows of, the level may not.
        let counts = ages.aged_until_ns > self.now_ns() && is_open(&extras);
        counts.then_some(Kept { value: opened.value, ages, extras })
    }

    /// Asks the shared level, and leaves a nonce where there was none. `None` when it is out of
    /// order or must not be asked.
    pub(crate) async fn look<S: Value>(
        &self,
        seen: Seen,
        known: &mut Known,
    ) -> Option<(Option<Kept<S>>, Looked)> {
        let shared = self.shared().filter(|_| !seen.fenced)?;
        if !self.options.reads_shared() && !self.options.fills_shared() {
            return None;
        }
        let (key, mut targets) = (shared.naming.key(&self.key), self.targets(shared));
        let asked: &[String] = match self.options.reads_shared() {
            true => std::slice::from_ref(&key),
            false => &[],
        };
        let own = targets.len();
        targets.extend(known.unasked(shared));
        let (entries, mut stamps) = shared.look(self.namespace, asked, &targets).await?;
        targets.truncate(own);
        known.told(stamps.split_off(own).into_iter().map(Some));
        let bytes = entries.first().and_then(|entry| entry.as_deref());
        if self.notes_more(bytes, known) {
            // They are told before the load as well, whether the entry counts or not.
            let names = known.unasked(shared);
            let further = shared.look(self.namespace, &[], &names).await;
            known.told(further.into_iter().flat_map(|(_, stamps)| stamps).map(Some));
        }
        let found = self.opened(shared, bytes, (&targets, &stamps), known);
        Some((found, Looked { key, targets, stamps }))
    }

    /// The stored value of the shared level; nothing is written there.
    pub(crate) async fn peeked<S: Value>(&self, shared: &Shared) -> Option<Kept<S>> {
        let (keys, mut targets) = ([shared.naming.key(&self.key)], self.targets(shared));
        let mut known = self.expected();
        let own = targets.len();
        targets.extend(known.unasked(shared));
        let Reading { entries, mut stamps } = shared.read(self.namespace, &keys, &targets).await?;
        targets.truncate(own);
        known.told(stamps.split_off(own));
        let stamps: Vec<_> = stamps.into_iter().collect::<Option<_>>()?;
        let bytes = entries.first()?.as_deref();
        if self.notes_more(bytes, &mut known) {
            let names = known.unasked(shared);
            known.told(shared.read(self.namespace, &[], &names).await?.stamps);
        }
        self.opened(shared, bytes, (&targets, &stamps), &known)
    }

    /// Notes the tags that the loader of a stored entry named, and that are new here.
    pub(crate) fn notes_more(&self, bytes: Option<&[u8]>, known: &mut Known) -> bool {
        let texts = bytes.map(envelope::extras).unwrap_or_default();
        !texts.is_empty() && known.note_texts(&texts, &self.cache.inner.generations)
    }

    /// Bytes for the shared level, under stamps taken before the load.
    fn sealed<S: Value>(
        &self,
        shared: &Shared,
        (value, extras): (&S, &Extras),
        looked: &Looked,
        times: Times,
    ) -> Option<Sealed> {
        let (extras, under) = (stamped(extras)?, (&*looked.targets, &*looked.stamps));
        let bytes = shared.seal(value, under, &extras, times)?;
        let ttl = Duration::from_millis(times.fresh_ms.saturating_add(times.stale_ms));
        Some(Sealed { key: looked.key.clone(), bytes, ttl })
    }

    /// Puts a loaded value into this process, and gives what is to be stored in the shared level.
    /// Whether anything took or will take it comes first.
    pub(crate) fn prepare<S>(
        &self,
        (value, ttl, extras): (&S, Duration, &Extras),
        origin: Origin,
        looked: Option<&Looked>,
    ) -> (bool, Option<Sealed>)
    where
        S: Value,
        Self: Shape<S>,
    {
        let negative = self.negative(value);
        let Some(fresh) = self.lifetime(ttl, negative) else { return (false, None) };
        let stale = if negative { Duration::ZERO } else { self.options.stale_for() };
        let ages = Ages::loaded(origin.since_ns, fresh, stale, origin.load_ns);
        let held = self.hold((value, ages, extras), origin.seen, origin.since_ns);
        let overtaken = || self.see() != origin.seen || !self.stands(extras) || !is_open(extras);
        // The stamps alone keep it correct; a known write makes storing it pointless.
        let sealed = match (self.shared(), looked) {
            (Some(shared), Some(looked)) if self.options.fills_shared() && !overtaken() => {
                let ms = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
                let times = Times {
                    created_ms: origin.since_unix_ms,
                    fresh_ms: ms(fresh),
                    stale_ms: ms(stale),
                    load_ms: origin.load_ns / 1_000_000,
                };
                self.sealed(shared, (value, extras), looked, times)
            }
            _ => None,
        };
        (held, sealed)
    }

    /// Stores a loaded value in both levels.
    pub(crate) async fn fill<S>(
        &self,
        loaded: (&S, Duration, &Extras),
        origin: Origin,
        looked: Option<&Looked>,
    ) where
        S: Value,
        Self: Shape<S>,
    {
        let (held, sealed) = self.prepare(loaded, origin, looked);
        let mut shares = false;
        if let (Some(shared), Some(sealed)) = (self.shared(), sealed) {
            shares = shared.store(self.namespace, vec![sealed]).await;
        }
        if held || shares {
            self.namespace.sets.count();
        }
    }

    /// The moment from which a value is reckoned.
    pub(crate) fn origin(&self, seen: Seen) -> Origin {
        let since_unix_ms = self.shared().map_or(0, Shared::now_unix_ms);
        Origin { seen, since_ns: self.now_ns(), since_unix_ms, load_ns: 0 }
    }

    /// Stores a value that depends on nothing but its TTL.
    pub(crate) async fn put(&self, value: &T)
    where
        T: Value,
    {
        let origin = self.origin(self.see());
        let looked = match self.shared() {
            Some(shared) if !origin.seen.fenced => {
                let (key, targets) = (shared.naming.key(&self.key), self.targets(shared));
                let looked = shared.look(self.namespace, &[], &targets).await;
                looked.map(|(_, stamps)| Looked { key, targets, stamps })
            }
            _ => None,
        };
        self.fill((value, self.ttl, &None), origin, looked.as_ref()).await;
    }
}
