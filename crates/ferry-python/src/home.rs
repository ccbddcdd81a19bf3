//! [`Home`]: where a Python event loop's mail arrives. There is one for each loop.
//!
//! # How a completion travels
//!
//! ```text
//!   any thread, without the GIL                 the loop's thread, with the GIL
//!   ───────────────────────────                 ─────────────────────────────────────────────
//!   a promise is settled
//!     └▶ its Waiter wakes
//!          └▶ Home::post(Letter) ──bell──▶ loop's reader ──▶ Drain.__call__
//!             (one ring a burst)                               take the letters,
//!                                                              run the callbacks of each one,
//!                                                              hush, and arm the mailbox or ring again
//! ```
//!
//! # Who owns what
//!
//! - The loop owns its [`Drain`] (as the callback of a reader), which owns the home. The home has only a weak
//!   reference to the loop, so it never keeps one alive.
//! - The home holds the pending awaitables that have callbacks for the loop, and the drain answers for them to
//!   the garbage collector (see [`held`](crate::held)): they live as long as the loop.
//! - A letter names the place of the awaitable it is for, so mail keeps nothing alive.
//! - The registry owns all homes. A loop that is closed or freed drops its drain, which *closes* the home at
//!   once: its awaitables are let go, its mail is dropped in silence, and its descriptor is closed. A home
//!   whose loop kept the drain nevertheless is closed when the next home is made, or at interpreter exit; those of
//!   loops that are open then stay as they are, as other exit handlers may go on with their loops.
//!
//! Only these are asked of a loop: `add_reader`, `call_soon`, `is_closed`, `call_exception_handler`, and
//! `create_task` for [coroutines](crate::awaitable_to_future). So asyncio, uvloop and rloop serve alike.
//!
//! # Bounds
//!
//! A drain handles the letters that were there when it began, as asyncio's own turn does, and lets the loop
//! go on; what came meanwhile rings for the next turn. A `KeyboardInterrupt` or `SystemExit` out of a
//! callback leaves the rest of the letters in place and the bell ringing, and then propagates.

