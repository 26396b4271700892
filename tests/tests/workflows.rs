//! Workflows: what services promise of several aggregates at once, on real databases.

mod achievements;
mod crashes;
pub(crate) mod ground;
mod input;
mod members;
mod missions;
mod outbox;
mod store;
mod stories;
mod stress;

/// Stamps each test on both databases, and behind a cache in Redis.
macro_rules! on_storages {
    ($($name:ident)+) => {
        crate::workflows::on_storages!(@on sqlite sqlite_file $($name)+);
        crate::workflows::on_storages!(@on postgres postgres_schema_of_its_own $($name)+);
        crate::workflows::on_storages!(@on cached_redis_postgres cached_redis_postgres $($name)+);
    };
    (@on $storage:ident $harness:ident $($name:ident)+) => {
        mod $storage {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let storage = crate::harness::$harness().await;
                    super::$name(crate::workflows::ground::Ground::on(&storage).await).await;
                }
            )+
        }
    };
}
use on_storages;
