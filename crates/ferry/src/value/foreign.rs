//! [`Foreign`]: what crosses languages as it is, and not as a copy.
//!
//! Serde's data model has no place for it. A `Foreign` goes through it by a newtype of a name that only our own
//! [`Serializer`](super::ser) and [`Deserializer`](super::de) know, and beside it, in a cell of the thread.

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};
use std::{any::Any, cell::Cell, fmt, sync::Arc};

/// An object that several languages share: an [`Event`](crate::sync::Event), a queue, the future of a task, or something of the
/// host's own. Each language shows it in its own way, or, if it knows nothing of it, hands it on.
///
/// Two are equal if they are the same object.
///
/// ```
/// use asyncferry::{Value, sync::Event, value::{Foreign, from_value, to_value}};
/// use std::sync::Arc;
///
/// let event = Arc::new(Event::new());
/// let value = to_value(&("ready", Foreign::new("Event", event.clone()))).unwrap();
/// assert_eq!(value.to_string(), r#"["ready", <Event>]"#);
/// let (_, same): (String, Foreign) = from_value(&value).unwrap();
/// assert!(Arc::ptr_eq(&same.get::<Event>().unwrap(), &event));
/// ```
#[derive(Clone)]
pub struct Foreign {
    kind: &'static str,
    object: Arc<dyn Any + Send + Sync>,
}

impl Foreign {
    /// One of this kind, which is what errors call it: `Event`.
    pub fn new<T: Any + Send + Sync>(kind: &'static str, object: Arc<T>) -> Self {
        Self { kind, object }
    }

    /// What it is, as errors say it.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The object, if it is one of these.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.object.clone().downcast().ok()
    }
}

impl PartialEq for Foreign {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.object, &other.object)
    }
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.kind)
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The name of the newtype that stands for one.
pub(super) const TOKEN: &str = "$asyncferry::value::Foreign";

thread_local! {
    static BESIDE: Cell<Option<Foreign>> = const { Cell::new(None) };
}

/// Puts one beside the data model.
pub(super) fn put(foreign: &Foreign) {
    BESIDE.set(Some(foreign.clone()));
}

/// Takes what was put there.
pub(super) fn take() -> Option<Foreign> {
    BESIDE.take()
}

impl Serialize for Foreign {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        put(self);
        let written = serializer.serialize_newtype_struct(TOKEN, &());
        match take() {
            None => written,
            Some(_) => {
                Err(serde::ser::Error::custom(format_args!("an object ({}) can't be written", self.kind)))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Foreign {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(TOKEN, Taker)
    }
}

struct Taker;

impl Visitor<'_> for Taker {
    type Value = Foreign;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Foreign, E> {
        take().ok_or_else(|| E::invalid_type(de::Unexpected::Unit, &self))
    }
}
