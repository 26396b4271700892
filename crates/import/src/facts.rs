//! What members did elsewhere, on its way from the reader to the writer.

use guildhall_domain::{Json, Timestamp};

/// One thing that a member did or was given.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub(crate) table: &'static str,
    /// The key of its row.
    pub(crate) key: String,
    pub(crate) what: Deed,
    /// When, where the source knows.
    pub(crate) at: Option<Timestamp>,
}

/// What it was. Keys are those of the source.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    Completed { mission: String },
    Progressed { mission: String, value: u64 },
    Achieved { achievement: String, context: Option<Json> },
    Decorated { badge: String },
    FoundLore { lore: LoreKey, context: Option<Json> },
    Owns { reward: String },
    Story(Box<StoryFacts>),
}

/// How a row names a piece of lore.
#[derive(Clone, Debug)]
pub(crate) enum LoreKey {
    /// By the id of its row.
    Row(String),
    Code(String),
}

/// A member's way through the story, united from all tables that tell of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct StoryFacts {
    pub(crate) current: Option<String>,
    /// First seen first, each once.
    pub(crate) visited: Vec<String>,
    pub(crate) completed: Vec<String>,
    /// Oldest first.
    pub(crate) decisions: Vec<PastDecision>,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) last_activity_at: Option<Timestamp>,
    /// The other tables that this was united from: their rows fare as this one.
    pub(crate) also_in: Vec<&'static str>,
}

impl StoryFacts {
    /// Notes a visit, once.
    pub(crate) fn saw(&mut self, fragment: &str) {
        if !self.visited.iter().any(|seen| seen == fragment) {
            self.visited.push(fragment.to_owned());
        }
    }
}

/// A choice that a member took.
#[derive(Clone, Debug)]
pub(crate) struct PastDecision {
    pub(crate) fragment: String,
    /// Its place among the choices, from 0.
    pub(crate) index: Option<u32>,
    pub(crate) text: Option<String>,
    pub(crate) at: Option<Timestamp>,
}
