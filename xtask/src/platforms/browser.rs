//! A headless Chromium and its driver: the machine's, or the distribution's packages where this user may install them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::sh;

/// What a headless Chromium wants on a closed machine, as root too.
const OPTIONS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Where the two programs are.
pub(crate) struct Browser {
    pub(crate) browser: PathBuf,
    pub(crate) driver: PathBuf,
}

/// Tells wasm-bindgen's test runner, which `command` starts, of the browser.
pub(super) fn prepare(command: &mut Command) -> Result<()> {
    let browser = find()?;
    let settings = sh::target_dir().join("webdriver.json");
    fs::write(&settings, capabilities(&browser.browser).to_string()).context("the browser's settings")?;
    command.env("CHROMEDRIVER", browser.driver).env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", settings);
    Ok(())
}

/// What a session is asked for. chromedriver gives each a fresh profile.
pub(crate) fn capabilities(browser: &Path) -> serde_json::Value {
    json!({"goog:chromeOptions": {"args": OPTIONS, "binary": browser}})
}

/// The browser and its driver, installed if need be.
pub(crate) fn find() -> Result<Browser> {
    if let Some(found) = on_path() {
        return Ok(found);
    }
    if is_root() && Path::new("/etc/debian_version").exists() {
        sh::run(&mut sh::command("apt-get", &["update"]))?;
        let install = ["install", "--yes", "--no-install-recommends", "chromium", "chromium-driver"];
        sh::run(sh::command("apt-get", &install).env("DEBIAN_FRONTEND", "noninteractive"))?;
    }
    let Some(found) = on_path() else {
        bail!(
            "there is no Chromium with its chromedriver; install them, on Debian with: apt-get install chromium \
             chromium-driver"
        );
    };
    Ok(found)
}

fn on_path() -> Option<Browser> {
    Some(Browser { browser: NAMES.into_iter().find_map(which)?, driver: which("chromedriver")? })
}

fn which(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file())
}

fn is_root() -> bool {
    sh::output(&mut sh::command("id", &["-u"])).is_some_and(|user| user == "0")
}
