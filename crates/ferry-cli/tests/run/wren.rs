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
    let path = file("arguments.wren", b"import \"os\" for Process\nSystem.print(Process.arguments)");
    check(&[&path, "x", "--y", "z.py"], 0, "[x, --y, z.py]\n", "");
    check(&[&path, "--", "z.wren"], 0, "[z.wren]\n", "");
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
fn what_waits_goes_on_until_nothing_is_left() {
    let source = "import \"async\" for Async\nAsync.spawn {\n  Async.sleep(20)\n  System.print(\"late\")\n}\n\
                  System.print(\"main\")";
    check(&["--lang", "wren", "-c", source], 0, "main\nlate\n", "");
    let input = "import \"io\" for Stdin\nSystem.print(Stdin.readLine())\nSystem.print(Stdin.readByte())\n\
                 System.print(Stdin.readLine())\nSystem.print(Fiber.new { Stdin.readLine() }.try())";
    let outcome = finish_with_input(&mut ferry(&[&file("input.wren", input.as_bytes())]), b"first\nsecond");
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.as_str()),
        ("first\n115\necond\nStdin was closed.\n", "")
    );
}

#[test]
fn a_program_that_waits_for_what_nobody_does_is_told_where() {
    let path = file(
        "waits.wren",
        b"import \"async\" for Channel\nclass A {\n  static go() { Channel.new().receive() }\n}\nA.go()",
    );
    let module = path.trim_end_matches(".wren");
    let told = format!(
        "{path} waits for what nobody will do:\n[{module} line 3] in go()\n[{module} line 5] in (script)\n"
    );
    check(&[&path], 70, "", &told);
    let path = file("suspends.wren", b"Fiber.suspend()");
    check(&[&path], 70, "", &format!("{path} waits for what nobody will do:\n"));
}

#[test]
fn an_error_that_nobody_looked_at_ends_with_70() {
    let path = file(
        "unseen.wren",
        b"import \"async\" for Async\nAsync.spawn { Fiber.abort(\"oh\") }\nSystem.print(1)",
    );
    let module = path.trim_end_matches(".wren");
    let told = format!(
        "An error in a fiber that nobody looked at:\noh\n[{module} line 2] in spawn(_) block argument\n"
    );
    check(&[&path], 70, "1\n", &told);
}

#[test]
fn the_example_runs_in_three_languages() {
    let folder = folder("archive");
    fs::write(folder.join("a.txt"), "a").expect("writable");
    fs::write(folder.join("b.txt"), "").expect("writable");
    fs::write(folder.join("c.txt"), "a").expect("writable");
    let example = |name: &str| format!("{}/../../examples/archive/{name}", env!("CARGO_MANIFEST_DIR"));
    let printed = "ok  17762fddd969         1  a.txt\nNO  af1349b9f5f9         0  b.txt\nNO  17762fddd969         1  c.txt\n";
    let outcome = finish(&mut ferry(&[&example("main.py"), &example("rules.wren"), &argument(&folder)]));
    assert_eq!((outcome.stderr.as_str(), outcome.code), ("", Some(0)));
    // What the script prints comes in between.
    let (refused, others): (Vec<&str>, Vec<&str>) =
        outcome.stdout.lines().partition(|line| line.starts_with("refused: "));
    assert_eq!(refused, ["refused: b.txt, as it's empty", "refused: c.txt, as it's the same as a.txt"]);
    assert_eq!(others.join("\n"), format!("{printed}3 files, 2 refused"));
}

/// Runs a program in Python with one in Wren beside it.
#[track_caller]
fn beside(python: &str, wren: &str) -> Outcome {
    let (python, wren) = (file("main.py", python.as_bytes()), file("beside.wren", wren.as_bytes()));
    finish(&mut ferry(&[&python, &wren]))
}

#[test]
fn python_and_wren_hand_each_other_values_tasks_and_functions() {
    let printed = "an object of type 'object' can't cross lan\ndone\n";
    check(&["beside_values.py", "beside.wren"], 0, printed, "");
}

#[test]
fn errors_and_cancelling_cross_between_python_and_wren() {
    let printed = "of the script | True\nValueError: of Python\nValueError | through both | raises\ncleaned up\n\
                   future was cancelled\ncancelled: enough\n";
    check(&["beside_errors.py", "beside.wren"], 0, printed, "");
}

#[test]
fn programs_end_together_with_the_first_code_that_is_not_0() {
    let outcome = beside("print('python')\n", "Fiber.abort(\"wren\")");
    assert_eq!((outcome.stdout.as_str(), outcome.code), ("python\n", Some(70)));
    let outcome =
        beside("import sys\nsys.exit(3)\n", "import \"async\" for Async\nAsync.register(\"one\") { 1 }");
    assert_eq!((outcome.stderr.as_str(), outcome.code), ("", Some(3)));
    let outcome =
        beside("1 / 0\n", "import \"async\" for Async\nAsync.sleep(20)\nSystem.print(\"to its end\")");
    assert_eq!((outcome.stdout.as_str(), outcome.code), ("to its end\n", Some(1)));
    // What others wait for comes, though the one that does it has ended.
    let waits = "import \"async\" for Event\nEvent.named(\"late\").wait()\nSystem.print(\"it came\")";
    let outcome = beside("import asyncferry\nasyncferry.Event.named('late').set()\n", waits);
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str(), outcome.code), ("it came\n", "", Some(0)));
    let job = "import asyncio, asyncferry\nasync def late():\n    await asyncio.sleep(0.05)\n    \
               asyncferry.Event.named('late').set()\nkept = asyncferry.default_pool().submit(late)\n";
    let outcome = beside(job, waits);
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str(), outcome.code), ("it came\n", "", Some(0)));
    let outcome = beside("print(1)\n", waits);
    assert_eq!((outcome.stdout.as_str(), outcome.code), ("1\n", Some(70)));
    assert!(outcome.stderr.ends_with(" line 2] in (script)\n"), "{}", outcome.stderr);
}

#[test]
fn wren_programs_run_beside_each_other() {
    let one = file("one.wren", b"import \"async\" for Async\nAsync.register(\"half\") {|n| n / 2 }");
    let other =
        file("other.wren", b"import \"async\" for Async\nSystem.print(Async.call(\"half\", [84]).await())");
    check(&[&one, &other], 0, "42\n", "");
}

#[test]
fn ctrl_c_ends_a_program_that_waits() {
    let path = file("sleeps.wren", b"import \"async\" for Async\nSystem.print(\"ready\")\nAsync.sleep(1e12)");
    let outcome = finish_interrupted(&mut ferry(&[&path]));
    assert_eq!((outcome.stderr.as_str(), outcome.code), ("The program was interrupted.\n", Some(130)));
    let python = file("sleeps.py", b"import asyncio\nprint('ready')\nawait asyncio.sleep(1e6)\n");
    let outcome = finish_interrupted(&mut ferry(&[&python, "beside.wren"]));
    assert_eq!(outcome.signal, Some(2), "{}", outcome.stderr);
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
    let path = file("python.wren", b"");
    check(&[&path], 0, "", "");
    check(&["--python", "x", &path], 2, "", "ferry: --python is for Python programs, and there is none.\n");
    let one = "ferry: a run has one Python program at most: import the others from that one, or write arguments of the \
               program after --\n";
    check(&[&path, "a.py", "b.py"], 2, "", one);
    check(&[&path, "nowhere.wren"], 66, "", missing);
    check(&["hello.py", &path, "nowhere.wren"], 66, "", missing);
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
