//! [`Loop`]: the part of a loop that only its own thread touches, and its turn.

mod life;

pub(crate) use life::Ending;

use super::{
    cancels::Cancels,
    clock,
    locals::Locals,
    platform::{TURN_TIME, may_go_on},
    polls::Polls,
    remote::{Letter, LoopRef, Remote},
    tasks::{CellMeta, Crash, Ended, Entry, Guarded, Step, Tasks, drop_quietly},
    timers::{Key, Timers},
};
use crate::{
    cancel::{
        Cancelled,
        scope::{Scope, Top},
    },
    local::{self, TaskLocals},
    metrics::{LongestPoll, Metrics},
    model::Arc,
    task::TaskId,
};
use async_task::{Builder, Runnable, Task};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::Future,
    hash::{BuildHasher, RandomState},
    panic::{Location, resume_unwind},
    pin::Pin,
    ptr::null,
    task::{Context, Poll, Waker},
    time::Duration,
};

/// The order in which a virtual loop runs the tasks of a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// First in, first out, as the real loop does.
    Fifo,
    /// Shuffled by this seed; the same seed gives the same order again.
    Seeded(u64),
}

/// How a turn ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The main task has ended.
    Stop,
    /// There is more to run, but I/O and others are due a turn.
    Busy,
    /// Nothing to run before this deadline of the real clock, if any.
    Idle(Option<u64>),
    /// Nothing to run before the deadline `to` of the virtual clock: jump there, if I/O brings nothing
    /// either. The turn has run so many tasks.
    Jump { to: u64, ran: u32 },
}

/// A turn ends after this many tasks, or the platform's `TURN_TIME`.
const TURN_TASKS: u32 = 4096;
/// The clock is read after at most this many tasks, fewer when they are slow, so that I/O gets its turn.
const MAX_STRIDE: u32 = 16;

thread_local! {
    static LOOP: Loop = const { Loop::new() };
}

/// Calls `use_it` with this thread's loop, running or not.
pub(crate) fn with_loop<R>(use_it: impl FnOnce(&Loop) -> R) -> R {
    LOOP.with(use_it)
}

/// As [`with_loop`], for what a thread may still do while it ends; `None` once its loop is gone.
pub(crate) fn try_with_loop<R>(use_it: impl FnOnce(&Loop) -> R) -> Option<R> {
    LOOP.try_with(use_it).ok()
}

pub(crate) struct Loop {
    here: Cell<Option<LoopRef>>,
    ready: RefCell<VecDeque<Runnable<CellMeta>>>,
    tasks: RefCell<Tasks>,
    timers: RefCell<Timers>,
    /// Buffers that are empty between uses, kept for their room.
    letters: RefCell<Vec<Letter>>,
    woken: RefCell<Vec<Waker>>,
    /// What is left of this tick.
    todo: Cell<usize>,
    /// Tasks to run until the clock is read again, and how many that was last time.
    stride: Cell<u32>,
    number: Cell<u64>,
    /// How many timers have fired.
    fired: Cell<u64>,
    step: Cell<Step>,
    /// The slot of the task that runs now, or ran last in this turn.
    running: Cell<Option<u32>>,
    cancels: Cancels,
    locals: Locals,
    polls: Polls,
    polled: Cell<u64>,
    lag: Cell<(u64, u64)>,
    /// The layers of the code that started the loop; see [`scope`](crate::cancel::scope).
    around: Cell<Top>,
    /// The pump waits, so a task that becomes ready must wake it.
    asleep: Cell<bool>,
    /// The task that runs wants the turn to end after it.
    leaves: Cell<bool>,
    main: Cell<Option<u32>>,
    stop: Cell<bool>,
    /// The virtual clock; `None`: this loop runs on the real one.
    virtual_now: Cell<Option<u64>>,
    /// The state of the generator that shuffles; `None`: first in, first out.
    shuffle: Cell<Option<u64>>,
    /// The state of the generator for [`random`](Self::random); `None`: it begins somewhere.
    chance: Cell<Option<u64>>,
}

