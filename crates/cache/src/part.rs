//! What may stand between the colons of a key or a tag.

use std::borrow::Cow;
use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64,
};
use std::rc::Rc;
use std::sync::Arc;

use crate::key::Key;
use crate::name;
use crate::tag::Tag;

/// One identifier of a [`Key`] or [`Tag`]. Made by [`ToPart::to_part`] or from a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part(name::Part);

impl Part {
    /// A literal, such as the name of a variant. Nothing is copied.
    #[inline]
    #[must_use]
    pub const fn literal(literal: &'static str) -> Self {
        Self(name::Part::Static(literal))
    }

    /// A text known at run time; it is copied.
    #[must_use]
    pub fn text(text: impl Into<Box<str>>) -> Self {
        Self(name::Part::Text(text.into()))
    }
}

/// A value that identifies something and can stand in a [`Key`] or [`Tag`], and so in the
/// placeholders of `#[cached]` and `#[invalidates]`.
///
/// Two unequal values of one type must give unequal parts, or one is served for the other. Values
/// of different types may give the same part: the number 7 is the same as `u8` and as `i64`.
///
/// For an identifier of your own it is one line:
///
/// ```
/// use guildhall_cache::{Key, Part, ToPart};
///
/// struct UserId(i64);
/// impl ToPart for UserId { fn to_part(&self) -> Part { self.0.to_part() } }
///
/// struct Slug(String);
/// impl ToPart for Slug { fn to_part(&self) -> Part { self.0.to_part() } }
///
/// enum Window { Day, Week }
/// impl ToPart for Window {
///     fn to_part(&self) -> Part {
///         Part::literal(match self { Self::Day => "day", Self::Week => "week" })
///     }
/// }
///
/// assert_eq!(Key::new("user").with(UserId(42)), Key::new("user").id(42));
/// assert_eq!(Key::new("team").with(Slug("owls".into())), Key::new("team").text("owls"));
/// assert_ne!(Key::new("top").with(Window::Day), Key::new("top").with(Window::Week));
/// assert_ne!(Key::new("list").with(None::<i64>), Key::new("list").with(Some(0)));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in a cache key or tag",
    label = "this is no identifier",
    note = "integers, texts, `bool`, `char` and `Option` of them can",
    note = "for a type of your own, implement `ToPart` in one line, or name a field: `{{user.id}}`"
)]
pub trait ToPart {
    /// The part of a key that stands for this value.
    fn to_part(&self) -> Part;
}

impl Key {
    /// Appends a value.
    #[inline(always)]
    #[must_use]
    pub fn with(mut self, value: impl ToPart) -> Self {
        self.0.push(value.to_part().0);
        self
    }
}

impl Tag {
    /// Appends a value.
    #[inline(always)]
    #[must_use]
    pub fn with(mut self, value: impl ToPart) -> Self {
        self.0.push(value.to_part().0);
        self
    }
}

impl ToPart for Part {
    fn to_part(&self) -> Part {
        self.clone()
    }
}

macro_rules! numbers {
    ($($type:ty)+) => {$(
        impl ToPart for $type {
            #[inline(always)]
            fn to_part(&self) -> Part {
                Part(name::Part::Int(i64::from(*self)))
            }
        }
    )+};
}

numbers! { i8 i16 i32 i64 u8 u16 u32 }

macro_rules! wide_numbers {
    ($($type:ty)+) => {$(
        /// Beyond the range of `i64` it is the text of its digits.
        impl ToPart for $type {
            #[inline]
            fn to_part(&self) -> Part {
                match i64::try_from(*self) {
                    Ok(number) => Part(name::Part::Int(number)),
                    Err(_) => Part::text(self.to_string()),
                }
            }
        }
    )+};
}

wide_numbers! { u64 i128 u128 isize usize }

macro_rules! by_value {
    ($($type:ty)+) => {$(
        impl ToPart for $type {
            #[inline]
            fn to_part(&self) -> Part {
                self.get().to_part()
            }
        }
    )+};
}

