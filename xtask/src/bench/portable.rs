//! `cargo xtask bench portable`: Ferry beside its peers on WASI, in Node and in Chromium.
//!
//! The program is `benches/portable`, built for each. It prints a figure a line, `measurement contender nanoseconds`,
//! its contenders in turn; what is printed here is a line for the medians, with the platform in the bench's name. A
//! platform that can't be had is told and left out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::line::Line;
use crate::platforms::{bindgen, browser, has_node, has_target, wasi};
use crate::serve::Site;
use crate::sh;
use crate::webdriver::Session;

const PACKAGE: &str = "benches/portable";
const WEB: &str = "wasm32-unknown-unknown";
const WASI: &str = "wasm32-wasip1";
const ROUNDS: u32 = 9;

/// Runs it where it can be run.
pub(super) fn run(lines: &mut Vec<Line>) -> Result<()> {
    let before = lines.len();
    for (platform, against, measure) in [
        ("wasi", "tokio", on_wasi as fn() -> Result<String>),
        ("node", BINDGEN, in_node),
        ("chromium", BINDGEN, in_chromium),
    ] {
        match measure() {
            Ok(figures) => lines.extend(report(platform, against, &figures)?),
            Err(error) => eprintln!("\n{platform} is left out: {error:#}"),
        }
    }
    if lines.len() == before { bail!("no platform could be measured") } else { Ok(()) }
}

const BINDGEN: &str = "wasm-bindgen-futures";

fn on_wasi() -> Result<String> {
    has_target(WASI)?;
    let runner = wasi::runner()?;
    let build =
        ["build", "--release", "--manifest-path", "benches/portable/Cargo.toml", "--bin", "ferry-portable"];
    sh::run(sh::cargo(&build).args(["--target", WASI]))?;
    let (program, arguments) = runner.split_once(' ').context("the runner is a program and its script")?;
    let mut command = sh::command(program, &[arguments]);
    command.arg(built(WASI, "ferry-portable.wasm")).arg(ROUNDS.to_string());
    sh::output(&mut command).context("the program failed in wasmtime")
}

fn in_node() -> Result<String> {
    has_node()?;
    let folder = web_package()?;
    let mut command = sh::command("node", &[]);
    command.arg(folder.join("node.mjs")).arg(folder.join("pkg")).arg(ROUNDS.to_string());
    sh::output(&mut command).context("the program failed in Node")
}

fn in_chromium() -> Result<String> {
    let programs = browser::find()?;
    let folder = web_package()?;
    Site::new(&folder, &folder.join("pkg")).while_served(|url| {
        let session = Session::start(&programs)?;
        session.open(url)?;
        session.wait_for_text("#state", "^ready$")?;
        let figures = session.run("return await window.figures(args[0])", json!([ROUNDS]))?;
        figures.as_str().map(str::to_owned).context("the page gave no figures")
    })
}

/// The program for pages and Node, with its scripts beside it.
fn web_package() -> Result<PathBuf> {
    has_target(WEB)?;
    let bindgen = bindgen::program("wasm-bindgen")?;
    let build =
        ["build", "--release", "--manifest-path", "benches/portable/Cargo.toml", "--lib", "--target", WEB];
    sh::run(&mut sh::cargo(&build))?;
    let folder = sh::target_dir().join("portable");
    fs::create_dir_all(&folder)?;
    let mut command = sh::command(bindgen, &["--target", "web", "--no-typescript", "--out-dir"]);
    sh::run(command.arg(folder.join("pkg")).arg(built(WEB, "ferry_portable.wasm")))?;
    for script in ["driver.js", "node.mjs", "index.html"] {
        fs::copy(sh::root().join(PACKAGE).join(script), folder.join(script))?;
    }
    fs::write(folder.join("package.json"), "{ \"type\": \"module\" }\n")?;
    Ok(folder)
}

fn built(target: &str, file: &str) -> PathBuf {
    Path::new("benches/target").join(target).join("release").join(file)
}

/// Prints a JSON line for each measurement of `figures`, and gives them.
fn report(platform: &str, against: &str, figures: &str) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for (name, contenders) in medians(figures)? {
        let (unit, scale) = if name.starts_with("sleep") { ("us", 1000.0) } else { ("ns", 1.0) };
        let rounded = |figure: f64| (figure / scale * 1000.0).round() / 1000.0;
        let ours =
            contenders.get("ferry").copied().with_context(|| format!("{name} has no figure of ours"))?;
        let peers: BTreeMap<_, _> = contenders
            .iter()
            .filter(|(peer, _)| *peer != "ferry")
            .map(|(peer, figure)| (peer, rounded(*figure)))
            .collect();
        let ratio = contenders.get(against).map(|peer| (ours / peer * 1000.0).round() / 1000.0);
        let line = json!({
            "bench": format!("portable/{platform}/{name}"), "unit": unit, "ours": rounded(ours), "peers": peers,
            "against": against, "ratio": ratio, "goal": null,
        });
        println!("{line}");
        lines.push(Line::parse(&line.to_string())?);
    }
    Ok(lines)
}

/// The median of each contender, by measurement, in their order.
fn medians(figures: &str) -> Result<Vec<(String, BTreeMap<String, f64>)>> {
    let mut all: Vec<(String, BTreeMap<String, Vec<f64>>)> = Vec::new();
    for text in figures.lines() {
        let words: Vec<_> = text.split(' ').collect();
        let [name, contender, figure] = words[..] else { bail!("this is no figure: {text}") };
        let figure: f64 = figure.parse().with_context(|| format!("this is no figure: {text}"))?;
        if all.last().is_none_or(|(last, _)| last != name) {
            all.push((name.to_owned(), BTreeMap::new()));
        }
        if let Some((_, contenders)) = all.last_mut() {
            contenders.entry(contender.to_owned()).or_default().push(figure);
        }
    }
    let median = |mut figures: Vec<f64>| {
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    let of_one = |contenders: BTreeMap<String, Vec<f64>>| {
        contenders.into_iter().map(|(contender, figures)| (contender, median(figures))).collect()
    };
    Ok(all.into_iter().map(|(name, contenders)| (name, of_one(contenders))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_gathered_by_measurement_and_contender() {
        let figures =
            "one ferry 3\none peer 8\none ferry 1\none peer 9\none ferry 2\none peer 7.5\ntwo ferry 4";
        let gathered = medians(figures).expect("they are figures");
        assert_eq!(gathered.len(), 2);
        assert_eq!(gathered[0].1["ferry"], 2.0);
        assert_eq!(gathered[0].1["peer"], 8.0);
        assert_eq!(gathered[1], ("two".to_owned(), BTreeMap::from([("ferry".to_owned(), 4.0)])));
    }

    #[test]
    fn what_is_no_figure_is_shown() {
        let told = |text| medians(text).expect_err("it's wrong").to_string();
        assert_eq!(told("one ferry"), "this is no figure: one ferry");
        assert_eq!(told("one ferry fast"), "this is no figure: one ferry fast");
    }
}
