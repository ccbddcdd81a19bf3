//! [`Value`]: a value of a program, as Rust sees it.

use crate::{Context, Error, Handle, ToWren};
use std::ops::RangeInclusive;

/// A value of a program. What is plain is here itself; what is not is held by a [`Handle`].
///
/// Equal values of the last kinds are the same handle, not merely the same object.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Num(f64),
    /// A string of text.
    String(String),
    /// A string whose bytes are no UTF-8.
    Bytes(Vec<u8>),
    /// A range.
    Range(Range),
    /// A list.
    List(List),
    /// A map.
    Map(Map),
    /// A function.
    Function(Function),
    /// A fiber.
    Fiber(Fiber),
    /// A class.
    Class(Class),
    /// Anything else: an object of a class of the program's or the host's.
    Object(Object),
}

/// A range: `from..to` or, without its end, `from...to`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// Whether the end is part of it.
    pub is_inclusive: bool,
}

impl From<RangeInclusive<f64>> for Range {
    fn from(range: RangeInclusive<f64>) -> Self {
        Self { from: *range.start(), to: *range.end(), is_inclusive: true }
    }
}

impl From<std::ops::Range<f64>> for Range {
    fn from(range: std::ops::Range<f64>) -> Self {
        Self { from: range.start, to: range.end, is_inclusive: false }
    }
}

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name(pub(crate) Handle);

        impl From<$name> for Value {
            fn from(own: $name) -> Self {
                Self::$name(own)
            }
        }

        impl $name {
            /// The handle, without its type.
            pub fn handle(&self) -> &Handle {
                &self.0
            }
        }
    )*};
}

handles! {
    /// A list of a program.
    ///
    /// ```
    /// let mut vm = wren::Vm::new();
    /// let mut cx = vm.context();
    /// let list = cx.new_list().unwrap();
    /// list.push(&mut cx, "first").unwrap();
    /// assert_eq!(list.get(&mut cx, 0), Ok(Some("first".into())));
    /// ```
    List
    /// A map of a program.
    ///
    /// ```
    /// let mut vm = wren::Vm::new();
    /// let mut cx = vm.context();
    /// let map = cx.new_map().unwrap();
    /// map.insert(&mut cx, "one", 1.0).unwrap();
    /// map.insert(&mut cx, 2.0, true).unwrap();
    /// assert_eq!(map.entries(&mut cx), Ok(vec![("one".into(), 1.0.into()), (2.0.into(), true.into())]));
    /// ```
    Map
    /// A function of a program: [`Context::call`] calls it, by `call(_)`.
    ///
    /// ```
    /// use wren::{Run, Value, Vm};
    ///
    /// let mut vm = Vm::new();
    /// let mut cx = vm.context();
    /// let Ok(Run::Done(Value::Function(double))) = cx.eval("main", "Fn.new {|n| n * 2 }") else { panic!() };
    /// assert_eq!(cx.call(&double, "call(_)", (4.0,)), Ok(8.0.into()));
    /// ```
    Function
    /// A fiber of a program: [`Context::resume`] runs it.
    ///
    /// ```
    /// let mut vm = wren::Vm::new();
    /// let mut cx = vm.context();
    /// let Ok(wren::Run::Suspended(fiber)) = cx.run("main", "Fiber.suspend()") else { panic!() };
    /// assert_eq!(fiber.is_suspended(&mut cx), Ok(true));
    /// cx.resume(&fiber, Ok(().into())).unwrap();
    /// assert_eq!(fiber.is_done(&mut cx), Ok(true));
    /// ```
    Fiber
    /// A class of a program.
    ///
    /// ```
    /// let mut vm = wren::Vm::new();
    /// let mut cx = vm.context();
    /// let class = cx.core_class("Sequence").unwrap();
    /// assert_eq!(class.name(&mut cx), Ok("Sequence".to_owned()));
    /// ```
    Class
    /// An object of a program's class, or of one of the host's.
    ///
    /// ```
    /// use wren::{Context, Run, Value, Vm};
    ///
    /// let mut vm = Vm::builder().class("main", "Box", |_: &mut Context<'_>, (n,): (f64,)| Ok(n)).build();
    /// vm.run("main", "foreign class Box {\n construct new(n) {}\n}").unwrap();
    /// let mut cx = vm.context();
    /// let Ok(Run::Done(Value::Object(object))) = cx.eval("main", "Box.new(3)") else { panic!() };
    /// assert_eq!(cx.with_object(&object, |n: &mut f64, _| *n), Ok(3.0));
    /// ```
    Object
}

