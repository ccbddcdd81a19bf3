//! The network on each platform, against the server in `server/`, which `cargo xtask test` starts.

mod fetching;
mod websockets;

use asyncferry::AsyncError;
use std::error::Error;

/// Where the server is, `127.0.0.1:port`. It's read while this is built, as a page has no variables.
fn server() -> &'static str {
    let Some(server) = option_env!("FERRY_TEST_SERVER") else {
        panic!("`cargo xtask test` starts the server, and says where it is");
    };
    server
}

/// Whether `error` says that this platform can't do it.
fn is_not_supported(error: &dyn Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref());
    matches!(source, Some(AsyncError::PlatformNotSupported(_)))
}
