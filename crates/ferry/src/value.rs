//! [`Value`]: plain data that crosses languages, and how Rust's own types become such and come back, through serde.
//!
//! ```text
//!   Rust    T: Serialize ──to_value──▶ Value ──from_value──▶ T: DeserializeOwned
//!   others  None, True, 1, 1.5, "text", b"bytes", [..], {"key": ..}, in each language's own words
//! ```
//!
//! It's a tree, so it has no cycles; how deep and how large it may be is limited where it's made
//! ([`ValueLimits`]), as whoever makes it may not be trusted.

mod callback;
mod de;
mod foreign;
mod limits;
mod ser;

pub use callback::Callback;
pub use foreign::Foreign;
pub use limits::ValueLimits;

use indexmap::IndexMap;
use serde::{Serialize, de::DeserializeOwned};
use std::{cell::Cell, error::Error, fmt};

/// Plain data that crosses languages: what the arguments and results of jobs are made of that are called by name.
///
/// ```
/// use asyncferry::Value;
///
/// let value = Value::from_iter([("name", Value::from("ferry")), ("wheels", Value::from(0))]);
/// assert_eq!(value.get("wheels").and_then(Value::as_i64), Some(0));
/// assert_eq!(value.to_string(), r#"{"name": "ferry", "wheels": 0}"#);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Nothing: Rust's `()` and `None`, Python's `None`, Wren's `null`.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    String(String),
    /// Bytes that are no text.
    Bytes(Vec<u8>),
    /// Several values in order. The arguments of a call by position.
    List(Vec<Value>),
    /// Values by name, in the order in which they were put in. The arguments of a call by name.
    Map(IndexMap<String, Value>),
    /// An object that is shared, and not copied.
    Foreign(Foreign),
}

impl Value {
    /// An empty list.
    pub fn no_arguments() -> Self {
        Self::List(Vec::new())
    }

    /// Whether it's nothing.
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// The truth value, if it's one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The number, if it's a whole one.
    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Int(value) = self { Some(*value) } else { None }
    }

    /// The number, if it's one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The text, if it's one.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(value) = self { Some(value) } else { None }
    }

    /// The bytes, if it's bytes.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(value) = self { Some(value) } else { None }
    }

    /// The values of a list, if it's one.
    pub fn as_list(&self) -> Option<&[Value]> {
        if let Self::List(values) = self { Some(values) } else { None }
    }

    /// The object, if it's one.
    pub fn as_foreign(&self) -> Option<&Foreign> {
        if let Self::Foreign(object) = self { Some(object) } else { None }
    }

    /// The value of this name, if it's a map that has it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        if let Self::Map(values) = self { values.get(name) } else { None }
    }

    /// What it is, for an error: `the number 5`, `a list of 3`.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Null => "nothing".to_owned(),
            Self::Bool(value) => format!("the truth value {value}"),
            Self::Int(value) => format!("the number {value}"),
            Self::Float(value) => format!("the number {value:?}"),
            Self::String(text) => format!("the text {}", shortened(text)),
            Self::Bytes(bytes) => format!("{} bytes", bytes.len()),
            Self::List(values) => format!("a list of {}", values.len()),
            Self::Map(values) => format!("a map of {}", values.len()),
            Self::Foreign(object) => format!("an object ({})", object.kind()),
        }
    }
}

fn shortened(text: &str) -> String {
    const SHOWN: usize = 40;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// As in JSON, but for bytes, and for numbers that JSON has not.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => fmt::Debug::fmt(value, f),
            Self::String(text) => fmt::Debug::fmt(text, f),
            Self::Bytes(bytes) => write!(f, "b\"{}\"", bytes.escape_ascii()),
            Self::Foreign(object) => object.fmt(f),
            Self::List(values) => {
                f.write_str("[")?;
                for (place, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if place > 0 { ", " } else { "" })?;
                }
                f.write_str("]")
            }
            Self::Map(values) => {
                f.write_str("{")?;
                for (place, (name, value)) in values.iter().enumerate() {
                    write!(f, "{}{name:?}: {value}", if place > 0 { ", " } else { "" })?;
                }
                f.write_str("}")
            }
        }
    }
}

