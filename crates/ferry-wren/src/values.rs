//! Values that cross: a script's own as [`Value`]s, and back.
//!
//! | in Wren | [`Value`] |
//! |---|---|
//! | `null`, a bool | the same |
//! | a number | a whole one up to 2^53 is one, all others are fractions |
//! | a string of text | text |
//! | a string whose bytes are no UTF-8 | bytes; bytes that are text come back as that |
//! | a list; a map whose keys are strings | the same |
//! | a function | a [`Callback`] |
//! | `Event`, `Lock`, `Semaphore`, `Queue` | the object itself, which Rust and Python use as well |
//! | `Task` | its future |
//! | an object of a foreign class | itself: it comes back as the same object |
//!
//! Anything else is refused, and so is what is too deep, or contains itself, or is too large: an error says where.

use crate::{
    error::{ScriptError, message_of},
    home::Home,
    primitives, task,
};
use asyncferry::{
    Failure, Future, Value, ValueLimits, sync,
    value::{Callback, Foreign},
};
use std::{fmt::Write, rc::Rc, sync::Arc};
use wren::{Context, Error};

/// A whole number beyond this may stand for its neighbours as well.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

/// What each value counts, beside its content.
const EACH: usize = 32;

/// The plain value of a script's.
///
/// # Errors
/// A sentence that says where it is, and what is wrong.
pub(crate) fn to_plain(home: &Rc<Home>, cx: &mut Context<'_>, value: &wren::Value) -> Result<Value, Error> {
    let mut reader = Reader { home, limits: home.limits(), size: 0, path: Vec::new() };
    reader.read(cx, value)
}

enum Step {
    Place(usize),
    Name(String),
}

struct Reader<'a> {
    home: &'a Rc<Home>,
    limits: &'a ValueLimits,
    size: usize,
    path: Vec<Step>,
}

impl Reader<'_> {
    fn read(&mut self, cx: &mut Context<'_>, value: &wren::Value) -> Result<Value, Error> {
        match value {
            wren::Value::Null => self.plain(Value::Null, 0),
            wren::Value::Bool(is) => self.plain(Value::Bool(*is), 0),
            wren::Value::Num(number) => self.plain(number_of(*number), 0),
            wren::Value::String(text) => self.plain(Value::String(text.clone()), text.len()),
            wren::Value::Bytes(bytes) => self.plain(Value::Bytes(bytes.clone()), bytes.len()),
            wren::Value::List(list) => self.list(cx, list),
            wren::Value::Map(map) => self.map(cx, map),
            wren::Value::Function(function) => {
                let callback = self.home.callback(function.clone(), "a function");
                self.plain(Value::Foreign(callback.into()), 0)
            }
            wren::Value::Object(object) => self.object(cx, object),
            other => Err(self.error(&format!("{} can't cross languages", other.kind()))),
        }
    }

    fn list(&mut self, cx: &mut Context<'_>, list: &wren::List) -> Result<Value, Error> {
        self.enter()?;
        let mut values = Vec::new();
        for (place, item) in list.to_vec(cx)?.iter().enumerate() {
            self.path.push(Step::Place(place));
            values.push(self.read(cx, item)?);
            self.path.pop();
        }
        Ok(Value::List(values))
    }

    fn map(&mut self, cx: &mut Context<'_>, map: &wren::Map) -> Result<Value, Error> {
        self.enter()?;
        let mut values = Vec::new();
        for (key, item) in map.entries(cx)? {
            let wren::Value::String(name) = key else {
                return Err(self.error(&format!("a key must be a string of text, not {}", key.kind())));
            };
            self.count(name.len())?;
            self.path.push(Step::Name(name.clone()));
            values.push((name, self.read(cx, &item)?));
            self.path.pop();
        }
        Ok(values.into_iter().collect())
    }

    fn object(&mut self, cx: &mut Context<'_>, object: &wren::Object) -> Result<Value, Error> {
        let class = object.class(cx)?;
        let name = class.name(cx)?;
        if !class.is_foreign(cx)? {
            return Err(self.error(&format!("an object of the class {name} can't cross languages")));
        }
        let crossing = match primitives::crossing(cx, object) {
            Some(crossing) => crossing,
            None => match task::crossing(self.home, cx, object) {
                Some(crossing) => crossing,
                None => held_foreign(cx, object)
                    .unwrap_or_else(|| Foreign::new("an object of a script", Arc::new(Own(object.clone())))),
            },
        };
        self.plain(Value::Foreign(crossing), 0)
    }

    fn enter(&mut self) -> Result<(), Error> {
        self.count(0)?;
        if self.path.len() < self.limits.depth {
            return Ok(());
        }
        Err(self.error(&format!(
            "it's too deep: at most {} lists and maps may lie within each other, and one that contains itself has no \
             end",
            self.limits.depth
        )))
    }

    fn plain(&mut self, value: Value, content: usize) -> Result<Value, Error> {
        self.count(content)?;
        Ok(value)
    }

    fn count(&mut self, content: usize) -> Result<(), Error> {
        self.size = self.size.saturating_add(EACH).saturating_add(content);
        if self.size <= self.limits.size {
            return Ok(());
        }
        Err(self.error(&format!("it's too large: it may take at most {} bytes in all", self.limits.size)))
    }

    fn error(&self, reason: &str) -> Error {
        if self.path.is_empty() {
            return Error::new(reason);
        }
        // Of a deep way only the beginning says something.
        const SHOWN: usize = 16;
        let mut text = "at ".to_owned();
        for step in self.path.iter().take(SHOWN) {
            let _ = match step {
                Step::Place(place) => write!(text, "[{place}]"),
                Step::Name(name) => write!(text, ".{name}"),
            };
        }
        let more = if self.path.len() > SHOWN { "…" } else { "" };
        Error::new(format!("{text}{more}: {reason}"))
    }
}

