#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod achievements;
mod activities;
mod audit;
mod bulk;
mod cascade;
mod crediting;
mod dispatch;
mod members;
mod missions;
mod multiplier;
mod outbox;
mod registration;
mod rewards;
mod store;
mod stories;
#[cfg(test)]
mod testing;
mod units;
mod workflows;

pub use achievements::{Achievements, Badges};
pub use activities::Activities;
pub use audit::{Audit, audit};
pub use cascade::Effects;
pub use crediting::{Crediting, CreditingRules};
pub use dispatch::{DispatchOptions, Dispatched, Dispatcher, HandlerError, OutboxHandler};
pub use members::Members;
pub use missions::{MissionAdvance, Missions};
pub use multiplier::{EventMultiplier, NoEvents};
pub use outbox::Outbox;
pub use registration::Registration;
pub use rewards::Rewards;
pub use store::Store;
pub use stories::{Decided, Pick, Stories};
pub use workflows::{Done, WorkflowRules, Workflows};
