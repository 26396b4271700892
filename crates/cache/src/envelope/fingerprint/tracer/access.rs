//! The parts of what has parts, offered one by one.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::super::shape::{Ask, Shape, State, Stop};
use super::{Probe, sow};

/// Elements of a tuple, or the one of a list.
pub(super) struct Elements<'s> {
    shape: &'s mut Shape,
    at: usize,
    next: usize,
    len: usize,
}

impl<'s> Elements<'s> {
    /// Longer arrays have elements of one type.
    const PLACES_MAX: usize = 64;

    pub(super) fn new(shape: &'s mut Shape, at: usize, len: usize) -> Self {
        Self { shape, at, next: 0, len }
    }
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Stop;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Stop> {
        if self.next >= self.len {
            return Ok(None);
        }
        let child = self.shape.child(self.at, self.next.min(Self::PLACES_MAX - 1))?;
        self.next += 1;
        if self.shape.is_broken(child) {
            return Err(Stop);
        }
        sow(self.shape, child, seed).map(Some)
    }
}

/// The one entry of a map.
pub(super) struct Pair<'s> {
    shape: &'s mut Shape,
    key: Option<usize>,
    value: usize,
}

impl<'s> Pair<'s> {
    pub(super) fn new(shape: &'s mut Shape, key: Option<usize>, value: usize) -> Self {
        Self { shape, key, value }
    }
}

impl<'de> MapAccess<'de> for Pair<'_> {
    type Error = Stop;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Stop> {
        self.key.take().map(|key| sow(self.shape, key, seed)).transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Stop> {
        sow(self.shape, self.value, seed)
    }
}

/// Fields by name, in the order given.
pub(super) struct Fields<'s> {
    shape: &'s mut Shape,
    order: std::vec::IntoIter<(usize, &'static str)>,
    /// Its name was given, its value not yet.
    keyed: Option<usize>,
}

impl<'s> Fields<'s> {
    pub(super) fn new(shape: &'s mut Shape, order: Vec<(usize, &'static str)>) -> Self {
        Self { shape, order: order.into_iter(), keyed: None }
    }

    /// A name whose value nobody wanted: the alias of a field that was given already.
    pub(super) fn refuse(&mut self) {
        if let Some(child) = self.keyed.take() {
            self.shape.close(child, State::Broken);
        }
    }
}

impl<'de> MapAccess<'de> for &mut Fields<'_> {
    type Error = Stop;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Stop> {
        let Some((child, name)) = self.order.next() else { return Ok(None) };
        self.keyed = Some(child);
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Stop> {
        let child = self.keyed.take().ok_or(Stop)?;
        sow(self.shape, child, seed)
    }
}

/// The variant whose turn it is.
pub(super) struct Variant<'s> {
    pub(super) probe: Probe<'s>,
    pub(super) name: &'static str,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Stop;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Stop> {
        Ok((seed.deserialize(StrDeserializer::new(self.name))?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Stop;

    fn unit_variant(self) -> Result<(), Stop> {
        self.probe.leaf("unit", &[()])
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Stop> {
        let Probe { shape, at } = self.probe;
        shape.ask(at, Ask::Newtype(""))?;
        let child = shape.child(at, 0)?;
        sow(shape, child, seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.probe.shape.ask(self.probe.at, Ask::Tuple("", len))?;
        self.probe.elements(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.probe.shape.ask(self.probe.at, Ask::Fields("", fields))?;
        self.probe.fields(fields, visitor)
    }
}