fn number_of(number: f64) -> Value {
    let is_whole = number.trunc() == number && number.abs() <= MOST_EXACT;
    if is_whole && !(number == 0.0 && number.is_sign_negative()) {
        return Value::Int(number as i64);
    }
    Value::Float(number)
}

/// An object of a script's that is elsewhere.
struct Own(wren::Object);

/// The script's value of a plain one.
///
/// # Errors
/// When a whole number is none of Wren's, and when there is no memory.
pub(crate) fn to_wren(home: &Rc<Home>, cx: &mut Context<'_>, value: &Value) -> Result<wren::Value, Error> {
    Ok(match value {
        Value::Null => wren::Value::Null,
        Value::Bool(is) => wren::Value::Bool(*is),
        Value::Int(number) => whole(*number)?,
        Value::Float(number) => wren::Value::Num(*number),
        Value::String(text) => wren::Value::String(text.clone()),
        Value::Bytes(bytes) => wren::Value::Bytes(bytes.clone()),
        Value::List(values) => {
            let list = cx.new_list()?;
            for value in values {
                let value = to_wren(home, cx, value)?;
                list.push(cx, value)?;
            }
            list.into()
        }
        Value::Map(values) => {
            let map = cx.new_map()?;
            for (name, value) in values {
                let value = to_wren(home, cx, value)?;
                map.insert(cx, &**name, value)?;
            }
            map.into()
        }
        Value::Foreign(object) => foreign(home, cx, object)?,
    })
}

fn whole(number: i64) -> Result<wren::Value, Error> {
    if number.unsigned_abs() <= MOST_EXACT as u64 {
        return Ok(wren::Value::Num(number as f64));
    }
    Err(Error::new(format!(
        "the whole number {number} is none of Wren's, which are exact up to 9007199254740992: hand it on as text"
    )))
}

fn foreign(home: &Rc<Home>, cx: &mut Context<'_>, object: &Foreign) -> Result<wren::Value, Error> {
    if let Some(own) = object.get::<Own>() {
        // Whether it's one of this machine's is seen when it's used.
        if own.0.class(cx).is_ok() {
            return Ok(own.0.clone().into());
        }
    }
    if let Some(event) = object.get::<sync::Event>() {
        return home.object(cx, "Event", primitives::EventObject(event));
    }
    if let Some(lock) = object.get::<sync::Lock>() {
        return home.object(cx, "Lock", primitives::LockObject(lock));
    }
    if let Some(semaphore) = object.get::<sync::Semaphore>() {
        return home.object(cx, "Semaphore", primitives::SemaphoreObject(semaphore));
    }
    if let Some(queue) = object.get::<sync::Queue<Value>>() {
        return home.object(cx, "Queue", primitives::QueueObject(queue));
    }
    if let Some(future) = object.get::<Future<Value>>() {
        let task = task::Task::of_future((*future).clone());
        return home.object(cx, "Task", task::TaskObject(task));
    }
    if let Some(callback) = Callback::of(object) {
        return home.object(cx, "Callback", callback);
    }
    home.object(cx, "Foreign", object.clone())
}

/// The foreign object that an object of the class `Foreign` holds, or a function of elsewhere.
pub(crate) fn held_foreign(cx: &mut Context<'_>, object: &wren::Object) -> Option<Foreign> {
    cx.with_object(object, |held: &mut Foreign, _| held.clone())
        .ok()
        .or_else(|| cx.with_object(object, |held: &mut Callback, _| Foreign::from(held.clone())).ok())
}

/// What a script's fiber is given as the error of what it waits for.
pub(crate) fn error(cx: &mut Context<'_>, failure: &Failure) -> Error {
    let message = message_of(failure);
    match error_value(cx, failure) {
        value @ wren::Value::String(_) => Error::with_value(message, value),
        value => Error::with_value(message, value),
    }
}

/// The value of an error, as a script has it: its own, if it's one of this machine's, or else the message.
pub(crate) fn error_value(cx: &mut Context<'_>, failure: &Failure) -> wren::Value {
    let own = match failure {
        Failure::Failed(error) => error.downcast_ref::<ScriptError>().and_then(ScriptError::value),
        Failure::Cancelled(_) => None,
    };
    match own {
        // One of another machine's would not be taken.
        Some(value) if cx.has(value) => value.clone(),
        _ => wren::Value::String(message_of(failure)),
    }
}
