//! Runs the scripts in `tests/scripts` on the virtual clock, each in several ways (in the loop's order, in orders of seeds, and with the
//! collector at work all the time), and compares what they do with what their comments expect:
//!
//! - `// expect: text`: a line that is printed, in order.
//! - `// expect runtime error: text`: what the script's own code fails with.
//! - `// expect unseen: text`: an error in a task that nobody looked at.
//! - `// expect waiting: N`: so many tasks wait for what nobody does, when nothing goes on by itself any more.
//! - `// unwinds`: it needs panics that are caught, which some platforms have not.
//! - `// in order`: what it prints depends on the order of tasks, so it's not shuffled.
//!
//! What scripts can call is in [`host`].

mod host;

use asyncferry::{AsyncRuntime, Order};
use asyncferry_wren::{ScriptError, Vm, VmBuilder};
use futures_util::future::{Either, select};
use libtest_mimic::{Arguments, Failed, Trial};
use std::{
    fs, io,
    path::{Path, PathBuf},
    pin::pin,
    process::ExitCode,
    sync::{Arc, Mutex},
};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // On WASI there is one thread.
    arguments.test_threads = arguments.test_threads.or(cfg!(target_family = "wasm").then_some(1));
    let mut paths = Vec::new();
    if let Err(error) = find(Path::new("tests/scripts"), &mut paths) {
        eprintln!("tests/scripts cannot be read: {error}.");
        return ExitCode::FAILURE;
    }
    paths.sort();
    let mut trials = Vec::new();
    for path in paths {
        let source = fs::read_to_string(&path).unwrap_or_default();
        if cfg!(panic = "abort") && source.contains("// unwinds") {
            continue;
        }
        let name = path.with_extension("").to_string_lossy().trim_start_matches("tests/scripts/").to_owned();
        trials.push(trial(&name, "", &source, Order::Fifo, Vm::builder));
        trials.push(trial(&name, ", collecting always", &source, Order::Fifo, || {
            Vm::builder().machine(wren::VmBuilder::collect_always)
        }));
        if !source.contains("// in order") {
            for seed in 1..=5 {
                let way = format!(", seed {seed}");
                trials.push(trial(&name, &way, &source, Order::Seeded(seed), Vm::builder));
            }
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(name: &str, way: &str, source: &str, order: Order, builder: fn() -> VmBuilder) -> Trial {
    let source = source.to_owned();
    Trial::test(format!("{name}{way}"), move || check(&source, order, builder))
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

#[derive(Debug, Default, PartialEq)]
struct Outcome {
    printed: String,
    failure: Option<String>,
    unseen: Vec<String>,
    waiting: usize,
}

fn expected(source: &str) -> Outcome {
    let mut outcome = Outcome::default();
    for line in source.lines() {
        let Some((_, comment)) = line.split_once("// expect") else { continue };
        if let Some(message) = comment.strip_prefix(" runtime error: ") {
            outcome.failure = Some(message.to_owned());
        } else if let Some(message) = comment.strip_prefix(" unseen: ") {
            outcome.unseen.push(message.to_owned());
        } else if let Some(count) = comment.strip_prefix(" waiting: ") {
            outcome.waiting = count.trim().parse().expect("a number");
        } else if let Some(printed) = comment.strip_prefix(": ").or(comment.strip_prefix(':')) {
            outcome.printed.push_str(printed);
            outcome.printed.push('\n');
        }
    }
    outcome
}

fn run(source: &str, order: Order, builder: VmBuilder) -> Outcome {
    let (printed, unseen) = (Arc::new(Mutex::new(String::new())), Arc::new(Mutex::new(Vec::new())));
    let (output, errors) = (printed.clone(), unseen.clone());
    let (failure, waiting) = AsyncRuntime::block_on_virtual(order, async move {
        let vm = builder
            .write(move |text| output.lock().expect("no writer panics").push_str(text))
            .on_unseen(move |_, failure| errors.lock().expect("no writer panics").push(message(failure)))
            .pool(host::pool())
            .system(["ferry", "script.wren", "first", "second"])
            .build();
        host::register(&vm);
        let failure = {
            let run = pin!(vm.run("main", source));
            match select(run, pin!(vm.run_until_idle())).await {
                Either::Left((ended, _)) => ended.err().map(|failure| message(&failure)),
                Either::Right(_) => Some("the script waits for what nobody does".to_owned()),
            }
        };
        (failure, vm.run_until_idle().await.waiting)
    });
    let printed = printed.lock().expect("no writer panics").clone();
    let unseen = std::mem::take(&mut *unseen.lock().expect("no writer panics"));
    Outcome { printed, failure, unseen, waiting }
}

fn message(failure: &asyncferry::Failure) -> String {
    ScriptError::of(failure).map_or_else(|| failure.to_string(), ScriptError::message)
}

fn check(source: &str, order: Order, builder: fn() -> VmBuilder) -> Result<(), Failed> {
    let (expected, got) = (expected(source), run(source, order, builder()));
    if expected == Outcome::default() {
        return Err("the script expects nothing.".into());
    }
    if expected == got { Ok(()) } else { Err(format!("expected {expected:#?},\ngot {got:#?}").into()) }
}
