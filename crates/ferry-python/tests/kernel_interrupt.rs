//! Interrupting cells: what computes is stopped, and nothing else is. Each test has the kernel to itself, as a
//! cell that never awaits holds up all others.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use asyncferry::AsyncRuntime;
use asyncferry_python::kernel::{Cell, CellError, CellErrorKind, CellOutcome, Kernel};
use pyo3::prelude::*;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// A kernel, and the right to use it.
fn kernel() -> (Kernel, MutexGuard<'static, ()>) {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    (Kernel::start().unwrap(), alone)
}

/// Waits for `future` on this thread. One that is never there fails the test.
fn wait<T>(future: impl Future<Output = T>) -> T {
    AsyncRuntime::block_on(asyncferry::timeout(Duration::from_secs(60), future)).expect("it ends in time")
}

/// Waits until `cell` has printed something.
fn printed(cell: &Cell) {
    assert!(wait(cell.output().next()).is_some());
}

fn value(outcome: Result<CellOutcome, CellError>) -> String {
    outcome.unwrap().repr.unwrap()
}

/// Interrupts a cell that runs `code`, which prints something when it has come to where it stays.
fn interrupted(code: &str) -> CellError {
    let (kernel, _alone) = kernel();
    let cell = kernel.run(format!("import asyncio\n{code}"));
    printed(&cell);
    cell.interrupt();
    let error = wait(cell).expect_err("it should have been interrupted");
    assert_eq!(value(wait(kernel.run("1 + 1"))), "2", "the kernel goes on");
    error
}

#[test]
fn a_cell_is_interrupted_wherever_it_stays() {
    let check = |code: &str, last_line: &str| {
        let error = interrupted(code);
        assert_eq!((error.kind, error.message.as_str()), (CellErrorKind::Interrupted, "KeyboardInterrupt"));
        assert!(error.traceback.contains("  File \"<cell "), "{}", error.traceback);
        assert!(error.stdout.ends_with(last_line), "{code}: {}", error.stdout);
        Python::attach(|py| {
            let exception = error.exception.unwrap();
            assert!(exception.bind(py).is_exact_instance_of::<pyo3::exceptions::PyKeyboardInterrupt>());
        });
    };
    check("print('in')\nwhile True: pass", "in\n");
    check("try:\n    print('in')\n    while True: pass\nfinally:\n    print('finally')", "finally\n");
    check("await asyncio.sleep(0)\nprint('in')\nwhile True: pass", "in\n");
    check("print('in')\nawait asyncio.Event().wait()", "in\n");
    check("async def spin():\n    print('in')\n    while True: pass\nawait spin()", "in\n");
    check(
        "async def spin():\n    print('in')\n    while True: pass\nawait asyncio.create_task(spin())",
        "in\n",
    );
    check(
        "async def spin():\n    print('in')\n    while True: pass\nawait asyncio.gather(asyncio.sleep(60), spin())",
        "in\n",
    );
    check("print('in')\nwhile True: await asyncio.sleep(0)", "in\n");
    check(
        "class Spins:\n    def __repr__(self):\n        print('in')\n        while True: pass\nSpins()",
        "in\n",
    );
    // A job of Rust wakes it in a turn of the loop that isn't its own.
    check("import asyncferry\nawait asyncferry.sleep(0.001)\nprint('in')\nwhile True: pass", "in\n");
}

#[test]
fn a_cell_that_refuses_to_be_cancelled_is_interrupted() {
    let (kernel, _alone) = kernel();
    let code = "
import asyncio
try:
    await asyncio.Event().wait()
except asyncio.CancelledError:
    print('refuses')
    while True: pass
";
    let cell = kernel.run(code);
    wait(kernel.run("1")).unwrap();
    cell.cancel("please");
    printed(&cell);
    cell.interrupt();
    assert_eq!(wait(cell).unwrap_err().kind, CellErrorKind::Interrupted);
}

#[test]
fn a_cell_may_catch_it_and_go_on() {
    let (kernel, _alone) = kernel();
    for stays in ["await asyncio.Event().wait()", "while True: pass"] {
        let code = format!(
            "
import asyncio
for name in 'first', 'second':
    try:
        print(name)
        {stays}
    except KeyboardInterrupt:
        print('caught', asyncio.current_task().cancelling())
async with asyncio.timeout(60):
    await asyncio.sleep(0)
'went on'
"
        );
        let cell = kernel.run(code);
        let mut output = cell.output();
        let mut text = String::new();
        for name in ["first", "second"] {
            while !text.contains(name) {
                let Some(chunk) = wait(output.next()) else { panic!("{stays} {text}: {:?}", wait(cell)) };
                text.push_str(&chunk.text);
            }
            cell.interrupt();
        }
        let outcome = wait(cell).unwrap();
        assert_eq!(outcome.stdout, "first\ncaught 0\nsecond\ncaught 0\n");
        assert_eq!(outcome.repr.unwrap(), "'went on'");
    }
}

