#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

use proc_macro::TokenStream;

mod arguments;
mod cached;
mod common;
mod function;
mod invalidates;
mod output;
mod template;
mod ttl;

/// Reads through the cache: on a miss the body runs, and what it returns is stored.
///
/// ```
/// use std::convert::Infallible;
/// use guildhall_cache::{Cache, cached, invalidates};
///
/// struct Users { cache: Cache }
///
/// impl Users {
///     #[cached(key = "user:{id}:name", ttl = "1h", tags = ["user:{id}"])]
///     async fn name(&self, id: i64) -> Result<Option<String>, Infallible> {
///         // SELECT name FROM users ...
///         Ok((id == 42).then(|| "Ada".to_owned()))
///     }
///
///     #[invalidates(tags = ["user:{id}"])]
///     async fn rename(&self, id: i64, name: &str) -> Result<(), Infallible> {
///         // UPDATE users ...
///         # let _ = (id, name);
///         Ok(())
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let users = Users { cache: Cache::builder().memory().build() };
/// assert_eq!(users.name(42).await.unwrap().as_deref(), Some("Ada")); // Runs the body.
/// assert_eq!(users.name(42).await.unwrap().as_deref(), Some("Ada")); // Does not.
/// users.rename(42, "Ada L.").await.unwrap();
/// users.name(42).await.unwrap(); // Runs it again.
/// assert_eq!(users.cache.stats().total.loads, 2);
/// # });
/// ```
///
/// # Arguments
///
/// | | |
/// |--|--|
/// | `key = ".."` | A template, below, or an expression of type `Key`. |
/// | `tags = [".."]` | What the value depends on: templates, or expressions of type `Tag`. `[]` if only its age bounds it. |
/// | `ttl = "1h30m"` | Days `d`, `h`, `m`, `s`, `ms`; or an expression, a `Duration` or an `Option` of one. Left out: the cache's default. |
/// | `cache = ..` | Where the cache is: a `Cache`, an `Option` of one, or whatever implements `CacheSource`. Left out: `self.cache`. A function without `self` must say it. |
/// | `ignore(a, b)` | Arguments that make no difference to the value. |
/// | `negative_if = f` | `fn(&T) -> bool`: values that say "nothing there", such as an empty list. |
/// | `weigh = f` | `fn(&T) -> usize`: bytes of a value. |
/// | `crate = path` | Where `guildhall_cache` is, if not under that name. |
///
/// # Templates
///
/// `user:{id}:profile`: a name, the namespace, and segments between colons. A segment is a literal
/// or one placeholder: an argument, a field of one (`{user.id}`, `{self.region}`) or a method
/// without arguments (`{page.limit()}`). Its type implements `ToPart`: integers, texts, `bool`,
/// `char`, `Option` of them, and your own identifiers by one line. No value of a segment can be
/// mistaken for two segments or for a value of another kind.
///
/// **Every argument stands in the key or in `ignore(..)`**; anything else is an error, since two
/// calls that differ in a forgotten argument would share one value. A placeholder for a part of an
/// argument, `{user.id}`, answers for the whole of it. `self` is not asked for: where two objects
/// share a cache and answer differently, put what tells them apart into the key.
///
/// # What it goes on
///
/// An `async fn`, method or not, generic or not. What it returns decides how it is cached:
///
/// | returns | |
/// |--|--|
/// | `Result<T, E>` | A value is stored, an error is not. Waiting callers share the error, so `E: Clone + Send + Sync + 'static`. |
/// | `Result<Option<T>, E>`, `Option<T>` | As above; absence is stored for the cache's negative TTL at most. |
/// | any other `T` | The value is stored. |
///
/// `T` is owned, `Clone`, `Send`, `Sync`, and serde's `Serialize` and `Deserialize`. `Result` and
/// `Option` must be visible in the signature: an alias of `Result` with its name, such as
/// `io::Result<T>`, is, another one is refused when the program is built.
///
/// ```compile_fail
/// # use guildhall_cache::{Cache, cached};
/// type Answer = Result<u64, String>;
///
/// #[cached(cache = cache, key = "answer", tags = [])]
/// async fn answer(cache: &Cache) -> Answer { Ok(42) } // Would store errors as values.
/// # let cache = Cache::builder().build();
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # let _ = runtime.block_on(answer(&cache));
/// ```
///
/// Arguments that the caller lent stay lent; arguments taken by value are moved into the body, and
/// dropped unused on a hit.
///
/// With `#[async_trait]` over the `impl`, put `#[cached]` on its methods: the outer attribute runs
/// first, and its form is understood. Arguments then need plain names. Of other attributes on the
/// same function, such as `#[instrument]`, those above see the function as it was written and those
/// below see it cached; both wrap the whole read.
///
/// A body must not ask for its own key: it would wait for itself.
#[proc_macro_attribute]
pub fn cached(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expanded(cached::expand, arguments, item)
}

