//! `cargo xtask bench wren`: Wren programs on Ferry's machine, on C Wren and, in Lua, on Lua 5.4. `cargo xtask bench wren-async`: calls of
//! async functions from scripts, beside mlua's.
//!
//! C Wren's bindings are made with libclang when they're built. Where that fails they're left out, and a line says so.

use anyhow::{Result, bail};

use super::line::Line;
use crate::sh;

const PACKAGE: &[&str] = &["--release", "--manifest-path", "benches/Cargo.toml", "-p", "ferry-benches-wren"];
const WITH_C_WREN: &[&str] = &["--features", "c-wren"];

/// Runs that of async calls, passing on `rest`.
pub(super) fn run_async(rest: &[&str], lines: &mut Vec<Line>) -> Result<()> {
    read("wren-async", &[&["run"], PACKAGE, &["--bin", "wren-async", "--"], rest].concat(), lines)
}

/// Runs that of programs, passing on `rest`.
pub(super) fn run(rest: &[&str], lines: &mut Vec<Line>) -> Result<()> {
    let build = [&["build"], PACKAGE, WITH_C_WREN].concat();
    let has_c_wren = sh::run(&mut sh::cargo(&build)).is_ok();
    if !has_c_wren {
        eprintln!(
            "\nC Wren is left out, as it could not be built (see above): it needs libclang and a C compiler."
        );
    }
    let features: &[&str] = if has_c_wren { WITH_C_WREN } else { &[] };
    read("wren", &[&["run"], PACKAGE, features, &["--"], rest].concat(), lines)
}

fn read(name: &str, arguments: &[&str], lines: &mut Vec<Line>) -> Result<()> {
    let before = lines.len();
    let mut faults = Vec::new();
    sh::run_reading(&mut sh::cargo(arguments), |text| {
        if text.starts_with('{') {
            match Line::parse(text) {
                Ok(line) => lines.push(line),
                Err(error) => faults.push(format!("a line cannot be read: {error:#}\n  {text}")),
            }
        }
    })?;
    if !faults.is_empty() {
        bail!("{}", faults.join("\n"));
    }
    if lines.len() == before { bail!("benchmark {name} printed no figures") } else { Ok(()) }
}
