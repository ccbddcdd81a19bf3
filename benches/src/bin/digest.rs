//! `examples/digest_tree.py` on Ferry beside the same program on asyncio, with hashlib's blake2b in a thread
//! pool: whole processes, alternated, on the same tree.
//!
//! `digest [FOLDER]` takes a tree of yours, or makes one: 4,000 files of 1 to 64 KiB and 40 of 8 MiB.

use anyhow::{Context, bail, ensure};
use ferry_benches::{Clock, alternate, print_line};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("benches/ lies in the repository")?;
    let made = tempfile::tempdir()?;
    let tree = match std::env::args_os().nth(1) {
        Some(folder) => PathBuf::from(folder),
        None => make_tree(made.path())?,
    };
    let ferry = build_ferry(root)?;
    let on_ferry = || {
        let mut command = Command::new(&ferry);
        command.arg("run").arg(root.join("examples/digest_tree.py")).arg(&tree);
        command
    };
    let on_asyncio = || {
        let mut command = Command::new("python3");
        command.arg(root.join("benches/src/digest_tree_asyncio.py")).arg(&tree);
        command
    };
    let (ours, theirs) = (artifacts(on_ferry())?, artifacts(on_asyncio())?);
    ensure!(ours == theirs, "they saw different trees: {ours} artifacts here, {theirs} there");
    let figures = alternate(
        7,
        vec![
            ("ferry", Box::new(|| seconds(on_ferry()))),
            ("asyncio + blake2b", Box::new(|| seconds(on_asyncio()))),
        ],
    );
    print_line("digest/tree", "s", &figures, "asyncio + blake2b", None);
    Ok(())
}

/// Builds the `ferry` command in release mode and gives its path.
fn build_ferry(root: &Path) -> anyhow::Result<PathBuf> {
    let output = Command::new("cargo")
        .args(["build", "--release", "--package", "asyncferry-cli", "--message-format", "json"])
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "ferry could not be built");
    let messages = String::from_utf8(output.stdout)?;
    let path = messages.lines().rev().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(message.get("executable")?.as_str()?))
    });
    path.context("cargo did not say where it put ferry")
}

/// Files of many small sizes and some large ones, the same each time.
fn make_tree(root: &Path) -> anyhow::Result<PathBuf> {
    let block: Vec<u8> = (0..8u32 << 20).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for i in 0..4_040usize {
        let folder = root.join(format!("d{:02}", i % 40));
        fs::create_dir_all(&folder)?;
        let size = if i < 4_000 { 1_024 + i * 7_919 % 64_512 } else { block.len() };
        fs::write(folder.join(format!("f{i}.bin")), &block[..size])?;
    }
    Ok(root.to_owned())
}

fn seconds(mut command: Command) -> f64 {
    let start = Clock::Wall.now();
    let done = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(done.is_ok_and(|status| status.success()), "{command:?} failed");
    (Clock::Wall.now() - start) / 1e9
}

/// How many lines with an Artifact it printed.
fn artifacts(mut command: Command) -> anyhow::Result<usize> {
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        bail!("{command:?} failed");
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().filter(|line| line.starts_with("Artifact(")).count())
}