macro_rules! from {
    ($($source:ty => |$value:ident| $made:expr;)*) => {$(
        impl From<$source> for Value {
            fn from($value: $source) -> Self {
                $made
            }
        }
    )*};
}

from! {
    () => |_value| Self::Null;
    bool => |value| Self::Bool(value);
    i64 => |value| Self::Int(value);
    i32 => |value| Self::Int(value.into());
    u32 => |value| Self::Int(value.into());
    u8 => |value| Self::Int(value.into());
    f64 => |value| Self::Float(value);
    f32 => |value| Self::Float(value.into());
    &str => |value| Self::String(value.to_owned());
    String => |value| Self::String(value);
    Vec<u8> => |value| Self::Bytes(value);
    &[u8] => |value| Self::Bytes(value.to_owned());
    Vec<Value> => |value| Self::List(value);
    IndexMap<String, Value> => |value| Self::Map(value);
    Foreign => |value| Self::Foreign(value);
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        Self::List(values.into_iter().collect())
    }
}

impl<N: Into<String>> FromIterator<(N, Value)> for Value {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(values: I) -> Self {
        Self::Map(values.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

/// Makes a [`Value`] of whatever serde can serialise, within the [default limits](ValueLimits).
///
/// Structs become maps, tuples lists, `None` and `()` nothing, and enums are as in JSON; byte strings (of `serde_bytes`)
/// become bytes. Keys of maps that are numbers or truth values become texts, and come back.
///
/// # Errors
/// [`ValueError`], when it's too deep or too large, when a whole number has more than 64 bits with its sign, and when a map has other keys.
///
/// ```
/// use asyncferry::value::{Value, from_value, to_value};
///
/// let value = to_value(&("README.md", 3, Some(true))).unwrap();
/// assert_eq!(value, Value::from_iter([Value::from("README.md"), Value::from(3), Value::from(true)]));
/// let (name, count, flag): (String, u8, bool) = from_value(&value).unwrap();
/// assert_eq!((&*name, count, flag), ("README.md", 3, true));
/// ```
pub fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, ValueError> {
    to_value_within(value, &ValueLimits::default())
}

/// [`to_value`] within other limits.
///
/// # Errors
/// As [`to_value`].
pub fn to_value_within<T: Serialize + ?Sized>(value: &T, limits: &ValueLimits) -> Result<Value, ValueError> {
    let size = Cell::new(0);
    value.serialize(ser::Serializer::new(limits, &size))
}

/// Makes a Rust value of a [`Value`]. A list serves for a struct as well, by position.
///
/// # Errors
/// [`ValueError`], when it's not such a value: it says where.
///
/// ```
/// use asyncferry::value::{Value, from_value};
/// use std::collections::BTreeMap;
///
/// let value = Value::from_iter([("a", Value::from(1)), ("b", Value::from("two"))]);
/// let error = from_value::<BTreeMap<String, u32>>(&value).unwrap_err();
/// assert_eq!(error.to_string(), "at .b: a u32 is wanted, not the text \"two\"");
/// ```
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, ValueError> {
    // Keeping the path costs more than the rest, and only an error has it.
    if let Ok(made) = T::deserialize(de::Deserializer::new(value)) {
        return Ok(made);
    }
    serde_path_to_error::deserialize(de::Deserializer::new(value)).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." || path == "?" { String::new() } else { path };
        error.into_inner().at(path)
    })
}

/// [`from_value`] for the arguments of a call: the value as it is, or, if that is a list of one, its element. So a
/// function of one argument may be called by position too. No arguments are nothing.
///
/// # Errors
/// As [`from_value`].
///
/// ```
/// use asyncferry::value::{Value, from_arguments};
///
/// let one: String = from_arguments(&Value::from_iter([Value::from("README.md")])).unwrap();
/// assert_eq!(one, "README.md");
/// let () = from_arguments(&Value::no_arguments()).unwrap();
/// ```
pub fn from_arguments<T: DeserializeOwned>(arguments: &Value) -> Result<T, ValueError> {
    let error = match from_value(arguments) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    match arguments {
        Value::List(values) if values.is_empty() => from_value(&Value::Null).map_err(|_| error),
        // If no list was wanted, the error inside is the one that says more.
        Value::List(values) if values.len() == 1 => from_value(&values[0]).map_err(|inner: ValueError| {
            if error.is_of_type && error.path.is_empty() { inner.inside(0) } else { error }
        }),
        _ => Err(error),
    }
}

/// Why something can't be made a [`Value`], or be made of one. A sentence says where, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError {
    path: String,
    reason: String,
    /// Something of another type is there.
    is_of_type: bool,
}

