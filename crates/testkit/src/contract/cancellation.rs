//! Promises about callers who give up: `timeout`, `select!`, a closed connection.
//!
//! Every call is dropped at each of its polls, and at many moments between them. Afterwards it took
//! effect wholly or not at all, a repetition with the same key completes it, the ledgers are sound,
//! and no connection is missing. Kept on both kinds of runtime: on one thread, a call that blocks
//! when dropped would block everything.

mod calls;
mod units;

pub use calls::*;
pub use units::*;

use std::sync::Arc;

use guildhall_repository::Storage;

use super::given;

#[doc(hidden)]
#[macro_export]
macro_rules! cancellation_promises {
    ($with:tt => $($stamp:tt)+) => {
        $crate::cancellation_promises!(@list $with, cancellation MultiThread => $($stamp)+);
        $crate::cancellation_promises!(
            @list $with, cancellation_on_one_thread CurrentThread => $($stamp)+
        );
    };
    (@list $with:tt, $module:ident $runtime:ident => $($stamp:tt)+) => {
        $($stamp)+! { $with, cancellation as $module on $runtime:
            // calls
            a_dropped_award_happens_once
            a_dropped_deduction_happens_once
            a_dropped_transfer_happens_once
            a_dropped_bulk_is_whole
            a_dropped_hold_is_whole
            a_dropped_capture_settles_once
            a_dropped_check_in_counts_once
            a_dropped_registration_is_whole
            a_dropped_batch_is_whole
            a_dropped_ensure_makes_one_member
            dropped_reads_leave_nothing_behind
            callers_who_give_up_queueing_stop_nobody
            // units
            a_dropped_begin_leaves_no_unit
            a_unit_dropped_in_a_call_leaves_nothing
            a_dropped_commit_happens_once
            a_dropped_roll_back_rolls_back
        }
    };
}
#[doc(hidden)]
pub use crate::cancellation_promises as promises;

/// That abandoned calls come to their end and every connection serves again: twice as many calls as
/// there are places, and as many units as there are places, one after the other.
async fn nothing_is_missing(storage: &Arc<dyn Storage>) {
    let places = given::at_rest(storage).await.connections_max;
    let calls = 2 * usize::try_from(places).unwrap();
    given::at_once(calls, storage, |storage, _| async move {
        storage.rankings().points_in_circulation().await.unwrap();
    })
    .await;
    for _ in 0..places {
        storage.begin().await.unwrap().commit().await.unwrap();
    }
}
