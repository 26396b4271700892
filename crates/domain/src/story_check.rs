//! The story as a graph, and what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use crate::narrative::{Fragment, FragmentKind, NewFragment};
use crate::text::Slug;

/// A fragment as a place in the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoryNode {
    /// The fragment.
    pub id: Slug,
    /// What it asks of its reader.
    pub kind: FragmentKind,
    /// Whether the story begins here.
    pub is_start: bool,
    /// Inactive fragments cannot be visited.
    pub is_active: bool,
    /// Whether it is one of the story's landmarks.
    pub is_milestone: bool,
    /// The ways on that can be taken: by itself first, then its active choices in their order.
    pub ways: Vec<StoryWay>,
}

/// A way from one fragment to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StoryWay {
    /// Where it begins.
    pub from: Slug,
    /// The place of the choice, from 0; `None` where the story goes on by itself.
    pub choice: Option<u32>,
    /// Where it leads.
    pub to: Slug,
}

/// The ways into a fragment and out of it, by fragment and choice. Inactive choices lead nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FragmentConnections {
    /// Those that lead here.
    pub incoming: Vec<StoryWay>,
    /// Those that lead on.
    pub outgoing: Vec<StoryWay>,
}

impl From<&NewFragment> for StoryNode {
    fn from(fragment: &NewFragment) -> Self {
        let way =
            |choice, to: &Slug| StoryWay { from: fragment.id.clone(), choice, to: to.clone() };
        let automatic = fragment.auto_next.iter().map(|to| way(None, to));
        let chosen = (0..).zip(&fragment.choices).filter(|(_, choice)| choice.is_active);
        let chosen = chosen.map(|(idx, choice)| way(Some(idx), &choice.destination));
        Self {
            id: fragment.id.clone(),
            kind: fragment.kind,
            is_start: fragment.is_start,
            is_active: fragment.is_active,
            is_milestone: fragment.is_milestone,
            ways: automatic.chain(chosen).collect(),
        }
    }
}

impl From<&Fragment> for StoryNode {
    fn from(fragment: &Fragment) -> Self {
        Self::from(&fragment.to_new())
    }
}

/// What was found in a story. Lists are in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StoryCheck {
    /// How many active fragments were looked at.
    pub fragments: usize,
    /// Where it begins. More than one, or none, is a fault unless there are no fragments at all.
    pub starts: Vec<Slug>,
    /// Active fragments that no way leads to from a start.
    pub unreachable: Vec<Slug>,
    /// Active fragments that lead nowhere without being an ending.
    pub dead_ends: Vec<Slug>,
    /// Where it ends: milestones that lead nowhere and ask for no decision. No fault.
    pub endings: Vec<Slug>,
    /// Fragments from which the story leads back to themselves, in groups that all lead to each
    /// other.
    pub cycles: Vec<Vec<Slug>>,
    /// Ways of active fragments to what is absent or inactive.
    pub missing: Vec<StoryWay>,
}

impl StoryCheck {
    /// Looks at a whole story.
    #[must_use]
    pub fn of(nodes: &[StoryNode]) -> Self {
        let graph = Graph::of(nodes);
        let mut check = Self { fragments: graph.nodes.len(), ..Self::default() };
        let reached = graph.reached();
        for (place, node) in graph.nodes.iter().enumerate() {
            if node.is_start {
                check.starts.push(node.id.clone());
            }
            if !reached[place] {
                check.unreachable.push(node.id.clone());
            }
            if node.ways.is_empty() {
                let is_ending = node.is_milestone && node.kind != FragmentKind::Decision;
                let list = if is_ending { &mut check.endings } else { &mut check.dead_ends };
                list.push(node.id.clone());
            }
            let nowhere = node.ways.iter().filter(|way| !graph.places.contains_key(&way.to));
            check.missing.extend(nowhere.cloned());
        }
        check.cycles = graph.cycles();
        check
    }

    /// Whether there is nothing to mend.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.starts.len() == usize::from(self.fragments > 0)
            && self.unreachable.is_empty()
            && self.dead_ends.is_empty()
            && self.cycles.is_empty()
            && self.missing.is_empty()
    }
}

/// The active fragments, ascending, and the ways between them by place.
struct Graph<'n> {
    nodes: Vec<&'n StoryNode>,
    places: BTreeMap<&'n Slug, usize>,
    next: Vec<Vec<usize>>,
}

impl<'n> Graph<'n> {
    fn of(nodes: &'n [StoryNode]) -> Self {
        let active = nodes.iter().filter(|node| node.is_active);
        let by_id: BTreeMap<&Slug, &StoryNode> = active.map(|node| (&node.id, node)).collect();
        let places: BTreeMap<&Slug, usize> =
            by_id.keys().enumerate().map(|(place, id)| (*id, place)).collect();
        let nodes: Vec<&StoryNode> = by_id.into_values().collect();
        let next = nodes
            .iter()
            .map(|node| node.ways.iter().filter_map(|way| places.get(&way.to).copied()).collect())
            .collect();
        Self { nodes, places, next }
    }

    /// Which places ways lead to from a start.
    fn reached(&self) -> Vec<bool> {
        let starts = self.nodes.iter().enumerate().filter(|(_, node)| node.is_start);
        let mut open: Vec<usize> = starts.map(|(place, _)| place).collect();
        let mut reached = vec![false; self.nodes.len()];
        while let Some(place) = open.pop() {
            if !reached[place] {
                reached[place] = true;
                open.extend(&self.next[place]);
            }
        }
        reached
    }

