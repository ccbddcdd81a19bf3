//! No file of the repository speaks of a folder that only one machine has.

use super::{Finding, Tree};
use crate::tidy::source::in_name;

/// The top folders of homes and of work places; written apart, so that this file obeys its own rule.
const FOLDERS: [&str; 3] = [concat!("/", "root/"), concat!("/", "home/"), concat!("/", "work/")];

/// Cargo writes it, and it holds no paths of the machine.
const LOCK_FILE: &str = "Cargo.lock";

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files().filter(|file| !file.path.ends_with(LOCK_FILE)) {
        for (index, line) in file.text.as_deref().unwrap_or_default().lines().enumerate() {
            if let Some(folder) = FOLDERS.into_iter().find(|folder| names(line, folder)) {
                let told = format!("the path under `{folder}` is one machine's; use a relative path.");
                findings.push(Finding::new(&file.path, index + 1, told));
            }
        }
    }
    findings
}

/// Whether `line` has `folder` at the beginning of a path, and not within one as in "target/work/".
fn names(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(offset, _)| {
        let before = line[..offset].chars().next_back();
        !before.is_some_and(|before| in_name(before) || "-.~}/*".contains(before))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check_rule;

    #[test]
    fn a_path_of_one_machine_is_found_in_any_text() {
        let [root, home, work] = ["root", "home", "work"].map(|folder| format!("/{folder}/"));
        let bad = format!("see {root}notes\nfine\n\"{home}me/a\"\n-I{work}a\nPATH=b:{work}a\n");
        let good =
            format!("target{work}a\nhttps://example.com{home}a\n~{work}\n{{dir}}{home}\n/homework/a\n");
        let files = [("a.txt", bad.as_str()), ("good.md", &good), ("b/Cargo.lock", &bad)];
        let told = |line: usize, folder: &str| {
            format!("a.txt:{line}: the path under `{folder}` is one machine's; use a relative path.")
        };
        let expected = [told(1, &root), told(3, &home), told(5, &work)];
        check_rule(findings, &files, &expected.each_ref().map(String::as_str));
    }
}
