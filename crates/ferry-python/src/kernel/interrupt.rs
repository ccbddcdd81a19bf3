//! [`Interrupts`]: raises KeyboardInterrupt in one cell that computes, and nowhere else.
//!
//! CPython can have an exception raised in another thread (`PyThreadState_SetAsyncExc`): at the next place
//! where that thread's bytecode looks for such, whatever it runs there. That must be this cell's own code, and
//! neither another cell nor the loop. So the code of a cell runs in *steps*, each from where it goes on to
//! where it next waits or ends. A step is native code around the cell's:
//!
//! ```text
//!   enter   take down whose step this is
//!           the cell's own bytecode        ◀── an exception is sent only now
//!   leave   strike it out, and call back what was sent and not raised
//! ```
//!
//! Sending, entering and leaving take one lock, under which no Python code runs, and no bytecode runs between the
//! cell's and the two of them. What
//! is called back is raised when the cell goes on.
//!
//! A step also calls code of the loop: setting an event wakes others, by way of `call_soon`. Were that cut in two,
//! they would never wake. So nothing is sent while code of asyncio's, or of `cells.py`, is on the stack of the step
//! (see [`at_work`](super::at_work)), unless that lasts; and `call_soon`, which C code calls as well, is
//! *shielded*: what was sent before is called back for as long as it runs.
//!
//! | the request finds the cell | KeyboardInterrupt is raised |
//! |---|---|
//! | computing, at its top level or in a task that it made | there, by an exception that is sent |
//! | in the middle of asyncio's code | a moment later: the request is made again |
//! | waiting, or waiting for its turn | where its top level awaits, which is woken by a cancel |
//! | not begun, or computing beneath a step of another cell | when it begins, or goes on |
//! | ended | not at all |

use super::at_work::AtWork;
use pyo3::{exceptions::PyKeyboardInterrupt, ffi, prelude::*, sync::PyOnceLock};
use std::{
    collections::HashMap,
    ffi::c_long,
    sync::{Mutex, MutexGuard, PoisonError},
    thread::{self, ThreadId},
};

/// What a kernel's thread computes for which cell, and who was asked to stop.
pub(super) struct Interrupts {
    /// The kernel's thread, as Python numbers it.
    number: c_long,
    /// The same, as Rust does.
    thread: ThreadId,
    at_work: AtWork,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What the thread is inside of, the innermost last.
    steps: Vec<Step>,
    /// An exception was sent into the innermost step, and may not have been raised yet.
    is_sent: bool,
    /// The cells that have not ended, by number.
    cells: HashMap<u64, Asked>,
}

#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) cell: u64,
    pub(super) part: Part,
}

/// Which part of a cell computes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    TopLevel,
    /// A task that it made, or one that such a task made.
    Task,
    /// What the loop does for it, which must not be interrupted.
    Shielded,
}

/// What became of a request to interrupt a cell.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It's seen to.
    Done,
    /// The cell must be [woken](Interrupts::must_wake) for it.
    Wake,
    /// Now it can't be. Ask again.
    Busy,
}

/// How much a request to interrupt a cell may disturb.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Manners {
    /// Code of asyncio's that the cell calls is not interrupted.
    Careful,
    /// It is, as it seems to last.
    Blunt,
}

#[derive(Default)]
struct Asked {
    /// KeyboardInterrupt is to be raised when the top level goes on.
    is_wanted: bool,
    /// The top level awaits something.
    waits: bool,
    /// How often its task was cancelled for this.
    cancels: usize,
    /// KeyboardInterrupt was raised, once at least.
    was_interrupted: bool,
}

impl Interrupts {
    /// Those of the thread that calls this. `run` is the function of `cells.py` that runs a cell.
    pub(super) fn of_this_thread(run: &Bound<'_, PyAny>) -> PyResult<Self> {
        // SAFETY: it only asks the system for the number of this thread.
        let number = unsafe { ffi::PyThread_get_thread_ident() };
        Ok(Self {
            // CPython takes the same bits back, with a sign.
            number: number.cast_signed(),
            thread: thread::current().id(),
            at_work: AtWork::of_thread(number, run)?,
            state: Mutex::default(),
        })
    }

    /// A cell that can be interrupted from now on, until it's [forgotten](Self::forget).
    pub(super) fn expect(&self, cell: u64) {
        self.lock().cells.insert(cell, Asked::default());
    }

    /// The cell has ended.
    pub(super) fn forget(&self, cell: u64) {
        self.lock().cells.remove(&cell);
    }

