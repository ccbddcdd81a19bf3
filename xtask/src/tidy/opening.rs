//! Each Rust file opens with `//!`: a reader learns what a file is for before anything else.

use super::{Finding, Tree};

const FOLDERS: [&str; 3] = ["crates/", "xtask/", "benches/"];

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    tree.texts(&["rs"])
        .filter(|(path, text)| FOLDERS.iter().any(|folder| path.starts_with(folder)) && !opens(text))
        .map(|(path, _)| Finding::new(path, 1, "the file must open with `//!` and say what it is for."))
        .collect()
}

fn opens(text: &str) -> bool {
    text.strip_prefix("//!")
        .is_some_and(|rest| rest.lines().next().is_some_and(|purpose| !purpose.trim().is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check_rule;

    #[test]
    fn the_first_line_tells_the_purpose() {
        let files = [
            ("crates/a/src/good.rs", "//! Good.\n"),
            ("crates/a/src/late.rs", "#![forbid(unsafe_code)]\n//! Late.\n"),
            ("xtask/src/empty.rs", ""),
            ("benches/src/silent.rs", "//!\nfn main() {}\n"),
            ("examples/outside.rs", "fn main() {}\n"),
        ];
        let expected = [
            "crates/a/src/late.rs:1: the file must open with `//!` and say what it is for.",
            "xtask/src/empty.rs:1: the file must open with `//!` and say what it is for.",
            "benches/src/silent.rs:1: the file must open with `//!` and say what it is for.",
        ];
        check_rule(findings, &files, &expected);
    }
}
