//! The kernel: cells, what they print, and how they end. One process has one kernel, so the tests share it;
//! each has variables of its own.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use asyncferry::AsyncRuntime;
use asyncferry_python::kernel::{Cell, CellError, CellErrorKind, CellOutcome, Kernel, Stream};
use pyo3::prelude::*;
use std::time::Duration;

fn kernel() -> Kernel {
    Kernel::start().unwrap()
}

/// Waits for the outcome on this thread. A kernel that never answers fails the test.
fn wait(cell: Cell) -> Result<CellOutcome, CellError> {
    AsyncRuntime::block_on(asyncferry::timeout(Duration::from_secs(60), cell)).expect("it ends in time")
}

fn run(code: &str) -> Result<CellOutcome, CellError> {
    wait(kernel().run(code))
}

fn fails(code: &str) -> CellError {
    run(code).expect_err("it should have failed")
}

#[test]
fn a_cell_gives_the_value_of_its_last_line() {
    let check = |code: &str, expected: Option<&str>| {
        assert_eq!(run(code).unwrap().repr.as_deref(), expected, "{code}");
    };
    check("6 * 7", Some("42"));
    check("value_x = 1\nvalue_x + 1", Some("2"));
    check("value_x = 1", None);
    check("None", None);
    check("", None);
    check("# nothing", None);
    check("import asyncio\nawait asyncio.sleep(0, 'slept')", Some("'slept'"));
    check(
        "from __future__ import annotations\ndef f(x: undefined_name): pass\nf.__annotations__",
        Some("{'x': 'undefined_name'}"),
    );
    let value = run("object_in_rust = [1]\nobject_in_rust").unwrap().value.unwrap();
    Python::attach(|py| assert_eq!(value.bind(py).extract::<Vec<i32>>().unwrap(), [1]));
}

#[test]
fn globals_persist_and_are_those_of_main() {
    run("def kept_f():\n    return kept_v").unwrap();
    run("import asyncio\nkept_v = await asyncio.sleep(0, 5)").unwrap();
    assert_eq!(
        run("kept_f(), __name__, __import__('__main__').kept_v").unwrap().repr.unwrap(),
        "(5, '__main__', 5)"
    );
}

#[test]
fn there_is_one_kernel() {
    let (first, second) = (kernel(), kernel());
    let numbers = [first.run("1").number(), second.run("1").number(), first.run("1").number()];
    assert!(numbers.is_sorted() && numbers[0] != numbers[1] && numbers[1] != numbers[2], "{numbers:?}");
}

#[test]
fn errors_show_the_cell_and_its_source() {
    run("def deep_f(n):\n    return n / 0  # here").unwrap();
    let error = fails("x = 1\ndeep_f(x)");
    assert_eq!(error.kind, CellErrorKind::Raised);
    assert_eq!(error.message, "ZeroDivisionError: division by zero");
    let lines: Vec<_> = error.traceback.lines().collect();
    assert_eq!(lines[0], "Traceback (most recent call last):");
    assert!(
        lines[1].starts_with("  File \"<cell ") && lines[1].ends_with("line 2, in <module>"),
        "{lines:?}"
    );
    assert_eq!(lines[2], "    deep_f(x)");
    assert!(lines.contains(&"    return n / 0  # here"), "{lines:?}");
    assert_eq!(*lines.last().unwrap(), error.message);
    assert!(!error.traceback.contains("ferry kernel"), "{}", error.traceback);
    Python::attach(|py| {
        let exception = error.exception.unwrap();
        assert!(exception.bind(py).is_instance_of::<pyo3::exceptions::PyZeroDivisionError>());
    });
}

#[test]
fn tracebacks_have_no_frame_of_the_kernel() {
    run("class FrameR:\n    def __repr__(self): return 1 / 0").unwrap();
    for code in ["FrameR()", "1 / 0", "import asyncio\nawait asyncio.sleep(0)\n1 / 0"] {
        let error = fails(code);
        assert_eq!(error.message, "ZeroDivisionError: division by zero");
        assert!(
            error.traceback.lines().nth(1).unwrap().starts_with("  File \"<cell "),
            "{}",
            error.traceback
        );
        let exception = error.exception.unwrap();
        Python::attach(|py| {
            let traceback = exception.bind(py).getattr("__traceback__").unwrap();
            let code = traceback.getattr("tb_frame").unwrap().getattr("f_code").unwrap();
            let file: String = code.getattr("co_filename").unwrap().extract().unwrap();
            assert!(file.starts_with("<cell "), "{file}");
        });
    }
    // It would be a RuntimeError if it came out of a coroutine of the kernel's.
    assert_eq!(fails("next(iter([]))").message, "StopIteration");
    let error = fails("error = ValueError('the line')\nerror.add_note('a note')\nraise error");
    assert_eq!(error.message, "ValueError: the line");
    assert!(error.traceback.ends_with("ValueError: the line\na note\n"), "{}", error.traceback);
    // Python counts no other lines than those that end with a line feed or a carriage return.
    let error = fails("'\u{2028}\x0c'\n1 / 0  # here");
    assert!(error.traceback.contains("line 2, in <module>\n    1 / 0  # here\n"), "{}", error.traceback);
}

