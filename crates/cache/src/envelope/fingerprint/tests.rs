use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{fingerprint, traced};

/// Declares one release of a type and gives its fingerprint.
macro_rules! shape {
    ($of:ty; $($item:item)*) => {{
        $(#[derive(Deserialize)] #[allow(dead_code, reason = "only its shape counts")] $item)*
        traced::<$of>()
    }};
}

fn account() -> u64 {
    shape! { Account; struct Account { id: i64, name: String, plan: Plan }
    enum Plan { Free, Paid { cents: u32 } } }
}

#[test]
fn the_same_shape_is_the_same_in_every_release_and_module() {
    assert_eq!(account(), account());
    let elsewhere = shape! { Arc<Account>; struct Account { id: i64, name: Arc<str>, plan: Box<Plan> }
    enum Plan { Free, Paid { cents: u32 } } };
    assert_eq!(account(), elsewhere, "a module, a box or a shared text changes no bytes");
}

#[test]
fn any_change_of_a_struct_or_enum_is_another_shape() {
    let changed = [
        shape! { Account; struct Account { id: i64, name: String, plan: Plan, age: u8 }
        enum Plan { Free, Paid { cents: u32 } } },
        shape! { Account; struct Account { id: i64, nick: String, plan: Plan }
        enum Plan { Free, Paid { cents: u32 } } },
        shape! { Account; struct Account { id: u64, name: String, plan: Plan }
        enum Plan { Free, Paid { cents: u32 } } },
        shape! { Account; struct Account { name: String, id: i64, plan: Plan }
        enum Plan { Free, Paid { cents: u32 } } },
        shape! { Account; struct Account { id: i64, name: Option<String>, plan: Plan }
        enum Plan { Free, Paid { cents: u32 } } },
        shape! { Account; struct Account { id: i64, name: String, plan: Vec<Plan> }
        enum Plan { Free, Paid { cents: u32 } } },
        shape! { Account; struct Account { id: i64, name: String, plan: Plan }
        enum Plan { Free, Paid { cents: u32 }, Gift } },
        shape! { Account; struct Account { id: i64, name: String, plan: Plan }
        enum Plan { Paid { cents: u32 }, Free } },
        shape! { Account; struct Account { id: i64, name: String, plan: Plan }
        enum Plan { Free, Paid { cents: u64 } } },
        shape! { Account; struct Account { id: i64, name: String, plan: Plan }
        enum Plan { Free, Paid(u32) } },
        shape! { Customer; struct Customer { id: i64, name: String, plan: Plan }
        enum Plan { Free, Paid { cents: u32 } } },
    ];
    for (index, one) in changed.iter().enumerate() {
        assert_ne!(*one, account(), "change {index}");
        assert_eq!(changed.iter().filter(|other| *other == one).count(), 1, "change {index}");
    }
}

#[test]
fn a_change_deep_inside_is_another_shape() {
    let of = [
        shape! { BTreeMap<String, Vec<(u8, Option<Leaf>)>>; struct Leaf { at: [u16; 4] } },
        shape! { BTreeMap<String, Vec<(u8, Option<Leaf>)>>; struct Leaf { at: [u16; 5] } },
        shape! { BTreeMap<String, Vec<(u8, Option<Leaf>)>>; struct Leaf { at: [i16; 4] } },
        shape! { BTreeMap<u32, Vec<(u8, Option<Leaf>)>>; struct Leaf { at: [u16; 4] } },
    ];
    assert!((0..4).all(|a| (0..a).all(|b| of[a] != of[b])), "{of:x?}");
}

/// A type that only accepts what nobody would guess.
macro_rules! strict {
    ($name:ident, $of:ty) => {
        #[derive(Deserialize)]
        #[serde(try_from = "String")]
        #[allow(dead_code, reason = "only its shape counts")]
        struct $name($of);

        impl TryFrom<String> for $name {
            type Error = &'static str;

            fn try_from(_: String) -> Result<Self, &'static str> {
                Err("no text is good enough")
            }
        }
    };
}

#[test]
fn a_field_that_validates_hides_no_other() {
    strict!(Password, String);
    strict!(Secret, String);
    let of = [
        shape! { Login; struct Login { password: Password, other: Password, tries: u32 } },
        shape! { Login; struct Login { password: Password, other: Password, tries: u64 } },
        shape! { Login; struct Login { password: Secret, other: Password, tries: u32 } },
        shape! { Login; struct Login { password: Password, other: Option<Password>, tries: u32 } },
        shape! { Vec<Login>; struct Login { password: Password, other: Password, tries: u32 } },
    ];
    assert!((0..of.len()).all(|a| (0..a).all(|b| of[a] != of[b])), "{of:x?}");
}

#[test]
fn a_validation_that_a_sample_passes_hides_nothing_behind_it() {
    #[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
    #[serde(try_from = "String")]
    struct Filled(String);

    impl TryFrom<String> for Filled {
        type Error = &'static str;

        fn try_from(text: String) -> Result<Self, &'static str> {
            if text.is_empty() { Err("empty") } else { Ok(Self(text)) }
        }
    }
    assert_ne!(traced::<(Filled, u32)>(), traced::<(Filled, u64)>());
    assert_ne!(traced::<BTreeMap<Filled, u32>>(), traced::<BTreeMap<Filled, u64>>());
    assert_ne!(
        traced::<(std::num::NonZeroU8, Vec<u8>)>(),
        traced::<(std::num::NonZeroU8, Vec<i8>)>()
    );
}

#[test]
fn what_serde_does_not_name_is_known_by_its_own_name() {
    let metres = shape! { Way; #[serde(transparent)] struct Metres(u64);
    struct Way { length: Option<Metres> } };
    let feet = shape! { Way; #[serde(transparent)] struct Feet(u64);
    struct Way { length: Option<Feet> } };
    assert_ne!(metres, feet);
}

#[test]
fn aliases_and_types_inside_themselves_come_to_an_end() {
    macro_rules! tree {
        ($size:ty, $leaf:ty) => {
            shape! { Tree;
            struct Tree {
                #[serde(alias = "title")] label: String,
                children: Vec<Tree>,
                next: Option<Box<Tree>>,
                by: Expr,
                #[serde(default)] size: $size
            }
            enum Expr { Both(Box<Expr>, Box<Expr>), Tree(Box<Tree>), Number($leaf) } }
        };
    }
    assert_eq!(tree!(u8, i64), tree!(u8, i64));
    assert_ne!(tree!(u8, i64), tree!(u16, i64));
    assert_ne!(tree!(u8, i64), tree!(u8, i32));
}

#[test]
fn a_type_that_panics_on_made_up_values_is_known_by_its_name() {
    struct Touchy;
    impl<'de> Deserialize<'de> for Touchy {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            let text = String::deserialize(from)?;
            assert!(text.len() > 100, "never written so short");
            Ok(Self)
        }
    }
    assert_eq!(traced::<Touchy>(), traced::<Touchy>());
    assert_ne!(traced::<Touchy>(), traced::<Vec<Touchy>>());
}

#[test]
fn every_type_of_this_and_the_next_release_has_the_number_it_had() {
    #[derive(Serialize, Deserialize)]
    struct Profile {
        id: i64,
        name: Option<String>,
        tags: Vec<(u8, f64)>,
        state: State,
    }
    #[derive(Serialize, Deserialize)]
    enum State {
        Active,
        Gone { at: u64 },
    }
    assert_eq!(
        fingerprint::<Profile>(),
        4_880_994_301_127_235_246,
        "entries of the last release would be lost"
    );
    assert_eq!(fingerprint::<Profile>(), traced::<Profile>());
}
