//! The machine: runs a task's stack until the task ends, waits, or has had its turn.
//!
//! It's a loop over one of these, never a recursion, so only memory bounds how deep programs are:
//!
//! - [`Next::Eval`]: an object that was yielded, or begun with. A program has its frames pushed; an effect is answered by
//!   the innermost handler that takes it, or by the [run](super::base); a word of a handler moves segments.
//! - [`Next::Value`]: goes into the innermost frame. When a segment has no frame left, the value leaves the handler.
//! - [`Next::Throw`]: is thrown into the innermost frame, which may catch it.
//!
//! A handler that ends without having used its continuation has the continuation unwound first: `ProgramAbandoned` is
//! thrown into it, so that its `finally` blocks run, effects and all, inside of the handlers that they had.

use super::{
    base,
    continuation::K,
    control::{Pass, Resume, ResumeThrow, Transfer, TransferThrow},
    glue,
    grave::{Grave, bury},
    handler::{Answer, Called, Handler},
    kind::{Kind, as_a},
    outcome::{Bad, Good},
    program::{Call, Chained, Handled, Mapped, Perform, Pure},
    run::Run,
    stack::{Frame, Segment, Stack},
    task::{Task, Wait},
    waitable::{Outcome, Waitable},
};
use crate::calling::{self, Step};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyBaseException, PyException, PyStopIteration},
    intern,
    prelude::*,
    types::PyList,
};

/// What a task goes on with.
pub(super) enum Next {
    Eval(Py<PyAny>),
    Value(Py<PyAny>),
    Throw(Py<PyBaseException>),
    /// The list of the values of these, which all have ended well.
    Collect(Vec<Waitable>),
}

impl Next {
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Eval(object) | Self::Value(object) => visit.call(object),
            Self::Throw(error) => visit.call(error),
            Self::Collect(items) => items.iter().try_for_each(|item| item.traverse(visit)),
        }
    }
}

/// Why a task stops running.
pub(super) enum Pause {
    Done(Outcome),
    /// It waits, and goes on at this priority if one is given.
    Waits(Wait, Option<i32>),
    /// It's somebody else's turn.
    Turn(Next),
}

/// Where an effect or a program leads to.
pub(super) enum Flow<'py> {
    Eval(Bound<'py, PyAny>),
    Value(Bound<'py, PyAny>),
    // Boxed, as the others are small and often.
    Throw(Box<PyErr>),
    Pause(Box<Pause>),
}

impl Flow<'_> {
    #[cold]
    pub(super) fn throw(error: PyErr) -> Self {
        Self::Throw(Box::new(error))
    }

    pub(super) fn pause(pause: Pause) -> Self {
        Self::Pause(Box::new(pause))
    }
}

impl<'py> From<PyResult<Bound<'py, PyAny>>> for Flow<'py> {
    fn from(result: PyResult<Bound<'py, PyAny>>) -> Self {
        result.map_or_else(Self::throw, Self::Value)
    }
}

/// A task in the run that it runs in.
pub(super) struct Machine<'a, 'py> {
    pub(super) run: &'a Bound<'py, Run>,
    pub(super) task: &'a Bound<'py, Task>,
    pub(super) stack: &'a mut Stack,
}