#[test]
fn texts_that_are_no_unicode_end_a_cell_as_others_do() {
    assert_eq!(
        run("class NoText:\n    __repr__ = lambda self: 'a\\udc80b'\nNoText()").unwrap().repr.unwrap(),
        "a\u{fffd}\u{fffd}\u{fffd}b"
    );
    let error = fails("raise ValueError('a\\udc80b')");
    assert_eq!(error.message, "ValueError: a\u{fffd}\u{fffd}\u{fffd}b");
    assert!(error.traceback.ends_with("ValueError: a\u{fffd}\u{fffd}\u{fffd}b\n"), "{}", error.traceback);
    assert_eq!(run("print('a\\udc80')").unwrap().stdout, "a\u{fffd}\u{fffd}\u{fffd}\n");
}

#[test]
fn an_error_that_cannot_be_shown_ends_the_cell() {
    let error = fails("class Odd(SyntaxError):\n    lineno = property(lambda self: 1 / 0)\nraise Odd");
    assert_eq!((error.kind, error.message.as_str()), (CellErrorKind::Raised, "Odd"));
    let error = fails("class Mute(Exception):\n    def __str__(self): raise KeyboardInterrupt\nraise Mute");
    assert_eq!(
        (error.kind, error.message.as_str()),
        (CellErrorKind::Raised, "Mute: <exception str() failed>")
    );
}

#[test]
fn a_syntax_error_says_where_and_runs_nothing() {
    let error = fails("never_set = 1\nif True\n    pass");
    assert_eq!(error.kind, CellErrorKind::Syntax);
    assert_eq!(error.message, "SyntaxError: expected ':'");
    assert!(
        error.traceback.contains("line 2") && error.traceback.contains("    if True\n"),
        "{}",
        error.traceback
    );
    // Python 3.13 adds a guess of what was meant.
    let message = fails("never_set").message;
    assert!(message.starts_with("NameError: name 'never_set' is not defined"), "{message}");
    assert_eq!(fails("a\0b").kind, CellErrorKind::Syntax);
}

#[test]
fn exits_and_interrupts_end_the_cell_only() {
    let error = fails("print('before')\nimport sys; sys.exit(3)");
    assert_eq!(
        (error.kind, error.message.as_str(), error.stdout.as_str()),
        (CellErrorKind::Exit, "SystemExit: 3", "before\n")
    );
    assert_eq!(fails("raise KeyboardInterrupt").kind, CellErrorKind::Raised);
    // Out of a task that the cell awaits, they come by way of the loop.
    let code = "import asyncio, sys\nasync def quit(): sys.exit(4)\nawait asyncio.create_task(quit())";
    assert_eq!(fails(code).message, "SystemExit: 4");
    assert_eq!(run("'still here'").unwrap().repr.unwrap(), "'still here'");
}

#[test]
fn overlapping_cells_keep_their_output_apart() {
    let kernel = kernel();
    let meet = "import asyncio\nmeet_a, meet_b = asyncio.Event(), asyncio.Event()";
    wait(kernel.run(meet)).unwrap();
    let code = |mine: &str, set: &str, wait: &str| {
        format!(
            "
import asyncio, sys
async def of_{mine}_task():
    print('{mine} task')
def of_{mine}_thread():
    print('{mine} thread')
print('{mine} 1')
{set}.set()
await {wait}.wait()
await asyncio.create_task(of_{mine}_task())
await asyncio.to_thread(of_{mine}_thread)
print('{mine} err', file=sys.stderr)
sys.stdout.buffer.write('{mine} ü\\n'.encode())
print('{mine} 2', flush=True)
"
        )
    };
    let (a, b) = (kernel.run(code("a", "meet_a", "meet_b")), kernel.run(code("b", "meet_b", "meet_a")));
    for (mine, cell) in [("a", a), ("b", b)] {
        let outcome = wait(cell).unwrap();
        assert_eq!(outcome.stdout, format!("{mine} 1\n{mine} task\n{mine} thread\n{mine} ü\n{mine} 2\n"));
        assert_eq!(outcome.stderr, format!("{mine} err\n"));
    }
}

