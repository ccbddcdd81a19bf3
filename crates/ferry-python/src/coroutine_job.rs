//! [`CoroutineWork`]: what a job waits for that stands for a coroutine, as `submit` makes of an `async def`.
//!
//! Cancelling the job asks the coroutine's task to cancel, with the same message: it may await some cleaning up
//! first, or refuse, and the job ends as the task does. A coroutine that has not started yet never does. When
//! nobody refers to the job any more, its task is cancelled. As long as somebody does, the task lives, whether its
//! loop knows of it or not.

use crate::{
    call::{Asked, Asker, Call},
    carried::Reply,
    coroutine::PyFuture,
    home::Home,
    names,
    source::{End, Ending, Request, Source, Waits, Watch},
};
use asyncferry::{Failure, Future, State};
use pyo3::{PyTraverseError, PyVisit, prelude::*};
use std::{
    sync::Arc,
    task::{Context, Poll},
};

pub(crate) struct CoroutineWork {
    future: PyFuture,
}

/// Why a coroutine is cancelled.
pub(crate) const UNWANTED: &str = "nobody refers to its job any more";

impl CoroutineWork {
    pub(crate) fn new(future: PyFuture) -> Self {
        Self { future: future.saying(UNWANTED) }
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
            Some(Err(Failure::Cancelled(text))) => {
                let request = self.future.call().take_request();
                return request.map_or_else(|| Ending::cancelled(py, text.as_deref()), Ending::Cancelled);
            }
            _ => None,
        };
        let lost = || Err(names::invalid_state(py, "the coroutine's result was lost"));
        Ending::of(py, reply.unwrap_or_else(lost))
    }

    fn request(&self) -> Option<Arc<dyn Request>> {
        Some(Arc::new(self.future.stop()))
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.future.call().traverse(visit)
    }

    fn jobs_out(&self, _py: Python<'_>, home: &Arc<Home>) -> usize {
        // What a task of that home waits for is counted for itself.
        usize::from(!Arc::ptr_eq(self.future.home(), home))
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
pub(crate) struct Stop {
    pub(crate) call: Arc<Call>,
    pub(crate) home: Arc<Home>,
    pub(crate) reply: Future<Reply>,
}

impl Request for Stop {
    fn cancel(&self, py: Python<'_>, message: Option<Py<PyAny>>, text: &str) -> PyResult<bool> {
        let is_here = Home::of_running_loop(py)?.is_some_and(|here| Arc::ptr_eq(&here, &self.home));
        let asker = if is_here { Asker::AtHome } else { Asker::Elsewhere };
        match (self.call.ask(message, asker), asker) {
            // Its start may still be in the mail, and will find that nobody waits.
            (Asked::NotStarted, _) => Ok(self.reply.cancel(text)),
            (Asked::Running, Asker::AtHome) => self.call.tell(py),
            // A task is cancelled on its own thread.
            (Asked::Running, Asker::Elsewhere) => {
                let call = self.call.clone();
                Ok(self.home.run(move |py, _| call.tell(py).map(drop)))
            }
            (Asked::Over, _) => Ok(false),
        }
    }
}