impl<'py> Machine<'_, 'py> {
    /// Runs the task for `budget` yields at most.
    pub(super) fn go(&mut self, next: Next, budget: &mut u32) -> Pause {
        let py = self.run.py();
        let mut flow = match next {
            Next::Eval(object) => Flow::Eval(object.into_bound(py)),
            Next::Value(value) => Flow::Value(value.into_bound(py)),
            Next::Throw(error) => Flow::throw(PyErr::from_value(error.into_bound(py).into_any())),
            Next::Collect(items) => Flow::from(collect(py, &items)),
        };
        loop {
            flow = match flow {
                Flow::Value(value) => match self.give(value) {
                    Ok(flow) => flow,
                    Err(value) => return Pause::Done(Outcome::Value(value.unbind())),
                },
                Flow::Eval(object) => {
                    if *budget == 0 {
                        return Pause::Turn(Next::Eval(object.unbind()));
                    }
                    *budget -= 1;
                    self.eval(&object)
                }
                Flow::Throw(error) => match self.throw(*error) {
                    Ok(flow) => flow,
                    Err(error) => return Pause::Done(Outcome::Error(error.into_value(py))),
                },
                Flow::Pause(pause) => return *pause,
            };
        }
    }

    /// Gives `value` to the innermost frame. It comes back when the task has none left.
    #[inline]
    fn give(&mut self, value: Bound<'py, PyAny>) -> Result<Flow<'py>, Bound<'py, PyAny>> {
        let py = value.py();
        let top = self.stack.top();
        match top.frames.last() {
            Some(Frame::Generator(generator)) => {
                let step = calling::send(generator.bind(py), &value);
                Ok(match step {
                    Ok(Step::Waits(yielded)) => Flow::Eval(yielded),
                    ended => {
                        top.frames.pop();
                        returned(ended)
                    }
                })
            }
            Some(Frame::Handling { generator, .. }) => {
                let step = calling::send(generator.bind(py), &value);
                Ok(self.handler_stepped(step))
            }
            Some(_) => Ok(self.give_native(value)),
            None => {
                let ended = self.stack.segments.pop();
                match ended.and_then(|segment| segment.handler) {
                    Some(handler) if !self.stack.segments.is_empty() => Ok(Flow::from(handler.leave(value))),
                    _ => Err(value),
                }
            }
        }
    }

    /// Gives `value` to the innermost frame, which is no generator.
    fn give_native(&mut self, value: Bound<'py, PyAny>) -> Flow<'py> {
        let py = value.py();
        match self.stack.top().frames.pop() {
            Some(Frame::Map(function)) => Flow::from(calling::call_with(function.bind(py), &value)),
            Some(Frame::Chain(function)) => {
                calling::call_with(function.bind(py), &value).map_or_else(Flow::throw, Flow::Eval)
            }
            Some(Frame::Try) => Flow::from(Bound::new(py, Good::of(value.unbind())).map(Bound::into_any)),
            Some(Frame::Unwound(next)) => flow_of(py, *next),
            _ => Flow::Value(value),
        }
    }

    /// Throws `error` into the innermost frame. It comes back when the task has none left.
    fn throw(&mut self, error: PyErr) -> Result<Flow<'py>, PyErr> {
        let py = self.run.py();
        let top = self.stack.top();
        match top.frames.last() {
            Some(Frame::Generator(generator)) => {
                let step = throw_into(generator.bind(py), error);
                Ok(match step {
                    Ok(Step::Waits(yielded)) => Flow::Eval(yielded),
                    ended => {
                        top.frames.pop();
                        returned(ended)
                    }
                })
            }
            Some(Frame::Handling { generator, .. }) => {
                let step = throw_into(generator.bind(py), error);
                Ok(self.handler_stepped(step))
            }
            Some(_) => Ok(match top.frames.pop() {
                Some(Frame::Try) if error.is_instance_of::<PyException>(py) => {
                    Flow::from(Bound::new(py, Bad { error: error.into_value(py) }).map(Bound::into_any))
                }
                Some(Frame::Unwound(next)) if glue::is_abandoned(py, &error) => flow_of(py, *next),
                _ => Flow::throw(error),
            }),
            None => {
                self.stack.segments.pop();
                if self.stack.segments.is_empty() { Err(error) } else { Ok(Flow::throw(error)) }
            }
        }
    }

    /// A step of the handler on top was made.
    fn handler_stepped(&mut self, step: PyResult<Step<'py>>) -> Flow<'py> {
        let ended = match step {
            Ok(Step::Waits(yielded)) => return Flow::Eval(yielded),
            ended => ended,
        };
        let Some(Frame::Handling { generator, k }) = self.stack.top().frames.pop() else {
            unreachable!("it was on top")
        };
        drop(generator);
        self.left(k, returned(ended))
    }

    /// A handler has ended with `flow`. If its continuation was not used, and nobody has kept it, it's unwound first.
    fn left(&mut self, k: Py<K>, flow: Flow<'py>) -> Flow<'py> {
        let py = self.run.py();
        let is_kept = matches!(flow, Flow::Value(_)) && glue::references(k.bind(py)) > 1;
        let next = match flow {
            _ if is_kept => return flow,
            Flow::Value(value) => Next::Value(value.unbind()),
            Flow::Throw(error) => Next::Throw(error.into_value(py)),
            other => return other,
        };
        match k.get().abandon(py) {
            Some(rest) => {
                self.stack.push(Frame::Unwound(Box::new(next)));
                self.stack.reinstate(rest);
                Flow::throw(glue::abandoned(py))
            }
            None => flow_of(py, next),
        }
    }

    /// Evaluates what was yielded.
    fn eval(&mut self, object: &Bound<'py, PyAny>) -> Flow<'py> {
        let py = object.py();
        let kind = Kind::of(object);
        match kind {
            Kind::Call => self.call(as_a::<Call>(object).get(), py),
            Kind::Pure => Flow::Value(as_a::<Pure>(object).get().value.bind(py).clone()),
            Kind::Mapped => {
                let mapped = as_a::<Mapped>(object).get();
                self.stack.push(Frame::Map(mapped.function.get().clone_ref(py)));
                Flow::Eval(mapped.source.get().bind(py).clone())
            }
            Kind::Chained => {
                let chained = as_a::<Chained>(object).get();
                self.stack.push(Frame::Chain(chained.function.get().clone_ref(py)));
                Flow::Eval(chained.source.get().bind(py).clone())
            }
            Kind::Handled => {
                let handled = as_a::<Handled>(object).get();
                self.enter(handled.handler.clone_ref(py));
                Flow::Eval(handled.body.get().bind(py).clone())
            }
            Kind::Perform => {
                let effect = as_a::<Perform>(object).get().effect.bind(py);
                self.perform(effect, Kind::of(effect))
            }
            Kind::Resume => {
                let resume = as_a::<Resume>(object).get();
                self.resume(&resume.continuation, Ok(&resume.value), Tail::AsItStands)
            }
            Kind::Transfer => {
                let transfer = as_a::<Transfer>(object).get();
                self.resume(&transfer.continuation, Ok(&transfer.value), Tail::Yes)
            }
            Kind::ResumeThrow => {
                let resume = as_a::<ResumeThrow>(object).get();
                self.resume(&resume.continuation, Err(&resume.exception), Tail::AsItStands)
            }
            Kind::TransferThrow => {
                let transfer = as_a::<TransferThrow>(object).get();
                self.resume(&transfer.continuation, Err(&transfer.exception), Tail::Yes)
            }
            Kind::Pass => self.pass(as_a::<Pass>(object).get(), py),
            Kind::Other => match glue::is_effect(object) {
                Ok(true) => self.perform(object, kind),
                Ok(false) => {
                    Flow::throw(glue::not_a_program("a program yields effects and programs", object))
                }
                Err(error) => Flow::throw(error),
            },
            effect => self.perform(object, effect),
        }
    }

    fn call(&mut self, call: &Call, py: Python<'py>) -> Flow<'py> {
        match called(call, py) {
            Ok(generator) if call.is_generator => {
                // Its first step is made here, as it's on top for sure.
                let step = calling::send(&generator, py.None().bind(py));
                if let Ok(Step::Waits(yielded)) = step {
                    self.stack.push(Frame::Generator(generator.unbind()));
                    return Flow::Eval(yielded);
                }
                returned(step)
            }
            result => Flow::from(result),
        }
    }

    /// What comes runs inside of `handler`.
    pub(super) fn enter(&mut self, handler: Handler) {
        self.stack.segments.push(Segment::new(Some(handler)));
    }

    /// Has the innermost handler that takes the effect answer it.
    #[inline]
    fn perform(&mut self, effect: &Bound<'py, PyAny>, kind: Kind) -> Flow<'py> {
        self.offer(effect, kind, Vec::new())
    }

    /// As [`perform`](Self::perform), of an effect that comes from `inside`, captured segments that are not on the stack.
    fn offer(&mut self, effect: &Bound<'py, PyAny>, kind: Kind, inside: Vec<Segment>) -> Flow<'py> {
        let py = effect.py();
        let own = self.stack.segments.iter().enumerate().skip(1).rev();
        for (place, handler) in own.filter_map(|(place, segment)| Some((place, segment.handler.as_ref()?))) {
            match handler.consider(effect, kind) {
                Answer::Passes => {}
                Answer::Takes => return self.handle(effect, place, inside),
                answer => return self.answered(effect, kind, answer, inside),
            }
        }
        let mut outside = super::chain::clone(py, &self.stack.inherited);
        let mut count = 0;
        while let Some(node) = outside {
            count += 1;
            match node.get().handler.consider(effect, kind) {
                Answer::Passes => {}
                Answer::Takes => {
                    self.stack.adopt(py, count);
                    return self.handle(effect, 1, inside);
                }
                answer => return self.answered(effect, kind, answer, inside),
            }
            outside = node.get().parent(py);
        }
        self.stack.reinstate(inside);
        base::answer(self, effect, kind, base::Awaits::AsTheRunHasIt)
    }

    /// An effect that came from `inside` has its answer, without a continuation.
    #[inline]
    fn answered(
        &mut self,
        effect: &Bound<'py, PyAny>,
        kind: Kind,
        answer: Answer<'py>,
        inside: Vec<Segment>,
    ) -> Flow<'py> {
        self.stack.reinstate(inside);
        match answer {
            Answer::Value(value) => Flow::Value(value),
            Answer::Error(error) => Flow::throw(error),
            Answer::Elsewhere => base::answer(self, effect, kind, base::Awaits::Elsewhere),
            Answer::Passes | Answer::Takes => unreachable!("those are told apart before"),
        }
    }

    /// Calls the handler of the segment at `place`, with what runs inside of it as the continuation.
    fn handle(&mut self, effect: &Bound<'py, PyAny>, place: usize, mut inside: Vec<Segment>) -> Flow<'py> {
        let py = effect.py();
        let Some(Handler::User(function)) = &self.stack.segments[place].handler else {
            unreachable!("only a function takes a continuation")
        };
        let function = function.clone_ref(py);
        self.stack.capture(place, &mut inside);
        let k = match K::new(py, inside) {
            Ok(k) => k,
            Err(error) => return Flow::throw(error),
        };
        match function.get().call(effect, k.bind(py)) {
            Ok(Called::Generator(generator)) => {
                self.stack.push(Frame::Handling { generator: generator.unbind(), k });
                Flow::Value(py.None().into_bound(py))
            }
            // Without a yield, it returns what it would have yielded last.
            Ok(Called::Result(result)) => match Kind::of(&result) {
                Kind::Resume | Kind::Transfer | Kind::ResumeThrow | Kind::TransferThrow | Kind::Pass => {
                    Flow::Eval(result)
                }
                _ => self.left(k, Flow::Value(result)),
            },
            Err(error) => self.left(k, Flow::throw(error)),
        }
    }

    /// Goes on with a continuation.
    fn resume(&mut self, k: &Py<K>, with: Result<&Py<PyAny>, &Py<PyBaseException>>, tail: Tail) -> Flow<'py> {
        let py = self.run.py();
        let rest = match k.get().take(py) {
            Ok(rest) => rest,
            Err(error) => return Flow::throw(error),
        };
        let function = rest.last().and_then(|segment| segment.handler.as_ref());
        let ended = self.end_handler(k, function, tail);
        if let Err(error) = ended {
            // Nothing was resumed, and nothing is lost: the handler has the error, and the rest is unwound.
            self.stack.push(Frame::Unwound(Box::new(Next::Throw(error.into_value(py)))));
            self.stack.reinstate(rest);
            return Flow::throw(glue::abandoned(py));
        }
        self.stack.reinstate(rest);
        match with {
            Ok(value) => Flow::Value(value.bind(py).clone()),
            Err(error) => Flow::throw(PyErr::from_value(error.bind(py).clone().into_any())),
        }
    }

    /// Removes the handler on top, if this is the last thing that it does. `handler` is the one that has `k`.
    fn end_handler(&mut self, k: &Py<K>, handler: Option<&Handler>, tail: Tail) -> PyResult<()> {
        let py = self.run.py();
        let top = self.stack.top();
        let Some(Frame::Handling { generator, k: own }) = top.frames.last() else { return Ok(()) };
        let is_last = match handler {
            Some(Handler::User(function)) if own.is(k) => function.get().ends_here(generator.bind(py))?,
            _ => false,
        };
        if !is_last && matches!(tail, Tail::AsItStands) {
            return Ok(());
        }
        let Some(Frame::Handling { generator, k: own }) = top.frames.pop() else { return Ok(()) };
        let generator = generator.into_bound(py);
        let closed = if is_last {
            // It has nothing left to do but to return, which is faster than to be closed.
            calling::send(&generator, py.None().bind(py)).map(drop)
        } else {
            calling::call_method(&generator, intern!(py, "close"), ()).map(drop)
        };
        drop(generator);
        // Whoever transfers another's continuation leaves its own behind.
        if !own.is(k)
            && glue::references(own.bind(py)) == 1
            && let Some(rest) = own.get().abandon(py)
        {
            bury(Grave::Segments(rest));
        }
        closed
    }

    /// Leaves an effect to the handlers outside of the one on top.
    fn pass(&mut self, pass: &Pass, py: Python<'py>) -> Flow<'py> {
        let rest = match pass.continuation.get().take(py) {
            Ok(rest) => rest,
            Err(error) => return Flow::throw(error),
        };
        if let Err(error) = self.end_handler(&pass.continuation, None, Tail::Yes) {
            self.stack.reinstate(rest);
            return Flow::throw(error);
        }
        let effect = pass.effect.bind(py);
        self.offer(effect, Kind::of(effect), rest)
    }
}

/// Calls a `@do` function. Most have no argument or one, and need no tuple.
#[inline]
fn called<'py>(call: &Call, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
    let (function, arguments) = (call.function.bind(py), call.arguments.bind(py));
    match (&call.keywords, arguments.len()) {
        (None, 0) => calling::call_alone(function),
        (None, 1) => calling::call_with(function, &arguments.get_item(0)?),
        (keywords, _) => {
            let keywords = keywords.as_ref().map(|keywords| keywords.bind(py));
            calling::call(function, arguments.clone(), keywords)
        }
    }
}

/// Whether a handler is over when it resumes.
#[derive(Clone, Copy)]
enum Tail {
    Yes,
    /// If the yield is the last thing that it does.
    AsItStands,
}

fn flow_of(py: Python<'_>, next: Next) -> Flow<'_> {
    match next {
        Next::Eval(object) => Flow::Eval(object.into_bound(py)),
        Next::Value(value) => Flow::Value(value.into_bound(py)),
        Next::Throw(error) => Flow::throw(PyErr::from_value(error.into_bound(py).into_any())),
        Next::Collect(items) => Flow::from(collect(py, &items)),
    }
}

fn returned(ended: PyResult<Step<'_>>) -> Flow<'_> {
    match ended {
        Ok(Step::Returned(value) | Step::Waits(value)) => Flow::Value(value),
        Err(error) => Flow::throw(error),
    }
}

/// `generator.throw(error)`, which tells a value from the end.
fn throw_into<'py>(generator: &Bound<'py, PyAny>, error: PyErr) -> PyResult<Step<'py>> {
    let py = generator.py();
    match calling::call_method(generator, intern!(py, "throw"), (error.into_value(py),)) {
        Ok(yielded) => Ok(Step::Waits(yielded)),
        // A generator can't raise one itself: Python makes a RuntimeError of that.
        Err(error) if error.is_instance_of::<PyStopIteration>(py) => {
            error.value(py).getattr(intern!(py, "value")).map(Step::Returned)
        }
        Err(error) => Err(error),
    }
}

fn collect<'py>(py: Python<'py>, items: &[Waitable]) -> PyResult<Bound<'py, PyAny>> {
    let values = items.iter().map(|item| match item.look(py) {
        Some(outcome) => outcome.into_result(py),
        None => unreachable!("all have ended"),
    });
    let values: Vec<_> = values.collect::<PyResult<_>>()?;
    Ok(PyList::new(py, values)?.into_any())
}
