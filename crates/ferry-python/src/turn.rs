//! The turn of an event loop in which operations go on that were woken on its own thread.
//!
//! asyncio's primitives have the loop call each waiter's wake-up by itself. Here all that are woken in one turn go on
//! in one callback of the loop, at the place of the first, in the order of their wakes. If nothing else is ready when
//! they have run, those that they woke follow at once, up to [`ROUNDS`] times: whether the loop looked for I/O in between
//! is all that anybody could tell. With asyncio's loops that's seen by their private `_ready`; with others each round
//! is a turn of its own. A loop on a virtual clock gets each wake-up by itself, so that a seed can shuffle them.

use crate::{calling, home::Home, names, operation::Alarm};
use pyo3::{
    exceptions::PyKeyboardInterrupt,
    ffi, intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyWeakrefMethods, PyWeakrefReference},
};
use std::{
    cell::Cell,
    collections::VecDeque,
    ptr,
    sync::{Arc, Weak},
};

/// How often what was woken goes on before the loop looks for I/O and timers.
const ROUNDS: usize = 32;

thread_local! {
    /// What this thread does.
    static SCOPE: Cell<Scope> = const { Cell::new(Scope::Outside) };
}

#[derive(Clone, Copy)]
enum Scope {
    /// It may be without the GIL.
    Outside,
    /// It's inside of [`attached`], so it has the GIL for sure.
    Attached,
    /// As well, and the loop of this home runs on it.
    At(*const Home),
}

/// Does what may wake operations; those of this thread's event loop need no mailbox then.
pub(crate) fn attached<R>(_: Python<'_>, act: impl FnOnce() -> R) -> R {
    in_scope(Scope::Attached, act)
}

fn in_scope<R>(scope: Scope, act: impl FnOnce() -> R) -> R {
    struct Restore<'a>(&'a Cell<Scope>, Scope);

    impl Drop for Restore<'_> {
        fn drop(&mut self) {
            self.0.set(self.1);
        }
    }

    SCOPE.with(|cell| {
        let outer = cell.get();
        let _restore = Restore(cell, outer);
        // What the outer one knows stays true in the inner one: the loop has not stopped in between, as its thread is here.
        cell.set(if matches!(outer, Scope::At(_)) { outer } else { scope });
        act()
    })
}

/// What a home has for its turn.
pub(crate) struct Turn {
    /// What is called at it.
    runner: PyOnceLock<Py<RunTurn>>,
    /// The loop's own queue of what is ready, where it's known to have one. Held weakly: what is in it refers to the loop,
    /// which the home must not keep alive.
    ready: Option<Py<PyWeakrefReference>>,
}

impl Turn {
    pub(crate) fn of(event_loop: &Bound<'_, PyAny>) -> PyResult<Self> {
        static DEQUE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let py = event_loop.py();
        let ready = event_loop.getattr_opt(intern!(py, "_ready"))?;
        let deque = DEQUE.import(py, "collections", "deque")?;
        let ready = ready.filter(|ready| ready.get_type().is(deque));
        let ready = ready.map(|ready| PyWeakrefReference::new(&ready)).transpose()?.map(Bound::unbind);
        Ok(Self { runner: PyOnceLock::new(), ready })
    }

    /// Whether the loop has nothing else to do now.
    fn is_alone(&self, py: Python<'_>) -> bool {
        let ready = self.ready.as_ref().and_then(|ready| ready.bind(py).upgrade());
        ready.is_some_and(|ready| ready.len().is_ok_and(|len| len == 0))
    }
}

impl Home {
    /// Has the operation of `alarm` go on at the loop's next turn, if this is the loop's thread and has the GIL.
    ///
    /// # Errors
    /// The alarm comes back when it isn't.
    pub(crate) fn wake_here(alarm: Arc<Alarm>) -> Result<(), Arc<Alarm>> {
        let scope = SCOPE.get();
        if matches!(scope, Scope::Outside) {
            return Err(alarm);
        }
        // SAFETY: only `attached` sets another scope. It was given a proof that this thread has the GIL, and is still
        // on this thread's stack.
        let py = unsafe { Python::assume_attached() };
        let home = alarm.home();
        if !home.runs_here(py, scope) {
            return Err(alarm);
        }
        if home.is_virtual() {
            return alarm.deliver(py).map_err(|error| {
                again_later(py, error);
                alarm
            });
        }
        add_to_turn(py, alarm);
        Ok(())
    }

