//! The server that the network's tests talk to: started before them, and told to them by a variable.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::sh;

const VARIABLE: &str = "FERRY_TEST_SERVER";

/// A server that runs until this is dropped.
pub(super) struct Server {
    child: Child,
    address: String,
}

impl Server {
    pub(super) fn start() -> Result<Self> {
        let run =
            ["run", "--quiet", "-p", "asyncferry-conformance", "--features", "server", "--bin", "net-server"];
        let mut child = sh::cargo(&run)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the tests' server could not be started")?;
        let output = child.stdout.take().context("the server's standard output was not piped")?;
        let mut address = String::new();
        BufReader::new(output).read_line(&mut address)?;
        if address.is_empty() {
            bail!("the tests' server ended before it said where it is");
        }
        Ok(Self { child, address: address.trim().to_owned() })
    }

    /// Tells `command` where the server is.
    pub(super) fn tell(&self, command: &mut Command) {
        command.env(VARIABLE, &self.address);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It serves until its standard input ends.
        drop(self.child.stdin.take());
        if let Err(error) = self.child.wait() {
            eprintln!("the tests' server: {error}");
        }
    }
}
