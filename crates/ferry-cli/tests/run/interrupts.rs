//! Ctrl-C stops a program promptly: its tasks are cancelled, its `finally` blocks run.

use crate::support::{check_by, ferry, finish_interrupted, program};

#[test]
fn a_plain_program() {
    let outcome = check_by(&["interrupted_plain.py"], finish_interrupted);
    assert_eq!((outcome.stdout.as_str(), outcome.signal), ("ready\nfinally\n", Some(2)));
}

#[test]
fn a_program_that_catches_it() {
    let outcome = check_by(&["interrupted_plain.py", "catch"], finish_interrupted);
    assert_eq!((outcome.stdout.as_str(), outcome.code), ("ready\ncaught\nfinally\n", Some(3)));
}

#[test]
fn a_program_in_asyncio_run() {
    let outcome = check_by(&["interrupted_run.py"], finish_interrupted);
    assert_eq!(outcome.stdout, "ready\nfinally False\ntask stopped\natexit\n");
    assert_eq!(outcome.signal, Some(2));
}

#[test]
fn a_program_that_awaits_at_its_top_level() {
    let outcome = finish_interrupted(&mut ferry(&["interrupted_await.py"]));
    assert_eq!((outcome.stdout.as_str(), outcome.signal), ("ready\nfinally\ntask stopped\n", Some(2)));
    let start = format!(
        "Traceback (most recent call last):\n  File \"{}\", line 15, in <module>\n",
        program("interrupted_await.py")
    );
    assert!(outcome.stderr.starts_with(&start), "{}", outcome.stderr);
    assert!(outcome.stderr.ends_with("\nKeyboardInterrupt\n"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("CancelledError"), "{}", outcome.stderr);
}

#[test]
fn a_program_that_computes_at_its_top_level() {
    // asyncio alone would cancel at the next await, and there is none.
    let outcome = finish_interrupted(&mut ferry(&["interrupted_busy.py"]));
    assert_eq!((outcome.stdout.as_str(), outcome.signal), ("ready\nfinally\nother stopped\n", Some(2)));
    let place = format!("  File \"{}\", line ", program("interrupted_busy.py"));
    assert!(outcome.stderr.lines().nth(1).is_some_and(|line| line.starts_with(&place)), "{}", outcome.stderr);
    assert!(outcome.stderr.ends_with("\nKeyboardInterrupt\n"), "{}", outcome.stderr);
}
