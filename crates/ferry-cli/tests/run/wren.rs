//! Programs in Wren: `ferry run FILE.wren`, `ferry run --lang wren -c CODE`, `ferry repl`.

use std::fs;
use std::process::Command;

use crate::support::{Outcome, argument, ferry, file, finish, finish_interrupted, finish_with_input, folder};

#[track_caller]
fn check(arguments: &[&str], code: i32, stdout: &str, stderr: &str) {
    let outcome = finish(&mut ferry(arguments));
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), (stdout, stderr));
    assert_eq!(outcome.code, Some(code));
}

fn repl(input: &str) -> Outcome {
    finish_with_input(Command::new(env!("CARGO_BIN_EXE_ferry")).arg("repl"), input.as_bytes())
}

#[test]
fn a_program_runs_by_its_name_or_as_said() {
    check(&[&file("hello.wren", b"System.print(\"hello\")")], 0, "hello\n", "");
    check(&["--lang", "wren", &file("hello.txt", b"System.print(\"hello\")")], 0, "hello\n", "");
    check(&["--lang", "wren", "-c", "System.print(1 + 2)"], 0, "3\n", "");
    let outcome = finish_with_input(&mut ferry(&["--lang", "wren", "-"]), b"System.print(\"input\")");
    assert_eq!((outcome.stdout.as_str(), outcome.code), ("input\n", Some(0)));
    check(&[&file("waits.wren", b"Fiber.suspend()\nSystem.print(1)")], 0, "", "");
}

#[test]
fn the_example_runs() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/wren/word_count.wren");
    let printed = "#### the\n## wren\n## is\n3\n3\nstopped: Num does not implement 'count'.\n";
    check(&[example], 0, printed, "");
}

#[test]
fn imports_are_beside_the_file_that_has_them() {
    let folder = folder("imports");
    fs::create_dir_all(folder.join("lib")).expect("writable");
    let write = |name: &str, source: &str| fs::write(folder.join(name), source).expect("writable");
    write("main.wren", "import \"lib/middle\" for Name\nimport \"random\" for Random\nSystem.print(Name)");
    write("lib/middle.wren", "import \"../end\" for End\nvar Name = \"middle and \" + End");
    write("end.wren", "var End = \"end\"");
    let main = argument(&folder.join("main.wren"));
    check(&[&main], 0, "middle and end\n", "");

    write("end.wren", "var End =");
    let path = |name: &str| argument(&folder.join(name));
    let told = format!(
        "[{} line 1] Error at end of file: Expected expression.\nCould not compile module '{}'.\n\
         [{} line 1] in (script)\n[{} line 1] in (script)\n",
        path("end"),
        path("end"),
        path("lib/middle"),
        path("main")
    );
    check(&[&main], 70, "", &told);

    fs::remove_file(folder.join("end.wren")).expect("it's there");
    let outcome = finish(&mut ferry(&[&main]));
    assert!(outcome.stderr.starts_with(&format!("Could not load module '{}'.\n", path("end"))));
}

#[test]
fn what_is_refused_ends_with_65() {
    check(
        &["--lang", "wren", "-c", "var a = )\nSystem.print(a b)"],
        65,
        "",
        "[main line 1] Error at ')': Expected expression.\n\
         [main line 2] Error at 'b': Expect ')' after arguments.\n",
    );
    let deep = format!("System.print({}1{})", "(".repeat(200_000), ")".repeat(200_000));
    let path = file("deep.wren", deep.as_bytes());
    let outcome = finish(&mut ferry(&[&path]));
    assert_eq!(outcome.code, Some(65));
    assert!(outcome.stderr.ends_with("Error: The source is nested more than 256 levels deep.\n"));
}

#[test]
fn what_fails_ends_with_70_and_the_calls() {
    let path = file(
        "fails.wren",
        b"System.print(\"first\")\nclass A {\n  static go(n) {\n    null.no\n  }\n}\nA.go(1)",
    );
    let module = path.trim_end_matches(".wren");
    let told =
        format!("Null does not implement 'no'.\n[{module} line 4] in go(_)\n[{module} line 7] in (script)\n");
    check(&[&path], 70, "first\n", &told);
    check(
        &["--lang", "wren", "-c", "List.filled(1e12, 0)"],
        70,
        "",
        "Out of memory.\n[main line 1] in (script)\n",
    );
}

#[test]
fn ctrl_c_ends_an_endless_program() {
    let path = file(
        "endless.wren",
        b"System.print(\"ready\")\nwhile (true) Fiber.new {\n  while (true) {}\n}.try()",
    );
    let mut command = ferry(&[&path]);
    let outcome = finish_interrupted(&mut command);
    assert_eq!(outcome.code, Some(130));
    assert!(outcome.stderr.starts_with("The program was interrupted.\n"), "{}", outcome.stderr);
}

#[test]
fn bad_input_is_told() {
    let missing = "ferry: nowhere.wren: there is no such file: check the path\n";
    check(&["nowhere.wren"], 66, "", missing);
    let path = file("bytes.wren", b"\xff\xfe");
    check(&[&path], 66, "", &format!("ferry: {path} is not UTF-8\n"));
    let path = file("endless.wren", b"");
    fs::File::options().write(true).open(&path).and_then(|file| file.set_len(1 << 40)).expect("writable");
    let told = format!("ferry: {path}: it cannot be read: a program may have 64 MiB at most\n");
    check(&[&path], 66, "", &told);
    let path = file("arguments.wren", b"");
    check(&[&path], 0, "", "");
    check(&[&path, "x"], 2, "", "ferry: a Wren program has no way to see arguments, so it takes none.\n");
    check(
        &["--python", "x", &path],
        2,
        "",
        "ferry: --python is for Python programs, and this one is Wren.\n",
    );
}

#[test]
fn the_repl_shows_values_and_errors_and_goes_on() {
    let outcome = repl(
        "1 + 2\nvar list = [1,\n  2]\nlist\nclass Foo {\n  construct new() {}\n}\nFoo.new()\nlist.no\n)\n\"end\"\n",
    );
    assert_eq!(outcome.stdout, "3\n[1, 2]\ninstance of Foo\nend\n");
    assert_eq!(
        outcome.stderr,
        "List does not implement 'no'.\n[repl line 1] in (script)\n[repl line 1] Error at ')': Expected expression.\n"
    );
    assert_eq!(outcome.code, Some(0));
}