by_value! { NonZeroI8 NonZeroI16 NonZeroI32 NonZeroI64 NonZeroU8 NonZeroU16 NonZeroU32 NonZeroU64 }

impl ToPart for bool {
    #[inline]
    fn to_part(&self) -> Part {
        Part::literal(if *self { "true" } else { "false" })
    }
}

impl ToPart for char {
    fn to_part(&self) -> Part {
        Part::text(&*self.encode_utf8(&mut [0; 4]))
    }
}

impl ToPart for str {
    fn to_part(&self) -> Part {
        Part::text(self)
    }
}

impl ToPart for String {
    fn to_part(&self) -> Part {
        Part::text(self.as_str())
    }
}

impl ToPart for Cow<'_, str> {
    fn to_part(&self) -> Part {
        Part::text(&**self)
    }
}

/// `None` is a part that no value gives, nor another depth of nested options.
impl<T: ToPart> ToPart for Option<T> {
    #[inline]
    fn to_part(&self) -> Part {
        match self.as_ref().map(ToPart::to_part) {
            None => Part(name::Part::Absent(0)),
            Some(Part(name::Part::Absent(depth))) => {
                Part(name::Part::Absent(depth.saturating_add(1)))
            }
            Some(part) => part,
        }
    }
}

macro_rules! pointers {
    ($($pointer:ty)+) => {$(
        impl<T: ToPart + ?Sized> ToPart for $pointer {
            #[inline(always)]
            fn to_part(&self) -> Part {
                (**self).to_part()
            }
        }
    )+};
}

pointers! { &T &mut T Box<T> Rc<T> Arc<T> }

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(value: impl ToPart) -> String {
        let mut out = String::new();
        Key::new("k").with(value).0.render(&mut out);
        out
    }

    #[test]
    fn a_number_is_the_same_part_whatever_its_type() {
        let seven = Key::new("k").id(7);
        let keys = [
            Key::new("k").with(7_u8),
            Key::new("k").with(7_i32),
            Key::new("k").with(7_u64),
            Key::new("k").with(7_usize),
            Key::new("k").with(7_i128),
            Key::new("k").with(NonZeroU32::new(7)),
            Key::new("k").with(Arc::new(7_i64)),
        ];
        keys.iter().for_each(|key| assert_eq!(*key, seven));
        assert_ne!(Key::new("k").with("7"), seven);
    }

    #[test]
    fn a_number_beyond_64_bits_is_told_from_every_other() {
        assert_eq!(rendered(u64::MAX), "k:%318446744073709551615");
        assert_eq!(rendered(i128::from(u64::MAX)), rendered(u64::MAX));
        assert_ne!(rendered(u64::MAX), rendered(-1));
        assert_ne!(rendered(u128::MAX), rendered(u64::MAX));
    }

    #[test]
    fn texts_are_the_same_part_however_they_are_held() {
        let owls = Key::new("k").text("owls");
        assert_eq!(Key::new("k").with("owls"), owls);
        assert_eq!(Key::new("k").with(String::from("owls")), owls);
        assert_eq!(Key::new("k").with(Arc::<str>::from("owls")), owls);
        assert_eq!(Key::new("k").with(Cow::Borrowed("owls")), owls);
        assert_eq!(Key::new("k").with(Part::literal("owls")), owls);
        assert_eq!(rendered('ß'), "k:ß");
        assert_eq!(rendered(true), "k:true");
    }

    #[test]
    fn an_absent_part_keeps_its_place_and_equals_nothing_else() {
        let pair = |left: Option<i64>, right: Option<i64>| Key::new("k").with(left).with(right);
        assert_ne!(pair(None, Some(1)), pair(Some(1), None));
        assert_ne!(Key::new("k").with(None::<i64>), Key::new("k"));
        assert_ne!(rendered(None::<&str>), rendered(Some("")));
        assert_ne!(rendered(None::<&str>), rendered("%-"));
        assert_ne!(rendered(None::<Option<i64>>), rendered(Some(None::<i64>)));
        assert_eq!(Key::new("k").with(Some(3)), Key::new("k").id(3));
    }
}
