//! The kernel's end, and what else concerns the whole kernel: each test has it to itself.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use asyncferry::AsyncRuntime;
use asyncferry_python::kernel::{Cell, CellError, CellErrorKind, CellOutcome, Kernel};
use pyo3::{
    exceptions::PyRuntimeError,
    ffi::c_str,
    prelude::*,
    types::{PyCFunction, PyDict, PyTuple},
};
use std::{
    sync::{Mutex, MutexGuard, PoisonError, mpsc},
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

#[test]
fn shutdown_cancels_cells_and_a_new_kernel_can_start() {
    let (kernel, _alone) = kernel();
    let code = "
import asyncio
survives = 1
try:
    print('in')
    await asyncio.Event().wait()
finally:
    await asyncio.sleep(0)
    print('cleaned up')
";
    let cell = kernel.run(code);
    printed(&cell);
    kernel.shutdown();
    let error = wait(cell).unwrap_err();
    assert_eq!((error.kind, error.stdout.as_str()), (CellErrorKind::Cancelled, "in\ncleaned up\n"));
    assert!(error.message.contains("the kernel is shutting down"), "{}", error.message);
    kernel.shutdown();
    let late = kernel.run("1");
    assert_eq!(wait(late.output().next()), None);
    assert_eq!(wait(late).unwrap_err().kind, CellErrorKind::KernelGone);

    let again = Kernel::start().unwrap();
    assert_eq!(value(wait(again.run("survives + 1"))), "2");
    let depth = "import sys\ntype(sys.stdout.original).__name__";
    assert_eq!(value(wait(again.run(depth))), "'TextIOWrapper'", "output is routed once");
}

#[test]
fn exits_during_shutdown_end_their_task_only() {
    let (kernel, _alone) = kernel();
    let code = "
import asyncio, sys
async def exits(error):
    try:
        await asyncio.Event().wait()
    finally:
        raise error
exit_tasks = [asyncio.create_task(exits(error)) for error in (SystemExit(9), KeyboardInterrupt())]
await asyncio.sleep(0)
print('in')
try:
    await asyncio.Event().wait()
finally:
    await asyncio.sleep(0.01)
    asyncio.get_running_loop().stop()
    await asyncio.to_thread(print, 'cleaned up')
";
    let cell = kernel.run(code);
    printed(&cell);
    kernel.shutdown();
    let error = wait(cell).unwrap_err();
    assert_eq!((error.kind, error.stdout.as_str()), (CellErrorKind::Cancelled, "in\ncleaned up\n"));
}

#[test]
fn stopping_the_loop_does_not_end_the_kernel() {
    let (kernel, _alone) = kernel();
    let code = "import asyncio\nasyncio.get_running_loop().stop()\nawait asyncio.sleep(0.01, 'went on')";
    assert_eq!(value(wait(kernel.run(code))), "'went on'");
    assert_eq!(value(wait(kernel.run("1 + 1"))), "2");
}

#[test]
fn a_kernel_whose_loop_breaks_counts_as_stopped() {
    let (kernel, _alone) = kernel();
    let waiting = kernel
        .run("import asyncio\nprint('in')\nkept_task = asyncio.current_task()\nawait asyncio.Event().wait()");
    let mut output = waiting.output();
    assert!(wait(output.next()).is_some());
    let breaks =
        "import asyncio\nbroken = asyncio.get_running_loop()\nbroken.run_forever = None\nbroken.stop()";
    wait(kernel.run(breaks)).unwrap();
    assert_eq!(wait(output.next()), None);
    let error = wait(waiting).unwrap_err();
    assert_eq!((error.kind, error.stdout.as_str()), (CellErrorKind::KernelGone, "in\n"));
    assert_eq!(value(wait(Kernel::start().unwrap().run("del kept_task, broken\n1 + 1"))), "2");
    assert_eq!(wait(kernel.run("1")).unwrap_err().kind, CellErrorKind::KernelGone);
    kernel.shutdown();
}

#[test]
fn all_who_shut_it_down_wait_until_it_is_gone() {
    let (kernel, _alone) = kernel();
    // tidy: sleep, as the cell must hold the kernel's thread without an await.
    let cell = kernel.run("import time\nprint('in')\ntime.sleep(0.2)\nslept_all = True");
    printed(&cell);
    let shut_down = || {
        kernel.shutdown();
        Python::attach(|py| py.eval(c_str!("__import__('__main__').slept_all"), None, None).map(drop))
    };
    thread::scope(|scope| {
        let all =
            [scope.spawn(shut_down), scope.spawn(shut_down), scope.spawn(|| Python::attach(|_| shut_down()))];
        for one in all {
            one.join().unwrap().expect("the cell had ended");
        }
    });
    wait(cell).unwrap();
}

#[test]
fn the_kernels_own_threads_only_ask_it_to_end() {
    for code in ["ask()", "import asyncio\nawait asyncio.to_thread(ask)"] {
        let (kernel, _alone) = kernel();
        let (inside, (sender, returned)) = (kernel.clone(), mpsc::channel());
        Python::attach(|py| {
            let ask = move |_: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| {
                inside.shutdown();
                sender.send(()).map_err(|_| PyRuntimeError::new_err("the test is over"))
            };
            let ask = PyCFunction::new_closure(py, None, None, ask).unwrap();
            py.import("__main__").unwrap().setattr("ask", ask).unwrap();
        });
        kernel.run(code).detach();
        returned.recv_timeout(Duration::from_secs(60)).expect("it does not wait for itself");
        kernel.shutdown();
        assert_eq!(wait(kernel.run("1")).unwrap_err().kind, CellErrorKind::KernelGone);
    }
}

#[test]
fn a_cell_that_cannot_be_started_fails() {
    let (kernel, _alone) = kernel();
    let set = |code: &std::ffi::CStr| Python::attach(|py| py.run(code, None, None).unwrap());
    set(c_str!("import asyncio; asyncio.was_task, asyncio.Task = asyncio.Task, None"));
    let cell = kernel.run("1");
    let mut output = cell.output();
    let outcome = wait(cell);
    assert_eq!(wait(output.next()), None);
    set(c_str!("import asyncio; asyncio.Task = asyncio.was_task; del asyncio.was_task"));
    let error = outcome.unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (CellErrorKind::Raised, "TypeError: 'NoneType' object is not callable")
    );
    // A task factory has no say in it.
    let factory = "import asyncio\nasyncio.get_running_loop().set_task_factory(lambda *_, **__: 1 / 0)";
    wait(kernel.run(factory)).unwrap();
    assert_eq!(value(wait(kernel.run("1 + 1"))), "2");
    kernel.shutdown();
}

#[test]
fn the_sources_of_old_cells_are_forgotten() {
    let (kernel, _alone) = kernel();
    let count = "import linecache\nlen([name for name in linecache.cache if name.startswith('<cell ')])";
    wait(kernel.run("def of_an_old_cell():\n    return 1 / 0  # old")).unwrap();
    let traceback = |kernel: &Kernel| wait(kernel.run("of_an_old_cell()")).unwrap_err().traceback;
    assert!(traceback(&kernel).contains("# old"));
    // A later kernel counts on, so it doesn't take the name of an earlier one's cell.
    kernel.shutdown();
    let kernel = Kernel::start().unwrap();
    for _ in 0..10 {
        wait(kernel.run("1")).unwrap();
    }
    assert!(traceback(&kernel).contains("# old"));
    for _ in 0..1000 {
        wait(kernel.run("1")).unwrap();
    }
    assert!(!traceback(&kernel).contains("# old"));
    assert_eq!(value(wait(kernel.run(count))), "1000");
    for _ in 0..3 {
        wait(kernel.run(format!("'{}'\nNone", "x".repeat(6 << 20)))).unwrap();
    }
    assert_eq!(value(wait(kernel.run(count))), "3", "16 MiB in all");
}
