//! Walking through the file: each member is cut out as text first, so that one bad record costs
//! nobody else.

use std::collections::HashSet;
use std::fmt;
use std::ops::ControlFlow;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::limited::Budget;
use super::member::{self, Fieldset};
use crate::findings::Findings;
use crate::record::{ReadOptions, Record};

/// The state of one pass.
pub(super) struct Walk<'a> {
    options: &'a ReadOptions,
    after: i64,
    findings: &'a mut Findings,
    each: &'a mut dyn FnMut(Record) -> ControlFlow<()>,
    budget: Budget,
    /// Records seen, of any quality.
    index: i64,
    ids: HashSet<u64>,
    players: HashSet<u128>,
    saw_users: bool,
    saw_members: bool,
    /// Whether `each` had enough.
    pub(super) stopped: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        options: &'a ReadOptions,
        after: Option<i64>,
        findings: &'a mut Findings,
        each: &'a mut dyn FnMut(Record) -> ControlFlow<()>,
        budget: Budget,
    ) -> Self {
        Self {
            options,
            after: after.unwrap_or(0),
            findings,
            each,
            budget,
            index: 0,
            ids: HashSet::new(),
            players: HashSet::new(),
            saw_users: false,
            saw_members: false,
            stopped: false,
        }
    }

    /// Whether anything looked like a user store.
    pub(super) fn is_store(&self) -> bool {
        self.saw_users || self.saw_members
    }

    pub(super) fn top<'de, D: Deserializer<'de>>(&mut self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(Top(self))
    }

    /// One record of `users`.
    fn raw<E: Error>(&mut self, name: Option<&str>, raw: &RawValue) -> Result<(), E> {
        match serde_json::from_str::<Fieldset>(raw.get()) {
            Ok(fields) => self.member(name, &fields),
            Err(error) => {
                self.begin();
                let reason = match error.classify() {
                    serde_json::error::Category::Data => "it is not an object",
                    _ => "it holds a number or text out of all bounds",
                };
                let key = name.map_or_else(|| format!("#{}", self.index), str::to_owned);
                self.findings.skip("users", &key, reason);
                Ok(())
            }
        }
    }

    fn begin(&mut self) {
        self.index += 1;
        self.findings.read("users");
    }

    fn member<E: Error>(&mut self, name: Option<&str>, fields: &Fieldset) -> Result<(), E> {
        self.begin();
        self.saw_members = true;
        let place = format!("#{}", self.index);
        let Some(id) = fields.id(name) else {
            let reason = "its user_id is not a positive whole number";
            self.findings.skip("users", name.unwrap_or(&place), reason);
            return Ok(());
        };
        if !self.ids.insert(id) {
            let reason = "its user_id appears twice; the first is kept";
            self.findings.skip("users", &id.to_string(), reason);
            return Ok(());
        }
        let mut member = member::member(id, fields, self.options, self.findings);
        member::unlink_known_player(&mut member, &mut self.players, self.findings);
        if self.index <= self.after {
            return Ok(()); // An earlier run has it.
        }
        let record = Record { member, position: self.index, side_rows: [0; 4], facts: Vec::new() };
        if (self.each)(record).is_break() {
            self.stopped = true;
            return Err(E::custom("stopped"));
        }
        Ok(())
    }
}

/// The object at the top.
struct Top<'w, 'a>(&'w mut Walk<'a>);

impl<'de> Visitor<'de> for Top<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `users`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let walk = self.0;
        walk.budget.renew();
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "users" if walk.saw_users => return Err(A::Error::duplicate_field("users")),
                "users" => {
                    walk.saw_users = true;
                    map.next_value_seed(Users(&mut *walk))?;
                }
                "analytics" => {
                    walk.budget.lift();
                    let rows = map.next_value::<Counted>()?.0;
                    walk.findings.not_read("analytics", rows);
                }
                _ => match map.next_value::<Other>()? {
                    Other::Fields(fields) if fields.looks_like_member() => {
                        walk.member(Some(&name), &fields)?;
                    }
                    Other::Fields(fields) => walk.findings.not_read(&name, fields.len()),
                    Other::Rows(rows) => walk.findings.not_read(&name, rows),
                },
            }
            walk.budget.renew();
        }
        Ok(())
    }
}

/// The list, or object, of members.
struct Users<'w, 'a>(&'w mut Walk<'a>);

impl<'de> DeserializeSeed<'de> for Users<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Users<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of members in `users`")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.0.findings.table("users");
        self.0.budget.renew();
        while let Some(raw) = seq.next_element::<Box<RawValue>>()? {
            self.0.raw(None, &raw)?;
            self.0.budget.renew();
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.0.findings.table("users");
        self.0.budget.renew();
        while let Some(name) = map.next_key::<String>()? {
            let raw = map.next_value::<Box<RawValue>>()?;
            self.0.raw(Some(&name), &raw)?;
            self.0.budget.renew();
        }
        Ok(())
    }
}

/// How many items a list or object has; 1 for anything else.
struct Counted(u64);

/// Anything else at the top: perhaps a member.
enum Other {
    Fields(Fieldset),
    Rows(u64),
}

struct CountedVisitor;
struct OtherVisitor;

macro_rules! scalars_count_as_one {
    ($one:expr) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok($one)
        }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok($one)
        }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok($one)
        }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok($one)
        }
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok($one)
        }
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("any value")
        }
    };
}

fn items<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<u64, A::Error> {
    let mut count = 0;
    while seq.next_element::<IgnoredAny>()?.is_some() {
        count += 1;
    }
    Ok(count)
}

impl<'de> Visitor<'de> for CountedVisitor {
    type Value = Counted;
    scalars_count_as_one!(Counted(1));
    fn visit_unit<E>(self) -> Result<Counted, E> {
        Ok(Counted(0))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Counted, A::Error> {
        items(seq).map(Counted)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Counted, A::Error> {
        let mut count = 0;
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Counted(count))
    }
}

impl<'de> Visitor<'de> for OtherVisitor {
    type Value = Other;
    scalars_count_as_one!(Other::Rows(1));
    fn visit_unit<E>(self) -> Result<Other, E> {
        Ok(Other::Rows(0))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Other, A::Error> {
        items(seq).map(Other::Rows)
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Other, A::Error> {
        Fieldset::collect(map).map(Other::Fields)
    }
}

impl<'de> serde::Deserialize<'de> for Counted {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(CountedVisitor)
    }
}

impl<'de> serde::Deserialize<'de> for Other {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(OtherVisitor)
    }
}
