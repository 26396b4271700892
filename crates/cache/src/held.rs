//! A value in this process and what it is valid for.

use std::any::Any;
use std::sync::Arc;

use crate::extra::Extras;
use crate::life::Ages;
use crate::name::Name;

/// All of it in one allocation: a look-up finds key, validity and value in one place. In this
/// order, so that what a hit looks at lies together.
#[repr(C)]
pub(crate) struct Stored<S: ?Sized> {
    /// From this moment on it is of no use to anybody.
    pub(crate) gone_ns: u64,
    /// Estimated.
    pub(crate) bytes: u64,
    pub(crate) ages: Ages,
    /// What it is stored under. Two places: most keys have no more identifiers.
    pub(crate) name: Name<2>,
    /// Sum of the generations seen before the load.
    pub(crate) generation: u64,
    /// Of the tag set.
    pub(crate) mark: u64,
    /// Before this moment it is a hit without further thought.
    pub(crate) calm_until_ns: u64,
    /// The tags that its loader named.
    pub(crate) extras: Extras,
    pub(crate) value: S,
}

/// Of any type.
pub(crate) type Held = Arc<Stored<dyn Any + Send + Sync>>;