impl Value {
    /// What it is, as errors say it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a bool",
            Self::Num(_) => "a number",
            Self::String(_) | Self::Bytes(_) => "a string",
            Self::Range(_) => "a range",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Function(_) => "a function",
            Self::Fiber(_) => "a fiber",
            Self::Class(_) => "a class",
            Self::Object(_) => "an object",
        }
    }
}

/// The elements.
impl List {
    /// How many there are.
    ///
    /// # Errors
    /// [`Error::Misuse`] if it's another `Vm`'s.
    pub fn len(&self, cx: &mut Context<'_>) -> Result<usize, Error> {
        Ok(cx.list(&self.0)?.len())
    }

    /// Whether there are none.
    ///
    /// # Errors
    /// As [`len`](Self::len).
    pub fn is_empty(&self, cx: &mut Context<'_>) -> Result<bool, Error> {
        Ok(self.len(cx)? == 0)
    }

    /// The one at an index, if there is one.
    ///
    /// # Errors
    /// As [`len`](Self::len).
    pub fn get(&self, cx: &mut Context<'_>, index: usize) -> Result<Option<Value>, Error> {
        Ok(cx.list(&self.0)?.get(index).map(|word| cx.value(word)))
    }

    /// Puts one in the place of another. `false` if there is no such place.
    ///
    /// # Errors
    /// As [`len`](Self::len); a value that is another `Vm`'s.
    pub fn set(&self, cx: &mut Context<'_>, index: usize, value: impl ToWren) -> Result<bool, Error> {
        let word = cx.word_of(value)?;
        Ok(cx.list(&self.0)?.set(index, word))
    }

    /// Adds one at the end.
    ///
    /// # Errors
    /// As [`set`](Self::set); an error of the program if there is no memory.
    pub fn push(&self, cx: &mut Context<'_>, value: impl ToWren) -> Result<(), Error> {
        let growth = cx.list(&self.0)?.growth(1);
        cx.room(growth)?;
        let word = cx.word_of(value)?;
        let list = cx.list(&self.0)?;
        list.push(word, &mut cx.machine().heap);
        Ok(())
    }

    /// All of them.
    ///
    /// # Errors
    /// As [`len`](Self::len).
    pub fn to_vec(&self, cx: &mut Context<'_>) -> Result<Vec<Value>, Error> {
        let words = cx.list(&self.0)?.to_vec();
        Ok(words.into_iter().map(|word| cx.value(word)).collect())
    }
}

/// The entries, in the order in which their keys came.
impl Map {
    /// How many there are.
    ///
    /// # Errors
    /// [`Error::Misuse`] if it's another `Vm`'s.
    pub fn len(&self, cx: &mut Context<'_>) -> Result<usize, Error> {
        Ok(cx.map(&self.0)?.len())
    }

    /// Whether there are none.
    ///
    /// # Errors
    /// As [`len`](Self::len).
    pub fn is_empty(&self, cx: &mut Context<'_>) -> Result<bool, Error> {
        Ok(self.len(cx)? == 0)
    }

    /// The value of a key.
    ///
    /// # Errors
    /// As [`len`](Self::len); a key that is another `Vm`'s.
    pub fn get(&self, cx: &mut Context<'_>, key: impl ToWren) -> Result<Option<Value>, Error> {
        let key = cx.word_of(key)?;
        Ok(cx.map(&self.0)?.get(key).map(|word| cx.value(word)))
    }

