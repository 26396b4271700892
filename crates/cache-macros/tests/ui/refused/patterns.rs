#![allow(unused, reason = "what is wrong is said by errors")]

use guildhall_cache::{Cache, cached, invalidates};

struct User {
    id: i64,
}

struct Users {
    cache: Cache,
}

#[async_trait::async_trait]
trait Repository {
    async fn page(&self, page: (u16, u32)) -> u64;
}

#[async_trait::async_trait]
impl Repository for Users {
    #[cached(key = "page", tags = [])]
    async fn page(&self, (limit, offset): (u16, u32)) -> u64 {
        u64::from(limit) + u64::from(offset)
    }
}

fn main() {}
