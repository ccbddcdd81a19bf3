//! What cannot run says why in one line: what, where, what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{argument, ferry, file, finish, finish_with_input, folder};

#[track_caller]
fn check(arguments: &[&str], code: i32, message: &str) {
    let outcome = finish(&mut ferry(arguments));
    assert_eq!(outcome.stderr, format!("ferry: {message}\n"));
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(code), ""));
}

#[test]
fn a_missing_file() {
    check(&["nowhere/missing.py"], 2, "nowhere/missing.py: there is no such file: check the path");
}

#[test]
fn a_file_that_may_not_be_read() {
    if rustix::process::geteuid().is_root() {
        // Root may read everything; a file in place of a folder cannot be read by anyone.
        let path = file("plain", b"") + "/x.py";
        check(&[&path], 2, &format!("{path}: it cannot be read: Not a directory (os error 20)"));
        return;
    }
    let path = file("secret.py", b"");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("the file is ours");
    check(&[&path], 2, &format!("{path}: it may not be read: check its permissions"));
}

#[test]
fn a_folder() {
    let folder = folder("package");
    let path = argument(&folder);
    check(&[&path], 1, &format!("{path} is a folder: name a Python file"));
    fs::write(folder.join("__main__.py"), "").expect("writable");
    check(&[&path], 1, &format!("{path} is a folder: name a Python file, such as {path}/__main__.py"));
}

#[test]
fn syntax_errors() {
    let cases: [(&str, &[u8], &str); 4] = [
        ("open.py", b"x = 1\n\nprint((1, 2)\n", "line 3, column 6: SyntaxError: '(' was never closed"),
        ("tabs.py", b"if 1:\n    x = 1\n\ty = 2\n", ""),
        ("yield.py", b"yield 1\n", "line 1, column 1: SyntaxError: 'yield' outside function"),
        ("unknown.py", b"# coding: martian\nx\n", ""),
    ];
    for (name, text, message) in cases {
        let path = file(name, text);
        let outcome = finish(&mut ferry(&[&path]));
        assert_eq!((outcome.code, outcome.stderr.lines().count()), (Some(1), 1), "{}", outcome.stderr);
        assert!(outcome.stderr.starts_with(&format!("ferry: {path}")), "{}", outcome.stderr);
        assert!(outcome.stderr.ends_with(&format!("{message}\n")), "{}", outcome.stderr);
    }
}

#[test]
fn syntax_errors_of_other_sources() {
    check(&["-c", "x ="], 1, "the code after -c, line 1, column 4: SyntaxError: invalid syntax");
    let outcome = finish_with_input(&mut ferry(&["-"]), b"\nx =");
    assert_eq!(outcome.stderr, "ferry: standard input, line 2, column 4: SyntaxError: invalid syntax\n");
    assert_eq!(outcome.code, Some(1));
}

#[test]
fn a_syntax_error_in_an_imported_module_is_the_program_s_own() {
    crate::support::check(&["tracebacks.py", "compiled"]);
}

#[test]
fn nul_bytes() {
    let path = file("nul.py", b"x = 1\ny\0 = 2\n");
    let why = "line 2, column 2: a NUL byte, so this is no Python source text. Save it as UTF-8 text";
    check(&[&path], 1, &format!("{path}, {why}"));
}

#[test]
fn an_encoding_that_is_not_declared() {
    let path = file("undeclared.py", b"x = '\xc3\xa9'; y = 'caf\xe9'\n");
    let why = "line 1, column 18: the byte 0xE9 is not UTF-8. Save the text as UTF-8, or name its \
               encoding in the first line, as in: # -*- coding: latin-1 -*-";
    check(&[&path], 1, &format!("{path}, {why}"));
}

#[test]
fn nesting_beyond_all_measure() {
    let outcome = finish(&mut ferry(&[&file("nested.py", "(".repeat(100_000).as_bytes())]));
    assert_eq!((outcome.code, outcome.stderr.lines().count()), (Some(1), 1), "{}", outcome.stderr);
}

#[test]
fn an_unknown_option() {
    let message = "ferry run has no option --pyton (see: ferry run --help). Options of the program \
                   come after its name; a file of this name is written ./--pyton";
    check(&["--pyton", "x.py"], 2, message);
    check(&["-c"], 2, "-c needs the code to run as its argument");
}

#[test]
fn no_command_shows_the_help() {
    let mut ferry = std::process::Command::new(env!("CARGO_BIN_EXE_ferry"));
    let outcome = finish(&mut ferry);
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("Usage: ferry <COMMAND>"), "{}", outcome.stderr);
    assert_eq!(finish(&mut crate::support::ferry(&[])).code, Some(2));
}

#[test]
fn the_version_names_python_s() {
    let mut ferry = std::process::Command::new(env!("CARGO_BIN_EXE_ferry"));
    let outcome = finish(ferry.arg("--version"));
    let python =
        finish(&mut crate::support::python(&["-c", "import platform; print(platform.python_version())"]));
    let expected = format!("ferry {} (Python {})\n", env!("CARGO_PKG_VERSION"), python.stdout.trim());
    assert_eq!(outcome.stdout, expected);
}
