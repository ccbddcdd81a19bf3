//! `cargo xtask ci`: what a change must pass, cheapest first.
//!
//! The benchmarks are a workspace of their own, with their own lock file, so format and build are checked
//! there again. The advisory database of cargo-deny cannot be fetched on a closed machine: it runs only
//! where cargo-deny is installed, and is told as left out elsewhere.

use std::process::Command;

use anyhow::{Result, bail};

use crate::sh;
use crate::stages::{AfterFailure, Stages};
use crate::wheel::Versions;
use crate::{npm, platforms, test, tidy, web, wheel};

const BENCHES: &str = "benches/Cargo.toml";

/// Runs `cargo xtask ci [--fail-fast]`.
pub(crate) fn run(options: &[&str]) -> Result<()> {
    let after_failure = match options {
        [] => AfterFailure::Continue,
        ["--fail-fast"] => AfterFailure::Stop,
        unknown => bail!("ci takes --fail-fast only, but was given `{}`.", unknown.join(" ")),
    };
    let mut stages = Stages::new(after_failure);
    cargo(&mut stages, "format", &["fmt", "--all", "--check"]);
    stages.run("tidy", || tidy::run().map(|()| String::new()));
    cargo(
        &mut stages,
        "clippy",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--features",
            test::NET,
            "--locked",
            "--",
            "-D",
            "warnings",
        ],
    );
    documentation(&mut stages);
    test::workspace(&mut stages);
    platforms::stages(&mut stages);
    npm::stage(&mut stages);
    web::stage(&mut stages);
    wheel::stages(&mut stages, Versions::Default);
    benches(&mut stages);
    deny(&mut stages);
    stages.finish()
}

fn benches(stages: &mut Stages) {
    if !sh::root().join(BENCHES).is_file() {
        stages.leave_out("benches", "there is no benches/Cargo.toml");
        return;
    }
    cargo(stages, "format, benches", &["fmt", "--all", "--check", "--manifest-path", BENCHES]);
    let packages = ["-p", "ferry-benches", "-p", "ferry-benches-wren"];
    let check = ["check", "--all-targets", "--locked", "--manifest-path", BENCHES];
    cargo(stages, "check, benches", &[&check[..], &packages].concat());
}

fn documentation(stages: &mut Stages) {
    stages.run("documentation", || {
        let mut command =
            sh::cargo(&["doc", "--workspace", "--no-deps", "--features", test::NET, "--locked"]);
        silently(command.env("RUSTDOCFLAGS", "-Dwarnings"))
    });
}

fn deny(stages: &mut Stages) {
    if sh::output(&mut sh::cargo(&["deny", "--version"])).is_none() {
        let reason = "cargo-deny is not installed; `cargo install cargo-deny` installs it";
        stages.leave_out("licences and advisories", reason);
        return;
    }
    cargo(stages, "licences and advisories", &["deny", "--all-features", "check"]);
}

fn cargo(stages: &mut Stages, name: &str, arguments: &[&str]) {
    stages.run(name, || silently(&mut sh::cargo(arguments)));
}

/// Runs `command` for a stage that has nothing to tell but its outcome.
fn silently(command: &mut Command) -> Result<String> {
    sh::run(command).map(|()| String::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_option_is_named() {
        let error = run(&["--fast"]).unwrap_err().to_string();
        assert_eq!(error, "ci takes --fail-fast only, but was given `--fast`.");
    }
}
