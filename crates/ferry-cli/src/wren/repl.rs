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

use ::wren::{Error, Limits, Run, Value, Vm, compile_within};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Completer, Editor, Helper, Highlighter, Hinter};

use super::{builder, flush, tell};

const MODULE: &str = "repl";
const PROMPT: &str = "> ";
/// So many inputs are remembered.
const REMEMBERED: usize = 2_000;

/// Asks, runs, shows, until there's no more. Gives the exit code.
pub(crate) fn run() -> u8 {
    let mut vm = builder().build();
    let config = rustyline::Config::builder().auto_add_history(true).max_history_size(REMEMBERED);
    let mut editor = match config.map(rustyline::config::Builder::build).and_then(Editor::with_config) {
        Ok(editor) => editor,
        Err(error) => {
            tell(&format!("ferry: the terminal cannot be used: {error}"));
            return 1;
        }
    };
    // After the editor, which has a handler of its own.
    stop_by_ctrl_c(&vm);
    editor.set_helper(Some(Lines));
    let history = io::stdin().is_terminal().then(history).flatten();
    if let Some(path) = &history {
        // There is none yet, the first time.
        let _ = editor.load_history(path);
        println!("Wren 0.4 on Ferry {}. Ctrl-D ends it.", env!("CARGO_PKG_VERSION"));
    }
    let code = converse(&mut vm, &mut editor);
    if let Some(path) = &history
        && let Err(error) = editor.save_history(path)
    {
        tell(&format!("ferry: what was typed cannot be kept in {}: {error}", path.display()));
    }
    code
}

fn converse(vm: &mut Vm, editor: &mut Editor<Lines, FileHistory>) -> u8 {
    loop {
        match editor.readline(PROMPT) {
            Ok(input) => answer(vm, &input),
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

fn answer(vm: &mut Vm, input: &str) {
    if input.trim().is_empty() {
        return;
    }
    let mut cx = vm.context();
    let ended = match cx.eval(MODULE, input) {
        // It's no expression.
        Err(Error::Compile(_)) => cx.run(MODULE, input).map(|_| None),
        other => other.map(|run| match run {
            Run::Done(value) => Some(value),
            Run::Suspended(_) => None,
        }),
    };
    flush();
    // Its text is the program's business, which may fail.
    let shown = ended.and_then(|value| match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => cx.call(&value, "toString", ()).map(Some),
    });
    match shown {
        Ok(Some(Value::String(text))) => println!("{text}"),
        Ok(Some(_)) => println!("[invalid toString]"),
        Ok(None) => {}
        Err(error) => tell(&error.to_string()),
    }
}

/// Ctrl-C while a program runs stops it. While a line is typed, the terminal has it as a character.
fn stop_by_ctrl_c(vm: &Vm) {
    let interrupt = vm.interrupt();
    if let Err(error) = ctrlc::set_handler(move || interrupt.now()) {
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
