//! The protocol of `guildhall-cache` as a small state machine, and an explorer that tries every
//! interleaving of it. No I/O, no clock, no thread: a state, and what can come next.
//!
//! [`table`] lists what is checked: the protocol as it is, which must keep its promises under
//! every fault, and the protocol with one part left out, which must be caught, or else the
//! explorer could not see. `docs/design/cache-protocol.md` explains the rows.
//!
//! # What the model keeps and what it drops
//!
//! - One entry. Its value is the version of the row it was loaded from.
//! - A nonce is a name that nobody else has: equality is all that is ever asked of one.
//! - A generation is only compared with itself, so each read carries "unchanged since I began".
//! - Messages are all equal, so the queue of a receiver is a number.
//! - Time is one event: "the bound on the age of memory has passed since the last acknowledged
//!   change". An entry may expire or be evicted at any moment.
//! - A read may join a flight or lead its own: that covers single flight and its absence.
//! - *Ghosts* are fields that no step looks at; they remember what was promised.
#![deny(missing_docs)]

mod breach;
mod cell;
mod explore;
mod fingerprint;
mod moves;
mod state;
mod table;

pub use breach::{Breach, Breaches};
pub use cell::{Cell, Ending, Fault, Variant, WriterSpec};
pub use explore::{Counterexample, Report, explore};
pub use state::{PROCESSES_MAX, READERS_MAX, TAGS_MAX, WRITERS_MAX};
pub use table::{Row, table};
