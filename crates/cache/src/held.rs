//! A value in this process and what it is valid for.

use std::any::Any;
use std::sync::Arc;

use crate::life::Ages;

/// All of it in one allocation: a hit copies a pointer and touches one place.
pub(crate) struct Stored<S: ?Sized> {
    /// Sum of the generations seen before the load.
    pub(crate) generation: u64,
    /// Of the tag set.
    pub(crate) mark: u64,
    /// Before this moment it is a hit without further thought.
    pub(crate) calm_until_ns: u64,
    /// From this moment on it is of no use to anybody.
    pub(crate) gone_ns: u64,
    /// Estimated.
    pub(crate) bytes: u64,
    pub(crate) ages: Ages,
    pub(crate) value: S,
}

/// Of any type.
pub(crate) type Held = Arc<Stored<dyn Any + Send + Sync>>;
