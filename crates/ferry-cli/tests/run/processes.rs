//! Threads, other Pythons, copies of the program: what `sys.executable` and a real `__main__` are for.

use crate::support::{check, ferry, file, finish};

#[test]
fn threads_are_waited_for() {
    let outcome = check(&["threads.py"]);
    let expected = "True 1\nmain ends\nafter the main thread False\natexit, last\n";
    assert_eq!((outcome.stdout.as_str(), outcome.code), (expected, Some(0)));
}

#[test]
fn subprocesses_run_the_same_python() {
    let outcome = check(&["subprocesses.py"]);
    assert!(
        outcome.stdout.ends_with("in the child ['subprocesses.py']\n9\nbecame python\n"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn processes_are_spawned() {
    assert_eq!(check(&["pools.py", "spawn"]).code, Some(0));
}

#[test]
fn processes_are_forked() {
    assert_eq!(check(&["pools.py", "fork"]).code, Some(0));
}

#[test]
fn processes_are_forked_by_a_server() {
    assert_eq!(check(&["pools.py", "forkserver"]).code, Some(0));
}

#[test]
fn a_program_that_awaits_at_its_top_level_has_processes() {
    let text = b"import asyncio, multiprocessing, sys\n\
                 from concurrent.futures import ProcessPoolExecutor\n\
                 with ProcessPoolExecutor(1, multiprocessing.get_context('fork')) as pool:\n    \
                     print(await asyncio.get_running_loop().run_in_executor(pool, pow, 2, 10))\n\
                 process = await asyncio.create_subprocess_exec(sys.executable, '-c', 'print(1)')\n\
                 print(await process.wait())\n";
    let outcome = finish(&mut ferry(&[&file("with_processes.py", text)]));
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("1024\n1\n0\n", ""));
}
