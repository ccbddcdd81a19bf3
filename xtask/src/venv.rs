//! Virtual environments of Python, and what is installed into them.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::python::Python;
use crate::sh;

/// Makes one in `folder`, anew if there is one.
pub(crate) fn create(python: &Python, folder: &Path) -> Result<()> {
    let mut command = sh::command(&python.executable, &["-m", "venv", "--clear"]);
    sh::run(command.arg(folder)).with_context(|| {
        format!(
            "{} makes no virtual environment; on Debian, install python3-venv: apt-get install python3-venv",
            python.executable.display()
        )
    })
}

/// Runs pip in the environment.
pub(crate) fn pip(folder: &Path, arguments: &[&str]) -> Result<()> {
    let quiet = ["-m", "pip", "--quiet", "--disable-pip-version-check"];
    sh::run(sh::command(folder.join("bin/python"), &quiet).args(arguments))
}

/// The environment's Python, which sees nothing of the user's own, and not the folder that it's started in either.
pub(crate) fn python(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = sh::command(folder.join("bin/python"), arguments);
    command.env_remove("PYTHONPATH").env_remove("PYTHONHOME").env("PYTHONSAFEPATH", "1");
    command
}
