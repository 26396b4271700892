//! Details of a statement that are sampled, not counted: its text, limits and, when asked for, its
//! binds.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

/// Longer texts are not kept.
const TEXT_BYTES_MAX: usize = 16 * 1_024;

/// How many different limits are kept.
const LIMITS_MAX: usize = 8;

/// How many vectors of binds are kept.
const VECTORS_MAX: usize = 8;

/// Vectors of binds that take more are not kept: with these two bounds a statement holds no more
/// than 32 KiB of values, whatever is bound.
const VECTOR_BYTES_MAX: usize = 4 * 1_024;

/// How many values of one bind are followed.
const HEAVY_MAX: usize = 16;

/// How many binds of a statement are followed.
const BINDS_MAX: usize = 16;

/// A statement as it was first sent. It may hold values that were written into it, so it is never
/// printed by `Debug` and never part of a snapshot.
#[derive(Clone, PartialEq, Eq)]
pub struct SentText(Arc<str>);

impl SentText {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text itself: handle it as you would handle the values in it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SentText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SentText(hidden)")
    }
}

/// Values of one call's binds as Diesel shows them, in order. Never printed by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct BindVector(Vec<String>);

impl BindVector {
    /// The values themselves: they may be personal.
    pub fn expose(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Debug for BindVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BindVector({} hidden)", self.0.len())
    }
}

/// How many rows a call asked for, and how many it skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Window {
    /// `LIMIT`.
    pub limit: Option<u64>,
    /// `OFFSET`.
    pub offset: Option<u64>,
    /// In how many of the sampled calls.
    pub seen: u64,
}

/// How often the most frequent values of one bind were seen. The values themselves are not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skew {
    /// Which bind, from 0.
    pub bind: usize,
    /// Out of how many sampled calls.
    pub of: u64,
    /// How often each of the most frequent values was seen, at least; the most frequent first.
    pub seen: Vec<u64>,
}

/// What is kept of a statement beside its counters.
#[derive(Default)]
pub(crate) struct Samples(Mutex<State>);

#[derive(Default)]
struct State {
    text: Option<SentText>,
    windows: Vec<Window>,
    sampled: u64,
    /// Of those sampled, the ones small enough to be kept.
    offered: u64,
    vectors: Vec<BindVector>,
    heavy: Vec<Heavy>,
    plan: PlanTurn,
}

/// When a plan was last fetched.
#[derive(Default)]
struct PlanTurn {
    last_ms: Option<u64>,
}

/// Misra and Gries: any value in more than `1 / HEAVY_MAX` of the calls is among these.
#[derive(Default)]
struct Heavy {
    counts: Vec<(u64, u64)>,
}

impl Heavy {
    fn add(&mut self, hash: u64) {
        if let Some((_, count)) = self.counts.iter_mut().find(|(own, _)| *own == hash) {
            *count += 1;
        } else if self.counts.len() < HEAVY_MAX {
            self.counts.push((hash, 1));
        } else {
            for (_, count) in &mut self.counts {
                *count -= 1;
            }
            self.counts.retain(|(_, count)| *count > 0);
        }
    }
}

impl Samples {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the first text.
    pub(crate) fn note_text(&self, sql: &str) {
        let mut state = self.lock();
        if state.text.is_none() && sql.len() <= TEXT_BYTES_MAX {
            state.text = Some(SentText(sql.into()));
        }
    }

    pub(crate) fn text(&self) -> Option<SentText> {
        self.lock().text.clone()
    }

    pub(crate) fn note_window(&self, limit: Option<u64>, offset: Option<u64>) {
        let mut state = self.lock();
        let same = |window: &&mut Window| window.limit == limit && window.offset == offset;
        if let Some(window) = state.windows.iter_mut().find(same) {
            window.seen += 1;
        } else if state.windows.len() < LIMITS_MAX {
            state.windows.push(Window { limit, offset, seen: 1 });
        }
    }

    pub(crate) fn windows(&self) -> Vec<Window> {
        self.lock().windows.clone()
    }

    /// Keeps a vector with the probability that makes all calls equally likely to be kept, and
    /// counts each of its values by a hash.
    pub(crate) fn note_binds(&self, binds: Vec<String>, random: u64, hash: impl Fn(&str) -> u64) {
        let mut state = self.lock();
        state.sampled += 1;
        for (at, bind) in binds.iter().take(BINDS_MAX).enumerate() {
            if state.heavy.len() <= at {
                state.heavy.push(Heavy::default());
            }
            if let Some(heavy) = state.heavy.get_mut(at) {
                heavy.add(hash(bind));
            }
        }
        let bytes: usize = binds.iter().map(|bind| size_of::<String>() + bind.len()).sum();
        if bytes > VECTOR_BYTES_MAX {
            return;
        }
        state.offered += 1;
        if state.vectors.len() < VECTORS_MAX {
            state.vectors.push(BindVector(binds));
            return;
        }
        let place = random % state.offered;
        if let Some(slot) = usize::try_from(place).ok().and_then(|at| state.vectors.get_mut(at)) {
            *slot = BindVector(binds);
        }
    }