impl ValueError {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { path: String::new(), reason: reason.into(), is_of_type: false }
    }

    /// Where it is: `.items[3].name`; empty for the whole.
    pub fn path(&self) -> &str {
        &self.path
    }

    fn at(mut self, path: String) -> Self {
        let dot = if path.is_empty() || path.starts_with('[') { "" } else { "." };
        self.path = format!("{dot}{path}");
        self
    }

    fn inside(mut self, place: usize) -> Self {
        self.path = format!("[{place}]{}", self.path);
        self
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.path {
            "" => f.write_str(&self.reason),
            path => write!(f, "at {path}: {}", self.reason),
        }
    }
}

impl Error for ValueError {}

impl serde::ser::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }
}

impl serde::de::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(found: serde::de::Unexpected<'_>, wanted: &dyn serde::de::Expected) -> Self {
        let reason = format!("{} is wanted, not {}", article(wanted), de::described(&found));
        Self { is_of_type: true, ..Self::new(reason) }
    }

    fn invalid_value(found: serde::de::Unexpected<'_>, wanted: &dyn serde::de::Expected) -> Self {
        Self::invalid_type(found, wanted)
    }

    fn invalid_length(length: usize, wanted: &dyn serde::de::Expected) -> Self {
        Self::new(format!("{} is wanted, not {length} values", article(wanted)))
    }

    fn unknown_variant(variant: &str, wanted: &'static [&'static str]) -> Self {
        Self::new(format!("one of {} is wanted, not {variant:?}", wanted.join(", ")))
    }

    fn unknown_field(field: &str, wanted: &'static [&'static str]) -> Self {
        Self::new(format!("{field:?} is unknown; there are {}", wanted.join(", ")))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("{field:?} is missing"))
    }
}

/// What serde expects, as a part of a sentence.
fn article(wanted: &dyn serde::de::Expected) -> String {
    let wanted = wanted.to_string();
    let is_named = ["a ", "an ", "any ", "one ", "the "].iter().any(|article| wanted.starts_with(article));
    match wanted.chars().next() {
        _ if is_named => wanted,
        Some('a' | 'e' | 'i' | 'o') => format!("an {wanted}"),
        _ => format!("a {wanted}"),
    }
}

/// A value of any depth, to be dropped without recursion.
struct Guarded(Value);

impl Drop for Guarded {
    fn drop(&mut self) {
        let mut left = vec![std::mem::take(&mut self.0)];
        while let Some(value) = left.pop() {
            match value {
                Value::List(values) => left.extend(values),
                Value::Map(values) => left.extend(values.into_values()),
                _ => {}
            }
        }
    }
}

impl Value {
    /// Drops it, however deep it is: a value that was refused as too deep would overflow the stack otherwise.
    pub fn discard(self) {
        drop(Guarded(self));
    }
}

#[cfg(all(test, not(ferry_loom)))]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests;
