//! The arrows between crates point one way, and some crates from outside stop at a border.
//!
//! `cli` leads to `ferry-python`, `ferry-wren`, `wren` and `ferry-translate`, and these to `ferry`; `ferry-wren`
//! leads to `wren`; `ferry-pystd` to `ferry`. The extension modules, `python` and those of the examples, lead
//! to `ferry-python`; what is built for pages, and the conformance suite, to `ferry`. What is not in [`ARROWS`] is not allowed, for tests and build scripts either.

use std::collections::BTreeMap;

use super::{Finding, Tree};

/// Each crate's folder, and the folders of the crates that it may depend on.
const ARROWS: &[(&str, &[&str])] = &[
    ("ferry", &[]),
    ("ferry-python", &["ferry"]),
    ("ferry-wren", &["ferry", "wren"]),
    ("wren", &[]),
    ("ferry-translate", &["ferry"]),
    ("ferry-pystd", &["ferry"]),
    ("ferry-cli", &["ferry", "ferry-python", "ferry-wren", "ferry-translate", "wren"]),
    ("python", &["ferry-python"]),
    ("rust_extension", &["ferry-python"]),
    ("npm", &["ferry"]),
    ("web", &["ferry"]),
    ("conformance", &["ferry"]),
];

/// Crates from outside, with all whose name continues theirs after a `-`, and the only folders that may
/// use them.
const BORDERS: &[(&str, &[&str])] = &[
    ("pyo3", &["ferry-python", "ferry-cli", "python", "rust_extension"]),
    // The bridge to Python only looks inside the `anyhow` errors of its users, behind a feature.
    ("anyhow", &["ferry-cli", "ferry-python"]),
    // The benchmarks' peers stay in the benchmarks' own workspace.
    ("pyo3-async-runtimes", &[]),
    ("async-executor", &[]),
];

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let crates: Vec<(&str, &str, &str)> = tree.texts(&["toml"]).filter_map(manifest).collect();
    let folders: BTreeMap<&str, &str> =
        crates.iter().filter_map(|(_, folder, text)| Some((package_name(text)?, *folder))).collect();
    let mut findings = Vec::new();
    for (path, folder, text) in crates {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == folder) else {
            let told = format!("crate {folder} has no arrows; add it to xtask/src/tidy/arrows.rs.");
            findings.push(Finding::new(path, 1, told));
            continue;
        };
        for (line, dependency) in dependencies(text) {
            let within = folders.get(dependency).is_some_and(|to| !allowed.contains(to));
            if within || crosses_border(folder, dependency) {
                let told =
                    format!("{folder} must not depend on {dependency}; the arrows point the other way.");
                findings.push(Finding::new(path, line, told));
            }
        }
    }
    findings
}

/// The path, the folder's name and the text of a crate's manifest. `xtask` and `benches` are no part of the product.
fn manifest<'a>((path, text): (&'a str, &'a str)) -> Option<(&'a str, &'a str, &'a str)> {
    let place = path.strip_suffix("/Cargo.toml")?;
    let within = ["crates/", "examples/", "tests/"].into_iter().find_map(|parent| place.strip_prefix(parent));
    let folder = within.or(["npm", "python"].contains(&place).then_some(place))?;
    (!folder.contains('/')).then_some((path, folder, text))
}

fn crosses_border(folder: &str, dependency: &str) -> bool {
    BORDERS.iter().any(|(name, allowed)| {
        let rest = dependency.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-')) && !allowed.contains(&folder)
    })
}

fn package_name(text: &str) -> Option<&str> {
    let package = text.split("[package]").nth(1)?.split("\n[").next()?;
    package.lines().find_map(|line| quoted_value(line, "name"))
}

/// The names of the packages that a manifest depends on, in each kind of section, with their lines.
fn dependencies(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_section = false;
    let mut depth = 0;
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(header) = line.strip_prefix('[').filter(|_| depth == 0) {
            let header = header.trim_end_matches(']');
            in_section = header.ends_with("dependencies");
            if let Some((_, name)) = header.rsplit_once("dependencies.") {
                found.push((index + 1, name.trim_matches('"')));
            }
        } else if depth == 0 && in_section && line.contains('=') {
            let key = line.split(['=', '.']).next().unwrap_or_default().trim().trim_matches('"');
            found.push((index + 1, renamed(line).unwrap_or(key)));
        }
        // A table or a list may go over several lines, which are no dependencies of their own.
        if !line.starts_with('[') || depth > 0 {
            depth += line.matches(['[', '{']).count();
            depth -= line.matches([']', '}']).count().min(depth);
        }
    }
    found
}

