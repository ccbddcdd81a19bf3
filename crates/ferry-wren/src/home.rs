//! [`Home`]: a machine on the thread of its loop, and all that belongs to it there.
//!
//! # Who owns what
//! The [`Vm`](crate::Vm) and the tasks of its fibers own the home; the home owns the machine. The machine's objects hold what
//! can be sent, and reach the home through [`current`], which is there while the machine runs. When the `Vm` goes, its tasks are
//! dropped, and with the last of them the home.
//!
//! # Who may be where
//! [`Home::enter`] is the one way into the machine. It's never called inside of itself: what runs in a method of a script's gets the
//! context that is there. Futures are polled with the machine left, but for the one poll in [`park::wait`](crate::park::wait),
//! whose futures don't enter it.
//!
//! # When it's idle
//! Each fiber has a task. `tasks` are those that have not ended, `for_others` those of them whose fibers wait for what only other
//! fibers can do. When all wait so, nothing here goes on by itself.

mod idle;

use crate::{
    host::Functions,
    ids::Ids,
    limits::Stopwatch,
    mail::Shared,
    park::{Park, Waited},
    stream::Streams,
    task::{Kind, Name, Task, Unseen},
};
use asyncferry::{
    AsyncError, Failure, TaskHandle, Value, ValueLimits, catch_panic, jobs::Pool, promise, spawn_local,
    value::Callback,
};
use rustc_hash::FxHashMap;
use slab::Slab;
use std::{
    any::Any,
    cell::{Cell, RefCell},
    future::Future,
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
};
use wren::{Context, Error, Run};

thread_local! {
    static CURRENT: RefCell<Option<Rc<Home>>> = const { RefCell::new(None) };
}

/// The home of the machine that runs on this thread: there is one, in a method of a script's.
pub(crate) fn current() -> Rc<Home> {
    let home = CURRENT.with_borrow(Clone::clone);
    home.unwrap_or_else(|| unreachable!("the machine runs, as it has called this"))
}

pub(crate) struct Home {
    /// There until the home goes.
    machine: RefCell<Option<wren::Vm>>,
    /// What the fiber waits for that was suspended last.
    park: RefCell<Option<Park>>,
    /// What the fiber that runs was given last as an error.
    given: RefCell<Option<Failure>>,
    tasks: RefCell<Slab<TaskHandle<()>>>,
    for_others: Cell<usize>,
    /// The fibers of those, for whoever wants to know where they wait.
    parked: RefCell<Slab<wren::Fiber>>,
    /// Grows whenever a fiber goes on.
    progress: Cell<u64>,
    wait_for_idle: RefCell<Vec<Waker>>,
    /// Fibers that suspended themselves, and what tells their tasks that they have ended.
    loose: RefCell<Vec<(wren::Fiber, asyncferry::Promise<()>)>>,
    /// Errors that nobody looked at.
    unseen: Arc<Mutex<Vec<Unseen>>>,
    report: RefCell<Report>,
    stopwatch: Option<Stopwatch>,
    /// Classes of the module `async`.
    classes: RefCell<FxHashMap<&'static str, wren::Class>>,
    pub(crate) functions: RefCell<Functions>,
    pub(crate) streams: RefCell<Streams>,
    pub(crate) ids: RefCell<Ids>,
    pub(crate) pool: Pool,
    pub(crate) counts: Counts,
    pub(crate) shared: Arc<Shared>,
    pub(crate) settings: Settings,
}

/// What becomes of a task's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errors {
    AreToldIfUnseen,
    /// Somebody else gets it.
    GoElsewhere,
}

/// Is told of errors that nobody looked at, with the task's name.
pub(crate) type Report = Box<dyn FnMut(&str, &Failure)>;

pub(crate) struct Settings {
    pub(crate) max_tasks: usize,
    pub(crate) values: ValueLimits,
    pub(crate) arguments: Vec<String>,
}

/// What a task or a channel takes of the machine's memory, about.
const WEIGHT: usize = 256;

/// What is counted.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) spawned: Cell<u64>,
    pub(crate) completed: Cell<u64>,
    pub(crate) failed: Cell<u64>,
    pub(crate) cancelled: Cell<u64>,
    pub(crate) callbacks: Cell<u64>,
}

pub(crate) fn count(counter: &Cell<u64>) {
    counter.set(counter.get() + 1);
}

/// What a home is made of.
pub(crate) struct Parts {
    pub(crate) machine: wren::Vm,
    pub(crate) pool: Pool,
    pub(crate) shared: Arc<Shared>,
    pub(crate) report: Report,
    pub(crate) stopwatch: Stopwatch,
    pub(crate) settings: Settings,
}

