//! The programs in `examples/patterns`, and the Python parts of the package that they import.

use crate::support::{ferry, finish};

/// Runs one of the examples; `last` is what its last line is.
#[track_caller]
fn check(example: &str, last: &str) {
    let file = format!("{}/../../examples/patterns/{example}.py", env!("CARGO_MANIFEST_DIR"));
    let outcome = finish(&mut ferry(&[&file]));
    assert_eq!((outcome.stderr.as_str(), outcome.code), ("", Some(0)));
    assert_eq!(outcome.stdout.lines().last(), Some(last));
}

#[test]
fn the_examples_run() {
    check("approvals", "Ada decides a-3: late");
    check("agent_requests", "the response to task 4 is late");
    check("background_tasks", "0 left");
    check("graceful_shutdown", "finished in time: 1, given up: endless request");
    check("health_ready", "health: {'database': 'failed', 'cache': 'ready'}");
    check("parallel_checks", "at most 3 checks ran at once");
    check("task_distribution", "shut down: 1 finished, given up: sleep");
}

#[test]
fn the_parts_of_the_package_are_there() {
    let program = "\
from asyncferry import testing
import asyncferry.patterns, asyncio, traceback
assert testing.run(asyncio.sleep(3600, 7)) == 7
try:
    asyncferry.patterns.WorkerPool(workers=0)
except ValueError:
    print(traceback.format_exc())
try:
    import asyncferry.nothing
except ModuleNotFoundError as error:
    print(error)
";
    let outcome = finish(&mut ferry(&["-c", program]));
    assert_eq!((outcome.stderr.as_str(), outcome.code), ("", Some(0)));
    assert!(
        outcome.stdout.contains("self.__count = checked_limit"),
        "tracebacks show lines: {}",
        outcome.stdout
    );
    assert!(outcome.stdout.ends_with("No module named 'asyncferry.nothing'\n"), "{}", outcome.stdout);
}
