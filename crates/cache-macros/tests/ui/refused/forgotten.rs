#![allow(unused, reason = "what is wrong is said by errors")]

use guildhall_cache::{Cache, cached, invalidates};

struct User {
    id: i64,
}

struct Users {
    cache: Cache,
}

impl Users {
    #[cached(key = "page:{limit}", tags = [])]
    async fn one(&self, limit: u16, offset: u32) -> u64 {
        1
    }

    #[cached(key = "page", tags = [])]
    async fn all(&self, (limit, offset): (u16, u32), user: &User) -> u64 {
        user.id as u64
    }

    #[cached(key = "page:{limit}", tags = [], ignore(limit, offset))]
    async fn ignored(&self, limit: u16) -> u64 {
        1
    }

    #[cached(key = "rows", tags = [])]
    async fn by_type<T: Default>(&self) -> u64 {
        1
    }
}

fn main() {}