    pub(crate) fn vectors(&self) -> Vec<BindVector> {
        self.lock().vectors.clone()
    }

    pub(crate) fn skew(&self) -> Vec<Skew> {
        let state = self.lock();
        let of = state.sampled;
        let skews = state.heavy.iter().enumerate().map(|(bind, heavy)| {
            let mut seen: Vec<u64> = heavy.counts.iter().map(|(_, count)| *count).collect();
            seen.sort_unstable_by(|a, b| b.cmp(a));
            Skew { bind, of, seen }
        });
        skews.collect()
    }

    /// Whether a plan may be fetched now, as far as this statement goes; if so, it is its turn.
    pub(crate) fn take_plan_turn(&self, now_ms: u64, apart_ms: u64) -> bool {
        let mut state = self.lock();
        if state.plan.last_ms.is_some_and(|last| now_ms.saturating_sub(last) < apart_ms) {
            return false;
        }
        state.plan.last_ms = Some(now_ms);
        true
    }
}

/// The values of `binds: [..]` as Diesel writes them; `None` when they cannot be told apart.
pub(crate) fn split_binds(shown: &str) -> Option<Vec<String>> {
    let inside = shown.trim().strip_prefix('[')?.strip_suffix(']')?;
    let mut out = Vec::new();
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    let mut start = 0;
    for (at, c) in inside.char_indices() {
        if let Some(open) = quote {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if c == open => quote = None,
                _ => {}
            }
            continue;
        }
        match c {
            '"' => quote = Some(c),
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.checked_sub(1)?,
            ',' if depth == 0 => {
                out.push(inside.get(start..at)?.trim().to_owned());
                start = at + 1;
            }
            _ => {}
        }
    }
    if quote.is_some() || depth != 0 {
        return None;
    }
    let last = inside.get(start..)?.trim();
    if !(last.is_empty() && out.is_empty()) {
        out.push(last.to_owned());
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binds_are_told_apart() {
        let split = |shown| split_binds(shown).unwrap();
        assert_eq!(split("[]"), Vec::<String>::new());
        assert_eq!(split("[10]"), ["10"]);
        assert_eq!(
            split(r#"["a, \"b]", Some([1, 2]), Point { x: 1, y: 2 }, 10]"#),
            [r#""a, \"b]""#, "Some([1, 2])", "Point { x: 1, y: 2 }", "10"]
        );
        assert_eq!(split_binds("[1, (2]"), None);
        assert_eq!(split_binds("[\"open]"), None);
    }

    #[test]
    fn at_most_eight_vectors_and_each_call_has_its_chance() {
        let samples = Samples::default();
        let mut random = fastrand::Rng::with_seed(7);
        for n in 0..1_000 {
            samples.note_binds(vec![n.to_string()], random.u64(..), |_| 0);
        }
        let kept = samples.vectors();
        assert_eq!(kept.len(), 8);
        let late = kept.iter().filter(|v| v.expose()[0].parse::<u32>().unwrap() >= 500).count();
        assert!(late > 0 && late < 8, "{late}");
        assert!(!format!("{kept:?}").chars().any(|c| c.is_ascii_digit() && c != '1'), "{kept:?}");
    }

    #[test]
    fn large_vectors_are_counted_and_not_kept() {
        let samples = Samples::default();
        samples.note_binds(vec!["x".repeat(VECTOR_BYTES_MAX)], 0, |_| 0);
        samples.note_binds(vec!["1".to_owned(); 1_000], 0, |_| 0);
        assert!(samples.vectors().is_empty());
        samples.note_binds(vec!["1".to_owned()], 0, |_| 0);
        assert_eq!((samples.vectors().len(), samples.skew()[0].of), (1, 3));
    }

    #[test]
    fn a_heavy_value_is_found_without_being_kept() {
        let samples = Samples::default();
        for n in 0..1_000_u64 {
            let value = if n % 5 == 0 { "hot".to_owned() } else { format!("cold{n}") };
            samples
                .note_binds(vec![value], 1, |value| xxhash_rust::xxh3::xxh3_64(value.as_bytes()));
        }
        let skew = samples.skew();
        assert_eq!(skew.len(), 1);
        // At least its share less the error of the sketch, and no more than its share.
        assert!((130..=200).contains(&skew[0].seen[0]), "{skew:?}");
    }

    #[test]
    fn limits_are_few() {
        let samples = Samples::default();
        for n in 0..100 {
            samples.note_window(Some(n % 20), None);
        }
        assert_eq!(samples.windows().len(), 8);
        assert_eq!(samples.windows()[0], Window { limit: Some(0), offset: None, seen: 5 });
    }
}
