//! Programs that use Ferry's jobs.

use crate::support::{ferry, finish};

/// Runs `exits_in_flight.py` ten times.
#[track_caller]
fn check(how: &str, code: i32, last_line: &str) {
    for _ in 0..10 {
        let outcome = finish(&mut ferry(&["exits_in_flight.py", how]));
        assert_eq!((outcome.code, outcome.signal), (Some(code), None), "{}", outcome.stderr);
        assert_eq!(outcome.stderr.lines().last().unwrap_or_default(), last_line, "{}", outcome.stderr);
    }
}

#[test]
fn it_ends_with_two_hundred_in_flight() {
    check("end", 0, "");
}

#[test]
fn it_exits_with_two_hundred_in_flight() {
    check("exit", 3, "");
}

#[test]
fn it_fails_with_two_hundred_in_flight() {
    check("raise", 1, "ValueError: as asked");
}

#[test]
fn it_ends_while_a_thread_awaits() {
    check("thread", 0, "");
}

#[test]
fn ctrl_c_in_the_middle_of_a_burst_loses_no_wake_up() {
    let outcome = finish(&mut ferry(&["interrupted_burst.py"]));
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.as_str(), outcome.code),
        ("True True\n", "", Some(0))
    );
}

#[test]
fn a_forked_child_has_jobs_of_its_own_and_the_parent_goes_on() {
    let outcome = finish(&mut ferry(&["forks_after_a_job.py"]));
    assert_eq!((outcome.stdout.as_str(), outcome.code), ("7\n7\n7\n", Some(0)), "{}", outcome.stderr);
}