    /// Whether its loop runs on this thread. What was found out is kept until the scope ends.
    fn runs_here(&self, py: Python<'_>, scope: Scope) -> bool {
        if let Scope::At(home) = scope {
            return ptr::eq(home, self);
        }
        let running = names::asyncio_loop(py).ok().flatten();
        let is_here = running.is_some_and(|running| self.is_of(&running));
        if is_here {
            SCOPE.set(Scope::At(self));
        }
        is_here
    }

    fn schedule_turn(self: &Arc<Self>, py: Python<'_>) {
        let scheduled = self.runner(py).and_then(|runner| {
            self.event_loop(py).map_or(Ok(()), |event_loop| {
                calling::call_method(&event_loop, intern!(py, "call_soon"), (runner,)).map(drop)
            })
        });
        if let Err(error) = scheduled {
            again_later(py, error);
            // Whatever came in between, Ctrl-C for one, they have nobody else to run them.
            self.run(|py, home| home.run_turn(py));
        }
    }

    fn runner(self: &Arc<Self>, py: Python<'_>) -> PyResult<Py<RunTurn>> {
        let make = || Py::new(py, RunTurn { home: Arc::downgrade(self) });
        self.turn().runner.get_or_try_init(py, make).map(|runner| runner.clone_ref(py))
    }

    fn run_turn(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let mut batch = VecDeque::new();
        for _ in 0..ROUNDS {
            // The buffers change places: a steady state allocates nothing.
            self.operations().with_woken(py, |woken| std::mem::swap(&mut woken.alarms, &mut batch));
            if let Err(stop) = in_scope(Scope::At(&raw const **self), || self.deliver_all(py, &mut batch)) {
                self.put_back(py, batch);
                self.schedule_turn(py);
                return Err(stop);
            }
            let is_over = self.operations().with_woken(py, |woken| {
                woken.is_scheduled = !woken.alarms.is_empty();
                !woken.is_scheduled
            });
            if is_over {
                let buffer =
                    self.operations().with_woken(py, |woken| std::mem::replace(&mut woken.alarms, batch));
                drop(buffer);
                return Ok(());
            }
            if !self.turn().is_alone(py) {
                break;
            }
        }
        self.schedule_turn(py);
        Ok(())
    }

    fn deliver_all(&self, py: Python<'_>, batch: &mut VecDeque<Arc<Alarm>>) -> PyResult<()> {
        while let Some(alarm) = batch.pop_front() {
            alarm.deliver(py)?;
        }
        Ok(())
    }

    /// What was not run comes first at the next turn.
    fn put_back(&self, py: Python<'_>, mut rest: VecDeque<Arc<Alarm>>) {
        self.operations().with_woken(py, |woken| {
            rest.append(&mut woken.alarms);
            woken.alarms = rest;
        });
    }
}

/// Puts the alarm in its home's line.
fn add_to_turn(py: Python<'_>, alarm: Arc<Alarm>) {
    let home = alarm.home().clone();
    let is_first = home.operations().with_woken(py, |woken| {
        woken.alarms.push_back(alarm);
        !std::mem::replace(&mut woken.is_scheduled, true)
    });
    if is_first {
        home.schedule_turn(py);
    }
}

/// An error that comes where none can be raised: a Ctrl-C is raised a little later.
fn again_later(py: Python<'_>, error: PyErr) {
    if error.is_instance_of::<PyKeyboardInterrupt>(py) {
        // SAFETY: it only marks that the signal has come.
        unsafe { ffi::PyErr_SetInterrupt() };
    }
}

/// What the loop calls.
#[pyclass(frozen, module = "asyncferry", name = "_RunTurn")]
pub(crate) struct RunTurn {
    home: Weak<Home>,
}

#[pymethods]
impl RunTurn {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        self.home.upgrade().map_or(Ok(()), |home| home.run_turn(py))
    }

    fn __repr__(&self) -> &'static str {
        "<asyncferry: going on with what was woken>"
    }
}
