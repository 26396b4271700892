//! Once-only keys: never cached, because they decide writes.

use guildhall_domain::{IdemKey, Json, Timestamp};
use guildhall_repository::{Claim, OnceRepository, OnceRequest};

use crate::decorate::decorate;

decorate! {
    impl OnceRepository by once, |link| {
        pass claim(request: &OnceRequest, now: Timestamp) -> Claim;
        pass keep(key: &IdemKey, result: &Json) -> ();
        pass purge(before: Timestamp, limit: u32) -> u64;
    }
}