#[test]
fn the_output_of_a_cell_behaves_as_a_text_file() {
    let check = |code: &str, expected: &str| {
        let outcome = run(&format!("import sys\n{code}")).unwrap();
        assert_eq!(outcome.repr.as_deref().unwrap_or_default(), expected, "{code}");
    };
    check("sys.stdout.name, sys.stderr.name", "('<stdout>', '<stderr>')");
    check("sys.stdout.encoding, sys.stdout.errors, sys.stdout.newlines", "('utf-8', 'replace', None)");
    check("sys.stdout.line_buffering, sys.stdout.write_through, sys.stdout.mode", "(True, False, 'w')");
    check("sys.stdout.isatty(), sys.stdout.writable(), sys.stdout.readable()", "(False, True, False)");
    check("sys.stdout.reconfigure(encoding='latin-1', line_buffering=False)\nsys.stdout.encoding", "'utf-8'");
    check(
        "sys.stdout.close()\nsys.stdout.buffer.close()\nsys.stdout.closed, sys.stdout.buffer.closed",
        "(False, False)",
    );
    check("sys.stdout.fileno(), sys.stdout.buffer.fileno(), sys.stderr.fileno()", "(1, 1, 2)");
    check("sys.stdout.writelines(['a', 'b'])\nsys.stdout.buffer.write(memoryview(b'abc'))", "3");
    check("hasattr(sys.stdout, 'no_such_thing')", "False");
    for wrong in ["sys.stdout.write(b'')", "sys.stdout.buffer.write('')", "sys.stdout.buffer.write(3)"] {
        let error = fails(&format!("import sys\n{wrong}"));
        assert!(error.message.starts_with("TypeError"), "{wrong}: {}", error.message);
    }
}

#[test]
fn outside_of_cells_the_streams_are_the_processes_own() {
    run("import sys").unwrap();
    Python::attach(|py| {
        let code = c"sys = __import__('sys')
for stream in sys.stdout, sys.stderr:
    for name in 'name', 'encoding', 'errors', 'newlines', 'write_through', 'mode':
        assert getattr(stream, name) == getattr(stream.original, name), name
for on in True, False:
    sys.stdout.reconfigure(line_buffering=on)
    assert sys.stdout.line_buffering == sys.stdout.original.line_buffering == on
";
        py.run(code, None, None).unwrap();
    });
}

#[test]
fn bytes_may_end_inside_a_character() {
    let code = "
import asyncio, sys
first, rest = 'ü'.encode()[:1], 'ü'.encode()[1:]
sys.stdout.buffer.write(first)
sys.stderr.buffer.write(first)
await asyncio.sleep(0)
sys.stdout.buffer.write(rest)
sys.stderr.buffer.write(rest)
sys.stdout.buffer.write(first)
";
    let kernel = kernel();
    for cell in [kernel.run(code), kernel.run(code)] {
        let outcome = wait(cell).unwrap();
        assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("ü\u{fffd}", "ü"));
    }
}

#[test]
fn output_streams_while_the_cell_runs() {
    let kernel = kernel();
    let cell = kernel.run(
        "import asyncio, sys\nstream_go = asyncio.Event()\nprint('one')\nawait stream_go.wait()\nprint('two', file=sys.stderr)",
    );
    AsyncRuntime::block_on(async {
        let mut output = cell.output();
        let mut text = String::new();
        while text != "one\n" {
            text.push_str(&output.next().await.unwrap().text);
        }
        kernel.run("stream_go.set()").await.unwrap();
        let mut text = String::new();
        while let Some(chunk) = output.next().await {
            assert_eq!(chunk.stream, Stream::Stderr);
            text.push_str(&chunk.text);
        }
        assert_eq!(text, "two\n");
        cell.await.unwrap();
        assert_eq!(output.next().await, None);
        let quiet = kernel.run("pass");
        let mut output = quiet.output();
        quiet.await.unwrap();
        assert_eq!(output.next().await, None);
    });
}

#[test]
fn cancelling_a_cell_runs_its_finally_blocks() {
    let kernel = kernel();
    let code = "
import asyncio
try:
    print('in')
    await asyncio.Event().wait()
finally:
    print('finally')
";
    let cell = kernel.run(code);
    AsyncRuntime::block_on(async {
        assert_eq!(cell.output().next().await.unwrap().text.trim(), "in");
        cell.cancel("enough");
        let error = cell.await.unwrap_err();
        assert_eq!(error.kind, CellErrorKind::Cancelled);
        assert!(error.message.ends_with("CancelledError: enough"), "{}", error.message);
        assert_eq!(error.stdout, "in\nfinally\n");
    });
    // Before it began, most probably.
    let cell = kernel.run("import asyncio\nawait asyncio.Event().wait()");
    cell.cancel("too early");
    assert_eq!(wait(cell).unwrap_err().kind, CellErrorKind::Cancelled);
}

