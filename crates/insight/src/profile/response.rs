//! The futures and streams of a connection, watched.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use diesel::QueryResult;
use futures_core::Stream;
use pin_project_lite::pin_project;

use super::call::Call;
use super::outcome::Outcome;

pin_project! {
    /// The future of a call that counts rows.
    #[must_use = "futures do nothing unless polled"]
    pub struct Executing<'c, F> {
        // Dropped in this order: a future whose drop waits for the statement is waited for.
        #[pin]
        inner: F,
        call: Option<Call<'c>>,
    }
}

impl<'c, F> Executing<'c, F> {
    pub(crate) fn new(inner: F, call: Option<Call<'c>>) -> Self {
        Self { inner, call }
    }
}

impl<F: Future<Output = QueryResult<usize>>> Future for Executing<'_, F> {
    type Output = QueryResult<usize>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(call) = this.call {
            call.polled();
        }
        let outcome = ready!(this.inner.poll(context));
        // Left where it is, since moving it costs more than its drop.
        if let Some(call) = this.call {
            call.returned(&outcome);
        }
        Poll::Ready(outcome)
    }
}

pin_project! {
    /// The future of a call that gives rows.
    #[must_use = "futures do nothing unless polled"]
    pub struct Loading<'c, F> {
        #[pin]
        inner: F,
        call: Option<Call<'c>>,
    }
}

impl<'c, F> Loading<'c, F> {
    pub(crate) fn new(inner: F, call: Option<Call<'c>>) -> Self {
        Self { inner, call }
    }
}

impl<'c, F, S> Future for Loading<'c, F>
where
    F: Future<Output = QueryResult<S>>,
{
    type Output = QueryResult<Rows<'c, S>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(call) = this.call {
            call.polled();
        }
        let outcome = ready!(this.inner.poll(context));
        let mut call = this.call.take();
        Poll::Ready(match outcome {
            Ok(rows) => {
                if let Some(call) = &mut call {
                    call.responded();
                }
                Ok(Rows { inner: rows, call })
            }
            Err(error) => {
                if let Some(call) = &mut call {
                    call.failed(&error);
                }
                Err(error)
            }
        })
    }
}

pin_project! {
    /// The rows of a call, counted as they pass.
    #[must_use = "streams do nothing unless polled"]
    pub struct Rows<'c, S> {
        #[pin]
        inner: S,
        call: Option<Call<'c>>,
    }
}

impl<S, R> Stream for Rows<'_, S>
where
    S: Stream<Item = QueryResult<R>>,
{
    type Item = QueryResult<R>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        let item = ready!(this.inner.poll_next(context));
        match (&item, this.call) {
            (_, None) => {}
            (Some(Ok(_)), Some(call)) => call.row(),
            (Some(Err(error)), Some(call)) => call.failed(error),
            (None, Some(call)) => call.end(Outcome::Ok),
        }
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}
