//! `fetch`: an async function of Rust as Python awaits it, and how its errors arrive.

use asyncferry_python::{Job, future_to_awaitable};
use pyo3::prelude::*;
use std::{error::Error, fmt, io};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A server that sends more than so many bytes is not one of ours.
const LONGEST_PAGE: u64 = 1 << 20;

/// Gives the text of the page `name` from the server at `address`, "host:port".
#[pyfunction]
pub(crate) fn fetch(py: Python<'_>, address: String, name: String) -> PyResult<Bound<'_, Job>> {
    future_to_awaitable(py, async move { page(&address, &name).await })
}

/// Plain async Rust, which knows nothing of Python.
async fn page(address: &str, name: &str) -> Result<String, FetchError> {
    exchange(address, name).await.map_err(|source| FetchError {
        name: name.to_owned(),
        address: address.to_owned(),
        source,
    })
}

/// Sends the page's name as a line, and reads until the server hangs up.
async fn exchange(address: &str, name: &str) -> io::Result<String> {
    let mut server = TcpStream::connect(address).await?;
    server.write_all(format!("{name}\n").as_bytes()).await?;
    let mut text = String::new();
    let mut page = server.take(LONGEST_PAGE);
    page.read_to_string(&mut text).await?;
    if page.limit() == 0 {
        return Err(io::Error::other("the page is too long"));
    }
    Ok(text)
}

/// A page could not be had. In Python it's a `FerryError` with this text, whose `__cause__` has the source's.
#[derive(Debug)]
struct FetchError {
    name: String,
    address: String,
    source: io::Error,
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the page '{}' could not be had from {}", self.name, self.address)
    }
}

impl Error for FetchError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
