#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod audit;
mod crediting;
mod multiplier;
mod registration;
#[cfg(test)]
mod testing;

pub use audit::{Audit, audit};
pub use crediting::{Crediting, CreditingRules};
pub use multiplier::{EventMultiplier, NoEvents};
pub use registration::Registration;
