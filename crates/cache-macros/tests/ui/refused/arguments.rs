#![allow(unused, reason = "what is wrong is said by errors")]

use guildhall_cache::{Cache, cached, invalidates};

struct User {
    id: i64,
}

struct Users {
    cache: Cache,
}

impl Users {
    #[cached(key = "user", tll = "1h", tags = [])]
    async fn misspelt(&self) -> u64 {
        1
    }

    #[cached(key = "user", key = "member", tags = [])]
    async fn twice(&self) -> u64 {
        1
    }

    #[cached(tags = [])]
    async fn no_key(&self) -> u64 {
        1
    }

    #[cached(key = "user")]
    async fn no_tags(&self) -> u64 {
        1
    }

    #[invalidates()]
    async fn nothing(&self) {}

    #[invalidates(tags = ["user"], key = "user")]
    async fn misplaced(&self) {}

    #[invalidates(tags = ["user"], on_error = "panic")]
    async fn unknown_choice(&self) -> Result<(), ()> {
        Ok(())
    }

    #[invalidates(tags = ["user"], on_error = "rolled_back")]
    async fn no_errors(&self) {}
}

#[cached(key = "user", tags = [])]
async fn no_cache() -> u64 {
    1
}

fn main() {}
