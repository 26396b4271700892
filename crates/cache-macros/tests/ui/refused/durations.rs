#![allow(unused, reason = "what is wrong is said by errors")]

use guildhall_cache::{Cache, cached, invalidates};

struct User {
    id: i64,
}

struct Users {
    cache: Cache,
}

impl Users {
    #[cached(key = "user", ttl = "1 hour", tags = [])]
    async fn blank(&self) -> u64 {
        1
    }

    #[cached(key = "user", ttl = "90", tags = [])]
    async fn no_unit(&self) -> u64 {
        1
    }

    #[cached(key = "user", ttl = "5w", tags = [])]
    async fn unknown_unit(&self) -> u64 {
        1
    }

    #[cached(key = "user", ttl = "0s", tags = [])]
    async fn zero(&self) -> u64 {
        1
    }
}

fn main() {}