    /// Interrupts the cell if it computes. If not, takes down that it's to be interrupted.
    pub(super) fn interrupt(&self, py: Python<'_>, cell: u64, manners: Manners) -> PyResult<Answer> {
        // Before the lock is taken: Python's garbage collector may run in there.
        let is_at_work = manners == Manners::Careful && self.at_work.is_in_step(py)?;
        let mut state = self.lock();
        let step = state.steps.last().copied().filter(|step| step.cell == cell);
        let Some(asked) = state.cells.get_mut(&cell) else { return Ok(Answer::Done) };
        let Some(step) = step else {
            asked.is_wanted = true;
            return Ok(if asked.waits { Answer::Wake } else { Answer::Done });
        };
        if step.part == Part::Shielded || is_at_work {
            return Ok(Answer::Busy);
        }
        state.is_sent = true;
        self.send(py);
        Ok(Answer::Done)
    }

    /// On the kernel's thread, between steps: whether the cell's task is to be cancelled now.
    pub(super) fn must_wake(&self, cell: u64) -> bool {
        let mut state = self.lock();
        let asked = state.cells.get_mut(&cell).filter(|asked| asked.is_wanted && asked.waits);
        asked.map(|asked| asked.cancels += 1).is_some()
    }

    pub(super) fn are_of_this_thread(&self) -> bool {
        thread::current().id() == self.thread
    }

    /// Whether KeyboardInterrupt was raised in the cell on request.
    pub(super) fn has_interrupted(&self, cell: u64) -> bool {
        self.lock().cells.get(&cell).is_some_and(|asked| asked.was_interrupted)
    }

    /// How often the cell's task was cancelled for it, if KeyboardInterrupt is to be raised in this step.
    pub(super) fn enter(&self, step: Step) -> Option<usize> {
        let mut state = self.lock();
        state.steps.push(step);
        let asked = state.cells.get_mut(&step.cell).filter(|_| step.part == Part::TopLevel)?;
        asked.waits = false;
        if !std::mem::take(&mut asked.is_wanted) {
            return None;
        }
        asked.was_interrupted = true;
        Some(std::mem::take(&mut asked.cancels))
    }

    /// Says whether the cell must be [woken](Self::must_wake).
    pub(super) fn leave(&self, py: Python<'_>, step: Step, waits: bool) -> bool {
        let mut state = self.lock();
        state.steps.pop();
        let mut is_left = false;
        if std::mem::take(&mut state.is_sent) {
            drop(state);
            // Nothing is sent meanwhile: this step is struck out, and the next has not begun.
            is_left = self.call_back(py, step.cell);
            state = self.lock();
        }
        let mut must_wake = false;
        if let Some(asked) = state.cells.get_mut(&step.cell) {
            asked.waits = if step.part == Part::TopLevel { waits } else { asked.waits };
            asked.is_wanted |= is_left;
            must_wake = asked.is_wanted && asked.waits;
        }
        self.go_on_outside(py, &mut state);
        must_wake
    }

    /// Has the step around here left alone until [`unshield`](Self::unshield), if there is one.
    pub(super) fn shield(&self, py: Python<'_>) -> Option<Shield> {
        let mut state = self.lock();
        let cell = state.steps.last()?.cell;
        state.steps.push(Step { cell, part: Part::Shielded });
        let was_sent = std::mem::take(&mut state.is_sent);
        drop(state);
        Some(Shield { is_left: was_sent && self.call_back(py, cell) })
    }

    pub(super) fn unshield(&self, py: Python<'_>, shield: &Shield) {
        let mut state = self.lock();
        state.steps.pop();
        if shield.is_left {
            state.is_sent = true;
            self.send(py);
        }
    }

    /// The step around the one that ended goes on. It may have been asked meanwhile.
    fn go_on_outside(&self, py: Python<'_>, state: &mut State) {
        let Some(outer) = state.steps.last().copied() else { return };
        let asked = state.cells.get_mut(&outer.cell).filter(|_| outer.part == Part::TopLevel);
        if asked.is_some_and(|asked| std::mem::take(&mut asked.is_wanted)) {
            state.is_sent = true;
            self.send(py);
        }
    }

    /// Has KeyboardInterrupt raised on the kernel's thread. Its innermost step must stay what it is until this
    /// returns, so the caller holds the lock.
    fn send(&self, py: Python<'_>) {
        let exception = py.get_type::<PyKeyboardInterrupt>();
        // SAFETY: the interpreter is attached, and the exception is a class; CPython makes a reference of its own.
        unsafe { ffi::PyThreadState_SetAsyncExc(self.number, exception.as_ptr()) };
    }

