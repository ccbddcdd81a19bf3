//! `cargo xtask web`: builds `examples/web` and serves it on loopback; and the test that drives it in a browser.
//!
//! What it is served by, with what the page asks for, is [`Site`].

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::json;
use tiny_http::Server;

use crate::platforms::{bindgen, browser, has_target};
use crate::serve::Site;
use crate::sh;
use crate::stages::{AfterFailure, Stages};
use crate::webdriver::Session;

const TARGET: &str = "wasm32-unknown-unknown";
const PACKAGE: &str = "ferry-example-web";
const PAGE: &str = "examples/web";

/// Runs `cargo xtask web [PORT | --test]`.
pub(crate) fn run(options: &[&str]) -> Result<()> {
    if options == ["--test"] {
        let mut stages = Stages::new(AfterFailure::Continue);
        stage(&mut stages);
        return stages.finish();
    }
    let port = match options {
        [] => 8080,
        [port] => port.parse::<u16>().map_err(|_| anyhow!("web takes a port, but was given `{port}`."))?,
        [_, extra, ..] => bail!("web takes a port only, but was given `{extra}` as well."),
    };
    let site = Site::new(&sh::root().join(PAGE), &build()?);
    let server = Server::http(("127.0.0.1", port)).map_err(|error| {
        anyhow!("port {port} can't be had: {error}; name another: cargo xtask web {}", port.wrapping_add(1))
    })?;
    println!("http://{}/ (Ctrl-C ends it)", server.server_addr());
    site.serve(&server);
    Ok(())
}

/// The stage that builds the page and drives it, where there is a browser.
pub(crate) fn stage(stages: &mut Stages) {
    const NAME: &str = "examples/web in Chromium";
    let tools = || {
        has_target(TARGET)?;
        bindgen::program("wasm-bindgen")?;
        browser::find()
    };
    match tools() {
        Ok(browser) => stages.run(NAME, || drive(&browser)),
        Err(error) => stages.leave_out(NAME, &format!("{error:#}")),
    }
}

/// Builds the program, and gives the folder of what wasm-bindgen makes of it.
fn build() -> Result<PathBuf> {
    has_target(TARGET)?;
    let bindgen = bindgen::program("wasm-bindgen")?;
    sh::run(&mut sh::cargo(&["build", "--release", "--package", PACKAGE, "--target", TARGET]))?;
    let program = sh::target_dir().join(TARGET).join("release/ferry_example_web.wasm");
    let made = sh::target_dir().join("web/pkg");
    let mut command = sh::command(bindgen, &["--target", "web", "--no-typescript", "--out-dir"]);
    sh::run(command.arg(&made).arg(program))?;
    Ok(made)
}

/// Builds and serves the page, and uses it as a person would.
fn drive(programs: &browser::Browser) -> Result<String> {
    let site = Site::new(&sh::root().join(PAGE), &build()?);
    site.while_served(|url| use_page(programs, url))
}

fn use_page(programs: &browser::Browser, url: &str) -> Result<String> {
    let session = Session::start(programs)?;
    session.open(url)?;
    session.wait_for_text("#state", "^ready$")?;
    timers(&session).context("timers")?;
    queue(&session).context("queue")?;
    requests(&session).context("requests")?;
    computing(&session).context("computing")?;
    session.wait_for_text("#status", r"^\d+ tasks, \d+ timers, \d+ polls")?;
    let picture = sh::target_dir().join("web/screenshot.png");
    fs::write(&picture, session.screenshot()?)?;
    Ok(format!("4 parts used; {}", picture.display()))
}

fn timers(page: &Session) -> Result<()> {
    page.click("#clock-start")?;
    page.wait_for_text("#clock-time", r"^(0\.[3-9]|[1-9]\d*\.\d) s$")?;
    page.click("#clock-stop")?;
    page.wait_for_text("#clock-state", "^stopped$")?;
    let stopped = page.text("#clock-time")?;
    // Half a second of the page's own time later it still shows the same.
    page.run("await new Promise((done) => setTimeout(done, 500))", json!([]))?;
    let later = page.text("#clock-time")?;
    if later != stopped {
        bail!("the clock was stopped at {stopped}, and shows {later}");
    }
    Ok(())
}

fn queue(page: &Session) -> Result<()> {
    let ask_for =
        |jobs: &str| page.run("document.querySelector('#queue-jobs').value = args[0]", json!([jobs]));
    // More than can be done in the time that a click takes.
    ask_for("500")?;
    page.click("#queue-start")?;
    page.wait_for_text("#queue-log", "worker 3: job")?;
    page.click("#queue-cancel")?;
    page.wait_for_text("#queue-state", "^cancelled: the button was pressed$")?;
    ask_for("24")?;
    page.click("#queue-start")?;
    page.wait_for_text("#queue-state", "^24 jobs done$")?;
    let log = page.run(
        "return [...document.querySelectorAll('#queue-log li')].map((line) => +line.textContent.split('job ')[1])",
        json!([]),
    )?;
    let mut jobs: Vec<u64> =
        log.as_array().into_iter().flatten().filter_map(serde_json::Value::as_u64).collect();
    jobs.sort_unstable();
    if jobs != (1..=24).collect::<Vec<_>>() {
        bail!("each job is to be done once, but these were: {jobs:?}");
    }
    Ok(())
}

fn requests(page: &Session) -> Result<()> {
    page.click("#fetch-quick")?;
    page.wait_for_text("#fetch-state", "^1000 bytes$")?;
    page.click("#fetch-missing")?;
    page.wait_for_text("#fetch-state", "^the server says 404$")?;
    page.click("#fetch-slow")?;
    page.wait_for_text("#fetch-state", r"^\d{4,} bytes so far$")?;
    page.click("#fetch-cancel")?;
    page.wait_for_text("#fetch-state", "^cancelled: the button was pressed$")?;
    // The server hears of it.
    let heard = page.run(
        "for (let look = 0; look < 100; look++) {
             const count = +(await (await fetch('data/given-up')).text());
             if (count > 0) return count;
             await new Promise((done) => setTimeout(done, 50));
         }
         return 0;",
        json!([]),
    )?;
    if heard != json!(1) {
        bail!("one request was cancelled, and the server saw {heard} connections close");
    }
    Ok(())
}

fn computing(page: &Session) -> Result<()> {
    // While it computes, the page paints.
    page.run(
        "window.frames_seen = 0; const count = () => { window.frames_seen++; requestAnimationFrame(count); }; count();",
        json!([]),
    )?;
    page.click("#compute-start")?;
    page.wait_for_text("#compute-state", "^33860 primes$")?;
    let frames = page.run("return window.frames_seen", json!([]))?;
    if frames.as_u64().unwrap_or(0) < 3 {
        bail!("the page painted {frames} frames while the program computed");
    }
    // More than it can count in the time that a click takes.
    page.run("document.querySelector('#compute-below').value = '5000000'", json!([]))?;
    page.click("#compute-start")?;
    page.wait_for_text("#compute-state", "^counting$")?;
    page.click("#compute-cancel")?;
    page.wait_for_text("#compute-state", "^cancelled: the button was pressed$")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_arguments_are_named() {
        let told = |options: &[&str]| run(options).expect_err("it's wrong").to_string();
        assert_eq!(told(&["many"]), "web takes a port, but was given `many`.");
        assert_eq!(told(&["1", "2"]), "web takes a port only, but was given `2` as well.");
    }
}
