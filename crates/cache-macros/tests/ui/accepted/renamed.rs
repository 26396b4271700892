//! The engine under another name, and arguments that come out of `macro_rules!`.

mod engine {
    pub use guildhall_cache::*;
}

macro_rules! reader {
    ($name:ident, $key:literal, $ttl:literal, $tag:literal) => {
        #[engine::cached(crate = engine, cache = cache, key = $key, ttl = $ttl, tags = [$tag])]
        async fn $name(cache: &engine::Cache) -> u64 {
            1
        }
    };
}

reader!(members, "members:all", "30s", "members");

#[engine::invalidates(crate = engine, cache = cache, tags = ["members"])]
async fn touch(cache: &engine::Cache) {}

fn main() {
    let cache = engine::Cache::builder().build();
    drop(members(&cache));
    drop(touch(&cache));
}