impl Home {
    pub(crate) fn new(parts: Parts) -> Rc<Self> {
        Rc::new(Self {
            machine: RefCell::new(Some(parts.machine)),
            park: RefCell::default(),
            given: RefCell::default(),
            tasks: RefCell::default(),
            for_others: Cell::default(),
            parked: RefCell::default(),
            progress: Cell::default(),
            wait_for_idle: RefCell::default(),
            loose: RefCell::default(),
            unseen: Arc::default(),
            report: RefCell::new(parts.report),
            stopwatch: parts.stopwatch.is_needed().then_some(parts.stopwatch),
            classes: RefCell::default(),
            functions: RefCell::default(),
            streams: RefCell::default(),
            ids: RefCell::default(),
            pool: parts.pool,
            counts: Counts::default(),
            shared: parts.shared,
            settings: parts.settings,
        })
    }

    // The machine.

    /// Does something with the machine.
    pub(crate) fn enter<R>(self: &Rc<Self>, act: impl FnOnce(&mut Context<'_>) -> R) -> R {
        /// Leaves it, whatever happens.
        struct Leave<'a>(&'a Home, Option<Rc<Home>>);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                CURRENT.set(self.1.take());
                if let Some(stopwatch) = &self.0.stopwatch {
                    stopwatch.end();
                }
            }
        }
        let mut machine = self.machine.borrow_mut();
        let leave = Leave(self, CURRENT.replace(Some(self.clone())));
        if let Some(stopwatch) = &self.stopwatch {
            stopwatch.begin();
        }
        let Some(entered) = machine.as_mut() else { unreachable!("the home is there") };
        let done = act(&mut entered.context());
        drop(leave);
        drop(machine);
        let gone = self.streams.borrow_mut().take_gone();
        drop(gone);
        self.tell_unseen();
        done
    }

    /// The fiber that runs was given this failure as an error.
    pub(crate) fn gave(&self, failure: Failure) {
        self.given.replace(Some(failure));
    }

    /// The failure that the fiber which has just run was given last, while it ran.
    pub(crate) fn take_given(&self) -> Option<Failure> {
        self.given.take()
    }

    /// Runs a fiber up to its end or its next wait, and gives what it waits for.
    pub(crate) fn step(
        self: &Rc<Self>,
        run: impl FnOnce(&mut Context<'_>) -> Result<Run, Error>,
    ) -> (Result<Run, Error>, Option<Park>) {
        self.progress.set(self.progress.get() + 1);
        let (run, park) = self.enter(|cx| {
            let run = run(cx);
            // One that suspended itself waits for nothing, though another may have, in a run of a method's own.
            let is_awaiting = match &run {
                Ok(Run::Suspended(fiber)) => fiber.is_awaiting(cx).unwrap_or(false),
                _ => false,
            };
            let park = self.park.take().filter(|_| is_awaiting);
            self.let_loose_go(cx);
            (run, park)
        });
        (run, park)
    }

    /// The fiber that runs is about to be suspended, and waits for this.
    pub(crate) fn park(&self, park: Park) {
        self.park.replace(Some(park));
    }

    /// What suspended its fiber meanwhile is never resumed.
    pub(crate) fn forget_park(&self) {
        let park = self.park.take();
        drop(park);
    }

    /// An object of one of the classes of the module `async`.
    pub(crate) fn object<T: Any + Send>(
        self: &Rc<Self>,
        cx: &mut Context<'_>,
        class: &'static str,
        held: T,
    ) -> Result<wren::Value, Error> {
        let known = self.classes.borrow().get(class).cloned();
        let class = match known {
            Some(known) => known,
            None => self.class(cx, class)?,
        };
        cx.new_object_weighing(&class, held, WEIGHT).map(Into::into)
    }

    #[cold]
    fn class(&self, cx: &mut Context<'_>, name: &'static str) -> Result<wren::Class, Error> {
        if cx.variable(crate::modules::ASYNC, name).is_none() {
            cx.run(crate::modules::ASYNC, crate::modules::ASYNC_SOURCE)?;
        }
        let Some(wren::Value::Class(class)) = cx.variable(crate::modules::ASYNC, name) else {
            return Err(Error::new(format!("The module async has no class {name}.")));
        };
        self.classes.borrow_mut().insert(name, class.clone());
        Ok(class)
    }

    /// An object of a class of a module that is there.
    pub(crate) fn object_of<T: Any + Send>(
        &self,
        cx: &mut Context<'_>,
        module: &str,
        class: &str,
        held: T,
    ) -> Result<wren::Value, Error> {
        match cx.variable(module, class) {
            Some(wren::Value::Class(class)) => cx.new_object_weighing(&class, held, WEIGHT).map(Into::into),
            _ => Err(Error::new(format!("The module {module} has no class {class}."))),
        }
    }

    pub(crate) fn limits(&self) -> &ValueLimits {
        &self.settings.values
    }

    /// A function of the script's, for others to call.
    pub(crate) fn callback(&self, function: wren::Function, name: &str) -> Callback {
        let shared = self.shared.clone();
        Callback::new(name, move |arguments| shared.call_function(function.clone(), arguments))
    }

    // Tasks.

    /// Starts a task, whose future gives what it ends with. Its error is told if nobody looks at it.
    pub(crate) fn spawn(
        self: &Rc<Self>,
        name: impl Into<Name>,
        body: impl Future<Output = Waited> + 'static,
    ) -> Result<Arc<Task>, Error> {
        self.spawn_with(name, Errors::AreToldIfUnseen, body)
    }

    /// As [`spawn`](Self::spawn), where it's said what becomes of its error.
    pub(crate) fn spawn_with(
        self: &Rc<Self>,
        name: impl Into<Name>,
        errors: Errors,
        body: impl Future<Output = Waited> + 'static,
    ) -> Result<Arc<Task>, Error> {
        self.check_room()?;
        let mut tasks = self.tasks.borrow_mut();
        count(&self.counts.spawned);
        let entry = tasks.vacant_entry();
        let (promise, outcome) = promise();
        let place = Place { home: self.clone(), key: entry.key() };
        let name = name.into();
        let told_as = name.clone();
        let handle = spawn_local(async move {
            let place = place;
            let outcome = match catch_panic(body).await {
                Ok(outcome) => outcome,
                Err(panic) => Err(panic.into()),
            };
            place.home.count_outcome(&outcome);
            // Nobody has the task any more if it can't be settled.
            if let (Err(Err(failure @ Failure::Failed(_))), Errors::AreToldIfUnseen) =
                (promise.settle(outcome), errors)
            {
                place.home.tell(&told_as, &failure);
            }
        });
        let canceller = handle.canceller();
        entry.insert(handle);
        drop(tasks);
        let kind = Kind::Task { outcome, canceller };
        Ok(Task::new(kind, name, Some(self.unseen.clone())))
    }

    /// Whether there may be another task.
    ///
    /// # Errors
    /// A sentence for the script.
    pub(crate) fn check_room(&self) -> Result<(), Error> {
        let count = self.live_tasks();
        if count < self.settings.max_tasks {
            return Ok(());
        }
        Err(Error::new(format!("Too many tasks: {count} are under way already. Await some first.")))
    }

    fn count_outcome(&self, outcome: &Waited) {
        count(match outcome {
            Ok(_) => &self.counts.completed,
            Err(Failure::Failed(_)) => &self.counts.failed,
            Err(Failure::Cancelled(_)) => &self.counts.cancelled,
        });
    }

    /// Drops all tasks, where they wait.
    pub(crate) fn drop_tasks(&self) {
        let tasks = std::mem::take(&mut *self.tasks.borrow_mut());
        for (_, task) in tasks {
            task.abort();
        }
    }

    // Errors that nobody looked at.

    fn tell_unseen(&self) {
        let unseen = std::mem::take(&mut *self.unseen());
        for unseen in unseen {
            self.tell(&unseen.name, &unseen.failure);
        }
    }

    fn unseen(&self) -> MutexGuard<'_, Vec<Unseen>> {
        self.unseen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of a failure that nobody will look at; later, if one is being told just now.
    pub(crate) fn tell(&self, name: &str, failure: &Failure) {
        match self.report.try_borrow_mut() {
            Ok(mut report) => report(name, failure),
            Err(_) => self.unseen().push(Unseen { name: name.to_owned(), failure: failure.clone() }),
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // Its objects go first, and with them the tasks that only they knew of.
        let machine = self.machine.get_mut().take();
        drop(machine);
        self.tell_unseen();
    }
}

/// A task's place among those that have not ended.
struct Place {
    home: Rc<Home>,
    key: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        let gone = self.home.tasks.borrow_mut().try_remove(self.key);
        drop(gone);
        self.home.look_whether_idle();
    }
}

/// A value's future, of a task of this home.
pub(crate) fn plain_of(home: &Rc<Home>, item: crate::park::Item) -> Result<Value, Failure> {
    if let crate::park::Item::Plain(value) = item {
        return Ok(value);
    }
    home.enter(|cx| {
        let value = item.into_wren(home, cx)?;
        crate::values::to_plain(home, cx, &value)
    })
    .map_err(|error| Failure::from_error(crate::error::ScriptError::new(error, None)))
}

/// The failure that an error of the machine is.
pub(crate) fn failure_of(error: Error, source: Option<Failure>) -> Failure {
    let source = match source {
        Some(Failure::Failed(source)) => Some(source),
        _ => None,
    };
    Failure::Failed(Arc::new(crate::error::ScriptError::new(error, source)))
}

/// As a failure of the loop's.
pub(crate) fn timed_out(after: std::time::Duration) -> Failure {
    Failure::from(AsyncError::Timeout(after))
}
