//! `cargo xtask npm`: the npm package, from the crate in `npm/`, and its tests as its users would run them.
//!
//! The package lies in `npm/` of the target folder: a folder each for Node, for bundlers and for pages without one, and
//! a `package.json` that leads there. It's packed into a tarball, which the tests install.

use std::fs;
use std::path::{Path, PathBuf};

use crate::platforms::{bindgen, has_node, has_target};
use crate::sh;
use crate::stages::{AfterFailure, Stages};
use anyhow::{Context, Result, bail};

const TARGET: &str = "wasm32-unknown-unknown";
const PACKAGE: &str = "asyncferry-js";
/// The folder of each kind, and what wasm-bindgen calls it.
const KINDS: [(&str, &str); 3] = [("node", "nodejs"), ("bundler", "bundler"), ("web", "web")];

/// Runs `cargo xtask npm [--test]`.
pub(crate) fn run(options: &[&str]) -> Result<()> {
    match options {
        [] => {
            let tarball = build()?;
            println!("{}", tarball.display());
            Ok(())
        }
        ["--test"] => {
            let mut stages = Stages::new(AfterFailure::Continue);
            stage(&mut stages);
            stages.finish()
        }
        unknown => bail!("npm takes --test only, but was given `{}`.", unknown.join(" ")),
    }
}

/// Builds the package and tests it, where there are the tools.
pub(crate) fn stage(stages: &mut Stages) {
    const NAME: &str = "npm package";
    match tools() {
        Ok(_) => stages.run(NAME, || test(&build()?)),
        Err(error) => stages.leave_out(NAME, &format!("{error:#}")),
    }
}

/// The path of wasm-bindgen, once all that is needed is there.
fn tools() -> Result<PathBuf> {
    has_node()?;
    if sh::output(&mut sh::command("npm", &["--version"])).is_none() {
        bail!("there is no npm; install it, on Debian with: apt-get install npm");
    }
    has_target(TARGET)?;
    bindgen::program("wasm-bindgen")
}

/// Builds the package, and gives its tarball.
fn build() -> Result<PathBuf> {
    let bindgen = tools()?;
    sh::run(&mut sh::cargo(&["build", "--release", "--package", PACKAGE, "--target", TARGET]))?;
    let program = sh::target_dir().join(TARGET).join("release/asyncferry_js.wasm");
    let folder = sh::target_dir().join("npm");
    let package = folder.join("package");
    remove(&package)?;
    for (name, target) in KINDS {
        let mut command =
            sh::command(&bindgen, &["--target", target, "--out-name", "asyncferry", "--out-dir"]);
        sh::run(command.arg(package.join(name)).arg(&program))?;
    }
    // Node's kind is CommonJS, which `import` understands as well; the others are modules.
    for (name, kind) in [("node", "commonjs"), ("bundler", "module"), ("web", "module")] {
        fs::write(package.join(name).join("package.json"), format!("{{\n  \"type\": \"{kind}\"\n}}\n"))?;
    }
    fs::write(package.join("package.json"), manifest()?)?;
    fs::copy(sh::root().join("npm/README.md"), package.join("README.md"))?;
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        fs::copy(sh::root().join(licence), package.join(licence))?;
    }
    let mut pack = sh::command("npm", &["pack", "--silent", "--pack-destination"]);
    sh::run(pack.arg(&folder).arg("./package").current_dir(&folder))?;
    Ok(folder.join(format!("asyncferry-{}.tgz", env!("CARGO_PKG_VERSION"))))
}

/// The manifest, with the workspace's version. The order of its conditions counts, so it's not read as JSON.
fn manifest() -> Result<String> {
    const NONE: &str = "\"version\": \"0.0.0\"";
    let text = fs::read_to_string(sh::root().join("npm/package.json")).context("npm/package.json")?;
    if !text.contains(NONE) {
        bail!("npm/package.json must say {NONE}, which is replaced by the workspace's version");
    }
    Ok(text.replace(NONE, &format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"))))
}

/// Installs the tarball beside its tests, and runs them; what is told is how many passed.
fn test(tarball: &Path) -> Result<String> {
    let folder = sh::target_dir().join("npm/try");
    remove(&folder)?;
    fs::create_dir_all(&folder)?;
    for file in ["package.json", "package.test.mjs", "types.ts"] {
        fs::copy(sh::root().join("npm/tests").join(file), folder.join(file))?;
    }
    let mut install = sh::command("npm", &["install", "--silent", "--no-audit", "--no-fund"]);
    sh::run(install.arg(tarball).current_dir(&folder))?;
    let compile =
        ["tsc", "--noEmit", "--strict", "--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom"];
    sh::run(sh::command("npx", &compile).arg("types.ts").current_dir(&folder))?;
    let mut passed = 0;
    let mut tests = sh::command("node", &["--test", "--test-reporter=tap", "package.test.mjs"]);
    sh::run_reading(tests.current_dir(&folder), |line| {
        passed = line.strip_prefix("# pass ").and_then(|count| count.parse().ok()).unwrap_or(passed);
    })?;
    match passed {
        0 => bail!("no test ran"),
        passed => Ok(format!("{passed} tests")),
    }
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_manifest_has_the_workspaces_version_and_leads_to_each_kind() {
        let manifest: Value = serde_json::from_str(&manifest().expect("it's there")).expect("it's JSON");
        assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
        let text = manifest["exports"].to_string();
        for (kind, _) in KINDS {
            assert!(text.contains(&format!("./{kind}/asyncferry.js")), "{text}");
        }
    }

    #[test]
    fn an_unknown_option_is_named() {
        let error = run(&["--publish"]).expect_err("it's unknown").to_string();
        assert_eq!(error, "npm takes --test only, but was given `--publish`.");
    }
}