    /// Gives a key a value.
    ///
    /// # Errors
    /// As [`get`](Self::get); a key that is no value type; an error of the program if there is no memory.
    pub fn insert(&self, cx: &mut Context<'_>, key: impl ToWren, value: impl ToWren) -> Result<(), Error> {
        let growth = cx.map(&self.0)?.growth();
        cx.room(growth)?;
        let key = cx.key_of(key)?;
        let rooted = cx.machine().roots.clone().root(key);
        let value = cx.word_of(value)?;
        let map = cx.map(&self.0)?;
        map.insert(key, value, &mut cx.machine().heap);
        drop(rooted);
        Ok(())
    }

    /// Takes a key out, and gives its value.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn remove(&self, cx: &mut Context<'_>, key: impl ToWren) -> Result<Option<Value>, Error> {
        let key = cx.word_of(key)?;
        let map = cx.map(&self.0)?;
        let removed = map.remove(key, &mut cx.machine().heap);
        Ok(removed.map(|word| cx.value(word)))
    }

    /// All keys, with their values.
    ///
    /// # Errors
    /// As [`len`](Self::len).
    pub fn entries(&self, cx: &mut Context<'_>) -> Result<Vec<(Value, Value)>, Error> {
        let map = cx.map(&self.0)?;
        let mut entries = Vec::with_capacity(map.len());
        let mut next = map.next_from(0);
        while let Some(index) = next {
            if let Some((key, value)) = map.entry(index) {
                entries.push((cx.value(key), cx.value(value)));
            }
            next = map.next_from(index + 1);
        }
        Ok(entries)
    }
}

impl Fiber {
    /// Whether it came to its end, or failed.
    ///
    /// # Errors
    /// [`Error::Misuse`] if it's another `Vm`'s.
    pub fn is_done(&self, cx: &mut Context<'_>) -> Result<bool, Error> {
        Ok(cx.fiber_of(&self.0)?.is_done())
    }

    /// Whether it waits for [`Context::resume`].
    ///
    /// # Errors
    /// As [`is_done`](Self::is_done).
    pub fn is_suspended(&self, cx: &mut Context<'_>) -> Result<bool, Error> {
        Ok(cx.fiber_of(&self.0)?.is_suspended.get())
    }

    /// Whether it waits for what a method of the host's will give: only [`Context::resume`] goes on with it then.
    ///
    /// # Errors
    /// As [`is_done`](Self::is_done).
    pub fn is_awaiting(&self, cx: &mut Context<'_>) -> Result<bool, Error> {
        Ok(cx.fiber_of(&self.0)?.is_awaiting.get())
    }

    /// Whether both are the same fiber.
    ///
    /// # Errors
    /// As [`is_done`](Self::is_done).
    pub fn is_same(&self, cx: &mut Context<'_>, other: &Self) -> Result<bool, Error> {
        Ok(cx.fiber_of(&self.0)? == cx.fiber_of(&other.0)?)
    }
}

impl Object {
    /// What it's an object of.
    ///
    /// # Errors
    /// [`Error::Misuse`] if it's another `Vm`'s.
    pub fn class(&self, cx: &mut Context<'_>) -> Result<Class, Error> {
        cx.class_of_object(&self.0)
    }
}

impl Class {
    /// Whether its objects hold something of the host's.
    ///
    /// # Errors
    /// [`Error::Misuse`] if it's another `Vm`'s.
    pub fn is_foreign(&self, cx: &mut Context<'_>) -> Result<bool, Error> {
        Ok(cx.class_of_handle(&self.0)?.foreign().is_some())
    }

    /// What it's called.
    ///
    /// # Errors
    /// [`Error::Misuse`] if it's another `Vm`'s.
    pub fn name(&self, cx: &mut Context<'_>) -> Result<String, Error> {
        Ok(cx.class_of_handle(&self.0)?.name().lossy().into_owned())
    }
}
