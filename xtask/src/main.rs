//! The one door for people who work on Ferry: `cargo xtask <test|platforms|npm|web|bench|size|tidy|ci>`.
//!
//! Each task is one module; this file only picks it. Tasks run from a clean clone: what a task needs and
//! cannot set up by itself, it names, with the command which installs it.

#![forbid(unsafe_code)]

mod bench;
mod ci;
mod npm;
mod platforms;
mod python;
mod serve;
mod sh;
mod size;
mod stages;
mod test;
mod tidy;
mod venv;
mod web;
mod webdriver;
mod wheel;

use std::env;
use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};

const USAGE: &str = "\
Usage: cargo xtask <task>

  test [--all] [--fail-fast]   every test, those of the wheel too; --all adds loom, Miri, each Python found, the
                               core crate alone
  platforms                    the conformance suite alone, on each platform
  npm [--test]                 the npm package, as a tarball; --test installs and tests it
  web [PORT | --test]          builds and serves examples/web on loopback; --test uses it in Chromium
  bench [NAME] [ARGS...]       one benchmark of benches/src/bin, or all of them, beside their peers
  size                         how large the smallest program is, beside its peers
  tidy                         the rules of the house that a program can check
  ci [--fail-fast]             everything that a change must pass
";

fn main() -> ExitCode {
    match arguments().and_then(|arguments| dispatch(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["test", options @ ..] => test::run(options),
        ["npm", options @ ..] => npm::run(options),
        ["web", options @ ..] => web::run(options),
        ["platforms"] => platforms::run(),
        ["bench", rest @ ..] => bench::run(rest),
        ["size"] => size::run(),
        ["tidy"] => tidy::run(),
        ["ci", options @ ..] => ci::run(options),
        ["help" | "-h" | "--help"] => {
            print!("{USAGE}");
            Ok(())
        }
        [] => bail!("no task was named.\n\n{USAGE}"),
        [task @ ("tidy" | "platforms" | "size"), extra, ..] => {
            bail!("{task} takes no arguments, but was given `{extra}`.")
        }
        [unknown, ..] => bail!("there is no task `{unknown}`.\n\n{USAGE}"),
    }
}

fn arguments() -> Result<Vec<String>> {
    env::args_os()
        .skip(1)
        .map(|argument| argument.into_string().map_err(|bad| anyhow!("the argument {bad:?} is not UTF-8.")))
        .collect()
}
