//! What happens in a cache and is worth a line in somebody's log.

use std::fmt;
use std::sync::Arc;

/// Something that changed. Delivered by the code that noticed it: a listener must be quick.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheEvent {
    /// The shared level did not acknowledge an invalidation; these tags are read from the loader
    /// from now on. Told when the first tag enters.
    QuarantineEntered,
    /// The last tag left quarantine.
    QuarantineLeft,
    /// Messages of other processes arrive from now on.
    BusSubscribed,
    /// The subscription ended; another one is tried.
    BusLost,
    /// Messages of another process were lost, so everything in this process was dropped.
    BusGap,
    /// What this process sends does not come back although the server takes it, so everything in
    /// this process is dropped again and again until it does.
    BusDeaf,
    /// A load failed that nobody waited for any more.
    BackgroundLoadFailed {
        /// Of the key.
        namespace: &'static str,
    },
    /// Bytes in the shared level that this process cannot read: another release's, or damaged.
    UnreadableEntry {
        /// Of the key.
        namespace: &'static str,
    },
    /// The auditor found a hit that differs from what the loader says.
    StaleHit {
        /// Of the key.
        namespace: &'static str,
    },
}

/// Hears of every [`CacheEvent`].
pub(crate) type Listener = Arc<dyn Fn(&CacheEvent) + Send + Sync>;

/// Where events go.
#[derive(Clone, Default)]
pub(crate) struct Events(pub(crate) Option<Listener>);

impl Events {
    pub(crate) fn tell(&self, event: &CacheEvent) {
        if let Some(listener) = &self.0 {
            listener(event);
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Events").field(&self.0.is_some()).finish()
    }
}
