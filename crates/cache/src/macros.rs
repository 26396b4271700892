//! What the code written by `#[cached]` and `#[invalidates]` calls, beside the public API. Not for
//! use by hand: it changes without notice.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::sync::LazyLock;

use crate::cache::Cache;
use crate::source::CacheSource;

/// Tells a `Result` behind an alias, which the macros cannot see, from a plain value: the constant
/// of [`Self`] is found before that of [`NotResult`].
#[derive(Debug)]
pub struct Probe<T>(PhantomData<T>);

impl<T, E> Probe<Result<T, E>> {
    /// It is one.
    pub const IS_RESULT: bool = true;
}

/// See [`Probe`].
pub trait NotResult {
    /// It is none.
    const IS_RESULT: bool = false;
}

impl<T> NotResult for Probe<T> {}

/// The value of a load that cannot fail.
#[inline]
pub fn loaded<T>(result: Result<T, Infallible>) -> T {
    match result {
        Ok(value) => value,
        Err(never) => match never {},
    }
}

/// Starts a body, which may use up what it captured.
#[inline]
pub fn run<F: FnOnce() -> Fut, Fut: Future>(body: F) -> Fut {
    body()
}

/// The cache of a source; one that stores nothing where it has none.
#[inline]
pub fn of<C: CacheSource + ?Sized>(source: &C) -> &Cache {
    static DISABLED: LazyLock<Cache> = LazyLock::new(|| Cache::builder().disabled().build());
    match source.cache() {
        Some(cache) => cache,
        None => &DISABLED,
    }
}
