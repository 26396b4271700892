//! Promises of [`StoreRepository`](guildhall_repository::StoreRepository), and of the boost of
//! experience that is bought there.

use std::sync::Arc;

use guildhall_domain::{StoreItem, StoreOffer, UserId};
use guildhall_repository::Storage;

use super::given;
use crate::builder::{now, offer};

mod batch;
mod buying;
mod catalogue;
mod wearing;

pub use batch::*;
pub use buying::*;
pub use catalogue::*;
pub use wearing::*;

#[doc(hidden)]
#[macro_export]
macro_rules! store_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, store as store on MultiThread:
            a_thing_comes_back_as_it_was_offered
            things_are_found_by_ids_in_order
            a_title_is_taken_once
            an_offer_that_makes_no_sense_is_refused
            a_change_needs_the_version_it_was_made_of
            things_are_listed_by_title
            lists_of_the_store_are_fresh_after_every_change
            many_things_are_offered_at_once
            a_batch_of_things_is_offered_wholly_or_not
            many_things_are_changed_at_once_or_none
            stock_goes_down_to_nothing
            the_last_pieces_go_to_as_many_buyers
            any_number_of_a_thing_never_runs_out
            a_roll_back_puts_the_piece_back
            a_thing_is_owned_once
            a_hundred_clicks_buy_once
            members_things_are_listed_latest_first
            one_thing_of_each_sort_is_worn
            two_who_equip_at_once_wear_one
            only_what_is_owned_can_be_worn
            a_boost_is_raised_and_never_lowered
        }
    };
}
#[doc(hidden)]
pub use crate::store_promises as promises;

/// A thing in the store, for 10 points.
async fn offered(storage: &Arc<dyn Storage>, title: &str) -> StoreItem {
    storage.store().create(&offer(title, 10), now()).await.unwrap()
}

/// A thing of which there are so many.
async fn stocked(storage: &Arc<dyn Storage>, title: &str, stock: u32) -> StoreItem {
    let offer = StoreOffer { stock: Some(stock), ..offer(title, 10) };
    storage.store().create(&offer, now()).await.unwrap()
}

async fn ada(storage: &Arc<dyn Storage>) -> UserId {
    given::member(storage, "ada").await
}
