//! The Python parts of the package `asyncferry` in an embedded interpreter: `asyncferry.patterns` and
//! `asyncferry.testing`, so that `ferry run` runs programs that import them, whether the package is installed or not.
//!
//! The extension module of the package needs nothing of this: its files lie beside it.

use crate::{
    calling,
    glue::{self, Module},
};
use pyo3::{prelude::*, types::PyDict};

/// Name, and text. Those that others lie in come before them.
const MODULES: &[(&str, &str)] = &[
    ("asyncferry.effects", include_str!("../../../python/asyncferry/effects.py")),
    ("asyncferry.testing", include_str!("../../../python/asyncferry/testing.py")),
    ("asyncferry.patterns", include_str!("../../../python/asyncferry/patterns/__init__.py")),
    ("asyncferry.patterns.arguments", include_str!("../../../python/asyncferry/patterns/arguments.py")),
    ("asyncferry.patterns.background", include_str!("../../../python/asyncferry/patterns/background.py")),
    ("asyncferry.patterns.errors", include_str!("../../../python/asyncferry/patterns/errors.py")),
    ("asyncferry.patterns.readiness", include_str!("../../../python/asyncferry/patterns/readiness.py")),
    ("asyncferry.patterns.requests", include_str!("../../../python/asyncferry/patterns/requests.py")),
    ("asyncferry.patterns.shutdown", include_str!("../../../python/asyncferry/patterns/shutdown.py")),
    ("asyncferry.patterns.signals", include_str!("../../../python/asyncferry/patterns/signals.py")),
    ("asyncferry.patterns.workers", include_str!("../../../python/asyncferry/patterns/workers.py")),
];

/// Makes `module` a package whose parts can be imported. They are compiled when they are.
pub(crate) fn complete(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let sources = PyDict::new(py);
    for (name, source) in MODULES {
        sources.set_item(name, source)?;
    }
    static GLUE: Module =
        Module::new(c"<asyncferry, package>", c"_asyncferry_package", glue::source!("glue_package.py"));
    calling::call(&GLUE.get(py, "add_modules")?, (sources,), None)?;
    let nowhere: [&str; 0] = [];
    module.setattr("__path__", nowhere)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, fs, path::Path};

    /// A file that is added to the package is added here.
    #[test]
    fn all_files_of_the_package_are_there() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python/asyncferry");
        let names = |folder: &Path, prefix: &str| -> Vec<String> {
            let files =
                fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let python = files.filter_map(|name| name.strip_suffix(".py").map(str::to_owned));
            python.map(|name| format!("{prefix}.{name}").replace(".__init__", "")).collect()
        };
        let mut expected: BTreeSet<_> = names(&folder, "asyncferry").into_iter().collect();
        expected.extend(names(&folder.join("patterns"), "asyncferry.patterns"));
        // The module itself is Rust's, and pytest runs on an installed package.
        expected.remove("asyncferry");
        expected.remove("asyncferry.pytest_plugin");
        assert_eq!(MODULES.iter().map(|(name, _)| (*name).to_owned()).collect::<BTreeSet<_>>(), expected);
    }
}