#[test]
fn dropping_a_cell_cancels_it_and_detaching_does_not() {
    let kernel = kernel();
    run("import asyncio\ndrop_log, drop_done, drop_go = [], asyncio.Event(), asyncio.Event()").unwrap();
    let code = "
try:
    await drop_go.wait()
    drop_log.append('went on')
except asyncio.CancelledError:
    drop_log.append('cancelled')
finally:
    drop_done.set()
";
    let cell = kernel.run(code);
    run("1").unwrap();
    drop(cell);
    run("await drop_done.wait()").unwrap();
    run("drop_done.clear()").unwrap();
    kernel.run(code).detach();
    run("drop_go.set()\nawait drop_done.wait()").unwrap();
    assert_eq!(run("drop_log").unwrap().repr.unwrap(), "['cancelled', 'went on']");
}

#[test]
fn output_beyond_the_limit_is_cut_off_and_said_so() {
    let outcome = run("print('x' * (17 << 20))\n'y' * (17 << 20)").unwrap();
    assert_eq!(outcome.stdout.len(), 16 << 20);
    assert_eq!(outcome.stderr, "\n[output cut off: more than 16777216 bytes]\n");
    assert!(outcome.repr.unwrap().ends_with("\n[cut off: more than 16777216 bytes]"));
}

#[test]
fn what_outlives_a_cell_prints_to_the_process() {
    // It must not go to the next cell, nor fail.
    let code = "
import asyncio
async def outlive():
    await outlive_go.wait()
    print('(printed by a test, to its own output)')
    return 'printed'
outlive_go = asyncio.Event()
outlive_task = asyncio.create_task(outlive())
";
    run(code).unwrap();
    let outcome = run("outlive_go.set()\nawait outlive_task").unwrap();
    assert_eq!((outcome.repr.as_deref(), outcome.stdout.as_str()), (Some("'printed'"), ""));
}

#[test]
fn a_kernel_can_be_driven_with_the_gil_held() {
    kernel();
    Python::attach(|py| {
        let kernel = Kernel::start().unwrap();
        let cell = kernel.run("1 + 1");
        py.detach(|| assert_eq!(wait(cell).unwrap().repr.unwrap(), "2"));
    });
}

#[test]
fn a_cell_has_no_input() {
    let error = fails("input('name? ')");
    assert_eq!(
        (error.message.as_str(), error.stdout.as_str()),
        ("EOFError: EOF when reading a line", "name? ")
    );
    let code = "import sys\nsys.stdin.close()\n\
        sys.stdin.read(), sys.stdin.readlines(), sys.stdin.buffer.read(), sys.stdin.isatty(), sys.stdin.closed";
    assert_eq!(run(code).unwrap().repr.unwrap(), "('', [], b'', False, False)");
    assert!(fails("import sys\nsys.stdin.fileno()").message.starts_with("io.UnsupportedOperation"));
    Python::attach(|py| {
        let code = c"import sys\nassert sys.stdin.fileno() == 0 and sys.stdin.encoding == sys.stdin.original.encoding";
        py.run(code, None, None).unwrap();
    });
}

#[test]
fn each_cancel_is_one_request() {
    let kernel = kernel();
    let code = "
import asyncio
try:
    await asyncio.Event().wait()
finally:
    print('cleaning up')
    try:
        await asyncio.Event().wait()
    finally:
        print('no time')
";
    let cell = kernel.run(code);
    wait(kernel.run("1")).unwrap();
    cell.cancel("once");
    assert_eq!(
        AsyncRuntime::block_on(cell.output().next()).map(|chunk| chunk.text),
        Some("cleaning up\n".to_owned())
    );
    cell.cancel("twice");
    let control = cell.control();
    let error = wait(cell).unwrap_err();
    assert_eq!((error.kind, error.stdout.as_str()), (CellErrorKind::Cancelled, "cleaning up\nno time\n"));
    assert!(error.message.ends_with("CancelledError: twice"), "{}", error.message);
    control.cancel("when it has ended");
    control.interrupt();
    assert_eq!(run("'still here'").unwrap().repr.unwrap(), "'still here'");
}

#[test]
fn what_goes_too_deep_fails_as_python_has_it() {
    let check = |code: &str, kind: CellErrorKind| assert_eq!(fails(code).kind, kind, "{code:.40}");
    check("def deeper(): deeper()\ndeeper()", CellErrorKind::Raised);
    // By way of C code, which takes most of the stack.
    check(
        "class ByWayOfC(type):\n    def __call__(self): return sorted([1, 2], key=lambda _: self())\n\
         class Deep(metaclass=ByWayOfC): pass\nDeep()",
        CellErrorKind::Raised,
    );
    check("nest = []\nfor _ in range(100_000): nest = [nest]\nrepr(nest)", CellErrorKind::Raised);
    check(&format!("{}1", "-".repeat(100_000)), CellErrorKind::Syntax);
    check(&"(".repeat(100_000), CellErrorKind::Syntax);
}
