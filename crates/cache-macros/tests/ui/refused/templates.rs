#![allow(unused, reason = "what is wrong is said by errors")]

use guildhall_cache::{Cache, cached, invalidates};

struct User {
    id: i64,
}

struct Users {
    cache: Cache,
}

impl Users {
    #[cached(key = "", tags = [])]
    async fn empty(&self) -> u64 {
        1
    }

    #[cached(key = "{id}:user", tags = [])]
    async fn no_namespace(&self, id: i64) -> u64 {
        1
    }

    #[cached(key = "user::{id}", tags = [])]
    async fn empty_segment(&self, id: i64) -> u64 {
        1
    }

    #[invalidates(tags = [""])]
    async fn empty_tag(&self) {}

    #[invalidates(tags = "user:{id}")]
    async fn no_list(&self, id: i64) {}

    #[invalidates(tags = [], namespaces = ["user:{id}"])]
    async fn no_namespace_alone(&self, id: i64) {}
}

fn main() {}
