//! Decorators by declaration: one line says what an operation reads or makes wrong.

use std::collections::HashSet;
use std::future::Future;
use std::hash::Hash;

use guildhall_cache::{Entry, Value};
use guildhall_domain::Timestamp;
use guildhall_repository::{Cursor, Page, Ranked, StorageError};

/// Implements a repository for [`Link`](crate::link::Link), which stands in front of the same one.
///
/// ```ignore
/// decorate! {
///     impl PointRepository by points, |link| {
///         find account(user: UserId) -> Option<PointAccount>
///             = (key::account(user), [tag::points(user)], account);
///         write award(award: &Award, now: Timestamp) -> Outcome<PointEntry>
///             = (link.movement([award.user]));
///         pass hold_by_id(id: HoldId) -> Option<PointHold>;
///     }
///     and {
///         // Whatever has no shape below, as in any `impl`.
///     }
/// }
/// ```
///
/// `points` is the accessor of the repository, `link` names what a method would call `self`. The
/// return type is that of the trait without its `Result`. The last of a read's three is the field
/// of [`CachedOptions`](crate::CachedOptions) that says how long it is kept.
///
/// | shape | what stands behind `=` |
/// |---|---|
/// | `pass`: not cached, changes nothing that is | nothing |
/// | `read`: a value | `(key, tags, ttl)` |
/// | `find`: an `Option` | `(key, tags, ttl)` |
/// | `list`: a `Vec`; an empty one is kept as briefly as an absence | `(key, tags, ttl)` |
/// | `page`: a `Page`, of which only the first is kept | `(request, key, tags, ttl)` |
/// | `board`: a `Ranked` | `(key, tags, ttl)` |
/// | `many`: a `Vec` by ids, each found once, in entries shared with `find` | `(ids, most, id => (key, tags), row => id, ttl)` |
/// | `write`: the tags are known before | `(tags)`; may await |
/// | `write_then`: only the result names the tags | `(result => tags, namespaces)` |
/// | `write_all`: whose rows it changes is never known | `(namespaces)` |
macro_rules! decorate {
    (
        impl $repository:ident by $accessor:ident, |$link:ident| {
            $($shape:ident $name:ident($($arg:ident: $ty:ty),* $(,)?) -> $ret:ty $(= $how:tt)?;)*
        }
        $(and { $($full:tt)* })?
    ) => {
        #[async_trait::async_trait]
        impl $repository for $crate::link::Link {
            $(
                async fn $name(
                    &self,
                    $($arg: $ty),*
                ) -> Result<$ret, guildhall_repository::StorageError> {
                    let $link = self;
                    $crate::decorate::decorate!(@$shape $link $accessor [$name($($arg),*)] [$ret] $($how)?)
                }
            )*
            $($($full)*)?
        }
    };

    (@pass $link:ident $on:ident [$($call:tt)*] $ret:tt) => {
        $link.inner().$on().$($call)*.await
    };
    (@read $link:ident $on:ident [$($call:tt)*] $ret:tt ($key:expr, $tags:expr, $ttl:ident)) => {{
        let load = || $link.inner().$on().$($call)*;
        match $link.cache() {
            Some(cache) => cache.entry($key, $tags, $link.ttl.$ttl).get_or_load(load).await,
            None => load().await,
        }
    }};
    (@find $link:ident $on:ident [$($call:tt)*] $ret:tt ($key:expr, $tags:expr, $ttl:ident)) => {{
        let load = || $link.inner().$on().$($call)*;
        match $link.cache() {
            Some(cache) => cache.entry($key, $tags, $link.ttl.$ttl).get_or_load_optional(load).await,
            None => load().await,
        }
    }};
    (@list $link:ident $on:ident [$($call:tt)*] [$ret:ty] ($key:expr, $tags:expr, $ttl:ident)) => {{
        let load = || $link.inner().$on().$($call)*;
        match $link.cache() {
            Some(cache) => {
                let entry = cache.entry::<$ret>($key, $tags, $link.ttl.$ttl);
                entry.negative_if(|items| items.is_empty()).get_or_load(load).await
            }
            None => load().await,
        }
    }};
    (@page $link:ident $on:ident [$($call:tt)*] $ret:tt
     ($page:ident, $key:expr, $tags:expr, $ttl:ident)) => {{
        let load = || $link.inner().$on().$($call)*;
        match $link.cache().filter(|_| $page.cursor().is_none()) {
            Some(cache) => {
                let entry = cache.entry($key, $tags, $link.ttl.$ttl);
                $crate::decorate::first_page(entry, load).await
            }
            None => load().await,
        }
    }};
    (@board $link:ident $on:ident [$($call:tt)*] $ret:tt ($key:expr, $tags:expr, $ttl:ident)) => {{
        let load = || $link.inner().$on().$($call)*;
        match $link.cache() {
            Some(cache) => {
                let entry = cache.entry($key, $tags, $link.ttl.$ttl);
                $crate::decorate::whole_board(entry, load).await
            }
            None => load().await,
        }
    }};
    (@many $link:ident $on:ident [$name:ident $args:tt] $ret:tt
     ($ids:ident, $most:expr, $id:ident => $keyed:expr, $row:ident => $of:expr, $ttl:ident)) => {{
        let Some(cache) = $link.cache().filter(|_| (1..=$most).contains(&$ids.len())) else {
            return $link.inner().$on().$name($ids).await;
        };
        let load = |missing: Vec<_>| async move {
            let rows = $link.inner().$on().$name(&missing).await?;
            let keyed = rows.into_iter().map(|$row| ($of, $row)).collect();
            Ok::<_, guildhall_repository::StorageError>(keyed)
        };
        let (wanted, ttl) = ($crate::decorate::distinct($ids), $link.ttl.$ttl);
        let rows = cache.get_or_load_many(&wanted, ttl, |$id| $keyed, load).await?;
        Ok(rows.into_iter().flatten().collect())
    }};
    (@write $link:ident $on:ident [$($call:tt)*] $ret:tt ($tags:expr)) => {
        $link.write($tags, async |on: $crate::link::Inner| on.$on().$($call)*.await).await
    };
    (@write_then $link:ident $on:ident [$($call:tt)*] [$ret:ty]
     ($result:ident => $tags:expr, $namespaces:expr)) => {{
        let write = async |on: $crate::link::Inner| on.$on().$($call)*.await;
        $link.write_then(write, |$result: &$ret| $tags, $namespaces).await
    }};
    (@write_all $link:ident $on:ident [$($call:tt)*] $ret:tt ($namespaces:expr)) => {{
        let write = async |on: $crate::link::Inner| on.$on().$($call)*.await;
        $link.write_namespaces($namespaces, write).await
    }};
}
pub(crate) use decorate;

