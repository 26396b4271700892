//! What a type asked for, as a tree.

use crate::hash::Fold;

/// One question of a `Deserialize`. The texts are those serde passes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// Something without parts, and how many sample values there are to try.
    Leaf(&'static str, usize),
    Unit(&'static str),
    Option,
    Seq,
    Map,
    Newtype(&'static str),
    Tuple(&'static str, usize),
    Fields(&'static str, &'static [&'static str]),
    Variants(&'static str, &'static [&'static str]),
    /// A type inside itself: its shape stands further up.
    Again(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// There may be more to learn.
    Open,
    /// A value was made, and nothing beneath is open.
    Settled,
    /// No value can be made of what we have to offer.
    Broken,
}

#[derive(Debug)]
pub(super) struct Node {
    /// `None` until asked.
    pub(super) ask: Option<Ask>,
    pub(super) state: State,
    pub(super) children: Vec<usize>,
    /// Name of the type that is made here; empty where serde does not say.
    pub(super) owner: &'static str,
    /// Which sample value is offered next.
    pub(super) sample: usize,
    parent: Option<usize>,
    /// Name of the container that is made here, to recognise a type inside itself.
    container: &'static str,
}

/// The offer was refused, by the type or by a limit. Nobody asks which.
#[derive(Debug)]
pub(super) struct Stop;

#[derive(Debug)]
pub(super) struct Shape {
    pub(super) nodes: Vec<Node>,
    /// Grows with everything learnt, so that a run that taught nothing is noticed.
    pub(super) learnt: usize,
    /// A limit was reached: nobody knows what was left out.
    pub(super) cut: bool,
    pub(super) human_readable: bool,
    asks: usize,
}

impl Shape {
    pub(super) const ROOT: usize = 0;

    // A type that never ends must not keep us for ever.
    const NODES_MAX: usize = 10_000;
    const ASKS_MAX: usize = 1_000_000;
    const DEPTH_MAX: usize = 64;

    pub(super) fn new(owner: &'static str, human_readable: bool) -> Self {
        let mut shape = Self { nodes: Vec::new(), learnt: 0, cut: false, human_readable, asks: 0 };
        shape.push(None, owner);
        shape
    }

    fn push(&mut self, parent: Option<usize>, owner: &'static str) -> usize {
        let (ask, state, sample) = (None, State::Open, 0);
        let (children, container) = (Vec::new(), "");
        self.nodes.push(Node { ask, state, children, owner, sample, parent, container });
        self.learnt += 1;
        self.nodes.len() - 1
    }

    /// Remembers a question. Refused when it was another one last time, or over a limit.
    pub(super) fn ask(&mut self, at: usize, ask: Ask) -> Result<(), Stop> {
        self.asks += 1;
        self.cut |= self.asks > Self::ASKS_MAX;
        let node = &mut self.nodes[at];
        match node.ask {
            _ if self.cut => Err(Stop),
            Some(known) if known == ask => Ok(()),
            Some(_) => Err(Stop),
            None => {
                node.ask = Some(ask);
                self.learnt += 1;
                Ok(())
            }
        }
    }

    /// Like [`ask`](Self::ask) for a type with a name, which may contain itself.
    pub(super) fn ask_container(
        &mut self,
        at: usize,
        ask: Ask,
        container: &'static str,
    ) -> Result<(), Stop> {
        let (mut depth, mut above) = (0, self.nodes[at].parent);
        while let Some(parent) = above {
            if self.nodes[parent].container == container {
                self.ask(at, Ask::Again(ask.name()))?;
                return Err(Stop);
            }
            (depth, above) = (depth + 1, self.nodes[parent].parent);
        }
        self.cut |= depth > Self::DEPTH_MAX;
        self.nodes[at].container = container;
        self.ask(at, ask)
    }

    /// The child in that place, made if it is the next.
    pub(super) fn child(&mut self, at: usize, place: usize) -> Result<usize, Stop> {
        if let Some(child) = self.nodes[at].children.get(place) {
            return Ok(*child);
        }
        self.cut |= self.nodes.len() >= Self::NODES_MAX;
        if self.cut || self.nodes[at].children.len() != place {
            return Err(Stop);
        }
        let child = self.push(Some(at), "");
        self.nodes[at].children.push(child);
        Ok(child)
    }

    pub(super) fn children(&mut self, at: usize, count: usize) -> Result<Vec<usize>, Stop> {
        (0..count).map(|place| self.child(at, place)).collect()
    }

    pub(super) fn is_broken(&self, at: usize) -> bool {
        self.nodes[at].state == State::Broken
    }

    /// What is broken stays so: every run must bring the end nearer.
    pub(super) fn close(&mut self, at: usize, state: State) {
        let node = &mut self.nodes[at];
        if node.state != state && node.state != State::Broken {
            node.state = state;
            self.learnt += 1;
        }
    }

    /// What a run that began with `learnt_before` says about this node.
    pub(super) fn judge(&mut self, at: usize, made: bool, learnt_before: usize) {
        let quiet = self.learnt == learnt_before;
        let closed = self.nodes[at].children.iter().all(|&c| self.nodes[c].state != State::Open);
        let node = &mut self.nodes[at];
        match node.ask {
            _ if made && (closed || quiet) => self.close(at, State::Settled),
            Some(Ask::Leaf(_, samples)) if !made && quiet && node.sample + 1 < samples => {
                node.sample += 1;
                self.learnt += 1;
            }
            _ if !made && quiet => self.close(at, State::Broken),
            _ => {}
        }
    }

    /// `None` when a limit was reached.
    pub(super) fn fold(&self, hash: Fold) -> Option<Fold> {
        (!self.cut).then(|| self.fold_node(Self::ROOT, hash))
    }

    fn fold_node(&self, at: usize, hash: Fold) -> Fold {
        let node = &self.nodes[at];
        let hash = match node.ask {
            None => hash.word(0),
            Some(Ask::Leaf(kind, _)) => own_names(node.owner, text(hash.word(1), kind)),
            Some(Ask::Unit(name)) => text(hash.word(2), name),
            Some(Ask::Option) => hash.word(3),
            Some(Ask::Seq) => hash.word(4),
            Some(Ask::Map) => hash.word(5),
            Some(Ask::Newtype(name)) => text(hash.word(6), name),
            Some(Ask::Tuple(name, len)) => text(hash.word(7), name).word(len as u64),
            Some(Ask::Fields(name, fields)) => texts(text(hash.word(8), name), fields),
            Some(Ask::Variants(name, variants)) => texts(text(hash.word(9), name), variants),
            Some(Ask::Again(name)) => text(hash.word(10), name),
        };
        let hash = hash.word(node.children.len() as u64);
        node.children.iter().fold(hash, |hash, child| self.fold_node(*child, hash))
    }
}

impl Ask {
    fn name(self) -> &'static str {
        match self {
            Self::Newtype(name)
            | Self::Tuple(name, _)
            | Self::Fields(name, _)
            | Self::Variants(name, _) => name,
            _ => "",
        }
    }
}

fn text(hash: Fold, text: &str) -> Fold {
    hash.bytes(text.as_bytes())
}

fn texts(hash: Fold, all: &[&str]) -> Fold {
    all.iter().fold(hash.word(all.len() as u64), |hash, one| text(hash, one))
}

/// Folds the names in a type's name, `Id` of `Option<app::user::Id>`: without paths, and without
/// what is Rust's own, so that a `String` may become an `Arc<str>`.
fn own_names(type_name: &str, hash: Fold) -> Fold {
    let paths = type_name.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    let own = paths.filter_map(|path| path.split_once("::"));
    let own = own.filter(|(first, _)| !matches!(*first, "core" | "alloc" | "std"));
    own.fold(hash, |hash, (_, rest)| text(hash, rest.rsplit("::").next().unwrap_or(rest)))
}
