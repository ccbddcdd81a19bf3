//! Plain programs run unchanged.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::{argument, check, check_by, check_with_input, file, finish, folder};

#[test]
fn a_program_finds_the_same_surroundings() {
    let outcome = check(&["surroundings.py"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    check(&["./../programs/surroundings.py", "a b", "", "é"]);
}

#[test]
fn everything_after_the_program_is_the_program_s() {
    let outcome = check(&["surroundings.py", "--python", "x", "-c", "--", "-h", "--version"]);
    assert!(outcome.stdout.contains("'--python', 'x', '-c', '--', '-h', '--version'"), "{}", outcome.stdout);
    check(&["-c", "import sys; print(sys.argv, sys.orig_argv, sys.path[0])", "--python", "-c", "--help"]);
    check_with_input(&["-", "--python", "-"], b"import sys; print(sys.argv, sys.path[0])");
}

#[test]
fn arguments_that_are_not_text_arrive_as_they_are() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    check_by(&["-c", "import os, sys; print(os.fsencode(sys.argv[1]))"], |command| {
        finish(command.arg(OsStr::from_bytes(b"a\xff")))
    });
}

#[test]
fn code_attached_to_c_runs() {
    assert_eq!(check(&["-cprint(1 + 1)"]).stdout, "2\n");
}

#[test]
fn a_program_from_standard_input_runs() {
    const SURROUNDINGS: &[u8] = include_bytes!("../programs/surroundings.py");
    // The last lines are about a file, and fail under both.
    assert_eq!(check_with_input(&["-", "x"], SURROUNDINGS).code, Some(1));
    check_with_input(&["-"], b"def f():\n    return 1 / 0\n\nf()\n");
    check_with_input(&["-"], b"print(input())\n");
    check_with_input(&["-"], b"");
}

#[test]
fn code_from_the_command_line_runs() {
    check(&["-c", "print(__name__, sorted(globals())); raise ValueError('x')"]);
    check(&["-c", "# coding: latin-1\nprint('é')"]);
    check(&["-c", ""]);
}

#[test]
fn a_program_ends_as_it_says() {
    let expected = [("nothing", 0), ("exit", 0), ("exit_int", 3), ("exit_negative", 255), ("exit_large", 3)];
    for (way, code) in expected {
        assert_eq!(check(&["exits.py", way]).code, Some(code), "{way}");
    }
    for way in ["exit_text", "exit_tuple", "hook", "interrupt_subclass"] {
        assert_eq!(check(&["exits.py", way]).code, Some(1), "{way}");
    }
    assert_eq!(check(&["exits.py", "os_exit"]).code, Some(5));
    check(&["exits.py", "in_thread"]);
    check(&["exits.py", "in_hook"]);
    check(&["exits.py", "atexit_fails"]);
}

#[test]
fn a_keyboard_interrupt_ends_the_process_by_its_signal() {
    let outcome = check(&["exits.py", "interrupt"]);
    assert_eq!((outcome.code, outcome.signal), (None, Some(2)));
    assert!(outcome.stdout.ends_with("atexit ran\n"), "{}", outcome.stdout);
}

#[test]
fn tracebacks_are_the_same() {
    for failure in ["chained", "endless", "group", "in_library", "noted", "compiled"] {
        let outcome = check(&["tracebacks.py", failure]);
        assert_eq!(outcome.code, Some(1), "{failure}");
        assert!(outcome.stderr.contains("tracebacks.py"), "{}", outcome.stderr);
    }
    assert!(check(&["tracebacks.py", "warned"]).stderr.contains("watch out"));
}

#[test]
fn asyncio_programs_run() {
    let outcome = check(&["plain_asyncio.py"]);
    assert!(outcome.stdout.ends_with("done\n"), "{}", outcome.stderr);
}

#[test]
fn a_program_can_look_at_itself() {
    assert_eq!(check(&["about_itself.py"]).code, Some(0));
}

#[test]
fn a_script_behind_a_link_imports_from_its_real_folder() {
    let real = folder("linked_script");
    fs::write(real.join("beside.py"), "VALUE = 'found'").expect("writable");
    fs::write(real.join("script.py"), "import beside; print(beside.VALUE, __file__)").expect("writable");
    let link = folder("linked_script_link").join("link.py");
    symlink(real.join("script.py"), &link).expect("writable");
    assert!(check(&[&argument(&link)]).stdout.starts_with("found"));
}

#[test]
fn the_environment_variables_of_python_count() {
    let code = "import sys, warnings; print(sys.path[:2], sys.flags, sys.stdout.encoding); assert 0";
    for (name, value) in [
        ("PYTHONSAFEPATH", "1"),
        ("PYTHONPATH", "/somewhere"),
        ("PYTHONOPTIMIZE", "2"),
        ("PYTHONIOENCODING", "latin-1"),
        ("PYTHONUTF8", "1"),
        ("PYTHONWARNINGS", "error"),
        ("LC_ALL", "C"),
    ] {
        check_by(&["-c", code], |command| finish(command.env(name, value)));
        check_by(&["surroundings.py"], |command| finish(command.env(name, value)));
    }
}

#[test]
fn declared_encodings_and_byte_order_marks_are_heeded() {
    let latin = file("latin1.py", b"# -*- coding: latin-1 -*-\nprint('caf\xe9')\nraise ValueError('\xe9')\n");
    assert_eq!(check(&[&latin]).stdout, "café\n");
    let marked = file("marked.py", b"\xef\xbb\xbfprint('caf\xc3\xa9')\r\nprint(2)\r\n");
    assert_eq!(check(&[&marked]).stdout, "café\n2\n");
    let unix_header = file("header.py", b"#!/usr/bin/env python3\nprint(1)");
    assert_eq!(check(&[&unix_header]).stdout, "1\n");
}

#[test]
fn an_empty_file_is_a_program() {
    assert_eq!(check(&[&file("empty.py", b"")]).code, Some(0));
    assert_eq!(check(&[&file("comment.py", b"# only this")]).code, Some(0));
}

#[test]
fn warnings_of_the_compiler_appear_once() {
    let path = file("warns.py", b"x = 1\nprint(x is 1)\n");
    assert_eq!(check(&[&path]).stderr.matches("SyntaxWarning").count(), 1);
}

#[test]
fn a_program_in_a_pipe_runs() {
    // The shell gives each its own /dev/fd/N, and both the same number.
    let shell = |runner: &str| {
        let mut bash = std::process::Command::new("bash");
        bash.args(["-c", &format!("{runner} <(echo 'import sys; print(sys.path[0])')")]);
        finish(&mut bash)
    };
    let seen = shell(&format!("'{}' run", env!("CARGO_BIN_EXE_ferry")));
    assert_eq!(seen, shell(&format!("'{}'", crate::support::PYTHON.display())));
    assert_eq!(seen.code, Some(0), "{}", seen.stderr);
}