impl Loop {
    pub(crate) const fn new() -> Self {
        Self {
            here: Cell::new(None),
            ready: RefCell::new(VecDeque::new()),
            tasks: RefCell::new(Tasks::new()),
            timers: RefCell::new(Timers::new()),
            letters: RefCell::new(Vec::new()),
            woken: RefCell::new(Vec::new()),
            todo: Cell::new(0),
            stride: Cell::new(1),
            number: Cell::new(0),
            fired: Cell::new(0),
            step: Cell::new(Step::Poll),
            running: Cell::new(None),
            cancels: Cancels::new(),
            locals: Locals::new(),
            polls: Polls::new(),
            polled: Cell::new(0),
            lag: Cell::new((0, 0)),
            around: Cell::new(null()),
            asleep: Cell::new(false),
            leaves: Cell::new(false),
            main: Cell::new(None),
            stop: Cell::new(false),
            virtual_now: Cell::new(None),
            shuffle: Cell::new(None),
            chance: Cell::new(None),
        }
    }

    // ---- tasks -------------------------------------------------------------------------------------

    /// Starts a task on the running loop `here`; `None` when the loop is closing, and the future is dropped.
    pub(crate) fn spawn<F: Future + 'static>(
        &self,
        here: LoopRef,
        future: F,
        place: &'static Location<'static>,
    ) -> Option<Spawned<F::Output>> {
        if self.cancels.is_closing() {
            return None;
        }
        if self.polls.are_timed() {
            self.polls.born(self.tasks.borrow().vacant(), Some(place));
        }
        // SAFETY: the future is 'static.
        Some(unsafe { self.spawn_unchecked(here, future) })
    }

    /// Starts the main task; when it ends, the loop stops.
    ///
    /// # Safety
    /// What `future` borrows outlives the loop, which is to say that [`shut_down`](Self::shut_down) runs
    /// before it ends.
    pub(crate) unsafe fn spawn_main<F: Future>(&self, here: LoopRef, future: F) -> Spawned<F::Output> {
        self.main.set(Some(self.tasks.borrow().vacant()));
        // SAFETY: the caller's promise.
        unsafe { self.spawn_unchecked(here, future) }
    }

    /// # Safety
    /// `future` is 'static, or what it borrows outlives the loop.
    unsafe fn spawn_unchecked<F: Future>(&self, here: LoopRef, future: F) -> Spawned<F::Output> {
        let number = self.next_number();
        let slot = self.tasks.borrow().vacant();
        let remote = here.remote;
        let schedule = move |runnable| schedule(remote, runnable);
        // SAFETY: async-task asks for four things.
        // - The future need not be Send as long as it is polled and dropped on this thread only: runnables
        //   reach other threads only inside letters to this loop, which takes them here; and each task ends
        //   in `Guarded` on this thread, which drops the future, before the loop's `shut_down` returns.
        // - The future is 'static or outlives the loop by the caller's promise, and with the loop it ends.
        // - The schedule function is Send and Sync (a shared reference to a `Remote`), and 'static.
        // - Wakers may outlive the loop; by then the task is complete, and waking it does nothing.
        let (runnable, task) = unsafe {
            Builder::new().metadata(CellMeta::new(slot)).spawn_unchecked(|_| Guarded::new(future), schedule)
        };
        self.tasks.borrow_mut().insert(Entry { waker: runnable.waker(), number });
        if local::in_use() {
            self.locals.put(slot, TaskLocals::current());
        }
        runnable.schedule();
        Spawned { task, number }
    }

    /// A number for one more task.
    pub(crate) fn next_number(&self) -> u64 {
        self.number.set(self.number.get() + 1);
        self.number.get()
    }

    /// Wakes the task in `slot`, whose cell was marked, so that it ends at its next turn.
    pub(crate) fn wake_to_abort(&self, slot: u32, number: u64) {
        let waker = self.tasks.borrow().waker(slot, number);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Asks the task in `slot` to cancel, if that is still the task with this number. One that has not opted in
    /// ends at its next turn. (Nobody has a handle of the main task; who has its canceller has its scope.)
    pub(crate) fn cancel(&self, slot: u32, number: u64, cancelled: Cancelled) -> bool {
        let Some(waker) = self.tasks.borrow().waker(slot, number) else { return false };
        match self.cancels.scope(slot) {
            Some(scope) => scope.request(cancelled),
            None => {
                self.cancels.doom(slot, cancelled);
                waker.wake();
                true
            }
        }
    }

    /// Why the task that runs is to be dropped, if somebody gave a reason.
    pub(crate) fn reason(&self) -> Option<Cancelled> {
        self.running.get().and_then(|slot| self.cancels.reason(slot))
    }

    /// The scope of the task that runs, made if need be.
    pub(crate) fn make_scope(&self) -> Option<Arc<Scope>> {
        self.running.get().map(|slot| self.cancels.make_scope(slot))
    }

    /// The scope of the task that runs, if it has one.
    pub(crate) fn known_scope(&self) -> Option<Arc<Scope>> {
        self.running.get().and_then(|slot| self.cancels.scope(slot))
    }

    pub(crate) fn step(&self) -> Step {
        self.step.get()
    }

    pub(crate) fn set_step(&self, step: Step) {
        self.step.set(step);
    }

    /// Ends the turn after the task that runs, so that I/O and others get theirs.
    pub(crate) fn leave(&self) {
        self.leaves.set(true);
    }

    // ---- chance ------------------------------------------------------------------------------------

    /// A random number. On the virtual clock the loop's seed decides it, so that a run can be repeated; elsewhere, and
    /// without a loop, each thread has its own.
    pub(crate) fn random(&self) -> u64 {
        let state = self.chance.get().unwrap_or_else(|| RandomState::new().hash_one(()));
        let (next, random) = split_mix(state);
        self.chance.set(Some(next));
        random
    }

    // ---- time --------------------------------------------------------------------------------------

    /// Now, on this loop's clock.
    pub(crate) fn now(&self) -> u64 {
        self.virtual_now.get().unwrap_or_else(clock::real)
    }

    pub(crate) fn arm(&self, deadline: u64, waker: &Waker) -> Key {
        let waker = waker.clone();
        let key = self.timers.borrow_mut().insert(deadline, waker);
        // Outside of a turn (inside `tokio::spawn`, say) the pump must hear of the deadline.
        if self.asleep.replace(false)
            && let Some(here) = self.here.get()
        {
            here.remote.wake_pump();
        }
        key
    }

    pub(crate) fn poll_timer(&self, key: Key, waker: &Waker) -> Option<Poll<()>> {
        // Cloned and dropped outside of the borrow: a waker may own what arms and disarms timers.
        let mut fresh = waker.clone();
        let polled = self.timers.borrow_mut().poll(key, &mut fresh);
        drop(fresh);
        polled
    }

    pub(crate) fn disarm(&self, key: Key) {
        // The waker is dropped after the borrow has ended.
        let waker = self.timers.borrow_mut().cancel(key);
        drop(waker);
    }

    /// How many timers have fired so far; only the difference of two answers means something.
    #[allow(dead_code, reason = "the browser's pump doesn't pace its alarm")]
    pub(crate) fn fired(&self) -> u64 {
        self.fired.get()
    }

    /// Jumps the virtual clock to `deadline`.
    pub(crate) fn jump(&self, deadline: u64) {
        self.virtual_now.set(self.virtual_now.get().map(|now| now.max(deadline)));
    }

    // ---- what it counts ----------------------------------------------------------------------------

    pub(crate) fn metrics(&self) -> Metrics {
        let id = |number| TaskId::new(self.here.get().map_or(0, |here| here.id), number);
        let (lag, lag_max) = self.lag.get();
        Metrics {
            tasks_live: self.tasks.borrow().live(),
            tasks_spawned: self.number.get(),
            polls: self.polled.get(),
            queue_depth: self.ready.borrow().len(),
            timers_armed: self.timers.borrow().live(),
            timers_fired: self.fired.get(),
            timer_lag: Duration::from_nanos(lag),
            timer_lag_max: Duration::from_nanos(lag_max),
            longest_poll: self.polls.longest().map(|(took, number, spawned_at)| LongestPoll {
                duration: Duration::from_nanos(took),
                task: id(number),
                spawned_at,
            }),
        }
    }

    pub(crate) fn time_polls(&self, on: bool) {
        self.polls.time(on);
    }

    // ---- the turn ----------------------------------------------------------------------------------

    /// Runs ticks until there is nothing to run, or until others are due a turn. See the
    /// [module](super).
    pub(crate) fn turn(&self) -> Turn {
        let ended = self.run_ticks();
        self.running.set(None);
        ended
    }

    fn run_ticks(&self) -> Turn {
        let Some(here) = self.here.get() else { return Turn::Stop };
        self.asleep.set(false);
        let started = clock::real();
        let mut looked = started;
        let mut until_look = self.stride.get();
        let mut ran = 0;
        loop {
            if self.todo.get() == 0 {
                if self.stop.get() {
                    return Turn::Stop;
                }
                let now = self.tick_time();
                if ran > 0 && now.is_some_and(|now| now.saturating_sub(started) >= TURN_TIME) {
                    return Turn::Busy;
                }
                if let Some(rest) = self.begin_tick(here, now, ran) {
                    return rest;
                }
            }
            if let Some(runnable) = self.pop() {
                self.run(runnable);
            }
            self.todo.set(self.todo.get() - 1);
            ran += 1;
            until_look -= 1;
            if until_look == 0 {
                let before = std::mem::replace(&mut looked, clock::real());
                until_look = self.adapt_stride(looked - before);
                if looked - started >= TURN_TIME || ran >= TURN_TASKS {
                    return Turn::Busy;
                }
            }
            if self.leaves.get() || !may_go_on() {
                self.leaves.set(false);
                return Turn::Busy;
            }
        }
    }

    /// The real clock, once a tick as in asyncio, if there are timers that wait for it.
    fn tick_time(&self) -> Option<u64> {
        (!self.is_virtual() && !self.timers.borrow().is_empty()).then(clock::real)
    }

    /// Gathers what the next tick runs; if that is nothing, how the turn ends.
    fn begin_tick(&self, here: LoopRef, now: Option<u64>, ran: u32) -> Option<Turn> {
        if here.remote.mailbox.has_mail() {
            self.take_mail();
        }
        if let Some(now) = now.or(self.virtual_now.get()) {
            self.fire(now);
        }
        while self.ready.borrow().is_empty() {
            // A timer may have come since: before it sleeps, the loop looks again.
            self.fire(self.now());
            if self.ready.borrow().is_empty() {
                if here.remote.mailbox.arm() {
                    self.asleep.set(true);
                    return Some(self.rest(here, ran));
                }
                self.take_mail();
            }
        }
        self.todo.set(self.ready.borrow().len());
        None
    }

    fn rest(&self, here: LoopRef, ran: u32) -> Turn {
        let mut timers = self.timers.borrow_mut();
        match timers.next(self.is_virtual()) {
            Some(next) if self.is_virtual() && !here.remote.is_held() => Turn::Jump { to: next, ran },
            _ if self.is_virtual() => Turn::Idle(None),
            next => Turn::Idle(next),
        }
    }

    fn fire(&self, now: u64) {
        if !self.timers.borrow().is_due(now) {
            return;
        }
        let mut woken = self.woken.take();
        if let Some(first) = self.timers.borrow_mut().fire(now, &mut woken) {
            let lag = now.saturating_sub(first);
            self.lag.set((lag, lag.max(self.lag.get().1)));
        }
        self.fired.set(self.fired.get() + woken.len() as u64);
        // Wakers are foreign code: they run after the borrow has ended.
        for waker in woken.drain(..) {
            waker.wake();
        }
        self.woken.replace(woken);
    }

    fn take_mail(&self) {
        let Some(here) = self.here.get() else { return };
        let mut letters = self.letters.take();
        here.remote.mailbox.take(&mut letters);
        for letter in letters.drain(..) {
            match letter {
                Letter::Run(runnable) => self.ready.borrow_mut().push_back(runnable),
                Letter::Abort { id, slot, number } if id == here.id => self.wake_to_abort(slot, number),
                Letter::Cancel { id, slot, number, cancelled } if id == here.id => {
                    self.cancel(slot, number, cancelled);
                }
                Letter::Disarm { id, key } if id == here.id => self.disarm(key),
                Letter::Abort { .. } | Letter::Cancel { .. } | Letter::Disarm { .. } | Letter::Released => {}
            }
        }
        self.letters.replace(letters);
    }

    fn pop(&self) -> Option<Runnable<CellMeta>> {
        let mut ready = self.ready.borrow_mut();
        if let Some(state) = self.shuffle.get() {
            let (next, random) = split_mix(state);
            self.shuffle.set(Some(next));
            // Only the tasks of this tick take part.
            let among = self.todo.get().clamp(1, ready.len().max(1)) as u64;
            if !ready.is_empty() {
                ready.swap(0, (random % among) as usize);
            }
        }
        ready.pop_front()
    }

    fn run(&self, runnable: Runnable<CellMeta>) {
        let (slot, step) = runnable.metadata().read();
        self.step.set(self.cancels.step(slot, step));
        self.running.set(Some(slot));
        self.polled.set(self.polled.get() + 1);
        if self.polls.are_timed() {
            let number = || self.tasks.borrow().number(slot);
            self.polls.watch(slot, number, || self.run_with_locals(slot, runnable));
        } else {
            self.run_with_locals(slot, runnable);
        }
        if self.step.replace(Step::Poll) == Step::Ended {
            let entry = self.tasks.borrow_mut().remove(slot);
            drop(entry);
            self.cancels.forget(slot);
            if self.main.get() == Some(slot) {
                self.main.set(None);
                self.stop.set(true);
            }
        }
    }

    fn run_with_locals(&self, slot: u32, runnable: Runnable<CellMeta>) {
        let keep = |kept| {
            if self.step.get() == Step::Ended {
                // Values are foreign, and may panic where they are dropped.
                drop_quietly(|| drop(kept));
                self.locals.put(slot, TaskLocals::default());
            } else {
                self.locals.put(slot, kept);
            }
        };
        TaskLocals::around(|| self.locals.take(slot), keep, || runnable.run());
    }

    /// Fast tasks are timed rarely, slow ones each.
    fn adapt_stride(&self, elapsed: u64) -> u32 {
        let stride = match elapsed {
            0..4_000 => (self.stride.get() * 2).min(MAX_STRIDE),
            4_000..16_000 => self.stride.get(),
            _ => (self.stride.get() / 4).max(1),
        };
        self.stride.set(stride);
        stride
    }
}