/// Announces a write: before the body runs, the entries of its tags are fenced off; when it is
/// over, they are invalid.
///
/// ```
/// use guildhall_cache::{Cache, invalidates};
///
/// #[derive(Clone, Debug, PartialEq)]
/// enum Refusal { TooLong, ConnectionLost }
///
/// fn nothing_was_written(error: &Refusal) -> bool { *error == Refusal::TooLong }
///
/// #[invalidates(cache = cache, tags = ["user:{id}"], rolled_back_if = nothing_was_written)]
/// async fn rename(cache: &Cache, id: i64, name: &str) -> Result<(), Refusal> {
///     if name.len() > 64 {
///         return Err(Refusal::TooLong);
///     }
///     // UPDATE users ...; COMMIT ...
///     Ok(())
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let cache = Cache::builder().memory().build();
/// assert_eq!(rename(&cache, 42, "Ada").await, Ok(()));
/// assert_eq!(rename(&cache, 42, &"a".repeat(65)).await, Err(Refusal::TooLong));
/// assert_eq!(cache.stats().quarantined_tags, 0);
/// # });
/// ```
///
/// The guard is a `WriteGuard`, and is concluded before the function returns:
///
/// | the body | the guard |
/// |--|--|
/// | returns `Ok`, or what is no `Result` | `committed()`: no later read of this process gives an older value |
/// | returns `Err` | Its outcome is unknown: a commit may be on its way. The tags stay in quarantine, where reads go to the loader, for the cache's grace period. |
/// | returns `Err` and `rolled_back_if` says so | `rolled_back()`: nothing was written, nothing is invalidated |
/// | is dropped midway, or panics | as with `Err`: unknown |
///
/// # Arguments
///
/// | | |
/// |--|--|
/// | `tags = [".."]` | What changes: templates as in [`cached`](macro@cached), or expressions of type `Tag`. They are built before the body runs. |
/// | `namespaces = [".."]` | Namespaces whose every entry goes: for writes that change nobody knows whose rows. |
/// | `cache = ..` | As in [`cached`](macro@cached). With an `Option` that is `None`, nothing is announced. |
/// | `on_error = ".."` | What an `Err` means: `"unknown"` (the default), `"rolled_back"` or `"committed"`. Say `"rolled_back"` only if no error can come after the commit was sent. |
/// | `rolled_back_if = f` | `fn(&E) -> bool`: errors that are sure to have written nothing, judged before `on_error`. |
/// | `crate = path` | Where `guildhall_cache` is, if not under that name. |
///
/// What only the result names, such as the id of a new row, cannot be announced before the body.
/// Use `namespaces`, or `Cache::begin_write` and `WriteGuard::add` by hand.
///
/// It goes on the same functions as [`cached`](macro@cached), not on the same one. The function is
/// the whole write: if the commit happens in its caller, use `Cache::begin_write` there instead.
#[proc_macro_attribute]
pub fn invalidates(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expanded(invalidates::expand, arguments, item)
}

type Expand =
    fn(proc_macro2::TokenStream, proc_macro2::TokenStream) -> syn::Result<proc_macro2::TokenStream>;

fn expanded(expand: Expand, arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = proc_macro2::TokenStream::from(item);
    let written = expand(arguments.into(), item.clone()).unwrap_or_else(|error| {
        let mut written = error.into_compile_error();
        written.extend(function::as_written(item));
        written
    });
    written.into()
}
