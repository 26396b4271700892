//! What a caller may ask of one read, beyond key, tags and TTL.

use std::time::Duration;

use crate::entry::Entry;
use crate::life::Early;

/// Which half of a level an entry leaves alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// Does not look there.
    Read,
    /// Stores nothing there.
    Write,
    /// Neither.
    Both,
}

/// Small and without a heap: it is made for every read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    skipped: u8,
    pub(crate) early: Early,
    /// Share of hits that the auditor compares with the loader's answer.
    pub(crate) audited: f32,
    stale_ms: u32,
    /// Zero: the default.
    retry_ms: u32,
    soft_ms: u32,
    /// Zero: none.
    hard_ms: u32,
}

const MEMORY: u8 = 0;
const SHARED: u8 = 2;
const UNLOCKED: u8 = 1 << 4;

/// Saturates after 49 days.
fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

fn from_millis(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms))
}

impl Options {
    /// What entries begin with.
    pub(crate) fn auditing(everything: bool) -> Self {
        Self { audited: if everything { 1.0 } else { 0.0 }, ..Self::default() }
    }

    fn skip(&mut self, level: u8, what: Skip) {
        let bits = match what {
            Skip::Read => 0b01,
            Skip::Write => 0b10,
            Skip::Both => 0b11,
        };
        self.skipped |= bits << level;
    }

    #[inline(always)]
    pub(crate) fn reads_memory(self) -> bool {
        self.skipped & (0b01 << MEMORY) == 0
    }

    pub(crate) fn fills_memory(self) -> bool {
        self.skipped & (0b10 << MEMORY) == 0
    }

    pub(crate) fn reads_shared(self) -> bool {
        self.skipped & (0b01 << SHARED) == 0
    }

    pub(crate) fn fills_shared(self) -> bool {
        self.skipped & (0b10 << SHARED) == 0
    }

    pub(crate) fn locks(self) -> bool {
        self.skipped & UNLOCKED == 0 && self.fills_shared()
    }

    pub(crate) fn stale_for(self) -> Duration {
        from_millis(self.stale_ms)
    }

    pub(crate) fn serves_aged(self) -> bool {
        self.stale_ms > 0
    }

    pub(crate) fn retry_after(self) -> Duration {
        match self.retry_ms {
            0 => Duration::from_secs(1),
            ms => from_millis(ms),
        }
    }

    pub(crate) fn soft_timeout(self) -> Duration {
        from_millis(self.soft_ms)
    }

    pub(crate) fn hard_timeout(self) -> Option<Duration> {
        (self.hard_ms > 0).then(|| from_millis(self.hard_ms))
    }
}

impl<T> Entry<'_, T> {
    /// Leaves the in-process level alone, when reading, storing or both.
    #[must_use]
    pub fn skip_memory(mut self, what: Skip) -> Self {
        self.options.skip(MEMORY, what);
        self
    }

    /// Leaves the shared level alone, when reading, storing or both.
    #[must_use]
    pub fn skip_shared(mut self, what: Skip) -> Self {
        self.options.skip(SHARED, what);
        self
    }

    /// Loads without the lock that keeps other processes from loading the same: for loads that
    /// are cheaper than a round trip.
    #[must_use]
    pub fn unlocked(mut self) -> Self {
        self.options.skipped |= UNLOCKED;
        self
    }

    /// Keeps the value for this long past its TTL, as an *aged* one. An aged value is given where
    /// the loader fails, while another caller or process loads it, or, by
    /// [`get_or_load_detached`](Self::get_or_load_detached), while a background task does. A
    /// value that was invalidated is never given, nor an aged absence. At most 49 days.
    #[must_use]
    pub fn stale_for(mut self, extra: Duration) -> Self {
        self.options.stale_ms = millis(extra);
        self
    }

    /// How long a loader that failed is left in peace while there is an older value to give.
    /// Default 1 s.
    #[must_use]
    pub fn retry_after(mut self, pause: Duration) -> Self {
        self.options.retry_ms = millis(pause).max(1);
        self
    }

    /// Refreshes before the expiry, at random: the more likely the nearer the expiry and the
    /// slower the load, so that a fleet refreshes about once. 1.0 is the usual `beta`; more is
    /// earlier; zero or less turns it off. Reckoned by the formula of Vattani, Chierichetti and
    /// Lowenstein, "Optimal Probabilistic Cache Stampede Prevention" (VLDB 2015): refresh when
    /// `now - load_time * beta * ln(rand) >= expiry`.
    #[must_use]
    pub fn early_refresh(mut self, beta: f32) -> Self {
        let on = beta.is_finite() && beta > 0.0;
        self.options.early = if on { Early::Drawn { beta } } else { Early::Never };
        self
    }

    /// Refreshes from this share of the TTL on, 0.0 to 1.0.
    #[must_use]
    pub fn refresh_at(mut self, share: f32) -> Self {
        self.options.early = Early::At { share };
        self
    }

    /// How long a caller waits for the fresh value where an aged one could be given. Default zero:
    /// the aged one is given at once.
    #[must_use]
    pub fn soft_timeout(mut self, wait: Duration) -> Self {
        self.options.soft_ms = millis(wait);
        self
    }

    /// How long [`get_or_load_detached`](Self::get_or_load_detached) waits at most when there is
    /// nothing older to give. Default: as long as background loads may take.
    #[must_use]
    pub fn hard_timeout(mut self, wait: Duration) -> Self {
        self.options.hard_ms = millis(wait).max(1);
        self
    }

    /// Compares this share of the hits, 0.0 to 1.0, with what the loader says at that moment, and
    /// counts differences as [`audit_stale`](crate::NamespaceStats::audit_stale). The caller gets
    /// the loader's answer then.
    #[must_use]
    pub fn audited(mut self, share: f32) -> Self {
        self.options.audited = share;
        self
    }
}
