//! `lib.rs` is a crate's table of contents: docs, attributes, `mod name;` and `pub use`, nothing else.

use super::{Finding, Tree};
use crate::tidy::source::{Source, balanced};

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    tree.sources()
        .filter(|(path, _)| path.ends_with("/lib.rs"))
        .filter_map(|(path, source)| {
            let told =
                "lib.rs holds docs, attributes, `mod name;` and `pub use` only; move this to a module.";
            Some(Finding::new(path, first_other_item(source)?, told))
        })
        .collect()
}

/// The line of the first item that is not allowed.
fn first_other_item(source: &Source) -> Option<usize> {
    let mut rest = source.code.trim_start();
    while !rest.is_empty() {
        let line = source.line(source.code.len() - rest.len());
        let length = allowed_item(rest).ok_or(line);
        match length {
            Ok(length) => rest = rest[length..].trim_start(),
            Err(line) => return Some(line),
        }
    }
    None
}

/// The length of the attribute or the item that `code` begins with, if it is allowed.
fn allowed_item(code: &str) -> Option<usize> {
    if let Some(after) = code.strip_prefix('#') {
        let inside = after.strip_prefix('!').unwrap_or(after).trim_start().strip_prefix('[')?;
        return Some(code.len() - inside.len() + balanced(inside, '[', ']')? + 1);
    }
    let end = code.find(';')?;
    let words: Vec<&str> = code[..end].split_whitespace().collect();
    let allowed = match words.as_slice() {
        ["mod", name] => !name.contains('{'),
        [visible, "mod", name] => visible.starts_with("pub") && !name.contains('{'),
        ["pub", "use", ..] => true,
        _ => false,
    };
    allowed.then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check_rule;

    fn check(text: &str, expected: &[usize]) {
        let sentence =
            "lib.rs holds docs, attributes, `mod name;` and `pub use` only; move this to a module.";
        let expected: Vec<String> =
            expected.iter().map(|line| format!("crates/a/src/lib.rs:{line}: {sentence}")).collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check_rule(findings, &[("crates/a/src/lib.rs", text)], &expected);
    }

    #[test]
    fn a_table_of_contents_passes() {
        check("", &[]);
        check("//! Docs.\n#![forbid(unsafe_code)]\n\n/// A.\n#[cfg(x)]\nmod a;\n", &[]);
        check("pub mod b;\npub(crate) mod c;\n", &[]);
        check("pub use a::{b, c::{d, e}};\n// Why.\n#[doc(inline)]\npub use f::*;\n", &[]);
    }

    #[test]
    fn anything_else_is_found() {
        check("//! Docs.\nmod a;\nfn b() {}\n", &[3]);
        check("mod a {\n    fn b() { c(); }\n}\n", &[1]);
        check("use std::fmt;\n", &[1]);
        check("pub const A: u8 = 1;\n", &[1]);
        check("#[cfg(test)]\nmod tests {\n    use super::*;\n}\n", &[2]);
        check("macro_rules! a { () => {}; }\n", &[1]);
        check("pub fn a() {}\nmod b;\n", &[1]);
    }

    #[test]
    fn other_files_may_hold_code() {
        check_rule(findings, &[("crates/a/src/main.rs", "fn main() {}\n")], &[]);
    }
}
