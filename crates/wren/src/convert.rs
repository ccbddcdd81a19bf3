//! How Rust's types become values of a program, and the other way round: arguments, and what a foreign method gives.

use crate::{Class, Context, Error, Fiber, Function, List, Map, Object, Range, Value};

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
