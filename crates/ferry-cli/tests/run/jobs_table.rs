//! `ferry jobs`: what it says of a program's jobs at its end.

use std::process::Command;

use crate::support::{Outcome, argument, file, finish, folder};

fn ferry_jobs(arguments: &[&str]) -> Outcome {
    finish(Command::new(env!("CARGO_BIN_EXE_ferry")).arg("jobs").args(arguments))
}

const PROGRAM: &str = "
import sys
import asyncferry as ferry

with ferry.Pool(2, name='renderers') as pool:
    for n in range(20):
        pool.options(name='square', priority=3).submit(pow, n, 2).result()
    broken = pool.submit(int, 'x')
    try:
        broken.result()
    except ValueError as error:
        print(error)
assert ferry.submit(pow, 2, 3).result() == 8
sys.exit(7)
";

#[test]
fn its_table_has_each_name_and_priority_and_the_program_ends_as_it_does() {
    let seen = ferry_jobs(&[&file("jobs.py", PROGRAM.as_bytes()), "--its own"]);
    assert_eq!(seen.stdout, "invalid literal for int() with base 10: 'x'\n");
    assert_eq!((seen.code, seen.signal), (Some(7), None), "{}", seen.stderr);
    // What it shows of times is left out.
    let rows: Vec<Vec<&str>> =
        seen.stderr.lines().map(|line| line.split_whitespace().take(10).collect()).collect();
    assert_eq!(
        rows,
        [
            vec![
                "pool",
                "job",
                "priority",
                "queued",
                "running",
                "waiting",
                "done",
                "failed",
                "cancelled",
                "retried"
            ],
            vec!["renderers", "square", "3", "0", "0", "0", "20", "0", "0", "0"],
            vec!["renderers", "int", "0", "0", "0", "0", "0", "1", "0", "0"],
            vec!["submit()", "pow", "0", "0", "0", "0", "1", "0", "0", "0"],
        ]
    );
}

#[test]
fn jobs_of_wren_are_in_it() {
    let script = "import \"async\" for Async\nAsync.register(\"twice\") {|n| n * 2 }\n\
                  System.print(Async.all((1..3).map {|n| Async.call(\"twice\", [n], {\"priority\": 2}) }.toList))";
    let seen = ferry_jobs(&[&file("jobs.wren", script.as_bytes())]);
    assert_eq!((&*seen.stdout, seen.code), ("[2, 4, 6]\n", Some(0)));
    let row: Vec<&str> = seen.stderr.lines().last().expect("a table").split_whitespace().take(7).collect();
    assert_eq!(row, ["default", "twice", "2", "0", "0", "0", "3"]);
}

#[test]
fn a_program_without_jobs_and_one_that_is_not_there() {
    let seen = ferry_jobs(&["-c", "print('plain')"]);
    assert_eq!((&*seen.stdout, &*seen.stderr, seen.code), ("plain\n", "no jobs\n", Some(0)));
    let missing = argument(&folder("jobs-missing").join("none.py"));
    let seen = ferry_jobs(&[&missing]);
    assert_eq!(seen.code, Some(2));
    assert!(seen.stderr.contains("there is no such file: check the path"), "{}", seen.stderr);
    let seen =
        finish(Command::new(env!("CARGO_BIN_EXE_ferry")).args(["run", "--jobs-feed", &missing, "-c", "1"]));
    assert_eq!(seen.code, Some(2));
    assert!(seen.stderr.starts_with("ferry: there is nobody at"), "{}", seen.stderr);
}

#[test]
fn a_program_that_a_signal_ends_has_its_code_as_a_shell_says_it() {
    let seen = ferry_jobs(&["-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]);
    assert_eq!(seen.code, Some(128 + 9));
}
