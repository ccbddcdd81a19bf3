//! Runs the programs in `tests/language`, two tests each, one with the collector at work all the time, and compares what they do with what their comments expect, as Wren's
//! own tests have it:
//!
//! - `// expect: text`: a line that is printed, in order.
//! - `// expect error`: an error of the compiler in this line; with `line N`, in that one.
//! - `// expect runtime error: text`: what the program fails with, in this line.
//! - `// nontest`: a module that others import.

use libtest_mimic::{Arguments, Failed, Trial};
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex},
};
use wren::{Error, Files, TraceFrame, Vm, VmBuilder};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // On WASI there is one thread.
    arguments.test_threads = arguments.test_threads.or(cfg!(target_family = "wasm").then_some(1));
    let mut paths = Vec::new();
    if let Err(error) = find(Path::new("tests/language"), &mut paths) {
        eprintln!("tests/language cannot be read: {error}.");
        return ExitCode::FAILURE;
    }
    paths.sort();
    let programs = paths.into_iter().filter_map(|path| {
        let source = fs::read_to_string(&path).unwrap_or_default();
        let name = Files::name(&path);
        let shown = name.trim_start_matches("tests/language/").to_owned();
        (!source.contains("// nontest")).then_some((shown, name, source))
    });
    let mut trials = Vec::new();
    for (shown, name, source) in programs {
        let (again, same) = (name.clone(), source.clone());
        // Those that work hard take too long so.
        if !shown.starts_with("limits/") {
            trials.push(Trial::test(format!("{shown}, collecting always"), move || {
                check(&again, &same, Vm::builder().collect_always())
            }));
        }
        trials.push(Trial::test(shown, move || check(&name, &source, Vm::builder())));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn find(folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "wren") {
            paths.push(path);
        }
    }
    Ok(())
}

/// What a program's comments say.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    printed: String,
    /// The line of the compiler's first error: those that follow from it are its own business.
    error_line: Option<u32>,
    failure: Option<(u32, String)>,
}

fn expected(source: &str) -> Outcome {
    let mut outcome = Outcome::default();
    for (number, line) in (1..).zip(source.lines()) {
        let Some((_, comment)) = line.split_once("// expect") else { continue };
        if let Some(printed) = comment.strip_prefix(": ").or(comment.strip_prefix(':')) {
            outcome.printed.push_str(printed);
            outcome.printed.push('\n');
        } else if let Some(message) = comment.strip_prefix(" runtime error: ") {
            outcome.failure = Some((number, message.to_owned()));
        } else if let Some(of_line) = comment.strip_prefix(" error line ") {
            outcome.error_line = outcome.error_line.or(of_line.trim().parse().ok());
        } else if comment.trim_end() == " error" {
            outcome.error_line = outcome.error_line.or(Some(number));
        }
    }
    outcome
}

fn run(name: &str, source: &str, builder: VmBuilder) -> Outcome {
    let printed = Arc::new(Mutex::new(String::new()));
    let output = Arc::clone(&printed);
    let mut vm = builder
        .write(move |text| output.lock().expect("no writer panics").push_str(text))
        .loader(Files::new())
        .memory(16 << 20)
        .build();
    let mut outcome = Outcome::default();
    match vm.run(name, source) {
        Ok(_) => {}
        Err(Error::Compile(errors)) => outcome.error_line = errors.first().map(|error| error.line),
        Err(Error::Runtime(error)) => outcome.failure = Some((line_in(name, &error.trace), error.message)),
        Err(other) => outcome.failure = Some((0, other.to_string())),
    }
    outcome.printed = printed.lock().expect("no writer panics").clone();
    outcome
}

fn line_in(module: &str, trace: &[TraceFrame]) -> u32 {
    trace.iter().find(|frame| frame.module == module).map_or(0, |frame| frame.line)
}

fn check(name: &str, source: &str, builder: VmBuilder) -> Result<(), Failed> {
    let (expected, got) = (expected(source), run(name, source, builder));
    // A program without a word about what it does would be a test that can't fail.
    if expected == Outcome::default() {
        return Err("the program expects nothing.".into());
    }
    if expected == got { Ok(()) } else { Err(format!("expected {expected:#?},\ngot {got:#?}").into()) }
}
