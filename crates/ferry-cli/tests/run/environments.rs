//! Which interpreter a program runs as, and whose packages it sees.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{PYTHON, argument, check, ferry, finish, folder};

const WHERE: &str = "import sys; print(sys.executable, sys.prefix)";

/// A virtual environment that holds one module of its own.
fn environment(name: &str) -> PathBuf {
    let root = folder(name);
    let made = finish(Command::new(&*PYTHON).args(["-m", "venv", "--without-pip", &argument(&root)]));
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let code = "import sysconfig; print(sysconfig.get_path('purelib'), end='')";
    let packages = finish(Command::new(root.join("bin/python")).args(["-c", code])).stdout;
    fs::write(Path::new(&packages).join("only_in_this_environment.py"), "VALUE = 42\n").expect("writable");
    root
}

fn without_environment(command: &mut Command) -> &mut Command {
    command.env_remove("VIRTUAL_ENV")
}

/// An executable file with this text.
fn script(name: &str, text: &str) -> String {
    let path = folder(name).join("python3");
    fs::write(&path, text).expect("writable");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("the file is ours");
    argument(&path)
}

#[test]
fn a_program_sees_the_packages_of_its_environment() {
    let root = environment("venv");
    let program = crate::support::program("in_venv.py");
    let expected = finish(Command::new(root.join("bin/python")).arg(&program));
    assert!(expected.stdout.starts_with("42 "), "{}", expected.stderr);

    let folder = argument(&root);
    let interpreter = argument(&root.join("bin/python"));
    assert_eq!(finish(ferry(&[&program]).env("VIRTUAL_ENV", &folder)), expected);
    assert_eq!(finish(without_environment(&mut ferry(&["--python", &folder, &program]))), expected);
    assert_eq!(finish(without_environment(&mut ferry(&["--python", &interpreter, &program]))), expected);
    // What is named counts more than what is active.
    assert_eq!(finish(ferry(&["--python", &folder, &program]).env("VIRTUAL_ENV", "/nowhere")), expected);
    // A path from here stays true for a program that goes elsewhere.
    let mut from_inside = ferry(&["--python", "bin/python", &program]);
    assert_eq!(finish(without_environment(from_inside.current_dir(&root))), expected);
}

#[test]
fn environments_of_other_makers_are_read() {
    let root = environment("virtualenv");
    let path = root.join("pyvenv.cfg");
    let text = fs::read_to_string(&path).expect("an environment has settings");
    let changed = text.replace("version = ", "version_info = ").replace("home = ", "Home=");
    fs::write(&path, changed).expect("writable");
    let outcome = finish(ferry(&["-c", WHERE]).env("VIRTUAL_ENV", &root));
    assert_eq!(outcome.stdout, format!("{0}/bin/python {0}\n", root.display()), "{}", outcome.stderr);
}

#[test]
fn an_environment_that_is_gone() {
    let outcome = finish(ferry(&["-c", "1"]).env("VIRTUAL_ENV", "/nowhere/venv"));
    let expected = "ferry: /nowhere/venv/bin/python, named by VIRTUAL_ENV, is not there or not a program. \
                    Unset VIRTUAL_ENV, make the environment anew (python3 -m venv), or give another with \
                    --python\n";
    assert_eq!((outcome.stderr.as_str(), outcome.code), (expected, Some(1)));
}

#[test]
fn an_environment_whose_interpreter_is_gone() {
    let root = environment("orphan");
    fs::remove_file(root.join("bin/python")).expect("there");
    symlink("/nowhere/python3", root.join("bin/python")).expect("writable");
    let outcome = finish(&mut ferry(&["--python", &argument(&root), "-c", "1"]));
    assert!(outcome.stderr.contains("bin/python, named by --python, is not there"), "{}", outcome.stderr);
    assert_eq!((outcome.stderr.lines().count(), outcome.code), (1, Some(1)));
}

#[test]
fn an_interpreter_of_another_version() {
    let newer = script("newer", "#!/bin/sh\nprintf '3\\n99\\ncpython\\nFalse\\n/new/python\\n/new/lib\\n'\n");
    let outcome = finish(&mut ferry(&["--python", &newer, "-c", "1"]));
    let linked =
        finish(&mut ferry(&["-c", "import sys; print('%d.%d' % sys.version_info[:2], end='')"])).stdout;
    let expected = format!(
        "ferry: /new/python, named by --python, is Python 3.99, and this ferry was built for Python \
         {linked}: rebuild it with PYO3_PYTHON=/new/python cargo build --release, or choose a {linked} \
         interpreter with --python\n"
    );
    assert_eq!((outcome.stderr, outcome.code), (expected, Some(1)));
}

#[test]
fn what_is_no_python() {
    let silent = script("silent", "#!/bin/sh\nexit 0\n");
    let broken = script("broken", "#!/nowhere/sh\n");
    let other = script("other", "#!/bin/sh\nprintf '3\\n11\\npypy\\nFalse\\n/pypy\\n/lib\\n'\n");
    for (path, why) in [
        (silent, "asked for its version, it did not answer as Python does"),
        (broken, "it does not start: No such file or directory"),
        (other, "it is pypy, not CPython"),
    ] {
        let outcome = finish(&mut ferry(&["--python", &path, "-c", "1"]));
        assert!(outcome.stderr.contains(why), "{}", outcome.stderr);
        assert_eq!((outcome.stderr.lines().count(), outcome.code), (1, Some(1)));
    }
}

#[test]
fn a_wrapper_is_asked_for_its_interpreter() {
    let wrapper = script("wrapper", &format!("#!/bin/sh\nexec '{}' \"$@\"\n", PYTHON.display()));
    let outcome = finish(without_environment(&mut ferry(&["--python", &wrapper, "-c", WHERE])));
    assert_eq!(outcome, finish(Command::new(&*PYTHON).args(["-c", WHERE])));
    // A bare name is looked up on PATH.
    let path = Path::new(&wrapper).parent().expect("a folder");
    let bare = finish(without_environment(ferry(&["--python", "python3", "-c", WHERE]).env("PATH", path)));
    assert_eq!(bare, outcome);
}

#[test]
fn a_home_that_is_wrong_is_told() {
    let outcome = finish(ferry(&["-c", "1"]).env("PYTHONHOME", "/nowhere"));
    assert_eq!(outcome.code, Some(1));
    let last = outcome.stderr.lines().last().unwrap_or_default();
    assert!(last.starts_with("ferry: Python does not start: "), "{}", outcome.stderr);
}

#[test]
fn libpython_is_found_without_help() {
    let mut bare = ferry(&["-c", "print('started')"]);
    assert_eq!(finish(bare.env_clear()).stdout, "started\n");
    check(&["-c", "print('started')"]);
}
