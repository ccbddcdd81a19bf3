//! [`CoroutineWork`]: what a job waits for that stands for a coroutine, as `submit` makes of an `async def`.
//!
//! Cancelling the job asks the coroutine's task to cancel, with the same message: it may await some cleaning up
//! first, or refuse, and the job ends as the task does. A coroutine that has not started yet never does. When
//! nobody refers to the job any more, its task is cancelled. As long as somebody does, the task lives, whether its
//! loop knows of it or not.

use crate::{
    calling,
    carried::Reply,
    coroutine::{Asked, Call, PyFuture},
    home::Home,
    names,
    source::{End, Ending, Request, Source, Waits, Watch},
};
use asyncferry::{Failure, Future, State};
use pyo3::{PyTraverseError, PyVisit, intern, prelude::*, types::PyDict};
use std::{
    cell::RefCell,
    sync::Arc,
    task::{Context, Poll},
};

pub(crate) struct CoroutineWork {
    future: PyFuture,
}

impl CoroutineWork {
    pub(crate) fn new(future: PyFuture) -> Self {
        Self { future: future.saying("nobody refers to its job any more") }
    }
}

impl Source for CoroutineWork {
    fn state(&self) -> State {
        self.future.reply().state()
    }

    fn failed(&self) -> bool {
        ended(self.future.reply()) == Some(End::Error)
    }

    fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.future.poll_settled(cx)
    }

    fn watch(&self) -> Box<dyn Watch> {
        Box::new(ReplyWatch(self.future.reply().clone()))
    }

    fn cancel(&self, message: &str) -> bool {
        self.future.reply().cancel(message)
    }

    fn ending(&self, py: Python<'_>) -> Ending {
        let reply = match self.future.reply().get() {
            Some(Ok(reply)) => reply.take(),
            Some(Err(Failure::Cancelled(message))) => return Ending::cancelled(py, message.as_deref()),
            _ => None,
        };
        let lost = || Err(names::invalid_state(py, "the coroutine's result was lost"));
        Ending::of(py, reply.unwrap_or_else(lost))
    }

    fn request(&self) -> Option<Arc<dyn Request>> {
        let (call, home) = (self.future.call().clone(), self.future.home().clone());
        Some(Arc::new(Stop { call, home, reply: self.future.reply().clone() }))
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.future.call().traverse(visit)
    }

    fn waits_for(&self) -> Waits {
        Waits::Call(self.future.call().clone())
    }
}

/// Another waiter for the coroutine's end.
struct ReplyWatch(Future<Reply>);

impl Watch for ReplyWatch {
    fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_settled(cx)
    }

    fn end(&self) -> End {
        ended(&self.0).unwrap_or_else(|| unreachable!("it is settled"))
    }
}

/// How it ended, if it has.
fn ended(reply: &Future<Reply>) -> Option<End> {
    Some(match reply.get()? {
        Ok(reply) => reply.end(),
        Err(Failure::Cancelled(_)) => End::Cancelled,
        Err(Failure::Failed(_)) => End::Error,
    })
}

/// Asks the task to cancel.
struct Stop {
    call: Arc<Call>,
    home: Arc<Home>,
    reply: Future<Reply>,
}

thread_local! {
    /// Those that this thread is asking to stop, by their address.
    static ASKING: RefCell<Vec<*const Call>> = const { RefCell::new(Vec::new()) };
}

/// While it's there, this thread asks somebody to stop.
struct Asking;

impl Drop for Asking {
    fn drop(&mut self) {
        ASKING.with_borrow_mut(|asking| asking.pop());
    }
}

impl Stop {
    /// `None` when this thread is asking already, and the request has come back here.
    fn asking(&self) -> Option<Asking> {
        let this = Arc::as_ptr(&self.call);
        ASKING.with_borrow_mut(|asking| {
            let is_new = !asking.contains(&this);
            is_new.then(|| {
                asking.push(this);
                Asking
            })
        })
    }
}

impl Request for Stop {
    fn cancel(&self, py: Python<'_>, message: Option<Py<PyAny>>, text: &str) -> PyResult<bool> {
        match self.call.ask(py) {
            // Its start is still in the mail, and will find that nobody waits.
            Asked::NotStarted => Ok(self.reply.cancel(text)),
            Asked::Running(task) => {
                let is_here = Home::of_running_loop(py)?.is_some_and(|here| Arc::ptr_eq(&here, &self.home));
                let task = task.unbind();
                if is_here {
                    // Jobs that wait for each other ask in a ring, which somebody must break.
                    return match self.asking() {
                        Some(_asking) => cancel_task(task.bind(py), message),
                        None => Ok(self.reply.cancel(text)),
                    };
                }
                // A task is cancelled on its own thread.
                Ok(self.home.run(move |py, _| cancel_task(task.bind(py), message).map(drop)))
            }
            Asked::Over => Ok(false),
        }
    }
}

fn cancel_task(task: &Bound<'_, PyAny>, message: Option<Py<PyAny>>) -> PyResult<bool> {
    let py = task.py();
    let keywords = PyDict::new(py);
    if let Some(message) = message {
        keywords.set_item(intern!(py, "msg"), message)?;
    }
    calling::call(&task.getattr(intern!(py, "cancel"))?, (), Some(&keywords))?.is_truthy()
}
