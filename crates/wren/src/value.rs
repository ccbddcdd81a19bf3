//! [`Value`]: a value of a program, as Rust sees it.

use crate::{Context, Error, Handle};
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

    /// Whether both are the same fiber.
    ///
    /// # Errors
    /// As [`is_done`](Self::is_done).
    pub fn is_same(&self, cx: &mut Context<'_>, other: &Self) -> Result<bool, Error> {
        Ok(cx.fiber_of(&self.0)? == cx.fiber_of(&other.0)?)
    }
}

impl Class {
    /// What it's called.
    ///
    /// # Errors
    /// [`Error::Misuse`] if it's another `Vm`'s.
    pub fn name(&self, cx: &mut Context<'_>) -> Result<String, Error> {
        Ok(cx.class_of_handle(&self.0)?.name().lossy().into_owned())
    }
}

/// What can be made a value of a program: what becomes a [`Value`] by itself, and what needs the machine.
///
/// ```
/// use wren::{Context, Error, ToWren, Value, Vm};
///
/// struct Point(f64, f64);
///
/// impl ToWren for Point {
///     fn to_wren(self, cx: &mut Context<'_>) -> Result<Value, Error> {
///         vec![self.0, self.1].to_wren(cx)
///     }
/// }
///
/// let mut vm = Vm::new();
/// let mut cx = vm.context();
/// assert_eq!(cx.call(Point(1.0, 2.0), "toString", ()), Ok("[1, 2]".into()));
/// ```
pub trait ToWren {
    /// Makes it one.
    ///
    /// # Errors
    /// Whatever keeps it from being one.
    fn to_wren(self, cx: &mut Context<'_>) -> Result<Value, Error>;
}

impl<T: Into<Value>> ToWren for T {
    fn to_wren(self, _cx: &mut Context<'_>) -> Result<Value, Error> {
        Ok(self.into())
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl From<$number> for Value {
            fn from(number: $number) -> Self {
                Self::Num(f64::from(number))
            }
        }
    )*};
}

numbers!(f64 f32 i8 i16 i32 u8 u16 u32);

impl From<()> for Value {
    fn from((): ()) -> Self {
        Self::Null
    }
}

