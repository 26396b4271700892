//! The expansion causes no warning, and needs nothing in scope.

#![deny(warnings, unused, rust_2018_idioms, unreachable_pub, missing_docs)]
#![no_implicit_prelude]

use ::guildhall_cache::{Cache, cached, invalidates};
use ::std::option::Option;
use ::std::result::Result;
use ::std::string::String;

/// Shadows what the prelude offers.
#[derive(::std::fmt::Debug, ::std::clone::Clone)]
pub struct Ok(Cache);

impl Ok {
    /// A name.
    #[cached(cache = self.0, key = "user:{id}", ttl = "1h", tags = ["user:{id}"])]
    pub async fn name(&self, id: i64) -> Result<Option<String>, ::std::fmt::Error> {
        let _ = id;
        Result::Ok(Option::None)
    }

    /// A count.
    #[cached(cache = self.0, key = "users", tags = [])]
    pub async fn count(&self) -> u64 {
        1
    }

    /// A new name.
    #[invalidates(cache = self.0, tags = ["user:{id}"], namespaces = ["users"])]
    pub async fn rename(&self, id: i64, mut name: String) -> Result<(), ::std::fmt::Error> {
        name.push('!');
        let _ = id;
        Result::Ok(())
    }

    /// Nothing.
    #[invalidates(cache = self.0, tags = ["user"])]
    pub async fn touch(&self) {}
}

fn main() {
    let _future = Ok(Cache::builder().build()).0;
}
