//! What processes tell each other, and how a lost message is noticed.
//!
//! All numbers little-endian. Version 1: `version u8, realm u64, origin u64, sequence u64,
//! targets u16, (length u16, name)…`. The realm is the hash of the prefix: caches of other
//! prefixes may share the channel. News have the next number of their origin; a heartbeat has no
//! targets and the number of the last news.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

const VERSION: u8 = 1;
const TARGETS_MAX: usize = 500;
const BYTES_MAX: usize = 32 << 10;

/// A message that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) origin: u64,
    pub(crate) sequence: u64,
    /// Rendered. Empty: a heartbeat.
    pub(crate) targets: Vec<String>,
}

/// The sending side.
#[derive(Debug)]
pub(crate) struct Post {
    realm: u64,
    pub(crate) origin: u64,
    last: AtomicU64,
    pub(crate) sent: AtomicU64,
}

impl Post {
    pub(crate) fn new(realm: u64, origin: u64) -> Self {
        Self { realm, origin, last: AtomicU64::default(), sent: AtomicU64::default() }
    }

    /// The number of the last news, sent or not: one that was not sent is missed by the others,
    /// and that is right.
    pub(crate) fn last(&self) -> u64 {
        self.last.load(Ordering::SeqCst)
    }

    /// Names what changed, or `all` where that would be too long.
    pub(crate) fn news<'n>(
        &self,
        names: impl Iterator<Item = &'n str> + Clone,
        all: impl FnOnce() -> String,
    ) -> Vec<u8> {
        let sequence = self.last.fetch_add(1, Ordering::SeqCst) + 1;
        let bytes: usize = names.clone().map(|name| name.len() + 2).sum();
        let short = names.clone().all(|name| u16::try_from(name.len()).is_ok());
        if short && bytes <= BYTES_MAX && names.clone().count() <= TARGETS_MAX {
            self.write(sequence, names)
        } else {
            self.write(sequence, std::iter::once(all().as_str()))
        }
    }

    pub(crate) fn heartbeat(&self) -> Vec<u8> {
        self.write(self.last(), std::iter::empty())
    }

    fn write<'n>(&self, sequence: u64, names: impl Iterator<Item = &'n str> + Clone) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend([self.realm, self.origin, sequence].map(u64::to_le_bytes).as_flattened());
        // Both fit: `news` has counted.
        bytes.extend((names.clone().count() as u16).to_le_bytes());
        for name in names {
            bytes.extend((name.len() as u16).to_le_bytes());
            bytes.extend(name.as_bytes());
        }
        bytes
    }

    /// `Ok(None)`: of another realm. `Err`: nothing this release can read.
    pub(crate) fn read(&self, bytes: &[u8]) -> Result<Option<Message>, Unreadable> {
        let ([version], mut rest) = bytes.split_first_chunk().ok_or(Unreadable)?;
        if *version != VERSION {
            return Err(Unreadable);
        }
        let mut word = || {
            let (word, after) = rest.split_first_chunk::<8>().ok_or(Unreadable)?;
            rest = after;
            Ok(u64::from_le_bytes(*word))
        };
        let (realm, origin, sequence) = (word()?, word()?, word()?);
        if realm != self.realm {
            return Ok(None);
        }
        let length = |rest: &mut &[u8]| {
            let (length, after) = rest.split_first_chunk::<2>().ok_or(Unreadable)?;
            *rest = after;
            Ok(usize::from(u16::from_le_bytes(*length)))
        };
        let count = length(&mut rest)?;
        let mut targets = Vec::with_capacity(count.min(TARGETS_MAX));
        for _ in 0..count {
            let len = length(&mut rest)?;
            let (name, after) = rest.split_at_checked(len).ok_or(Unreadable)?;
            targets.push(String::from_utf8(name.to_vec()).map_err(|_| Unreadable)?);
            rest = after;
        }
        Ok(Some(Message { origin, sequence, targets }))
    }
}

/// Not a message of ours, or of a release that knows more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// One sender as seen from here.
#[derive(Debug)]
struct Sender {
    /// The next number that was not heard of.
    next: u64,
    /// Numbers below it that did not arrive yet, and when that was noticed.
    missing: Vec<(u64, u64)>,
    heard: u64,
}

/// What an arrival says of the messages before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Nothing is lost so far as is known.
    Expected,
    /// Its sender was not heard of and has said things before: whether they were heard is not
    /// known, so everything must be dropped.
    Stranger,
    /// So much is missing that everything must be dropped now.
    Gap,
}

/// Notices lost messages. Bounded in senders and in what may be missing. Time is counted in
/// heartbeats of this process.
#[derive(Debug, Default)]
pub(crate) struct Senders(HashMap<u64, Sender>);

impl Senders {
    const SENDERS_MAX: usize = 256;
    const MISSING_MAX: u64 = 64;
    /// Nobody is silent for this many heartbeats, unless it is gone.
    const SILENCE_MAX: u64 = 600;

