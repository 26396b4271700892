#![doc = include_str!("../README.md")]
#![deny(missing_docs)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed expectation is a failed test"
)]

pub mod builder;
pub mod clock;
pub mod contract;
pub mod poll;
pub mod random;
pub mod server;

pub use clock::FixedClock;
pub use contract::TestStorage;
pub use random::SeededRandom;
