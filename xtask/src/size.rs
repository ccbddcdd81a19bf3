//! `cargo xtask size`: how large the smallest program is that spawns, sleeps and joins, beside its peers.
//!
//! The programs are the examples of `benches/portable`, built for size and then optimised by binaryen's `wasm-opt -Oz`,
//! which comes from npm. A page's program is weighed as wasm-bindgen leaves it, without its script.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::platforms::{bindgen, has_node, has_target};
use crate::sh;

const BINARYEN: &str = "binaryen@132.0.0";

/// What Rust and wasm-bindgen use of WebAssembly, and browsers have.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// A target, what its lines are named, our program, the peer's, and whether wasm-bindgen sees to it.
struct Pair {
    target: &'static str,
    name: &'static str,
    ours: &'static str,
    peer: (&'static str, &'static str),
    is_for_pages: bool,
}

const PAIRS: [Pair; 2] = [
    Pair {
        target: "wasm32-unknown-unknown",
        name: "size/web",
        ours: "size_web_ferry",
        peer: ("wasm-bindgen-futures", "size_web_peer"),
        is_for_pages: true,
    },
    Pair {
        target: "wasm32-wasip1",
        name: "size/wasi",
        ours: "size_wasi_ferry",
        peer: ("tokio", "size_wasi_tokio"),
        is_for_pages: false,
    },
];

/// Runs `cargo xtask size`.
pub(crate) fn run() -> Result<()> {
    let optimiser = optimiser()?;
    for pair in PAIRS {
        has_target(pair.target)?;
        let ours = weigh(&pair, pair.ours, &optimiser)?;
        let peer = weigh(&pair, pair.peer.1, &optimiser)?;
        #[expect(clippy::cast_precision_loss, reason = "sizes are small")]
        let ratio = (ours as f64 / peer as f64 * 1000.0).round() / 1000.0;
        let line = json!({
            "bench": pair.name, "unit": "B", "ours": ours, "peers": {pair.peer.0: peer}, "against": pair.peer.0,
            "ratio": ratio, "goal": null,
        });
        println!("{line}");
    }
    Ok(())
}

/// The optimised program's size, in bytes.
fn weigh(pair: &Pair, example: &str, optimiser: &Path) -> Result<u64> {
    let manifest = "benches/portable/Cargo.toml";
    let build = [
        "build",
        "--profile",
        "size",
        "--manifest-path",
        manifest,
        "--example",
        example,
        "--target",
        pair.target,
    ];
    sh::run(&mut sh::cargo(&build))?;
    let mut program = sh::root()
        .join("benches/target")
        .join(pair.target)
        .join("size/examples")
        .join(format!("{example}.wasm"));
    if pair.is_for_pages {
        let folder = sh::target_dir().join("size");
        let mut command = sh::command(
            bindgen::program("wasm-bindgen")?,
            &[
                "--target",
                "web",
                "--no-typescript",
                "--remove-name-section",
                "--remove-producers-section",
                "--out-dir",
            ],
        );
        sh::run(command.arg(&folder).arg(&program))?;
        program = folder.join(format!("{example}_bg.wasm"));
    }
    let optimised = sh::target_dir().join(format!("{example}.opt.wasm"));
    let mut command = sh::command("node", &[]);
    command.arg(optimiser).arg("-Oz").args(FEATURES).arg("-o").arg(&optimised).arg(&program);
    sh::run(&mut command)?;
    Ok(fs::metadata(&optimised).context("the optimised program")?.len())
}

/// binaryen's `wasm-opt`, installed into the target folder.
fn optimiser() -> Result<PathBuf> {
    has_node()?;
    let folder = sh::target_dir().join("binaryen");
    let program = folder.join("node_modules/binaryen/bin/wasm-opt");
    if !program.is_file() {
        fs::create_dir_all(&folder)?;
        let mut install = sh::command("npm", &["install", "--silent", "--no-audit", "--no-fund", "--prefix"]);
        sh::run(install.arg(&folder).arg(BINARYEN)).context("binaryen, which optimises the programs")?;
    }
    if !program.is_file() {
        bail!("npm's {BINARYEN} has no wasm-opt where it was expected");
    }
    Ok(program)
}