/// The package of `name = { package = "other", .. }`.
fn renamed(line: &str) -> Option<&str> {
    let (_, table) = line.split_once('{')?;
    table.split([',', '}']).find_map(|part| quoted_value(part, "package"))
}

fn quoted_value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let after = text.trim().strip_prefix(key)?.trim_start().strip_prefix('=')?;
    after.trim().strip_prefix('"')?.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check_rule;

    const FERRY: (&str, &str) = ("crates/ferry/Cargo.toml", "[package]\nname = \"asyncferry\"\n");
    const PYTHON: (&str, &str) = (
        "crates/ferry-python/Cargo.toml",
        "[package]\nname = \"asyncferry-python\"\n[dependencies]\nasyncferry.workspace = true\n\
         pyo3 = \"0.30\"\n",
    );

    #[test]
    fn allowed_arrows_pass() {
        let cli = "[package]\nname = \"asyncferry-cli\"\n[dependencies]\nasyncferry-python.workspace = true\n\
                   anyhow = \"1\"\n[build-dependencies]\n\
                   pyo3-build-config = \"0.30\"\n[features]\npyo3 = []\n";
        check_rule(findings, &[FERRY, PYTHON, ("crates/ferry-cli/Cargo.toml", cli)], &[]);
    }

    #[test]
    fn an_arrow_against_the_order_is_found_in_each_section() {
        let text = "[package]\nname = \"asyncferry\"\n[dependencies]\n\
                    tokio = { version = \"1\", features = [\n  \"rt\",\n] }\n\
                    pyo3 = \"0.30\"\n[dev-dependencies]\nasyncferry-python = { path = \"../ferry-python\" }\n\
                    [target.'cfg(unix)'.build-dependencies]\n\
                    b = { package = \"pyo3-build-config\", version = \"1\" }\n\
                    [dependencies.anyhow]\nversion = \"1\"\n";
        let expected = [
            "crates/ferry/Cargo.toml:7: ferry must not depend on pyo3; the arrows point the other way.",
            "crates/ferry/Cargo.toml:9: ferry must not depend on asyncferry-python; \
             the arrows point the other way.",
            "crates/ferry/Cargo.toml:11: ferry must not depend on pyo3-build-config; \
             the arrows point the other way.",
            "crates/ferry/Cargo.toml:12: ferry must not depend on anyhow; the arrows point the other way.",
        ];
        check_rule(findings, &[("crates/ferry/Cargo.toml", text), PYTHON], &expected);
    }

    #[test]
    fn peers_stay_in_the_benchmarks() {
        let text = PYTHON.1.replace("pyo3 =", "pyo3-async-runtimes =");
        let expected =
            ["crates/ferry-python/Cargo.toml:5: ferry-python must not depend on pyo3-async-runtimes; \
             the arrows point the other way."];
        check_rule(findings, &[FERRY, (PYTHON.0, &text)], &expected);
    }

    #[test]
    fn extension_modules_may_depend_on_the_bridge_only() {
        let text = "[package]\nname = \"x\"\n[dependencies]\nasyncferry-python.workspace = true\n\
                    pyo3.workspace = true\nasyncferry.workspace = true\n";
        let files =
            [FERRY, PYTHON, ("python/Cargo.toml", text), ("examples/rust_extension/Cargo.toml", text)];
        let expected =
            ["python/Cargo.toml:6: python", "examples/rust_extension/Cargo.toml:6: rust_extension"].map(
                |place| format!("{place} must not depend on asyncferry; the arrows point the other way."),
            );
        check_rule(findings, &files, &expected.each_ref().map(String::as_str));
    }

    #[test]
    fn an_unknown_crate_is_told() {
        let expected =
            ["crates/new/Cargo.toml:1: crate new has no arrows; add it to xtask/src/tidy/arrows.rs."];
        check_rule(findings, &[("crates/new/Cargo.toml", "[package]\nname = \"new\"\n")], &expected);
        let expected =
            ["examples/new/Cargo.toml:1: crate new has no arrows; add it to xtask/src/tidy/arrows.rs."];
        check_rule(findings, &[("examples/new/Cargo.toml", "[package]\nname = \"new\"\n")], &expected);
    }
}
