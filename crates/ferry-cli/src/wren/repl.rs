//! `ferry repl`: Wren, line by line.
//!
//! What is typed is an expression, whose value is shown, or statements. A line that the compiler finds cut off goes on in the
//! next one. Ctrl-C leaves what is typed, or stops what runs; Ctrl-D ends it. On a terminal, what was typed is remembered from
//! session to session.

use std::env;
use std::fs;
use std::io;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use ::wren::{Limits, compile_within};
use asyncferry::sync::Event;
use asyncferry::{AsyncRuntime, Failure, select, sleep};
use asyncferry_wren::VmHandle;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Completer, Editor, Helper, Highlighter, Hinter};

use super::{builder, flush, lines, pool, tell};

const MODULE: &str = "repl";
const PROMPT: &str = "> ";
/// So many inputs are remembered.
const REMEMBERED: usize = 2_000;

/// Asks, runs, shows, until there's no more. Gives the exit code. The machine lives on a thread of its own, so that what was started goes on
/// while the next line is typed.
pub(crate) fn run() -> u8 {
    let (up, is_up) = mpsc::channel();
    let over = Arc::new(Event::new());
    let told = over.clone();
    let machine = thread::spawn(move || AsyncRuntime::block_on(live(up, &told)));
    let Ok(handle) = is_up.recv() else { unreachable!("it says so first") };
    let code = type_in(&handle);
    over.set();
    // It has panicked already, and said so.
    let _ = machine.join();
    flush();
    code
}

async fn live(up: mpsc::Sender<VmHandle>, over: &Event) {
    let unseen = |name: &str, failure: &Failure| {
        tell(&format!("An error in {name} that nobody looked at:\n{failure}"))
    };
    let vm = builder("repl", &[]).pool(pool()).on_unseen(unseen).build();
    if let Err(error) = lines::register(&vm) {
        unreachable!("nothing else is registered: {error}")
    }
    // Whoever waits for it is there.
    let _ = up.send(vm.handle());
    over.wait().await;
}

fn type_in(vm: &VmHandle) -> u8 {
    let config = rustyline::Config::builder().auto_add_history(true).max_history_size(REMEMBERED);
    let mut editor = match config.map(rustyline::config::Builder::build).and_then(Editor::with_config) {
        Ok(editor) => editor,
        Err(error) => {
            tell(&format!("ferry: the terminal cannot be used: {error}"));
            return 1;
        }
    };
    let interrupted = Arc::new(Event::new());
    // After the editor, which has a handler of its own.
    stop_by_ctrl_c(vm, &interrupted);
    editor.set_helper(Some(Lines));
    let history = io::stdin().is_terminal().then(history).flatten();
    if let Some(path) = &history {
        // There is none yet, the first time.
        let _ = editor.load_history(path);
        println!("Wren 0.4 on Ferry {}. Ctrl-D ends it.", env!("CARGO_PKG_VERSION"));
    }
    let code = converse(vm, &mut editor, &interrupted);
    if let Some(path) = &history
        && let Err(error) = editor.save_history(path)
    {
        tell(&format!("ferry: what was typed cannot be kept in {}: {error}", path.display()));
    }
    code
}

fn converse(vm: &VmHandle, editor: &mut Editor<Lines, FileHistory>, interrupted: &Event) -> u8 {
    loop {
        match editor.readline(PROMPT) {
            Ok(input) => answer(vm, &input, interrupted),
            // What was typed so far is left.
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => return 0,
            Err(error) => {
                tell(&format!("ferry: the input cannot be read: {error}"));
                return 1;
            }
        }
    }
}

fn answer(vm: &VmHandle, input: &str, interrupted: &Event) {
    if input.trim().is_empty() {
        return;
    }
    interrupted.clear();
    let shown = AsyncRuntime::block_on(async {
        select! {
            shown = vm.interact(MODULE, input) => Some(shown),
            // What waits is left; what computes is stopped, and says so itself.
            () = async { interrupted.wait().await; sleep(GRACE).await } => None,
        }
    });
    flush();
    match shown {
        Some(Ok(Some(text))) => println!("{text}"),
        Some(Ok(None)) => {}
        Some(Err(failure)) => tell(&failure.to_string()),
        None => tell("The program was interrupted."),
    }
}

/// So long code that computes has to stop by itself.
const GRACE: Duration = Duration::from_millis(200);

/// Ctrl-C while a program runs stops it. While a line is typed, the terminal has it as a character.
fn stop_by_ctrl_c(vm: &VmHandle, interrupted: &Arc<Event>) {
    let (vm, interrupted) = (vm.clone(), interrupted.clone());
    let set = ctrlc::set_handler(move || {
        vm.interrupt();
        interrupted.set();
    });
    if let Err(error) = set {
        tell(&format!("ferry: Ctrl-C will end it all: {error}"));
    }
}

/// Where what was typed is remembered.
fn history() -> Option<PathBuf> {
    let set = env::var_os("XDG_STATE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let folder = set.or_else(|| env::home_dir().map(|home| home.join(".local/state")))?.join("ferry");
    fs::create_dir_all(&folder).ok()?;
    Some(folder.join("wren_history"))
}

/// Knows where an input ends.
#[derive(Completer, Helper, Highlighter, Hinter)]
struct Lines;

impl Validator for Lines {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let is_cut_off = is_cut_off(context.input());
        Ok(if is_cut_off { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

/// Whether the compiler would want more.
fn is_cut_off(input: &str) -> bool {
    let Err(errors) = compile_within(MODULE, input, &[], Limits::default()) else { return false };
    errors.iter().any(|error| {
        let told = &error.message;
        told.starts_with("Error at end of file") || told.contains("Unterminated")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_that_is_cut_off_goes_on() {
        for input in [
            "class Foo {",
            "var a =",
            "Foo.bar(1,",
            "\"text",
            "/* comment",
            "[1, 2",
            "Fn.new {|a|\n  a",
            "1 +",
        ] {
            assert!(is_cut_off(input), "{input}");
        }
        for input in ["class Foo {}", "var a = 1", "Foo.bar(1)", "a b", ")", "", "unknown", "\"text\""] {
            assert!(!is_cut_off(input), "{input}");
        }
    }
}
