//! Notes for caches: they are never cached themselves.

use std::time::Duration;

use guildhall_repository::{InvalidationNote, InvalidationRepository};

use crate::decorate::decorate;

decorate! {
    impl InvalidationRepository by invalidations, |link| {
        pass insert(note: &InvalidationNote) -> ();
        pass left_behind(age_min: Duration, limit: u16) -> Vec<InvalidationNote>;
        pass delete(ids: &[i64]) -> u64;
    }
}
