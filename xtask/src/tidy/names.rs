//! Nothing is named `common` or `utils`: a name says what a file or folder holds.

use std::collections::BTreeSet;

use super::{Finding, Tree};

const EMPTY_NAMES: [&str; 2] = ["common", "utils"];

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let named = tree.files().filter_map(|file| nothing_said(&file.path)).collect::<BTreeSet<_>>();
    named
        .into_iter()
        .map(|path| Finding::new(path, 1, "this name does not say what it holds; choose one that does."))
        .collect()
}

/// The path up to the first part whose name says nothing.
fn nothing_said(path: &str) -> Option<&str> {
    let mut end = 0;
    for part in path.split('/') {
        end += part.len();
        if part.split('.').next().is_some_and(|stem| EMPTY_NAMES.contains(&stem)) {
            return Some(&path[..end]);
        }
        end += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check_rule;

    #[test]
    fn a_name_must_say_something() {
        let files = [
            ("crates/common/src/a.rs", ""),
            ("crates/common/src/b.rs", ""),
            ("crates/a/src/utils.rs", ""),
            ("tests/uncommon/c.rs", ""),
            ("common_sense.md", ""),
        ];
        let expected = [
            "crates/a/src/utils.rs:1: this name does not say what it holds; choose one that does.",
            "crates/common:1: this name does not say what it holds; choose one that does.",
        ];
        check_rule(findings, &files, &expected);
    }
}
