//! Running other programs: each command is shown before it runs, starts in the repository's root, and
//! fails with a sentence which repeats it.

use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The repository's root: the folder above this package.
pub(crate) fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}

/// The folder that Cargo builds in.
pub(crate) fn target_dir() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// A command which starts in the repository's root.
pub(crate) fn command(program: impl Into<OsString>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program.into());
    command.args(arguments).current_dir(root());
    command
}

/// Cargo, and the same one that runs this program, so that `cargo +1.90 xtask test` tests with 1.90.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), arguments)
}

/// Runs `command` with its output passed through; an exit status other than 0 is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    announce(command);
    let status = command.status().with_context(|| format!("`{}` could not be started", shown(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", shown(command));
    }
    Ok(())
}

/// Like [`run`], and hands each line of standard output to `line` once it has been passed through.
pub(crate) fn run_reading(command: &mut Command, mut line: impl FnMut(&str)) -> Result<()> {
    announce(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("`{}` could not be started", shown(command)))?;
    let output = child.stdout.take().context("the child's standard output was not piped")?;
    for bytes in BufReader::new(output).split(b'\n') {
        let bytes = bytes?;
        let text = String::from_utf8_lossy(&bytes);
        writeln!(std::io::stdout(), "{text}")?;
        line(&text);
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{}` ended with {status}", shown(command));
    }
    Ok(())
}

/// The standard output of `command`, if it starts and ends well; it is run silently.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn announce(command: &Command) {
    eprintln!("\n$ {}", shown(command));
}

/// The command as a person would type it: changed variables, the program's name, its arguments.
fn shown(command: &Command) -> String {
    let variables = command.get_envs().filter_map(|(name, value)| {
        value.map(|value| format!("{}={}", name.to_string_lossy(), quoted(&value.to_string_lossy())))
    });
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let arguments = command.get_args().map(|argument| quoted(&argument.to_string_lossy()));
    variables.chain([program.to_string_lossy().into_owned()]).chain(arguments).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    if word.is_empty() || word.contains(char::is_whitespace) { format!("'{word}'") } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        let mut command = command("/some/bin/cargo", &["test", "-p", "one", "a b"]);
        command.env("RUSTFLAGS", "--cfg loom");
        assert_eq!(shown(&command), "RUSTFLAGS='--cfg loom' cargo test -p one 'a b'");
    }

    #[test]
    fn a_failed_command_is_an_error_that_repeats_it() {
        let error = run(&mut command("false", &["a b"])).unwrap_err().to_string();
        assert_eq!(error, "`false 'a b'` ended with exit status: 1");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run(&mut command("ferry-no-such-program", &[])).unwrap_err().to_string();
        assert_eq!(error, "`ferry-no-such-program` could not be started");
    }

    #[test]
    fn lines_are_read_while_they_pass_through() {
        let mut lines = Vec::new();
        run_reading(&mut cargo(&["--version"]), |line| lines.push(line.to_owned())).unwrap();
        assert_eq!(lines.len(), 1);
        assert!(lines[0].starts_with("cargo "), "{lines:?}");
    }
}
