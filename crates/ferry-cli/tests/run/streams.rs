//! Output that nobody reads, and programs that run beside each other.

use std::io::Write;

use crate::support::{Outcome, check_by, ferry, seen, start, wait_for};

/// Closes the program's output before it prints.
fn finish_unread(command: &mut std::process::Command) -> Outcome {
    // With buffering, as in a shell, the loss comes out only at the end.
    let mut child = start(command.env_remove("PYTHONUNBUFFERED"));
    drop(child.stdout.take());
    child.stdin.take().expect("a pipe").write_all(b"go\n").expect("the program reads its input");
    seen(child, String::new())
}

#[test]
fn output_lost_at_the_end_is_told() {
    let outcome = check_by(&["prints_when_told.py"], finish_unread);
    assert_eq!(outcome.code, Some(120));
    assert!(outcome.stderr.contains("BrokenPipeError"), "{}", outcome.stderr);
}

#[test]
fn output_lost_before_the_end_raises() {
    let outcome = check_by(&["prints_when_told.py", "flush"], finish_unread);
    assert!(outcome.stderr.contains("in <module>"), "{}", outcome.stderr);
    assert_eq!(check_by(&["prints_when_told.py", "flush", "catch"], finish_unread).code, Some(8));
}

#[test]
fn two_programs_run_at_once() {
    let mut children = [start(&mut ferry(&["echoes.py"])), start(&mut ferry(&["echoes.py"]))];
    for child in &mut children {
        wait_for(child, "ready");
    }
    for (name, mut child) in ["first", "second"].into_iter().zip(children) {
        writeln!(child.stdin.as_mut().expect("a pipe"), "{name}").expect("the program reads its input");
        let outcome = seen(child, String::new());
        assert_eq!(
            (outcome.stdout, outcome.stderr, outcome.code),
            (format!("heard {name}\n"), String::new(), Some(0))
        );
    }
}
