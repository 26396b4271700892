//! The future of an operation whose profiler is known.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::core::Core;
use super::scope::{Guard, Scope};

pin_project! {
    /// The future of [`Profiler::operation`](super::Profiler::operation). Without a profiler that
    /// records it is the future inside, and little larger than that.
    #[must_use = "futures do nothing unless polled"]
    pub struct Operating<'p, F> {
        // Dropped in this order: a call that is cancelled with the operation counts in it.
        #[pin]
        inner: F,
        guard: Option<Guard>,
        label: &'static str,
        core: Option<&'p Arc<Core>>,
    }
}

impl<'p, F> Operating<'p, F> {
    pub(crate) fn new(label: &'static str, core: Option<&'p Arc<Core>>, inner: F) -> Self {
        Self { inner, guard: None, label, core }
    }
}

impl<F: Future> Future for Operating<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(core) = *this.core else { return this.inner.poll(context) };
        // It begins when it is polled, not when it is built.
        let guard = this.guard.get_or_insert_with(|| Guard {
            scope: Scope::new(this.label, Some(Arc::clone(core))),
            completed: false,
        });
        let output = ready!(guard.scope.within_sync(|| this.inner.poll(context)));
        guard.completed = true;
        *this.guard = None;
        Poll::Ready(output)
    }
}