    /// The groups of places that lead to each other: Tarjan's strongly connected components, without
    /// recursion, because a story may be ten thousand fragments long.
    fn cycles(&self) -> Vec<Vec<Slug>> {
        const UNSEEN: usize = usize::MAX;
        let count = self.nodes.len();
        let (mut number, mut low) = (vec![UNSEEN; count], vec![UNSEEN; count]);
        let (mut stacked, mut stack) = (vec![false; count], Vec::new());
        let mut numbered = 0;
        let mut groups = BTreeSet::new();
        for root in 0..count {
            // Each step on the way: the place, and how many of its ways were followed.
            let mut way = if number[root] == UNSEEN { vec![(root, 0)] } else { Vec::new() };
            while let Some((place, followed)) = way.pop() {
                if followed == 0 {
                    (number[place], low[place]) = (numbered, numbered);
                    numbered += 1;
                    stack.push(place);
                    stacked[place] = true;
                } else {
                    // Back from the way that was followed last.
                    let child = self.next[place][followed - 1];
                    if stacked[child] {
                        low[place] = low[place].min(low[child]);
                    }
                }
                if let Some(&child) = self.next[place].get(followed) {
                    way.push((place, followed + 1));
                    if number[child] == UNSEEN {
                        way.push((child, 0));
                    }
                    continue;
                }
                if low[place] == number[place] {
                    let first = stack.iter().rposition(|other| *other == place).unwrap_or(0);
                    let mut group = stack.split_off(first);
                    group.iter().for_each(|member| stacked[*member] = false);
                    group.sort_unstable();
                    if group.len() > 1 || self.next[place].contains(&place) {
                        groups.insert(group);
                    }
                }
            }
        }
        let named = |group: Vec<usize>| -> Vec<Slug> {
            group.into_iter().map(|place| self.nodes[place].id.clone()).collect()
        };
        groups.into_iter().map(named).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug(text: &str) -> Slug {
        Slug::parse(text).unwrap()
    }

    /// `name: next next`, with `>` for the start, `*` for a milestone and `-` for inactive.
    fn story(lines: &[&str]) -> Vec<StoryNode> {
        lines.iter().map(|line| node(line)).collect()
    }

    fn node(line: &str) -> StoryNode {
        let (name, next) = line.split_once(':').unwrap();
        let id = slug(name.trim_matches(['>', '*', '-']));
        let ways = (0..).zip(next.split_whitespace());
        StoryNode {
            kind: if name.contains('*') { FragmentKind::Story } else { FragmentKind::Decision },
            is_start: name.contains('>'),
            is_active: !name.contains('-'),
            is_milestone: name.contains('*'),
            ways: ways
                .map(|(idx, to)| StoryWay { from: id.clone(), choice: Some(idx), to: slug(to) })
                .collect(),
            id,
        }
    }

    fn names(slugs: &[Slug]) -> Vec<&str> {
        slugs.iter().map(Slug::as_str).collect()
    }

    #[test]
    fn a_sound_story_begins_once_and_ends_at_milestones() {
        let check = StoryCheck::of(&story(&[">a: b c", "b: d", "c: d", "*d:"]));
        assert!(check.is_sound(), "{check:?}");
        assert_eq!((names(&check.endings), check.fragments), (vec!["d"], 4));
        assert!(StoryCheck::of(&[]).is_sound());
    }

    #[test]
    fn every_kind_of_fault_is_named() {
        let check = StoryCheck::of(&story(&[
            ">a: b gone old",
            "b: c",
            "c: b self",
            "self: self",
            "island: a",
            "end:",
            ">again: end",
            "-old: a",
        ]));
        assert_eq!(names(&check.starts), ["a", "again"]);
        assert_eq!(names(&check.unreachable), ["island"]);
        assert_eq!(names(&check.dead_ends), ["end"]);
        let cycles: Vec<_> = check.cycles.iter().map(|cycle| names(cycle)).collect();
        assert_eq!(cycles, [vec!["b", "c"], vec!["self"]]);
        let missing: Vec<_> = check
            .missing
            .iter()
            .map(|way| (way.from.as_str(), way.choice, way.to.as_str()))
            .collect();
        assert_eq!(missing, [("a", Some(1), "gone"), ("a", Some(2), "old")]);
        assert!(!check.is_sound());
    }

    #[test]
    fn without_a_start_nothing_is_reached() {
        let check = StoryCheck::of(&story(&["a: b", "*b:"]));
        assert_eq!(names(&check.unreachable), ["a", "b"]);
        assert!(!check.is_sound());
    }

    #[test]
    fn groups_that_share_no_way_back_are_apart() {
        let check = StoryCheck::of(&story(&[">a: b", "b: c d", "c: a", "d: e", "e: f", "f: d"]));
        let cycles: Vec<_> = check.cycles.iter().map(|cycle| names(cycle)).collect();
        assert_eq!(cycles, [vec!["a", "b", "c"], vec!["d", "e", "f"]]);
    }

    #[test]
    fn a_very_long_story_is_no_trouble() {
        let mut nodes: Vec<StoryNode> =
            (0..20_000).map(|n| node(&format!("n{n}: n{}", n + 1))).collect();
        nodes[0].is_start = true;
        nodes.push(node("*n20000:"));
        assert!(StoryCheck::of(&nodes).is_sound());
        nodes.last_mut().unwrap().ways.push(StoryWay {
            from: slug("n20000"),
            choice: None,
            to: slug("n0"),
        });
        assert_eq!(StoryCheck::of(&nodes).cycles[0].len(), 20_001);
    }
}