use crate::{
    bell::Bell,
    call::Call,
    calling,
    carried::Reply,
    context::empty_context,
    drain::{Drain, SendReplies},
    exit,
    fork::{self, Generation, Renewed},
    held::Held,
    names,
    operation::{Alarm, AtHome},
    slots::Slots,
    tasks::Tasks,
    turn::{self, Turn},
    virtual_clock,
    waiter::Waiter,
};
use asyncferry::{Mailbox, Promise, State};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::PyRuntimeError,
    intern,
    prelude::*,
    types::{PyDict, PyString, PyWeakrefMethods, PyWeakrefReference},
};
use std::{
    cell::RefCell,
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

/// Where the mail of one Python event loop arrives. There is one for each loop.
///
/// Hold it in an `Arc` on any thread, to [run code](Self::run) on the loop's thread or to
/// [start coroutines](crate::start_awaitable) there without taking the GIL.
pub struct Home {
    mailbox: Mailbox<Letter>,
    bell: Arc<Bell>,
    event_loop: LoopRef,
    tasks: Tasks,
    /// What the loop keeps alive.
    held: Held,
    operations: AtHome,
    turn: Turn,
    is_closed: AtomicBool,
    /// Its loop's clock is virtual, and jumps when nothing is [out](crate::virtual_clock).
    is_virtual: bool,
    /// The process that it belongs to. Its mail is not touched in a forked child.
    generation: Generation,
    /// Letters that were taken and not handled yet.
    batch: Mutex<VecDeque<Letter>>,
    /// What is awaited here and has not ended, so that it ends when the loop is closed.
    running: Mutex<Slots<Running>>,
    /// Ends of coroutines that Rust awaits, on their way to Rust.
    replies: Mutex<Vec<(Promise<Reply>, Reply)>>,
}

/// What is awaited at a home.
struct Running {
    promise: Promise<Reply>,
    call: Weak<Call>,
}

/// Mail for a loop's thread.
pub(crate) enum Letter {
    /// What an awaitable waits for is settled.
    Settled(Arc<Waiter>),
    /// What an operation waits for has come.
    Rang(Arc<Alarm>),
    /// Something to do at home.
    Run(Errand),
}

pub(crate) type Errand = Box<dyn FnOnce(Python<'_>, &Arc<Home>) -> PyResult<()> + Send>;

/// Loops of Python classes, and those of uvloop and rloop, can be referenced weakly; for one that can't be,
/// the registry keeps it until it is closed.
enum LoopRef {
    Weak(Py<PyWeakrefReference>),
    Strong(Py<PyAny>),
}

thread_local! {
    /// The home that this thread used last: nearly always the one it needs next. Held weakly, as a home owns
    /// Python objects, and a thread's locals are dropped when Python may be gone.
    static LAST: RefCell<Weak<Home>> = const { RefCell::new(Weak::new()) };
}

static HOMES: Renewed<Vec<Arc<Home>>> = Renewed::new();

impl Home {
    /// The home of the loop that runs on this thread, if one does.
    ///
    /// # Errors
    /// When the loop refuses to watch a descriptor, or the system has none left.
    pub fn of_running_loop(py: Python<'_>) -> PyResult<Option<Arc<Self>>> {
        names::running_loop(py)?.map(|event_loop| Self::of_open_loop(&event_loop)).transpose()
    }

    /// As [`of_running_loop`](Self::of_running_loop), where one must run.
    ///
    /// # Errors
    /// `RuntimeError` when no loop runs on this thread, and as [`of_running_loop`](Self::of_running_loop).
    pub fn here(py: Python<'_>) -> PyResult<Arc<Self>> {
        Self::of_running_loop(py)?.ok_or_else(|| {
            PyRuntimeError::new_err(
                "no running event loop: call this from a coroutine or a callback of a loop",
            )
        })
    }

    /// The home of `event_loop`. Call it on the loop's own thread, running or not.
    ///
    /// # Errors
    /// As [`of_running_loop`](Self::of_running_loop); `RuntimeError` when the loop is closed.
    pub fn of(event_loop: &Bound<'_, PyAny>) -> PyResult<Arc<Self>> {
        if is_closed(event_loop) {
            return Err(PyRuntimeError::new_err("the event loop is closed, so nothing can be sent to it"));
        }
        Self::of_open_loop(event_loop)
    }

    fn of_open_loop(event_loop: &Bound<'_, PyAny>) -> PyResult<Arc<Self>> {
        if let Some(home) = LAST.with_borrow(Weak::upgrade).filter(|home| home.is_of(event_loop)) {
            return Ok(home);
        }
        let known = homes().iter().find(|home| home.is_of(event_loop)).cloned();
        let home = known.map_or_else(|| Self::open(event_loop), Ok)?;
        LAST.set(Arc::downgrade(&home));
        Ok(home)
    }

    /// Runs `errand` on the loop's thread, soon. Works from any thread, with or without the GIL. An error
    /// that it returns goes to the loop's exception handler.
    ///
    /// Gives `false`, and drops the errand, when the loop is known to be gone. When it goes later, the errand
    /// is dropped then.
    pub fn run(&self, errand: impl FnOnce(Python<'_>, &Arc<Self>) -> PyResult<()> + Send + 'static) -> bool {
        self.post(Letter::Run(Box::new(errand)))
    }

    /// Whether its loop was closed, so that nothing that is sent there arrives.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    /// The loop, as long as it lives.
    pub fn event_loop<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        match &self.event_loop {
            LoopRef::Weak(event_loop) => event_loop.bind(py).upgrade(),
            LoopRef::Strong(event_loop) => Some(event_loop.bind(py).clone()),
        }
    }

    pub(crate) fn held(&self) -> &Held {
        &self.held
    }

    /// The operations that wait here.
    pub(crate) fn operations(&self) -> &AtHome {
        &self.operations
    }

    pub(crate) fn turn(&self) -> &Turn {
        &self.turn
    }

    /// Lets go of all that the loop keeps alive. Call it with the GIL: Python code may run, of what is dropped.
    pub(crate) fn let_go(&self) {
        self.held.end();
        self.operations.end();
    }

    /// Shows the collector what the loop keeps alive.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.held.traverse(visit)?;
        self.operations.traverse(visit)
    }

    /// How this loop makes its tasks.
    pub(crate) fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// Something is awaited here, until [`ran`](Self::ran). When the loop is closed before, it's cancelled.
    pub(crate) fn runs(&self, promise: &Promise<Reply>, call: &Arc<Call>) -> Option<usize> {
        let running = Running { promise: promise.clone(), call: Arc::downgrade(call) };
        let kept = lock(&self.running).keep(running);
        kept.map_err(|running| running.promise.cancel(CLOSED)).ok()
    }

    /// How many coroutines run here that futures of Rust wait for.
    pub(crate) fn runs_for_rust(&self) -> usize {
        let calls: Vec<_> = {
            let running = lock(&self.running);
            let pending = running.iter().filter(|running| running.promise.state() == State::Pending);
            pending.filter_map(|running| running.call.upgrade()).collect()
        };
        calls.iter().filter(|call| call.is_rusts()).count()
    }

    pub(crate) fn is_virtual(&self) -> bool {
        self.is_virtual
    }

    /// What [`runs`](Self::runs) at `place` is over.
    pub(crate) fn ran(&self, place: usize) {
        // Dropped when the lock is free.
        let running = lock(&self.running).release(place);
        drop(running);
    }

    /// Sends the end of a coroutine to Rust, on the loop's thread. Those of one turn of the loop are sent
    /// together, at the next turn, so that Rust's threads are not woken for each.
    pub(crate) fn reply(
        self: &Arc<Self>,
        py: Python<'_>,
        promise: Promise<Reply>,
        reply: Reply,
    ) -> PyResult<()> {
        let is_first = {
            let mut replies = lock(&self.replies);
            replies.push((promise, reply));
            replies.len() == 1
        };
        let event_loop = if is_first { self.event_loop(py) } else { None };
        event_loop.map_or(Ok(()), |event_loop| {
            let send = Bound::new(py, SendReplies::new(self.clone()))?;
            let asked = calling::call_method(&event_loop, intern!(py, "call_soon"), (send,));
            // Whatever came in between, Ctrl-C for one, those replies have nobody else to send them.
            asked.map(drop).inspect_err(|_| py.detach(|| self.send_replies()))
        })
    }

    /// Settles what waits in [`reply`](Self::reply).
    pub(crate) fn send_replies(&self) {
        let replies = std::mem::take(&mut *lock(&self.replies));
        for (promise, reply) in replies {
            // Settled already: the Rust side is gone.
            let _ = promise.complete(reply);
        }
    }

    pub(crate) fn post(&self, letter: Letter) -> bool {
        self.generation.is_current() && self.mailbox.post(letter).is_ok()
    }

    /// Hands `error` to the loop's exception handler, as asyncio does with an error nobody waits for; what
    /// is no error but a wish to stop (Ctrl-C, `sys.exit`) comes back.
    pub(crate) fn report(&self, py: Python<'_>, message: &str, error: PyErr) -> PyResult<()> {
        if names::stops_the_program(py, &error) {
            return Err(error);
        }
        let Some(event_loop) = self.event_loop(py) else {
            report_nowhere(py, message, &error);
            return Ok(());
        };
        let context = PyDict::new(py);
        context.set_item(intern!(py, "message"), message)?;
        context.set_item(intern!(py, "exception"), error.into_value(py))?;
        calling::call_method(&event_loop, intern!(py, "call_exception_handler"), (context,)).map(drop)
    }

    /// Handles the letters that are there now. Only [`Drain`] calls it, on the loop's thread.
    pub(crate) fn drain(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        // Letters are taken one by one, so that what an interrupt leaves over is still in its place.
        let turn = self.refill();
        let mut handle = |_| self.next_letter().map_or(Ok(()), |letter| self.open_letter(py, letter));
        let outcome = (0..turn).try_for_each(&mut handle);
        // Hushed before it's armed: from then on a post rings. What is left over rings anew, for the sake of
        // loops which see only that a bell begins to ring (rloop).
        self.bell.hush();
        if !lock(&self.batch).is_empty() || !self.mailbox.arm() {
            self.bell.ring();
        }
        outcome
    }

    fn refill(&self) -> usize {
        let mut batch = lock(&self.batch);
        if batch.is_empty() {
            // The buffers of mailbox and batch change places: a steady state allocates nothing.
            let mut taken = Vec::from(std::mem::take(&mut *batch));
            self.mailbox.take(&mut taken);
            *batch = taken.into();
        }
        batch.len()
    }

    fn next_letter(&self) -> Option<Letter> {
        lock(&self.batch).pop_front()
    }

    fn open_letter(self: &Arc<Self>, py: Python<'_>, letter: Letter) -> PyResult<()> {
        match letter {
            Letter::Settled(waiter) => waiter.deliver(py).inspect_err(|_| {
                // It may have more callbacks than the one that was interrupted.
                lock(&self.batch).push_front(Letter::Settled(waiter));
            }),
            Letter::Rang(alarm) => turn::attached(py, || alarm.deliver(py)),
            Letter::Run(errand) => errand(py, self).or_else(|error| {
                self.report(py, "Exception in work that was sent to this event loop", error)
            }),
        }
    }

    pub(crate) fn is_of(&self, event_loop: &Bound<'_, PyAny>) -> bool {
        self.generation.is_current()
            && !self.is_closed()
            && self.event_loop(event_loop.py()).is_some_and(|own| own.is(event_loop))
    }

    fn open(event_loop: &Bound<'_, PyAny>) -> PyResult<Arc<Self>> {
        let py = event_loop.py();
        sweep(py);
        exit::watch(py)?;
        fork::watch()?;
        // Has the names of cancelling imported: at exit, when the last awaitables go, nothing can be any more.
        names::is_cancelled_error(names::cancelled_error(py, None).value(py))?;
        let bell = Arc::new(Bell::new()?);
        let home = Arc::new(Self {
            mailbox: Mailbox::new({
                let bell = bell.clone();
                move || bell.ring()
            }),
            bell,
            event_loop: match PyWeakrefReference::new(event_loop) {
                Ok(weak) => LoopRef::Weak(weak.unbind()),
                Err(_) => LoopRef::Strong(event_loop.clone().unbind()),
            },
            tasks: Tasks::of(event_loop)?,
            held: Held::new(),
            operations: AtHome::default(),
            turn: Turn::of(event_loop)?,
            is_closed: AtomicBool::new(false),
            is_virtual: virtual_clock::is_virtual(event_loop)?,
            generation: Generation::current(),
            batch: Mutex::default(),
            running: Mutex::default(),
            replies: Mutex::default(),
        });
        let drain = Bound::new(py, Drain::new(home.clone()))?;
        // In a context of its own: the loop keeps it, and what came first is nobody else's business.
        let add_reader = event_loop.getattr(intern!(py, "add_reader"))?;
        homes().push(home.clone());
        let watch = (add_reader, home.bell.descriptor(), drain);
        calling::call_method(&empty_context(py)?, intern!(py, "run"), watch)?;
        Ok(home)
    }

    /// Whether its loop is closed or gone.
    pub(crate) fn is_over(&self, py: Python<'_>) -> bool {
        self.is_closed() || self.event_loop(py).is_none_or(|event_loop| is_closed(&event_loop))
    }

    /// The loop is closed or gone. Call it with the GIL: Python code may run, of what is dropped.
    pub(crate) fn close(&self) {
        if !self.generation.is_current() || self.is_closed.swap(true, Ordering::AcqRel) {
            return;
        }
        let own = {
            let mut homes = homes();
            let place = homes.iter().position(|home| std::ptr::eq(&raw const **home, self));
            place.map(|place| homes.swap_remove(place))
        };
        self.let_go();
        self.refuse_mail();
        // The loop doesn't watch it any more.
        self.bell.close();
        drop(own);
    }

    fn refuse_mail(&self) {
        self.send_replies();
        let running = lock(&self.running).end();
        for Running { promise, .. } in running {
            promise.cancel(CLOSED);
        }
        let mail = self.mailbox.close();
        let batch = std::mem::take(&mut *lock(&self.batch));
        drop((mail, batch));
    }
}

const CLOSED: &str = "its event loop was closed before it ended";

/// Has the loop of any open home run `errand`, if there is one. Works from any thread.
pub(crate) fn tell_any(errand: impl FnOnce(Python<'_>, &Arc<Home>) -> PyResult<()> + Send + 'static) {
    let mut letter = Letter::Run(Box::new(errand));
    let all = homes().clone();
    for home in all {
        match home.mailbox.post(letter) {
            Ok(()) => return,
            Err(refused) => letter = refused,
        }
    }
}

fn is_closed(event_loop: &Bound<'_, PyAny>) -> bool {
    // A loop that can't even answer this is not one to send mail to.
    let closed = calling::call_method(event_loop, intern!(event_loop.py(), "is_closed"), ());
    closed.and_then(|closed| closed.is_truthy()).unwrap_or(true)
}

/// Tells of an `error` for which there's no loop, as Python does of one that can't be raised anywhere.
pub(crate) fn report_nowhere(py: Python<'_>, message: &str, error: &PyErr) {
    let message = PyString::new(py, message).into_any();
    error.clone_ref(py).write_unraisable(py, Some(&message));
}

/// Closes the homes of loops that are closed or gone.
pub(crate) fn sweep(py: Python<'_>) {
    // Looking at a loop may run Python code, which must not happen under the registry's lock.
    let all = homes().clone();
    for home in all {
        if home.is_over(py) {
            home.close();
        }
    }
}

fn homes() -> MutexGuard<'static, Vec<Arc<Home>>> {
    lock(HOMES.get())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
