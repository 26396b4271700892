//! Waiting for a connection.

use std::future::poll_fn;
use std::ops::DerefMut;
use std::pin::pin;
use std::time::{Duration, Instant};

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
    let (conn, waited) = timed_wait(waiting).await;
    let conn = conn?;
    conn.waited(waited);
    Ok(conn)
}

/// Awaits something and tells how long it had to be waited for: zero if it was there at once, which
/// no clock is read for.
pub async fn timed_wait<F: Future>(waiting: F) -> (F::Output, Duration) {
    let mut waiting = pin!(waiting);
    let mut begun = None;
    poll_fn(|context| {
        let polled = waiting.as_mut().poll(context);
        if polled.is_pending() && begun.is_none() {
            begun = Some(Instant::now());
        }
        polled.map(|output| (output, begun.map_or(Duration::ZERO, |begun| begun.elapsed())))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_wait_takes_time() {
        assert_eq!(timed_wait(std::future::ready(7)).await, (7, Duration::ZERO));
        let least = Duration::from_millis(2);
        let ((), waited) = timed_wait(tokio::time::sleep(least)).await;
        assert!(waited >= Duration::from_millis(1), "{waited:?}");
    }
}
