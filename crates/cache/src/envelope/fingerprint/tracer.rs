//! Lets a type deserialise itself from nothing, many times, and notes what it asks for.
//!
//! A type that validates refuses what it is offered and ends the run. The next run offers it
//! another sample, and at last does without it: fields are offered in any order, a list or an
//! option may be empty. So one field that cannot be made hides no other. Only in a tuple, or
//! behind a map's key, what follows such a part is not seen.

mod access;

use std::any::type_name;

use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, Visitor};

use super::shape::{Ask, Shape, State, Stop};
use access::{Elements, Fields, Pair, Variant};

/// Each run teaches something, or is the last.
const RUNS_MAX: usize = 10_000;

/// Likely to pass a validation: short, numeric, temporal, an address.
const TEXTS: [&str; 10] = [
    "",
    "a",
    "1",
    "1970-01-01T00:00:00Z",
    "1970-01-01",
    "00:00:00",
    "00000000-0000-0000-0000-000000000001",
    "127.0.0.1",
    "https://a.example/",
    "a@a.example",
];
const BLOBS: [&[u8]; 3] = [&[], &[0; 16], &[0; 32]];

pub(super) fn trace<T: DeserializeOwned>(human_readable: bool) -> Shape {
    let mut shape = Shape::new(type_name::<T>(), human_readable);
    for _ in 0..RUNS_MAX {
        // The outcome is noted in the node; the value, if one was made, is of no use.
        explore(&mut shape, Shape::ROOT, |probe| T::deserialize(probe)).ok();
        if shape.cut || shape.nodes[Shape::ROOT].state != State::Open {
            return shape;
        }
    }
    shape.cut = true;
    shape
}

fn explore<R>(
    shape: &mut Shape,
    at: usize,
    run: impl FnOnce(Probe<'_>) -> Result<R, Stop>,
) -> Result<R, Stop> {
    let learnt = shape.learnt;
    let made = run(Probe { shape, at });
    shape.judge(at, made.is_ok(), learnt);
    made
}

/// Explores a place whose type serde names.
fn sow<'de, S: DeserializeSeed<'de>>(
    shape: &mut Shape,
    at: usize,
    seed: S,
) -> Result<S::Value, Stop> {
    shape.nodes[at].owner = type_name::<S::Value>();
    explore(shape, at, |probe| seed.deserialize(probe))
}

impl std::fmt::Display for Stop {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("refused")
    }
}

impl std::error::Error for Stop {}

impl de::Error for Stop {
    fn custom<M: std::fmt::Display>(_: M) -> Self {
        Self
    }
}

/// One place in the shape, as a deserializer.
struct Probe<'s> {
    shape: &'s mut Shape,
    at: usize,
}

impl Probe<'_> {
    /// The sample to offer.
    fn leaf<S: Copy>(self, kind: &'static str, samples: &[S]) -> Result<S, Stop> {
        self.shape.ask(self.at, Ask::Leaf(kind, samples.len()))?;
        samples.get(self.shape.nodes[self.at].sample).copied().ok_or(Stop)
    }

    fn fields<'de, V: Visitor<'de>>(
        self,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let Self { shape, at } = self;
        let children = shape.children(at, names.len())?;
        let mut order: Vec<_> = children.into_iter().zip(names.iter().copied()).collect();
        order.retain(|(child, _)| !shape.is_broken(*child));
        // What is not known yet first: whatever refuses next ends the run.
        order.sort_by_key(|(child, _)| shape.nodes[*child].state != State::Open);
        let mut fields = Fields::new(shape, order);
        let made = visitor.visit_map(&mut fields);
        if made.is_err() {
            fields.refuse();
        }
        made
    }

    fn elements<'de, V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_seq(Elements::new(self.shape, self.at, len))
    }
}

macro_rules! leaves {
    ($($method:ident $visit:ident $kind:literal $samples:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
            visitor.$visit(self.leaf($kind, &$samples)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Stop;

    leaves! {
        deserialize_bool visit_bool "bool" [false, true];
        deserialize_i8 visit_i8 "i8" [0, 1];
        deserialize_i16 visit_i16 "i16" [0, 1];
        deserialize_i32 visit_i32 "i32" [0, 1];
        deserialize_i64 visit_i64 "i64" [0, 1];
        deserialize_i128 visit_i128 "i128" [0, 1];
        deserialize_u8 visit_u8 "u8" [0, 1];
        deserialize_u16 visit_u16 "u16" [0, 1];
        deserialize_u32 visit_u32 "u32" [0, 1];
        deserialize_u64 visit_u64 "u64" [0, 1];
        deserialize_u128 visit_u128 "u128" [0, 1];
        deserialize_f32 visit_f32 "f32" [0.0, 1.0];
        deserialize_f64 visit_f64 "f64" [0.0, 1.0];
        deserialize_char visit_char "char" ['a', '0'];
        deserialize_str visit_borrowed_str "text" TEXTS;
        deserialize_string visit_str "text" TEXTS;
        deserialize_identifier visit_str "identifier" TEXTS;
        deserialize_bytes visit_borrowed_bytes "bytes" BLOBS;
        deserialize_byte_buf visit_bytes "bytes" BLOBS;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.leaf("any", &[0, 1, 2])? {
            0 => visitor.visit_unit(),
            1 => visitor.visit_u64(0),
            _ => visitor.visit_str("a"),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.leaf("ignored", &[()])?;
        visitor.visit_unit()
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.leaf("unit", &[()])?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.shape.ask(self.at, Ask::Unit(name))?;
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let Self { shape, at } = self;
        shape.ask(at, Ask::Option)?;
        let child = shape.child(at, 0)?;
        if shape.is_broken(child) {
            return visitor.visit_none();
        }
        shape.nodes[child].owner = shape.nodes[at].owner;
        explore(shape, child, |probe| visitor.visit_some(probe))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let Self { shape, at } = self;
        shape.ask_container(at, Ask::Newtype(name), type_name::<V::Value>())?;
        let child = shape.child(at, 0)?;
        explore(shape, child, |probe| visitor.visit_newtype_struct(probe))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.shape.ask(self.at, Ask::Seq)?;
        let child = self.shape.child(self.at, 0)?;
        let len = usize::from(!self.shape.is_broken(child));
        self.elements(len, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.shape.ask(self.at, Ask::Tuple("", len))?;
        self.elements(len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.shape.ask_container(self.at, Ask::Tuple(name, len), type_name::<V::Value>())?;
        self.elements(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let Self { shape, at } = self;
        shape.ask(at, Ask::Map)?;
        let (key, value) = (shape.child(at, 0)?, shape.child(at, 1)?);
        let empty = shape.is_broken(key) || shape.is_broken(value);
        visitor.visit_map(Pair::new(shape, (!empty).then_some(key), value))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.shape.ask_container(self.at, Ask::Fields(name, fields), type_name::<V::Value>())?;
        self.fields(fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let Self { shape, at } = self;
        shape.ask_container(at, Ask::Variants(name, variants), type_name::<V::Value>())?;
        let children = shape.children(at, variants.len())?;
        let first = |state| children.iter().position(|child| shape.nodes[*child].state == state);
        let place = first(State::Open).or_else(|| first(State::Settled)).ok_or(Stop)?;
        explore(shape, children[place], |probe| {
            visitor.visit_enum(Variant { probe, name: variants[place] })
        })
    }

    fn is_human_readable(&self) -> bool {
        self.shape.human_readable
    }
}
