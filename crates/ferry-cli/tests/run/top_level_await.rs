//! Programs that await at their top level, which `python` does not run.

use crate::support::{Outcome, ferry, file, finish, finish_with_input, program};

/// A traceback must begin in the program, and show nothing of what runs it.
#[track_caller]
fn assert_starts_in(outcome: &Outcome, file: &str, line: usize) {
    let start = format!("  File \"{file}\", line {line}, in <module>\n");
    let (_, frames) = outcome.stderr.split_once("(most recent call last):\n").expect("a traceback");
    assert!(
        frames.trim_start_matches("  | ").starts_with(start.trim_start_matches("  | ")),
        "{}",
        outcome.stderr
    );
    for internal in ["runners.py", "base_events.py"] {
        assert!(!outcome.stderr.contains(internal), "{}", outcome.stderr);
    }
}

#[test]
fn values_loops_contexts_and_groups() {
    let outcome = finish(&mut ferry(&["awaiting.py", "x"]));
    assert_eq!(outcome.stderr, "");
    assert_eq!(outcome.code, Some(0));
    let expected = "value\nnumber 0\nnumber 1\nnumber 2\n[0, 2, 4]\nopen\ninside Door\nclose\n[0, 1]\n\
                    Task-1 __main__ ['x']\na global The top level awaits: values, loops, contexts, groups.\n";
    assert_eq!(outcome.stdout, expected);
}

#[test]
fn from_standard_input_and_the_command_line() {
    let text = "import asyncio; print(await asyncio.sleep(0, 'slept'))";
    assert_eq!(finish(&mut ferry(&["-c", text])).stdout, "slept\n");
    assert_eq!(finish_with_input(&mut ferry(&["-"]), text.as_bytes()).stdout, "slept\n");
}

#[test]
fn a_failure_starts_in_the_program_and_its_tasks_are_cancelled() {
    let outcome = finish(&mut ferry(&["awaiting_fails.py"]));
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), "cancelled at the end\n"));
    assert_starts_in(&outcome, &program("awaiting_fails.py"), 18);
    assert!(outcome.stderr.ends_with("\nValueError: from a coroutine\n"), "{}", outcome.stderr);
}

#[test]
fn a_group_s_failures_are_all_shown() {
    let outcome = finish(&mut ferry(&["awaiting_group_fails.py"]));
    assert_starts_in(&outcome, &program("awaiting_group_fails.py"), 8);
    assert!(outcome.stderr.contains("ValueError: first"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("ValueError: second"), "{}", outcome.stderr);
}

#[test]
fn a_failure_in_a_task_that_nobody_awaited_is_reported() {
    let text = "import asyncio\nasync def f(): 1 / 0\nt = asyncio.create_task(f())\nawait asyncio.sleep(0)\n\
                await asyncio.sleep(0)\ndel t\n";
    let outcome = finish(&mut ferry(&["-c", text]));
    assert!(outcome.stderr.contains("Task exception was never retrieved"), "{}", outcome.stderr);
    assert_eq!(outcome.code, Some(0));
}

#[test]
fn exit_keeps_its_code() {
    let outcome = finish(&mut ferry(&["awaiting_exits.py"]));
    assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (Some(11), "finally\n", ""));
}

#[test]
fn the_loop_is_closed_at_the_end() {
    let text = "import asyncio, atexit\nloop = asyncio.get_running_loop()\n\
                atexit.register(lambda: print(loop.is_closed()))\nawait asyncio.sleep(0)\n";
    assert_eq!(finish(&mut ferry(&["-c", text])).stdout, "True\n");
}

#[test]
fn await_in_a_program_that_never_gets_there() {
    let path = file("never.py", b"import asyncio\nif False:\n    await asyncio.sleep(1)\nprint(__name__)\n");
    assert_eq!(finish(&mut ferry(&[&path])).stdout, "__main__\n");
}

#[test]
fn the_hook_for_exceptions_is_called() {
    let text = "import asyncio, sys\n\
                sys.excepthook = lambda k, v, t: print('hook', v, t.tb_frame.f_code.co_name)\n\
                await asyncio.sleep(0)\nraise ValueError('x')\n";
    assert_eq!(finish(&mut ferry(&["-c", text])).stdout, "hook x <module>\n");
}

#[test]
fn a_module_that_hides_asyncio_is_told() {
    let path = crate::support::folder("hidden_asyncio");
    std::fs::write(path.join("asyncio.py"), "").expect("writable");
    let outcome = finish(ferry(&["-c", "await x"]).current_dir(path));
    assert!(
        outcome.stderr.starts_with("AttributeError: module 'asyncio' has no attribute 'Runner'"),
        "{outcome:?}"
    );
    assert_eq!((outcome.stderr.lines().count(), outcome.code), (1, Some(1)));
}

#[test]
fn ferry_s_own_module_is_built_in() {
    let text = "import asyncferry, sys\nprint('asyncferry' in sys.builtin_module_names)\n\
                print(len(await asyncferry.gather(asyncferry.sleep(0), asyncferry.sleep(0.001))))\n";
    let outcome = finish(&mut ferry(&["-c", text]));
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("True\n2\n", ""));
}
