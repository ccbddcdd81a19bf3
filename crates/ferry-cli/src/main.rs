//! `ferry`: the command.

mod cli;
mod jobs;
mod wren;

use clap::Parser;

use cli::{Cli, Command};

fn main() -> ! {
    match Cli::parse().command {
        Command::Run(arguments) => arguments.run(),
        Command::Jobs(arguments) => arguments.show(),
        Command::Repl => cli::repl(),
    }
}
