//! How the database runs statements: of slow calls by itself, of others on request.

use std::sync::Arc;

use guildhall_insight::Profiler;
use guildhall_insight::profile::{PlanError, PlanRequest, Planner, Planning};
use tokio::task::AbortHandle;

/// Plans each statement on a task of its own, which comes to its end whoever goes away: a future of
/// SQLite must not be dropped midway.
pub(crate) struct Shielded(pub(crate) Arc<dyn Planner>);

impl Planner for Shielded {
    fn plan<'p>(&'p self, request: &'p PlanRequest) -> Planning<'p> {
        let (planner, request) = (Arc::clone(&self.0), request.clone());
        let planned = tokio::spawn(async move { planner.plan(&request).await });
        Box::pin(async move { planned.await.unwrap_or(Err(PlanError::NoConnection)) })
    }
}

/// Fetches plans of slow calls for as long as it lives.
pub(crate) struct Fetching(AbortHandle);

impl Fetching {
    /// Must be called on a runtime.
    pub(crate) fn start(profiler: &Profiler, planner: Arc<dyn Planner>) -> Self {
        let profiler = profiler.clone();
        let fetching = async move { profiler.fetch_plans(Arc::new(Shielded(planner))).await };
        Self(tokio::spawn(fetching).abort_handle())
    }
}

impl Drop for Fetching {
    fn drop(&mut self) {
        self.0.abort();
    }
}
