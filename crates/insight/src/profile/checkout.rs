//! Waiting for a connection.

use std::ops::DerefMut;
use std::time::Instant;

use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig};

use super::{Profilable, Profiled, Profiler};

/// A manager for the pools of diesel-async whose connections are recorded.
///
/// ```no_run
/// # #[cfg(feature = "postgres")]
/// # async fn example(url: &str) -> Result<(), Box<dyn std::error::Error>> {
/// use diesel_async::AsyncPgConnection;
/// use diesel_async::pooled_connection::bb8::Pool;
/// use guildhall_insight::profile::{Options, Profiler, checkout, manager};
///
/// let profiler = Profiler::new(Options::default());
/// let pool = Pool::builder().build(manager::<AsyncPgConnection>(url, &profiler)).await?;
/// let mut conn = checkout(pool.get()).await?; // How long this took counts with the next call.
/// # Ok(()) }
/// ```
pub fn manager<C: Profilable>(
    url: impl Into<String>,
    profiler: &Profiler,
) -> AsyncDieselConnectionManager<Profiled<C>> {
    let profiler = profiler.clone();
    let mut config = ManagerConfig::<Profiled<C>>::default();
    config.custom_setup = Box::new(move |url| {
        let (url, profiler) = (url.to_owned(), profiler.clone());
        Box::pin(async move { Ok(Profiled::new(C::establish(&url).await?, profiler)) })
    });
    AsyncDieselConnectionManager::new_with_config(url, config)
}

/// Awaits a connection and notes how long that took.
pub async fn checkout<P, C, E>(waiting: impl Future<Output = Result<P, E>>) -> Result<P, E>
where
    P: DerefMut<Target = Profiled<C>>,
    C: Profilable,
{
    let begun = Instant::now();
    let conn = waiting.await?;
    conn.waited(begun.elapsed());
    Ok(conn)
}
