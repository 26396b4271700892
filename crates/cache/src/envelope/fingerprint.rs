//! A number that stands for the serialised shape of a type.
//!
//! Two releases share an entry only if they agree on it, so a changed type is a miss and never
//! a value read with the wrong fields. The shape is what the type's own `Deserialize` asks for:
//! names and order of fields and variants, kinds of numbers, options, sequences, nested types.
//! Where serde tells no name (a transparent or validated newtype), the type's own name counts,
//! without its path: metres that become feet are another shape, a moved module is not.

mod shape;
mod tracer;

#[cfg(test)]
mod tests;

use std::any::{TypeId, type_name};
use std::collections::HashMap;
use std::panic::catch_unwind;
use std::sync::{LazyLock, PoisonError, RwLock};

use serde::de::DeserializeOwned;

use crate::hash::Fold;

/// A pure function of the type, hence remembered for the process. Bounded by the program's types.
static KNOWN: LazyLock<RwLock<HashMap<TypeId, u64>>> = LazyLock::new(RwLock::default);

/// The same in every process that has the same shape of `T`.
pub(super) fn fingerprint<T: DeserializeOwned + 'static>() -> u64 {
    let id = TypeId::of::<T>();
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(&id).copied();
    known.unwrap_or_else(|| {
        let traced = traced::<T>();
        KNOWN.write().unwrap_or_else(PoisonError::into_inner).insert(id, traced);
        traced
    })
}

/// Types may look different to text formats and to binary ones: both count, whatever the codec.
/// A type too big to be traced is known by its full name alone.
fn traced<T: DeserializeOwned>() -> u64 {
    // A `Deserialize` that panics on made-up values must not take a read down with it.
    let folded = catch_unwind(|| {
        let compact = tracer::trace::<T>(false).fold(Fold::fixed())?;
        tracer::trace::<T>(true).fold(compact)
    });
    let folded = folded.unwrap_or(None);
    folded.unwrap_or_else(|| Fold::fixed().bytes(type_name::<T>().as_bytes())).get()
}
