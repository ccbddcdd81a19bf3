//! `os`: `Platform` and `Process`, with the names and results of Wren's command line.

use super::platform;
use crate::{
    home::current,
    park::{By, Item, Park, wait},
};
use asyncferry::{Failure, spawn_blocking};
use std::{
    env,
    io::Write,
    process::{Command, id},
};
use wren::{Context, Error, VmBuilder};

/// Of the language, which this is.
const VERSION: &str = "0.4.0";

fn name() -> &'static str {
    match env::consts::OS {
        "windows" => "Windows",
        "macos" => "OS X",
        "ios" => "iOS",
        "linux" => "Linux",
        _ if env::consts::FAMILY == "unix" => "Unix",
        _ => "Unknown",
    }
}

fn path(path: Option<std::path::PathBuf>, otherwise: &str) -> Result<String, Error> {
    path.map(|path| path.to_string_lossy().into_owned()).ok_or_else(|| Error::new(otherwise))
}

/// Ends a program that nobody waits for any more.
struct Killed(Option<platform::Killer>);

impl Drop for Killed {
    fn drop(&mut self) {
        if let Some(killer) = &self.0 {
            killer.kill();
        }
    }
}

async fn exec(command: String, arguments: Vec<String>) -> Result<Item, Failure> {
    // What was printed before comes before.
    let _ = std::io::stdout().flush();
    let child = Command::new(command).args(arguments).spawn();
    let mut child = child.map_err(|_| Failure::from_error("Could not spawn process."))?;
    let mut killed = Killed(Some(platform::Killer::of(&child)));
    let status = spawn_blocking(move || child.wait()).await?;
    killed.0 = None;
    let status = status.map_err(Failure::from_error)?;
    Ok(Item::Own(platform::exit_code(status).into()))
}

pub(super) fn register(builder: VmBuilder) -> VmBuilder {
    builder
        .method("os", "Platform", "static homePath", |_: &mut Context<'_>, ()| {
            path(env::home_dir(), "Cannot get the current user's home directory.")
        })
        .method("os", "Platform", "static isPosix", |_: &mut Context<'_>, ()| env::consts::FAMILY == "unix")
        .method("os", "Platform", "static name", |_: &mut Context<'_>, ()| name())
        .method("os", "Process", "static allArguments", |_: &mut Context<'_>, ()| {
            current().settings.arguments.clone()
        })
        .method("os", "Process", "static cwd", |_: &mut Context<'_>, ()| {
            path(env::current_dir().ok(), "Cannot get current working directory.")
        })
        .method("os", "Process", "static pid", |_: &mut Context<'_>, ()| f64::from(id()))
        .method("os", "Process", "static ppid", |_: &mut Context<'_>, ()| f64::from(platform::parent_id()))
        .method("os", "Process", "static version", |_: &mut Context<'_>, ()| VERSION)
        .method(
            "os",
            "Process",
            "static exec(_,_)",
            |cx: &mut Context<'_>, (command, arguments): (String, Vec<String>)| {
                wait(&current(), cx, Park::new(By::Itself, exec(command, arguments)))
            },
        )
}
