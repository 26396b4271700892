#![allow(unused, reason = "what is wrong is said by errors")]

use guildhall_cache::{Cache, cached, invalidates};

struct User {
    id: i64,
}

struct Users {
    cache: Cache,
}

impl Users {
    #[cached(key = "user:{nam}", tags = [])]
    async fn unknown(&self, name: String) -> u64 {
        1
    }

    #[cached(key = "user:{id}", tags = ["user:{user.id}"])]
    async fn unknown_in_a_tag(&self, id: i64) -> u64 {
        1
    }

    #[invalidates(tags = ["user:{it}"])]
    async fn unknown_in_a_write(&self, user: &User) {}

    #[cached(key = "user:{id", tags = [])]
    async fn open(&self, id: i64) -> u64 {
        1
    }

    #[cached(key = "user:id}", tags = [])]
    async fn closed(&self, id: i64) -> u64 {
        1
    }

    #[cached(key = "user:{}", tags = [])]
    async fn positional(&self, id: i64) -> u64 {
        1
    }

    #[cached(key = "user:{id + 1}", tags = [])]
    async fn arithmetic(&self, id: i64) -> u64 {
        1
    }

    #[cached(key = "user:v{id}", tags = [])]
    async fn mixed(&self, id: i64) -> u64 {
        1
    }
}

fn main() {}
