//! The conformance suite on each platform: one source, and a stage for each place that it runs in.
//!
//! | stage | built for | run by |
//! |---|---|---|
//! | native | this machine | itself |
//! | WASI 0.1, WASI 0.2 | `wasm32-wasip1`, `wasm32-wasip2` | wasmtime, from its Python package |
//! | Node | `wasm32-unknown-unknown` | wasm-bindgen's test runner and Node |
//! | Chromium, a page; a worker | the same | the same runner, chromedriver and a headless Chromium |
//!
//! Wren's tests of the language, and the scripts that wait, run in WASI 0.1 as well, and its crates are built for pages.
//!
//! The network's tests talk to a server of their own, which is started before.
//!
//! What is missing is installed where that takes no more than this user may do; otherwise the stage is left out, and
//! the closing lines say what to install.

pub(crate) mod bindgen;
pub(crate) mod browser;
mod server;
pub(crate) mod wasi;

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::sh;
use crate::stages::{AfterFailure, Stages};
use crate::test::run_tests;
use server::Server;

const SUITE: &[&str] =
    &["test", "-p", "asyncferry-conformance", "--features", "net", "--test", "suite", "--test", "net"];

/// The tests of Wren's language.
const WREN: &[&str] = &["test", "-p", "asyncferry-wren-vm", "--test", "language"];

/// The scripts that wait.
const WREN_ASYNC: &[&str] = &["test", "-p", "asyncferry-wren", "--test", "scripts"];

/// Runs `cargo xtask platforms`.
pub(crate) fn run() -> Result<()> {
    let mut all = Stages::new(AfterFailure::Continue);
    stages(&mut all);
    all.finish()
}

/// Runs the suite wherever that can be done.
pub(crate) fn stages(stages: &mut Stages) {
    let server = match Server::start() {
        Ok(server) => server,
        Err(error) => return stages.run("conformance", || Err(error)),
    };
    stages.run("conformance, native", || run_tests(&mut suite(&server)));
    wasi::stages(stages, &server);
    on_the_web(stages, &server);
    let name = "Wren, built for pages";
    match has_target(WEB) {
        Ok(()) => stages.run(name, || {
            sh::run(&mut sh::cargo(&["build", "-p", "asyncferry-wren", "--target", WEB]))?;
            Ok(String::new())
        }),
        Err(error) => stages.leave_out(name, &format!("{error:#}")),
    }
}

const WEB: &str = "wasm32-unknown-unknown";

fn on_the_web(stages: &mut Stages, server: &Server) {
    const PLACES: [(&str, Option<&str>); 3] = [
        ("conformance, Node", None),
        ("conformance, Chromium page", Some("WASM_BINDGEN_USE_BROWSER")),
        ("conformance, Chromium worker", Some("WASM_BINDGEN_USE_DEDICATED_WORKER")),
    ];
    let runner = match has_target(WEB).and_then(|()| bindgen::program("wasm-bindgen-test-runner")) {
        Ok(runner) => runner,
        Err(error) => {
            return PLACES.iter().for_each(|(name, _)| stages.leave_out(name, &format!("{error:#}")));
        }
    };
    for (name, variable) in PLACES {
        let mut command = suite_for(WEB, &runner.to_string_lossy(), server);
        let is_ready = match variable {
            None => has_node(),
            Some(variable) => browser::prepare(command.env(variable, "1")),
        };
        match is_ready {
            Ok(()) => stages.run(name, || run_tests(&mut command)),
            Err(error) => stages.leave_out(name, &format!("{error:#}")),
        }
    }
}

/// The suite, for this machine.
fn suite(server: &Server) -> Command {
    let mut command = sh::cargo(SUITE);
    server.tell(&mut command);
    command
}

/// The suite, built for `target` and run by `runner`.
fn suite_for(target: &str, runner: &str, server: &Server) -> Command {
    let mut command = suite(server);
    run_on(&mut command, target, runner);
    command
}

fn run_on(command: &mut Command, target: &str, runner: &str) {
    let variable = format!("CARGO_TARGET_{}_RUNNER", target.to_uppercase().replace('-', "_"));
    command.args(["--target", target]).env(variable, runner);
}

/// Sees that Rust's standard library for `target` is there.
pub(crate) fn has_target(target: &str) -> Result<()> {
    let libraries = sh::output(&mut sh::command("rustc", &["--print", "target-libdir", "--target", target]));
    if libraries.is_some_and(|folder| Path::new(&folder).is_dir()) {
        return Ok(());
    }
    if sh::run(&mut sh::command("rustup", &["target", "add", target])).is_err() {
        bail!("Rust's library for {target} is not installed; `rustup target add {target}` installs it");
    }
    Ok(())
}

/// Sees that there is a Node that can run what wasm-bindgen makes.
pub(crate) fn has_node() -> Result<()> {
    const OLDEST: u32 = 18;
    let version = sh::output(&mut sh::command("node", &["--version"])).unwrap_or_default();
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(OLDEST..) => Ok(()),
        Some(_) => bail!("Node {version} is too old; install Node {OLDEST} or newer"),
        None => bail!("there is no Node; install it, on Debian with: apt-get install nodejs"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_target_has_its_own_runner() {
        let mut command = sh::cargo(SUITE);
        run_on(&mut command, "wasm32-wasip1", "run it");
        let runner = command.get_envs().find(|(name, _)| *name == "CARGO_TARGET_WASM32_WASIP1_RUNNER");
        assert_eq!(runner.and_then(|(_, value)| value), Some("run it".as_ref()));
        assert_eq!(command.get_args().last(), Some("wasm32-wasip1".as_ref()));
    }
}