impl From<bool> for Value {
    fn from(is: bool) -> Self {
        Self::Bool(is)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<Range> for Value {
    fn from(range: Range) -> Self {
        Self::Range(range)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: ToWren> ToWren for Vec<T> {
    fn to_wren(self, cx: &mut Context<'_>) -> Result<Value, Error> {
        let list = cx.new_list()?;
        for item in self {
            list.push(cx, item)?;
        }
        Ok(Value::List(list))
    }
}

/// What an argument should have been: "a number".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected(pub &'static str);

/// What can be made of a value of a program.
///
/// ```
/// use wren::{Context, Expected, FromWren, Value, Vm};
///
/// struct Percent(f64);
///
/// impl FromWren for Percent {
///     fn from_wren(value: Value, _: &mut Context<'_>) -> Result<Self, Expected> {
///         match value {
///             Value::Num(number) if (0.0..=100.0).contains(&number) => Ok(Self(number)),
///             _ => Err(Expected("a number from 0 to 100")),
///         }
///     }
/// }
///
/// let mut vm = Vm::builder().method("main", "Lamp", "static dim(_)", |_: &mut Context<'_>, (to,): (Percent,)| to.0).build();
/// let error = vm.run("main", "class Lamp {\n foreign static dim(to)\n}\nLamp.dim(101)").unwrap_err();
/// assert_eq!(error.to_string(), "Argument 1 must be a number from 0 to 100.\n[main line 4] in (script)");
/// ```
pub trait FromWren: Sized {
    /// Makes it of one.
    ///
    /// # Errors
    /// What it should have been.
    fn from_wren(value: Value, cx: &mut Context<'_>) -> Result<Self, Expected>;
}

impl FromWren for Value {
    fn from_wren(value: Value, _cx: &mut Context<'_>) -> Result<Self, Expected> {
        Ok(value)
    }
}

macro_rules! from_variants {
    ($($of:ty: $variant:ident, $expected:literal;)*) => {$(
        impl FromWren for $of {
            fn from_wren(value: Value, _cx: &mut Context<'_>) -> Result<Self, Expected> {
                match value {
                    Value::$variant(own) => Ok(own),
                    _ => Err(Expected($expected)),
                }
            }
        }
    )*};
}

from_variants! {
    f64: Num, "a number";
    bool: Bool, "a bool";
    String: String, "a string";
    Range: Range, "a range";
    List: List, "a list";
    Map: Map, "a map";
    Function: Function, "a function";
    Fiber: Fiber, "a fiber";
    Class: Class, "a class";
    Object: Object, "an object";
}

macro_rules! integers {
    ($($integer:ty)*) => {$(
        impl FromWren for $integer {
            fn from_wren(value: Value, _cx: &mut Context<'_>) -> Result<Self, Expected> {
                match value {
                    Value::Num(number) if number as Self as f64 == number => Ok(number as Self),
                    _ => Err(Expected("a whole number that is not too large")),
                }
            }
        }
    )*};
}

integers!(i32 u8 u16 u32 i64 u64 usize);

impl<T: FromWren> FromWren for Option<T> {
    fn from_wren(value: Value, cx: &mut Context<'_>) -> Result<Self, Expected> {
        match value {
            Value::Null => Ok(None),
            value => T::from_wren(value, cx).map(Some),
        }
    }
}

impl<T: FromWren> FromWren for Vec<T> {
    fn from_wren(value: Value, cx: &mut Context<'_>) -> Result<Self, Expected> {
        let Value::List(list) = value else { return Err(Expected("a list")) };
        let items = list.to_vec(cx).map_err(|_| Expected("a list"))?;
        items.into_iter().map(|item| T::from_wren(item, cx)).collect()
    }
}

/// The arguments of a foreign method: a tuple with as many as it has.
pub trait FromArgs: Sized {
    /// How many there are.
    const COUNT: usize;

    /// Makes them of what the program gave.
    ///
    /// # Errors
    /// An error of the program which names the argument.
    fn from_args(args: Vec<Value>, cx: &mut Context<'_>) -> Result<Self, Error>;
}

/// The arguments of a call from Rust: a tuple with as many as the signature has.
pub trait ToArgs {
    /// Makes values of them.
    ///
    /// # Errors
    /// Whatever keeps one from being a value.
    fn to_args(self, cx: &mut Context<'_>) -> Result<Vec<Value>, Error>;
}

macro_rules! tuples {
    ($(($($name:ident)*))*) => {$(
        impl<$($name: FromWren),*> FromArgs for ($($name,)*) {
            const COUNT: usize = <[&str]>::len(&[$(stringify!($name)),*]);

            #[allow(non_snake_case, unused, reason = "the names are those of the types; there may be none")]
            fn from_args(args: Vec<Value>, cx: &mut Context<'_>) -> Result<Self, Error> {
                let mut args = args.into_iter();
                let mut place = 0;
                $(
                    place += 1;
                    let $name = $name::from_wren(args.next().unwrap_or(Value::Null), cx)
                        .map_err(|expected| Error::new(format!("Argument {place} must be {}.", expected.0)))?;
                )*
                Ok(($($name,)*))
            }
        }

        impl<$($name: ToWren),*> ToArgs for ($($name,)*) {
            #[allow(non_snake_case, unused, reason = "the names are those of the types; there may be none")]
            fn to_args(self, cx: &mut Context<'_>) -> Result<Vec<Value>, Error> {
                let ($($name,)*) = self;
                Ok(vec![$($name.to_wren(cx)?),*])
            }
        }
    )*};
}

tuples! {
    () (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H)
}

impl ToArgs for Vec<Value> {
    fn to_args(self, _cx: &mut Context<'_>) -> Result<Vec<Value>, Error> {
        Ok(self)
    }
}

/// What a foreign method gives: a value, or an error, or [`Suspend`].
pub trait Reply {
    /// The value, if it is not [`Suspend`].
    ///
    /// # Errors
    /// What the program sees as the error of its call.
    fn reply(self, cx: &mut Context<'_>) -> Result<Option<Value>, Error>;
}

/// A foreign method's answer that there is none yet: its fiber waits until [`Context::resume`].
///
/// ```
/// use wren::{Context, Run, Suspend, Vm};
///
/// let mut vm = Vm::builder().method("main", "Host", "static ask()", |_: &mut Context<'_>, ()| Suspend).build();
/// let run = vm.run("main", "class Host {\n foreign static ask()\n}\nvar answer = Host.ask()").unwrap();
/// let Run::Suspended(fiber) = run else { panic!() };
/// let mut cx = vm.context();
/// cx.resume(&fiber, Ok("yes".into())).unwrap();
/// assert_eq!(cx.variable("main", "answer"), Some("yes".into()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspend;

impl Reply for Suspend {
    fn reply(self, _cx: &mut Context<'_>) -> Result<Option<Value>, Error> {
        Ok(None)
    }
}

impl<T: ToWren> Reply for T {
    fn reply(self, cx: &mut Context<'_>) -> Result<Option<Value>, Error> {
        self.to_wren(cx).map(Some)
    }
}

impl<T: Reply> Reply for Result<T, Error> {
    fn reply(self, cx: &mut Context<'_>) -> Result<Option<Value>, Error> {
        self?.reply(cx)
    }
}