    /// Takes back what was sent into a step of `cell`, and says whether there was something left.
    fn call_back(&self, py: Python<'_>, cell: u64) -> bool {
        let is_left = is_interrupted(py);
        // SAFETY: the interpreter is attached; no exception means to take back what was sent.
        unsafe { ffi::PyThreadState_SetAsyncExc(self.number, std::ptr::null_mut()) };
        if let Some(asked) = self.lock().cells.get_mut(&cell).filter(|_| !is_left) {
            asked.was_interrupted = true;
        }
        is_left
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was called back for a shielded call.
pub(super) struct Shield {
    is_left: bool,
}

/// Whether an exception waits to be raised on this thread. CPython doesn't tell, so a function without a side
/// effect is called, for it to be raised there.
fn is_interrupted(py: Python<'_>) -> bool {
    static PROBE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = || py.eval(c"lambda: [None for _ in (1, 2)]", None, None).map(Bound::unbind);
    PROBE.get_or_try_init(py, make).and_then(|probe| probe.call0(py).map(drop)).is_err()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{control::CellControl, steps::Inside},
        *,
    };
    use crate::{home::Home, interpreter};
    use pyo3::types::{PyCFunction, PyDict, PyTuple};
    use std::sync::Arc;

    /// Two cells that this thread computes for.
    fn with_cells(test: impl FnOnce(Python<'_>, &Arc<Interrupts>, &CellControl, &CellControl)) {
        interpreter::ensure_started().unwrap();
        Python::attach(|py| {
            let event_loop = py.import("asyncio").unwrap().call_method0("new_event_loop").unwrap();
            let home = Home::of(&event_loop).unwrap();
            let run = py.eval(c"eval(compile('lambda: None', 'cells.py', 'eval'))", None, None).unwrap();
            let interrupts = Arc::new(Interrupts::of_this_thread(&run).unwrap());
            let cell = |number| {
                interrupts.expect(number);
                CellControl::new(home.clone(), interrupts.clone(), number)
            };
            test(py, &interrupts, &cell(1), &cell(2));
            event_loop.call_method0("close").unwrap();
        });
    }

    /// Runs bytecode, and tells whether it was interrupted.
    fn is_raised(py: Python<'_>) -> bool {
        let computed = py.run(c"for _ in range(100): pass", None, None);
        computed.is_err_and(|error| error.is_instance_of::<PyKeyboardInterrupt>(py))
    }

    fn ask(py: Python<'_>, interrupts: &Interrupts) -> Answer {
        interrupts.interrupt(py, 1, Manners::Careful).unwrap()
    }

    fn begin<'a, 'py>(py: Python<'py>, cell: &'a CellControl, part: Part) -> (Inside<'a, 'py>, bool) {
        Inside::begin(py, cell, part).unwrap()
    }

    #[test]
    fn a_cell_that_computes_is_interrupted_once() {
        with_cells(|py, interrupts, cell, _| {
            for part in [Part::TopLevel, Part::Task] {
                let (inside, is_interrupted) = begin(py, cell, part);
                assert!(!is_interrupted);
                assert_eq!(ask(py, interrupts), Answer::Done);
                assert_eq!(ask(py, interrupts), Answer::Done);
                assert!(is_raised(py) && !is_raised(py));
                drop(inside);
                assert!(!is_raised(py) && !begin(py, cell, Part::TopLevel).1);
            }
            assert!(interrupts.has_interrupted(1) && !interrupts.has_interrupted(2));
        });
    }

    #[test]
    fn what_comes_at_the_end_of_a_step_is_raised_when_the_cell_goes_on() {
        with_cells(|py, interrupts, cell, bystander| {
            for part in [Part::TopLevel, Part::Task] {
                let (inside, _) = begin(py, cell, part);
                ask(py, interrupts);
                drop(inside);
                assert!(!is_raised(py), "the loop is not interrupted");
                assert!(!interrupts.has_interrupted(1));
                let (inside, is_interrupted) = begin(py, bystander, Part::TopLevel);
                assert!(!is_interrupted && !is_raised(py));
                drop(inside);
                assert!(!begin(py, cell, Part::Task).1, "its top level is to go on");
                assert!(begin(py, cell, Part::TopLevel).1 && interrupts.has_interrupted(1));
                assert!(!begin(py, cell, Part::TopLevel).1);
                interrupts.forget(1);
                interrupts.expect(1);
            }
        });
    }

    #[test]
    fn what_comes_at_the_end_of_a_cell_is_forgotten() {
        with_cells(|py, interrupts, cell, _| {
            let (inside, _) = begin(py, cell, Part::TopLevel);
            ask(py, interrupts);
            interrupts.forget(1);
            drop(inside);
            assert!(!is_raised(py));
            assert!(ask(py, interrupts) == Answer::Done && !interrupts.must_wake(1));
            assert!(!is_raised(py));
            assert!(interrupts.lock().cells.len() == 1 && interrupts.lock().steps.is_empty());
        });
    }

    #[test]
    fn a_cell_that_waits_is_woken() {
        with_cells(|py, interrupts, cell, _| {
            let (mut inside, _) = begin(py, cell, Part::TopLevel);
            inside.waits = true;
            drop(inside);
            assert!(ask(py, interrupts) == Answer::Wake && interrupts.must_wake(1));
            assert!(!is_raised(py));
            assert_eq!(interrupts.enter(Step { cell: 1, part: Part::TopLevel }), Some(1));
            assert!(!interrupts.must_wake(1), "it has gone on");
        });
    }

    #[test]
    fn a_cell_beneath_another_is_interrupted_when_it_goes_on() {
        with_cells(|py, interrupts, cell, bystander| {
            let (outer, _) = begin(py, cell, Part::TopLevel);
            let (inner, _) = begin(py, bystander, Part::Task);
            assert!(ask(py, interrupts) == Answer::Done && !is_raised(py));
            drop(inner);
            assert!(is_raised(py) && !is_raised(py));
            drop(outer);
            assert!(!begin(py, cell, Part::TopLevel).1);
        });
    }

    #[test]
    fn a_shielded_call_is_not_interrupted_and_what_comes_after_it_is() {
        with_cells(|py, interrupts, cell, _| {
            assert!(interrupts.shield(py).is_none(), "the loop's own code needs none");
            for part in [Part::TopLevel, Part::Task] {
                let (_inside, _) = begin(py, cell, part);
                ask(py, interrupts);
                let shield = interrupts.shield(py).unwrap();
                assert!(!is_raised(py));
                assert_eq!(interrupts.interrupt(py, 1, Manners::Blunt).unwrap(), Answer::Busy);
                interrupts.unshield(py, &shield);
                assert!(is_raised(py) && !is_raised(py));
                let shield = interrupts.shield(py).unwrap();
                interrupts.unshield(py, &shield);
                assert!(!is_raised(py) && interrupts.has_interrupted(1));
            }
        });
    }

    #[test]
    fn code_of_asyncio_is_not_cut_in_two_unless_it_lasts() {
        with_cells(|py, interrupts, cell, _| {
            // A function of a file that calls another.
            let code = c"lambda file, inner: eval(compile('lambda inner: inner()', file, 'eval'))(inner)";
            let call = py.eval(code, None, None).unwrap();
            let asyncio = py.eval(c"__import__('asyncio').Handle._run.__code__.co_filename", None, None);
            let asyncio = asyncio.unwrap().to_string().replace("events.py", "a file.py");
            let check = |file: &str, manners: Manners, expected: Answer| {
                let (inside, _) = begin(py, cell, Part::TopLevel);
                let interrupts = interrupts.clone();
                let ask = move |args: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| {
                    interrupts.interrupt(args.py(), 1, manners).map(|answer| answer == Answer::Busy)
                };
                let ask = PyCFunction::new_closure(py, None, None, ask).unwrap();
                let is_busy = call.call1((file, ask)).map(|busy| busy.extract::<bool>().unwrap());
                assert_eq!(is_busy.is_ok_and(|busy| busy), expected == Answer::Busy, "{file}");
                drop(inside);
                interrupts_are_over(py, cell);
            };
            check("<cell 1>", Manners::Careful, Answer::Done);
            check(&asyncio, Manners::Careful, Answer::Busy);
            check(&asyncio, Manners::Blunt, Answer::Done);
            check("cells.py", Manners::Careful, Answer::Busy);
        });
    }

    /// Has what is left of an interrupt raised.
    fn interrupts_are_over(py: Python<'_>, cell: &CellControl) {
        let (_inside, _) = begin(py, cell, Part::TopLevel);
        is_raised(py);
    }
}