/// A task that was just started.
pub(crate) struct Spawned<T> {
    pub(crate) task: Task<Ended<T>, CellMeta>,
    pub(crate) number: u64,
}

impl<T> Spawned<T> {
    /// What the main task gave, once its loop has stopped. Panics with its panic.
    pub(crate) fn into_output(mut self) -> T {
        match Pin::new(&mut self.task).poll(&mut Context::from_waker(Waker::noop())).map(Ended::into_result) {
            Poll::Ready(Ok(output)) => output,
            Poll::Ready(Err(crash)) => match *crash {
                Crash::Panic(payload) => resume_unwind(payload),
                Crash::Aborted(_) | Crash::LoopEnded | Crash::Dropped => {
                    unreachable!("the main task ends first, and has no handle")
                }
            },
            Poll::Pending => unreachable!("the loop stops when its main task has ended"),
        }
    }
}

/// A task was woken: at home it joins the queue, elsewhere it's posted home.
fn schedule(remote: &'static Remote, runnable: Runnable<CellMeta>) {
    // The thread-local is gone only while its thread ends, which no loop outlives: then it's elsewhere.
    let mut runnable = Some(runnable);
    let wake_pump = LOOP.try_with(|home| {
        if !home.here.get().is_some_and(|here| std::ptr::eq(here.remote, remote)) {
            return false;
        }
        home.ready.borrow_mut().extend(runnable.take());
        home.asleep.replace(false)
    });
    if let Some(runnable) = runnable {
        remote.post(Letter::Run(runnable));
    } else if wake_pump.unwrap_or(false) {
        remote.wake_pump();
    }
}

/// One step of the SplitMix64 generator: the next state, and a number.
fn split_mix(state: u64) -> (u64, u64) {
    let next = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (next ^ (next >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (next, mixed ^ (mixed >> 31))
}

#[cfg(all(test, not(ferry_loom)))]
pub(crate) mod tests;
