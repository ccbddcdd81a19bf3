//! `ferry`: the command.

mod cli;

use clap::Parser;

use cli::{Cli, Command};

fn main() -> ! {
    match Cli::parse().command {
        Command::Run(arguments) => arguments.run(),
    }
}
