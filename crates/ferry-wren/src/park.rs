//! [`Park`]: what a fiber waits for, from the method that it called up to the task that waits for it.
//!
//! ```text
//!   a method of a script ──future polled once──▶ ready: its answer is the method's result, the fiber runs on
//!                                 │
//!                                 └ pending ──▶ the fiber is suspended, the future is the home's `park`
//!                                                    │
//!         the fiber's task (`fiber.rs`) takes it, awaits it, and resumes the fiber with its answer or its error
//! ```

use crate::{
    home::Home,
    task::{self, Task},
    values,
};
use asyncferry::{Failure, Value};
use std::{
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
    task::{Context as TaskContext, Poll, Waker},
};
use wren::{Context, Error};

/// What a wait ends with. It's made a value of the script's where the script is.
#[derive(Clone)]
pub(crate) enum Item {
    /// Plain data, from outside.
    Plain(Value),
    /// A value of the machine's own.
    Own(wren::Value),
    /// A task, as its object.
    Task(Arc<Task>),
    /// The next of several, for a loop: `[item]`.
    Next(Box<Item>),
    /// There is no next one.
    End,
    /// Some, as a list.
    All(Vec<Item>),
    /// How each of some has ended.
    Settled(Vec<Result<Item, Failure>>),
    /// What is made where the script is, once.
    Made(Arc<Mutex<Option<Made>>>),
    /// Which of several was first, what it gave, and whether it's at its end.
    Selected { index: usize, item: Box<Item>, is_end: bool },
}

/// Makes a value of the script's.
type Made = Box<dyn FnOnce(&mut Context<'_>) -> Result<wren::Value, Error> + Send>;

impl Item {
    pub(crate) const NULL: Self = Self::Own(wren::Value::Null);

    pub(crate) fn made(
        make: impl FnOnce(&mut Context<'_>) -> Result<wren::Value, Error> + Send + 'static,
    ) -> Self {
        Self::Made(Arc::new(Mutex::new(Some(Box::new(make)))))
    }

    /// The value of the script's.
    pub(crate) fn into_wren(self, home: &Rc<Home>, cx: &mut Context<'_>) -> Result<wren::Value, Error> {
        match self {
            Self::Plain(value) => values::to_wren(home, cx, &value),
            Self::Own(value) => Ok(value),
            Self::Task(task) => task::object(home, cx, task),
            Self::Made(made) => {
                let made = made.lock().unwrap_or_else(PoisonError::into_inner).take();
                made.map_or(Ok(wren::Value::Null), |made| made(cx))
            }
            Self::Next(item) => {
                let list = cx.new_list()?;
                let item = item.into_wren(home, cx)?;
                list.push(cx, item)?;
                Ok(list.into())
            }
            Self::End => Ok(false.into()),
            Self::All(items) => {
                let list = cx.new_list()?;
                for item in items {
                    let item = item.into_wren(home, cx)?;
                    list.push(cx, item)?;
                }
                Ok(list.into())
            }
            Self::Settled(outcomes) => {
                let list = cx.new_list()?;
                for outcome in outcomes {
                    let map = cx.new_map()?;
                    map.insert(cx, "state", state_of(&outcome))?;
                    match outcome {
                        Ok(item) => {
                            let value = item.into_wren(home, cx)?;
                            map.insert(cx, "value", value)?;
                        }
                        Err(failure) => {
                            let error = values::error_value(cx, &failure);
                            map.insert(cx, "error", error)?;
                        }
                    }
                    list.push(cx, wren::Value::from(map))?;
                }
                Ok(list.into())
            }
            Self::Selected { index, item, is_end } => {
                let list = cx.new_list()?;
                list.push(cx, index as f64)?;
                let item = item.into_wren(home, cx)?;
                list.push(cx, item)?;
                list.push(cx, is_end)?;
                Ok(list.into())
            }
        }
    }
}

fn state_of(outcome: &Result<Item, Failure>) -> f64 {
    match outcome {
        Ok(_) => 1.0,
        Err(Failure::Failed(_)) => 2.0,
        Err(Failure::Cancelled(_)) => 3.0,
    }
}

/// What a wait comes to.
pub(crate) type Waited = Result<Item, Failure>;

/// A future that a fiber waits for.
pub(crate) type Wait = Pin<Box<dyn Future<Output = Waited>>>;

/// Hands a request to cancel on, to what the fiber waits for, which is then waited for.
pub(crate) type PassOn = Box<dyn Fn(&str)>;

/// Who can end a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// Something that goes on by itself: a timer, a job, a file.
    Itself,
    /// Only what others do: fibers of this machine, or whoever else has the object.
    Others,
}

/// What a suspended fiber waits for.
pub(crate) struct Park {
    pub(crate) wait: Wait,
    pub(crate) by: By,
    pub(crate) pass_on: Option<PassOn>,
}

impl Park {
    pub(crate) fn new(by: By, wait: impl Future<Output = Waited> + 'static) -> Self {
        Self { wait: Box::pin(wait), by, pass_on: None }
    }

    /// A request to cancel goes on to what is waited for.
    pub(crate) fn passing_on(mut self, pass_on: impl Fn(&str) + 'static) -> Self {
        self.pass_on = Some(Box::new(pass_on));
        self
    }
}

/// A method's answer: what it gives, or that its fiber waits.
pub(crate) enum Answer {
    Value(wren::Value),
    Waits,
}

impl wren::Reply for Answer {
    fn reply(self, _cx: &mut Context<'_>) -> Result<Option<wren::Value>, Error> {
        match self {
            Self::Value(value) => Ok(Some(value)),
            Self::Waits => Ok(None),
        }
    }
}

/// Answers with a wait that gives others a turn, whatever it's for.
pub(crate) fn suspend(home: &Home, park: Park) -> Answer {
    home.park(park);
    Answer::Waits
}

/// Answers with what a wait has given.
pub(crate) fn answer(home: &Rc<Home>, cx: &mut Context<'_>, waited: Waited) -> Result<Answer, Error> {
    match waited {
        Ok(item) => item.into_wren(home, cx).map(Answer::Value),
        Err(failure) => {
            let error = values::error(cx, &failure);
            home.gave(failure);
            Err(error)
        }
    }
}

/// Answers with what a wait gives, at once if it's there.
pub(crate) fn wait(home: &Rc<Home>, cx: &mut Context<'_>, mut park: Park) -> Result<Answer, Error> {
    match park.wait.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(waited) => answer(home, cx, waited),
        Poll::Pending => {
            home.park(park);
            Ok(Answer::Waits)
        }
    }
}
