//! The story as a whole, and the store.

use guildhall_adapter::domain::{Outcome, Slug, StoreItem, StoryCheck, StoryWay, UserItem};
use guildhall_adapter::service::Done;
use serde::Serialize;

use super::{Effects, text};

/// `narrative check`.
#[derive(Serialize)]
pub(crate) struct Checked {
    sound: bool,
    fragments: usize,
    starts: Vec<String>,
    endings: Vec<String>,
    unreachable: Vec<String>,
    dead_ends: Vec<String>,
    cycles: Vec<Vec<String>>,
    missing: Vec<Way>,
}

/// `choice` is its place, and `null` for a way that is gone by itself.
#[derive(Serialize)]
struct Way {
    from: String,
    choice: Option<u32>,
    to: String,
}

impl From<&StoryCheck> for Checked {
    fn from(check: &StoryCheck) -> Self {
        let names = |slugs: &Vec<Slug>| slugs.iter().map(ToString::to_string).collect();
        let way = |way: &StoryWay| Way {
            from: way.from.to_string(),
            choice: way.choice,
            to: way.to.to_string(),
        };
        Self {
            sound: check.is_sound(),
            fragments: check.fragments,
            starts: names(&check.starts),
            endings: names(&check.endings),
            unreachable: names(&check.unreachable),
            dead_ends: names(&check.dead_ends),
            cycles: check.cycles.iter().map(names).collect(),
            missing: check.missing.iter().map(way).collect(),
        }
    }
}

/// `store list`.
#[derive(Serialize)]
pub(crate) struct Items {
    pub(crate) items: Vec<Item>,
    pub(crate) next_cursor: Option<String>,
}

/// `stock` is `null` where there is any number of it.
#[derive(Serialize)]
pub(crate) struct Item {
    id: i64,
    title: String,
    description: Option<String>,
    kind: &'static str,
    cost: String,
    required_points: String,
    required_level: u32,
    stock: Option<u32>,
    is_active: bool,
}

impl From<&StoreItem> for Item {
    fn from(item: &StoreItem) -> Self {
        let offer = &item.offer;
        Self {
            id: item.id.0,
            title: offer.title.to_string(),
            description: text(offer.description.as_ref()),
            kind: offer.kind.as_str(),
            cost: offer.cost.to_string(),
            required_points: offer.required_points.to_string(),
            required_level: offer.required_level,
            stock: offer.stock,
            is_active: offer.is_active,
        }
    }
}

/// `store buy`.
#[derive(Serialize)]
pub(crate) struct Purchased {
    replayed: bool,
    user_id: i64,
    item: i64,
    title: String,
    kind: &'static str,
    price_paid: String,
    equipped: bool,
    acquired_at: String,
    effects: Effects,
}

impl From<&Outcome<Done<UserItem>>> for Purchased {
    fn from(outcome: &Outcome<Done<UserItem>>) -> Self {
        let owned = &outcome.value.value;
        Self {
            replayed: outcome.replayed,
            user_id: owned.user.0,
            item: owned.item.0,
            title: owned.title.to_string(),
            kind: owned.kind.as_str(),
            price_paid: owned.price_paid.to_string(),
            equipped: owned.equipped,
            acquired_at: owned.acquired_at.to_string(),
            effects: Effects::new(&outcome.value.effects, &outcome.events),
        }
    }
}
