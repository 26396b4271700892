#![allow(unused, reason = "what is wrong is said by errors")]

use guildhall_cache::{Cache, cached, invalidates};

struct User {
    id: i64,
}

struct Users {
    cache: Cache,
}

impl Users {
    #[cached(key = "user", tags = [])]
    fn blocking(&self) -> u64 {
        1
    }

    #[cached(key = "user", tags = [])]
    fn future(&self) -> impl Future<Output = u64> {
        async { 1 }
    }

    #[cached(key = "user", tags = [])]
    async fn nothing(&self) {}

    #[cached(key = "user", tags = [])]
    async fn lent(&self) -> Result<&str, ()> {
        Ok("")
    }

    #[cached(key = "user", tags = [])]
    async fn nameless(&self) -> impl Clone {
        1
    }

    #[cached(key = "user", tags = [])]
    #[invalidates(tags = ["user"])]
    async fn both(&self) -> u64 {
        1
    }
}

trait Repository {
    #[cached(key = "user", tags = [])]
    async fn promised(&self) -> u64;
}

#[cached(key = "user", tags = [])]
mod module {}

fn main() {}
