//! A fiber's task: it runs the fiber, waits for what that waits for, and resumes it, up to its end.
//!
//! ```text
//!            step: the machine runs the fiber
//!   begun ──────────▶ done ──▶ the task's result
//!                 ├──▶ failed ──▶ the task's error, with the calls that were under way
//!                 ├──▶ waits, for a `Park` ──answer, error, or a request to cancel──▶ step
//!                 └──▶ suspended itself ──it has ended, as somebody let it go on──▶ the task's result is null
//! ```
//!
//! What waits is the fiber that called, with all those that have called it; the task resumes that one, and it returns to its
//! callers. A fiber that waits can't be called by the script (`Cannot call a fiber that waits for a foreign method.`), and it's
//! kept from the collector by its task. When the task is dropped, the fiber never runs again.
//!
//! A request to cancel is an error of the wait, `future was cancelled`, which the script may catch. If it goes uncaught, the task
//! is cancelled; if not, the task goes on. A task that awaits another one which was cancelled fails with the same words.

use crate::{
    error::message_of,
    home::{Home, failure_of},
    park::{By, Item, Park, Waited},
    values,
};
use asyncferry::{Failure, cancellable};
use std::{cell::Cell, rc::Rc};
use wren::{Context, Error, Run};

/// How a fiber begins.
pub(crate) enum Start {
    /// The code of a module.
    Module { name: String, source: String },
    /// An expression in a module, or else the code of one.
    Typed { name: String, source: String },
    /// A method of a value, without arguments.
    On { receiver: wren::Value, signature: String },
    /// A function, with a value if it takes one.
    Function { function: wren::Function, argument: Item },
    /// A function, with several values.
    Call { function: wren::Function, arguments: Vec<wren::Value> },
    /// A method of what a variable of a module holds.
    Method { module: String, variable: String, signature: String, arguments: Vec<wren::Value> },
}

impl Start {
    fn begin(self, home: &Rc<Home>, cx: &mut Context<'_>) -> Result<Run, Error> {
        match self {
            Self::Module { name, source } => cx.run(&name, &source),
            Self::Typed { name, source } => match cx.eval(&name, &source) {
                // It's no expression.
                Err(Error::Compile(_)) => cx.run(&name, &source),
                run => run,
            },
            Self::On { receiver, signature } => cx.start(&receiver, &signature, ()),
            Self::Function { function, argument } => {
                let argument = argument.into_wren(home, cx)?;
                let fiber = cx.new_fiber(&function)?;
                cx.resume(&fiber, Ok(argument))
            }
            Self::Call { function, arguments } => {
                let places = vec!["_"; arguments.len()].join(",");
                cx.start(&function, &format!("call({places})"), arguments)
            }
            Self::Method { module, variable, signature, arguments } => {
                let Some(receiver) = cx.variable(&module, &variable) else {
                    return Err(Error::new(format!("The module {module} has no variable {variable}.")));
                };
                cx.start(&receiver, &signature, arguments)
            }
        }
    }
}

/// Runs a fiber to its end.
pub(crate) async fn drive(home: Rc<Home>, start: Start) -> Waited {
    let (mut run, mut park) = home.step(|cx| start.begin(&home, cx));
    // The error that the fiber was given last.
    let mut given: Option<Failure> = None;
    let is_to_cancel = Cell::new(false);
    loop {
        given = home.take_given().or(given);
        let fiber = match run {
            Ok(Run::Done(value)) => return Ok(Item::Own(value)),
            Ok(Run::Suspended(fiber)) => fiber,
            Err(error) => return Err(failed(error, given, is_to_cancel.get())),
        };
        let Some(waits_for) = park else {
            home.until_ended(&fiber).await;
            return Ok(Item::NULL);
        };
        let waited = wait(&home, &fiber, waits_for, &is_to_cancel).await;
        if let Err(failure) = &waited {
            given = Some(failure.clone());
        }
        (run, park) = home.step(|cx| resume(&home, cx, &fiber, waited));
    }
}

fn resume(home: &Rc<Home>, cx: &mut Context<'_>, fiber: &wren::Fiber, waited: Waited) -> Result<Run, Error> {
    let with = match waited {
        Ok(item) => item.into_wren(home, cx),
        Err(failure) => Err(values::error(cx, &failure)),
    };
    cx.resume(fiber, with)
}

async fn wait(home: &Rc<Home>, fiber: &wren::Fiber, mut park: Park, is_to_cancel: &Cell<bool>) -> Waited {
    let _waiting = home.waiting(park.by);
    let _parked = (park.by == By::Others).then(|| home.parked(fiber));
    loop {
        match cancellable(&mut park.wait).await {
            Ok(waited) => return waited,
            Err(cancelled) => {
                is_to_cancel.set(true);
                match &park.pass_on {
                    Some(pass_on) => pass_on(cancelled.message()),
                    None => return Err(cancelled.into()),
                }
            }
        }
    }
}

/// What a fiber's error is: the one that it was given, if it let that through, with its own calls. It's cancelled only if it was asked
/// to; what others were asked is an error like any other.
fn failed(error: Error, given: Option<Failure>, is_to_cancel: bool) -> Failure {
    let wren::Error::Runtime(runtime) = &error else { return failure_of(error, None) };
    let given = given.filter(|given| message_of(given) == runtime.message);
    match given {
        Some(cancelled @ Failure::Cancelled(_)) if is_to_cancel => cancelled,
        given => failure_of(error, given),
    }
}