/// A page as the cache keeps it.
pub(crate) type Kept<T> = (Vec<T>, Option<String>);

/// A first page through the cache; an empty one is kept as briefly as an absence.
pub(crate) async fn first_page<T, F>(
    entry: Entry<'_, Kept<T>>,
    load: impl FnOnce() -> F + Send,
) -> Result<Page<T>, StorageError>
where
    T: Send + Sync,
    Kept<T>: Value,
    F: Future<Output = Result<Page<T>, StorageError>> + Send,
{
    let load = || async { Ok::<_, StorageError>(keep(load().await?)) };
    let entry = entry.negative_if(|(items, _)| items.is_empty());
    shown(entry.get_or_load(load).await?)
}

pub(crate) fn keep<T>(page: Page<T>) -> Kept<T> {
    (page.items, page.next_cursor.map(|cursor| cursor.as_str().to_owned()))
}

pub(crate) fn shown<T>((items, next): Kept<T>) -> Result<Page<T>, StorageError> {
    let next_cursor = next.map(|text| text.parse::<Cursor>()).transpose()?;
    Ok(Page { items, next_cursor })
}

/// A board as the cache keeps it.
type Board<T> = (Vec<T>, u64, Timestamp);

/// A board through the cache; an empty one is kept as briefly as an absence.
pub(crate) async fn whole_board<T, F>(
    entry: Entry<'_, Board<T>>,
    load: impl FnOnce() -> F + Send,
) -> Result<Ranked<T>, StorageError>
where
    T: Send + Sync,
    Board<T>: Value,
    F: Future<Output = Result<Ranked<T>, StorageError>> + Send,
{
    let load = || async {
        let ranked = load().await?;
        Ok::<_, StorageError>((ranked.items, ranked.total, ranked.computed_at))
    };
    let entry = entry.negative_if(|(items, _, _)| items.is_empty());
    let (items, total, computed_at) = entry.get_or_load(load).await?;
    Ok(Ranked { items, total, computed_at })
}

/// Each id once, in the order asked.
pub(crate) fn distinct<I: Clone + Eq + Hash>(ids: &[I]) -> Vec<I> {
    let mut seen = HashSet::with_capacity(ids.len());
    ids.iter().filter(|id| seen.insert(*id)).cloned().collect()
}