    pub(crate) fn arrive(&mut self, message: &Message, now: u64) -> Arrival {
        let Message { origin, sequence, .. } = *message;
        let news = !message.targets.is_empty();
        let Some(sender) = self.0.get_mut(&origin) else {
            self.make_room(now);
            let next = sequence.saturating_add(1);
            self.0.insert(origin, Sender { next, missing: Vec::new(), heard: now });
            let has_past = sequence > u64::from(news);
            return if has_past { Arrival::Stranger } else { Arrival::Expected };
        };
        sender.heard = now;
        if sequence < sender.next {
            if news {
                // Late, but there: two connections do not keep the order.
                sender.missing.retain(|(number, _)| *number != sequence);
            }
            return Arrival::Expected;
        }
        // A heartbeat is missing its own number, too.
        let end = if news { sequence } else { sequence.saturating_add(1) };
        let missing = sender.next..end;
        sender.next = sequence.saturating_add(1);
        let count = missing.end - missing.start;
        if count.saturating_add(sender.missing.len() as u64) > Self::MISSING_MAX {
            return Arrival::Gap;
        }
        sender.missing.extend(missing.map(|number| (number, now)));
        Arrival::Expected
    }

    /// Whether anything is missing that was noticed at `noticed_until` or before: it is lost.
    pub(crate) fn lost(&mut self, noticed_until: u64) -> bool {
        let mut lost = false;
        for sender in self.0.values_mut() {
            let before = sender.missing.len();
            sender.missing.retain(|(_, noticed)| *noticed > noticed_until);
            lost |= sender.missing.len() < before;
        }
        lost
    }

    /// After everything was dropped nothing is missing any more.
    pub(crate) fn forgive(&mut self) {
        self.0.values_mut().for_each(|sender| sender.missing.clear());
    }

    /// A new subscription: whoever is heard of next may have said anything meanwhile, and all of
    /// it is forgotten already.
    pub(crate) fn restart(&mut self) {
        self.0.clear();
    }

    fn make_room(&mut self, now: u64) {
        self.0.retain(|_, sender| now.saturating_sub(sender.heard) < Self::SILENCE_MAX);
        if self.0.len() >= Self::SENDERS_MAX {
            let quietest = self.0.iter().min_by_key(|(_, sender)| sender.heard);
            if let Some(origin) = quietest.map(|(origin, _)| *origin) {
                self.0.remove(&origin);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all() -> String {
        "gh:%all".to_owned()
    }

    fn news(sequence: u64) -> Message {
        Message { origin: 1, sequence, targets: vec![all()] }
    }

    fn heartbeat(sequence: u64) -> Message {
        Message { origin: 1, sequence, targets: Vec::new() }
    }

    #[test]
    fn a_message_is_read_as_it_was_written_and_a_long_one_says_everything() {
        let post = Post::new(7, 9);
        let names = ["gh:%tag:user:1", "gh:%ns:user"];
        let read = post.read(&post.news(names.into_iter(), all)).unwrap().unwrap();
        assert_eq!((read.origin, read.sequence), (9, 1));
        assert_eq!(read.targets, names);
        assert_eq!(post.read(&post.heartbeat()).unwrap().unwrap().sequence, 1);
        let long = "x".repeat(70_000);
        let read = post.read(&post.news([long.as_str()].into_iter(), all)).unwrap().unwrap();
        assert_eq!((read.sequence, read.targets), (2, vec![all()]));
        let many = post.news(std::iter::repeat_n("a", 501), all);
        assert_eq!(post.read(&many).unwrap().unwrap().targets, [all()]);
        assert_eq!(Post::new(8, 9).read(&many), Ok(None), "of another prefix");
    }

    #[test]
    fn a_gap_is_noticed_once_and_a_late_message_closes_it() {
        let mut senders = Senders::default();
        assert_eq!(senders.arrive(&news(1), 10), Arrival::Expected);
        assert_eq!(senders.arrive(&news(3), 20), Arrival::Expected);
        assert!(!senders.lost(19));
        assert_eq!(senders.arrive(&news(2), 30), Arrival::Expected, "late");
        assert!(!senders.lost(100));
        assert_eq!(senders.arrive(&news(5), 40), Arrival::Expected);
        assert!(senders.lost(40));
        assert!(!senders.lost(100), "told once");
    }

    #[test]
    fn a_heartbeat_shows_that_the_last_message_was_lost() {
        let mut senders = Senders::default();
        assert_eq!(senders.arrive(&heartbeat(0), 10), Arrival::Expected);
        assert_eq!(senders.arrive(&news(1), 20), Arrival::Expected);
        assert_eq!(senders.arrive(&heartbeat(1), 30), Arrival::Expected);
        assert!(!senders.lost(100));
        assert_eq!(senders.arrive(&heartbeat(2), 40), Arrival::Expected);
        assert!(senders.lost(40));
    }

    #[test]
    fn a_stranger_with_a_past_and_a_huge_gap_count_at_once() {
        let mut senders = Senders::default();
        assert_eq!(senders.arrive(&news(2), 1), Arrival::Stranger);
        assert_eq!(senders.arrive(&news(3), 2), Arrival::Expected);
        assert_eq!(senders.arrive(&news(1_000), 3), Arrival::Gap);
        assert!(!senders.lost(100));
        for origin in 2..2_000 {
            senders.arrive(&Message { origin, sequence: 1, targets: vec![all()] }, origin);
        }
        assert_eq!(senders.0.len(), Senders::SENDERS_MAX);
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let post = Post::new(7, 9);
            post.read(&bytes).ok();
            let mut versioned = post.heartbeat();
            versioned.extend(bytes);
            post.read(&versioned[..versioned.len() - 2]).ok();
            versioned.drain(25..27);
            post.read(&versioned).ok();
        }
    }
}
