//! [`Callback`]: a function of one language, in the hands of another.

use super::{Foreign, Value};
use crate::promise::Outcome;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, future::Future, pin::Pin, sync::Arc};

/// A function of one language that another one calls: what a script's function becomes when it's an argument. Each call is run
/// where the function lives, in the order of the calls.
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, Value, value::{Callback, from_value, to_value}};
///
/// let double = Callback::new("double", |arguments| async move {
///     let number = arguments.as_list().and_then(|all| all.first()?.as_i64()).unwrap_or(0);
///     Ok(Value::from(2 * number))
/// });
/// // As an argument, it crosses as it is.
/// let crossed: Callback = from_value(&to_value(&double).unwrap()).unwrap();
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     assert_eq!(crossed.call([Value::from(21)]).await.unwrap(), Value::from(42));
/// });
/// ```
#[derive(Clone)]
pub struct Callback(Arc<Function>);

struct Function {
    name: Box<str>,
    call: Box<dyn Fn(Value) -> Called + Send + Sync>,
}

type Called = Pin<Box<dyn Future<Output = Outcome<Value>> + Send>>;

/// What a [`Foreign`] that holds one calls it.
const KIND: &str = "Function";

impl Callback {
    /// One that is called as `name` in errors. It gets its arguments as a list.
    pub fn new<F>(name: &str, call: impl Fn(Value) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Outcome<Value>> + Send + 'static,
    {
        Self(Arc::new(Function {
            name: name.into(),
            call: Box::new(move |arguments| Box::pin(call(arguments))),
        }))
    }

    /// What it's called.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Calls it, and waits for what it gives. The call begins when this is polled first.
    ///
    /// # Errors
    /// What the function fails with.
    ///
    /// # Cancel safety
    /// Dropping it cancels the call.
    pub async fn call(&self, arguments: impl IntoIterator<Item = Value>) -> Outcome<Value> {
        (self.0.call)(arguments.into_iter().collect()).await
    }

    /// The one that a foreign object is, if it's one.
    pub fn of(object: &Foreign) -> Option<Self> {
        object.get::<Function>().map(Self)
    }
}

impl From<Callback> for Foreign {
    fn from(callback: Callback) -> Self {
        Self::new(KIND, callback.0)
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Callback").field(&self.0.name).finish()
    }
}

impl Serialize for Callback {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Foreign::from(self.clone()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Callback {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Foreign::deserialize(deserializer)?;
        Self::of(&object).ok_or_else(|| {
            de::Error::custom(format_args!("a function is wanted, not an object ({})", object.kind()))
        })
    }
}
