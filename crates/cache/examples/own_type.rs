//! A type of your own through the in-process level: no server, nothing serialised on a hit.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use guildhall_cache::{Cache, Key, Tag};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Profile {
    name: Arc<str>,
    badges: Vec<u32>,
}

/// Stands for a query that takes a while.
async fn query(id: i64) -> Result<Option<Profile>, Infallible> {
    println!("asking the database for {id}");
    Ok((id == 42).then(|| Profile { name: "Ada".into(), badges: vec![1, 2, 3] }))
}

async fn find(cache: &Cache, id: i64) -> Result<Option<Profile>, Infallible> {
    cache
        .entry::<Profile>(
            Key::new("user").id(id).part("profile"),
            [Tag::new("user").id(id)],
            Duration::from_secs(120),
        )
        .weigh(|profile| size_of::<Profile>() + profile.name.len() + profile.badges.len() * 4)
        .get_or_load_optional(|| query(id))
        .await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Infallible> {
    let cache = Cache::builder().memory().max_entries(1_000).max_bytes(1 << 20).build();
    println!("{:?}", find(&cache, 42).await?); // Asks.
    println!("{:?}", find(&cache, 42).await?); // Does not.
    println!("{:?}", find(&cache, 7).await?); // Asks: absent.
    println!("{:?}", find(&cache, 7).await?); // Does not: absence is remembered, too.

    let write = cache.begin_write([Tag::new("user").id(42)]);
    // The UPDATE and its COMMIT stand here.
    write.committed().await;
    println!("{:?}", find(&cache, 42).await?); // Asks again.

    let total = cache.stats().total;
    println!("{} hits, {} misses, {} entries", total.hits, total.misses, total.entries);
    Ok(())
}