#[test]
fn one_that_has_not_begun_never_ends_well() {
    let (kernel, _alone) = kernel();
    let first = kernel.run("print('in')\nwhile True: pass");
    printed(&first);
    let next = kernel.run("while True: pass");
    next.interrupt();
    first.interrupt();
    assert_eq!(wait(first).unwrap_err().kind, CellErrorKind::Interrupted);
    assert_eq!(wait(next).unwrap_err().kind, CellErrorKind::Interrupted);
}

#[test]
fn a_cell_that_nobody_awaits_any_more_can_be_interrupted() {
    let (kernel, _alone) = kernel();
    for end in [drop::<Cell>, Cell::detach] {
        let cell = kernel.run("print('in')\nwhile True: pass");
        printed(&cell);
        let control = cell.control();
        end(cell);
        control.interrupt();
        assert_eq!(value(wait(kernel.run("1 + 1"))), "2");
    }
}

#[test]
fn tasks_of_cells_look_like_tasks() {
    let (kernel, _alone) = kernel();
    let code = "
import asyncio, inspect
async def looks():
    await looks_go.wait()
    return (1, 2)
looks_go = asyncio.Event()
task = asyncio.create_task(looks(), name='looker')
await asyncio.sleep(0)
seen = [repr(task).split(' wait_for')[0], len(task.get_stack()), inspect.getcoroutinestate(task.get_coro())]
looks_go.set()
seen + [await task, asyncio.iscoroutine(task.get_coro())]
";
    let seen = value(wait(kernel.run(code)));
    let (shown, rest) = seen.split_once("looks() running at <cell ").unwrap();
    assert_eq!(shown, "[\"<Task pending name='looker' coro=<");
    let (_, rest) = rest.split_once(">\", ").unwrap();
    assert_eq!(rest, "1, 'CORO_SUSPENDED', (1, 2), True]");
    let error = wait(kernel.run("import asyncio\nasyncio.create_task(42)")).unwrap_err();
    assert_eq!(error.message, "TypeError: a coroutine was expected, got 42");
}

#[test]
fn nobody_else_is_interrupted_whenever_it_comes() {
    let (kernel, _alone) = kernel();
    // Python's threads take turns so often that the interrupts come everywhere.
    let set = "import asyncio, sys\nold_interval = sys.getswitchinterval()\nsys.setswitchinterval(1e-6)";
    wait(kernel.run(set)).unwrap();
    let bystander = "
async def computes():
    for _ in range(20):
        sum(n for n in range(20))
        await asyncio.sleep(0)
async def waits(): await by_event.wait()
await asyncio.gather(computes(), waits(), waits(), waits())
'unharmed'
";
    let victim = "
async def part(): sum(n for n in range(50))
for n in range(5):
    await asyncio.create_task(part())
    await asyncio.sleep(0)
    if n == 2: by_event.set()
'ended'
";
    let mut ends = [0, 0];
    for round in 0..300 {
        wait(kernel.run("by_event = asyncio.Event()")).unwrap();
        let (by, cell) = (kernel.run(bystander), kernel.run(victim));
        let control = cell.control();
        let interrupter = thread::spawn(move || {
            (0..round % 7 * 10).for_each(|_| thread::yield_now());
            control.interrupt();
            control.interrupt();
        });
        match wait(cell) {
            Ok(outcome) => ends[0] += usize::from(outcome.repr.unwrap() == "'ended'"),
            Err(error) => {
                assert_eq!(error.kind, CellErrorKind::Interrupted, "{error}");
                ends[1] += 1;
            }
        }
        // It was set or not, but not by half: that would leave those who wait for it asleep for good.
        wait(kernel.run("by_event.set()")).unwrap();
        assert_eq!(value(wait(by)), "'unharmed'");
        interrupter.join().unwrap();
    }
    wait(kernel.run("sys.setswitchinterval(old_interval)")).unwrap();
    assert_eq!(ends[0] + ends[1], 300);
}

#[test]
fn a_shutdown_waits_for_a_cell_that_never_awaits_until_it_is_interrupted() {
    let (kernel, _alone) = kernel();
    let cell = kernel.run("print('in')\nwhile True: pass");
    printed(&cell);
    thread::scope(|scope| {
        let shutdown = scope.spawn(|| kernel.shutdown());
        cell.interrupt();
        shutdown.join().unwrap();
    });
    assert_eq!(wait(cell).unwrap_err().kind, CellErrorKind::Interrupted);
    assert_eq!(value(wait(Kernel::start().unwrap().run("1 + 1"))), "2");
}
