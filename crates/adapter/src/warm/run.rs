//! Running reads, a bounded number at a time, and counting what became of them.

use std::future::Future;
use std::pin::Pin;

use futures_util::{StreamExt, stream};
use guildhall_domain::{CommunityZone, Timestamp};
use guildhall_repository::{Cursor, PageRequest, Storage, StorageError};

use super::{WarmFailure, WarmPart, WarmPlan, WarmReport, WarmStep, WarmedPart};

/// What was to be read, and what came of it.
type Read = (String, Result<(), StorageError>);

/// One thing to load.
pub(super) struct Item<'w>(Pin<Box<dyn Future<Output = Read> + Send + 'w>>);

impl<'w> Item<'w> {
    /// Whatever is read is dropped: that it was read is what counts.
    pub(super) fn new<T>(
        what: impl Into<String>,
        read: impl Future<Output = Result<T, StorageError>> + Send + 'w,
    ) -> Self {
        let what = what.into();
        Self(Box::pin(async move { (what, read.await.map(drop)) }))
    }
}

/// The keys on one page of a list, and where it goes on.
pub(super) type Listed<K> = (Vec<K>, Option<Cursor>);
/// A page on its way.
pub(super) type Listing<'w, K> =
    Pin<Box<dyn Future<Output = Result<Listed<K>, StorageError>> + Send + 'w>>;

/// A run of warming.
pub(super) struct Warming<'w> {
    pub(super) storage: &'w dyn Storage,
    pub(super) zone: &'w CommunityZone,
    pub(super) now: Timestamp,
    pub(super) plan: &'w WarmPlan,
    progress: &'w (dyn Fn(WarmStep) + Send + Sync),
    parts: Vec<WarmedPart>,
    failures: Vec<WarmFailure>,
    step: WarmStep,
}

impl<'w> Warming<'w> {
    pub(super) fn new(
        storage: &'w dyn Storage,
        zone: &'w CommunityZone,
        now: Timestamp,
        plan: &'w WarmPlan,
        progress: &'w (dyn Fn(WarmStep) + Send + Sync),
    ) -> Self {
        let skipped = |part| WarmedPart { part, loaded: 0, failed: 0, skipped: true };
        let parts = WarmPart::ALL.map(skipped).to_vec();
        let step = WarmStep { part: WarmPart::Levels, done: 0, total: None };
        Self { storage, zone, now, plan, progress, parts, failures: Vec::new(), step }
    }

    pub(super) fn begin(&mut self, part: WarmPart) {
        self.step = WarmStep { part, done: 0, total: None };
        for known in self.parts.iter_mut().filter(|known| known.part == part) {
            known.skipped = false;
        }
    }

    /// How much there is of the part that has begun.
    pub(super) fn expect(&mut self, total: u64) {
        self.step.total = Some(total);
        (self.progress)(self.step);
    }

    /// Reads these, some at a time.
    pub(super) async fn load(&mut self, items: Vec<Item<'w>>) {
        let limit = self.plan.concurrency as usize;
        let reads: Vec<_> = items.into_iter().map(|Item(read)| read).collect();
        let mut running = stream::iter(reads).buffer_unordered(limit);
        while let Some((what, outcome)) = running.next().await {
            self.note(what, outcome);
        }
    }

    /// Walks a list page by page, and loads each entry of it, at most `most` of them.
    pub(super) async fn walk<K: Send>(
        &mut self,
        (first, most): (PageRequest, u32),
        list: impl Fn(PageRequest) -> Listing<'w, K> + Send + Sync,
        entry: impl Fn(K) -> Item<'w> + Send + Sync,
    ) {
        let mut left = most as usize;
        let mut page = first.clone();
        while left > 0 {
            match list(page).await {
                Ok((mut keys, next)) => {
                    keys.truncate(left);
                    left -= keys.len();
                    self.load(keys.into_iter().map(&entry).collect()).await;
                    let Some(cursor) = next else { return };
                    page = first.clone().after(cursor);
                }
                // What cannot be listed cannot be loaded, and nobody knows how much it is.
                Err(error) => return self.note("the list".to_owned(), Err(error)),
            }
        }
    }

    pub(super) fn note(&mut self, what: String, outcome: Result<(), StorageError>) {
        let part = self.step.part;
        for known in self.parts.iter_mut().filter(|known| known.part == part) {
            match &outcome {
                Ok(()) => known.loaded += 1,
                Err(_) => known.failed += 1,
            }
        }
        if let Err(error) = outcome {
            tracing::debug!(%part, what, %error, "not loaded ahead");
            if self.failures.len() < WarmReport::FAILURES_MAX {
                self.failures.push(WarmFailure { part, what, error });
            }
        }
        self.step.done += 1;
        (self.progress)(self.step);
    }

    pub(super) fn report(self) -> WarmReport {
        WarmReport { parts: self.parts, failures: self.failures }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use guildhall_repository::{MockStorage, MockUnitOfWork};

    use super::*;

    #[tokio::test]
    async fn no_more_reads_are_under_way_than_the_plan_allows() {
        let storage = MockStorage::new(MockUnitOfWork::default());
        let plan = WarmPlan { concurrency: 3, ..WarmPlan::default() };
        let (open, most, zone) = (AtomicU32::new(0), AtomicU32::new(0), CommunityZone::utc());
        let hears = |_: WarmStep| {};
        let mut warming = Warming::new(&storage, &zone, Timestamp::EPOCH, &plan, &hears);
        warming.begin(WarmPart::Story);
        let read = || async {
            most.fetch_max(open.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            open.fetch_sub(1, Ordering::Relaxed);
            Ok(())
        };
        warming.load((0..20).map(|n| Item::new(n.to_string(), read())).collect()).await;
        assert_eq!((most.load(Ordering::Relaxed), open.load(Ordering::Relaxed)), (3, 0));
        assert_eq!(warming.report().loaded(), 20);
    }

    #[tokio::test]
    async fn failures_are_all_counted_and_the_first_hundred_told() {
        let storage = MockStorage::new(MockUnitOfWork::default());
        let (plan, zone) = (WarmPlan::default(), CommunityZone::utc());
        let hears = |_: WarmStep| {};
        let mut warming = Warming::new(&storage, &zone, Timestamp::EPOCH, &plan, &hears);
        warming.begin(WarmPart::Badges);
        let failing = async || Err::<(), _>(StorageError::Contention);
        warming.load((0..150).map(|n| Item::new(n.to_string(), failing())).collect()).await;
        let report = warming.report();
        assert_eq!((report.loaded(), report.failed(), report.failures.len()), (0, 150, 100));
        assert!(report.parts.iter().all(|it| it.skipped == (it.part != WarmPart::Badges)));
    }
}
