//! How things are called in the shared level, and how to read such a name again.

use crate::backend::Stamp;
use crate::hash::Fold;
use crate::key::Key;
use crate::name::{self, encode};
use crate::quarantine::Target;

/// `%` before two letters that are no hexadecimal number never occurs in an encoded text, so no
/// entry can be mistaken for a tag.
#[derive(Debug)]
pub(crate) struct Naming {
    pub(crate) prefix: String,
    pub(crate) schema: String,
}

/// What a rendered target stands for in this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The hash of the tag.
    Tag(u64),
    Namespace(String),
    All,
}

impl Naming {
    pub(crate) fn key(&self, key: &Key) -> String {
        let mut out = self.entries();
        key.0.render(&mut out);
        out
    }

    /// What every entry's name begins with.
    pub(crate) fn entries(&self) -> String {
        self.begun(&[":", &self.schema, ":"])
    }

    /// The prefix and what follows it, with room for a usual name: every hit in the shared level
    /// renders several.
    fn begun(&self, parts: &[&str]) -> String {
        const ROOM: usize = 48;
        let length = self.prefix.len() + parts.iter().map(|part| part.len()).sum::<usize>();
        let mut out = String::with_capacity(length + ROOM);
        out.push_str(&self.prefix);
        parts.iter().for_each(|part| out.push_str(part));
        out
    }

    /// Without the schema: a release must invalidate the entries of the next one and the last.
    pub(crate) fn target(&self, target: &Target) -> String {
        match target {
            Target::All => self.begun(&[":%all"]),
            Target::Namespace(name) => self.namespace_of_text(name),
            Target::Tag(tag) => {
                let mut out = self.begun(&[":%tag:"]);
                tag.0.render(&mut out);
                out
            }
        }
    }

    /// The target of a tag, rendered before.
    pub(crate) fn target_of(&self, tag: &str) -> String {
        self.begun(&[":%tag:", tag])
    }

    /// The target of a tag that is known by its text only; `None` if no tag renders like this.
    pub(crate) fn tag_of_text(&self, tag: &str) -> Option<String> {
        let is_one = !tag.is_empty() && name::rendered_hash(tag).is_some();
        is_one.then(|| self.target_of(tag))
    }

    pub(crate) fn namespace_of_text(&self, name: &str) -> String {
        let mut out = self.begun(&[":%ns:"]);
        encode(name, &mut out);
        out
    }

    /// The lock that lets one process load an entry under these stamps. With the schema: releases
    /// load apart.
    pub(crate) fn lock(&self, key: &Key, stamps: impl Iterator<Item = Stamp>) -> String {
        let hash = |hash: Fold, stamp: Stamp| hash.bytes(&stamp.nonce.0).bytes(&stamp.server.0);
        let stamped = stamps.fold(Fold::fixed(), hash).get();
        let mut out = format!("{}:%lock:{}:{stamped:016x}:", self.prefix, self.schema);
        key.0.render(&mut out);
        out
    }

    pub(crate) fn probe(&self, number: u64) -> String {
        format!("{}:%probe:{number:016x}", self.prefix)
    }

    /// Tells caches apart that share a bus and nothing else. The same in every process.
    pub(crate) fn realm(&self) -> u64 {
        Fold::fixed().bytes(self.prefix.as_bytes()).get()
    }

    /// Whether a text has the form of a rendered target, under whichever prefix.
    pub(crate) fn is_target(name: &str) -> bool {
        let mut parts = name.splitn(3, ':').skip(1);
        match (parts.next(), parts.next()) {
            (Some("%all"), None) => true,
            (Some("%ns" | "%tag"), Some(rest)) => !rest.is_empty(),
            _ => false,
        }
    }

    /// What [`target`](Self::target) wrote; `None` for anything else.
    pub(crate) fn hear(&self, rendered: &str) -> Option<Heard> {
        let rest = rendered.strip_prefix(self.prefix.as_str())?.strip_prefix(":%")?;
        if rest == "all" {
            return Some(Heard::All);
        }
        if let Some(tag) = rest.strip_prefix("tag:") {
            return name::rendered_hash(tag).map(Heard::Tag);
        }
        let name = name::decode(rest.strip_prefix("ns:")?)?;
        String::from_utf8(name).ok().map(Heard::Namespace)
    }
}
