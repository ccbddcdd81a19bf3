//! The modules that a script imports: `async`; and those that Wren's command line has, `timer` and `scheduler`, and for scripts that may
//! do what the process may, `io` and `os`.
//!
//! Their Wren is in files beside this; what they declare as foreign is in Rust, here and in the crate's other files.

mod io;
mod os;
mod platform;
mod stdin;

use crate::{
    combine::asleep,
    fiber::{Start, drive},
    home::current,
    park::{By, Item, Park, suspend, wait},
    values,
};
use asyncferry::{
    Failure, Value,
    value::{Callback, Foreign},
};
use std::time::Duration;
use wren::{Context, Error, VmBuilder};

pub(crate) use stdin::restore as restore_terminal;

pub(crate) const ASYNC: &str = "async";
pub(crate) const ASYNC_SOURCE: &str = include_str!("modules/async.wren");

/// Adds the modules that every script may have.
pub(crate) fn register(builder: VmBuilder) -> VmBuilder {
    let builder = builder
        .module(ASYNC, ASYNC_SOURCE)
        .module("timer", include_str!("modules/timer.wren"))
        .module("scheduler", include_str!("modules/scheduler.wren"))
        .method("timer", "Timer", "static sleep_(_)", |_: &mut Context<'_>, (milliseconds,): (f64,)| {
            let time = Duration::try_from_secs_f64(milliseconds / 1000.0).unwrap_or(Duration::MAX);
            suspend(&current(), asleep(time))
        })
        .method(
            "scheduler",
            "Scheduler",
            "static add(_)",
            |_: &mut Context<'_>, (callable,): (wren::Value,)| {
                let home = current();
                let start = Start::On { receiver: callable, signature: "call()".to_owned() };
                home.spawn("a scheduled fiber", drive(home.clone(), start)).map(drop)
            },
        );
    let hints = [
        ("async", "Task", "Tasks are made by Async.call(_) and Async.spawn(_)."),
        ("async", "Scope", "Scopes are made by Async.scope(_)."),
        ("async", "Stream", "Streams are made by Async.stream(_,_)."),
        ("async", "Callback", "It's a function of another language's."),
        ("async", "Foreign", "It's an object of another language's."),
    ];
    let builder = hints
        .into_iter()
        .fold(builder, |builder, (module, class, hint)| made_elsewhere(builder, module, class, hint))
        .method_of("async", "Foreign", "kind", |held: &mut Foreign, _: &mut Context<'_>, ()| held.kind())
        .method_of("async", "Callback", "name", |held: &mut Callback, _: &mut Context<'_>, ()| {
            held.name().to_owned()
        })
        .method_of(
            "async",
            "Callback",
            "call_(_)",
            |held: &mut Callback, cx: &mut Context<'_>, (given,): (_,)| {
                let home = current();
                let (callback, arguments) = (held.clone(), values::to_plain(&home, cx, &given)?);
                let calling = async move {
                    let arguments =
                        if let Value::List(arguments) = arguments { arguments } else { Vec::new() };
                    callback.call(arguments).await.map(Item::Plain)
                };
                wait(&home, cx, Park::new(By::Itself, calling))
            },
        );
    crate::primitives::register(crate::channel::register(crate::stream::register(crate::combine::register(
        crate::host::register(crate::chain::register(crate::task::register(builder))),
    ))))
}

/// A foreign class whose objects are made by methods, and not by itself.
fn made_elsewhere(builder: VmBuilder, module: &str, class: &str, hint: &'static str) -> VmBuilder {
    builder
        .class(module, class, move |_: &mut Context<'_>, ()| -> Result<(), Error> { Err(Error::new(hint)) })
}

/// Adds those that do what the process may.
pub(crate) fn register_system(builder: VmBuilder) -> VmBuilder {
    let builder =
        builder.module("io", include_str!("modules/io.wren")).module("os", include_str!("modules/os.wren"));
    stdin::register(os::register(io::register(builder)))
}

/// Waits for work that blocks, which another thread does where there are some.
fn blocking<T: Send + 'static>(
    cx: &mut Context<'_>,
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
    made: impl FnOnce(T) -> Item + 'static,
) -> Result<crate::park::Answer, Error> {
    let working = async move {
        match asyncferry::spawn_blocking(work).await {
            Ok(Ok(done)) => Ok(made(done)),
            Ok(Err(error)) => Err(Failure::from_error(words(&error))),
            Err(error) => Err(error.into()),
        }
    };
    wait(&current(), cx, Park::new(By::Itself, working))
}

/// The error as Wren's command line says it, which has its words of libuv.
fn words(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    let known = match error.kind() {
        ErrorKind::NotFound => "no such file or directory",
        ErrorKind::PermissionDenied => "permission denied",
        ErrorKind::AlreadyExists => "file already exists",
        ErrorKind::NotADirectory => "not a directory",
        ErrorKind::IsADirectory => "illegal operation on a directory",
        ErrorKind::DirectoryNotEmpty => "directory not empty",
        ErrorKind::InvalidInput => "invalid argument",
        ErrorKind::BrokenPipe => "broken pipe",
        ErrorKind::StorageFull => "no space left on device",
        ErrorKind::ReadOnlyFilesystem => "read-only file system",
        ErrorKind::FileTooLarge => "file too large",
        _ => return error.to_string(),
    };
    known.to_owned()
}
