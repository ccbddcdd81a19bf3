//! The process's one client: reqwest's, with the connections that it keeps, and what is trusted in TLS.

use crate::{error::AsyncError, runtime::AsyncRuntime};
use reqwest::redirect::Policy;
use rustls::{ClientConfig, crypto::ring};
use rustls_platform_verifier::BuilderVerifierExt;
use std::{
    ptr,
    sync::{
        Arc,
        atomic::{AtomicPtr, Ordering},
    },
};
use tokio::runtime::Handle;

/// As browsers count.
const MOST_REDIRECTS: usize = 20;

/// What the network needs of a process.
pub(super) struct Client {
    /// What drives its connections. A forked child has another, and so needs another client.
    pub(super) pool: &'static Handle,
    pub(super) http: reqwest::Client,
    /// What WebSockets trust, or why there is no TLS.
    pub(super) tls: Result<Arc<ClientConfig>, Arc<str>>,
}

/// Null until the first use. What it points to is never freed.
static CLIENT: AtomicPtr<Client> = AtomicPtr::new(ptr::null_mut());

/// The client, made if need be, which reads the system's certificates; a thread of its own does that.
pub(super) async fn client() -> Result<&'static Client, AsyncError> {
    AsyncRuntime::start_pool()?;
    let pool = AsyncRuntime::tokio();
    if let Some(client) = known().filter(|client| ptr::eq(client.pool, pool)) {
        return Ok(client);
    }
    match pool.spawn_blocking(move || build(pool)).await {
        Ok(client) => client.map(keep),
        Err(error) => Err(AsyncError::JoinError(error.to_string())),
    }
}

fn known() -> Option<&'static Client> {
    let known = CLIENT.load(Ordering::Acquire);
    // SAFETY: if it's not null, it's what `keep` leaked: valid for ever, and only shared from then on.
    unsafe { known.as_ref() }
}

/// Makes `client` the one of this process, unless another thread was faster.
fn keep(client: Client) -> &'static Client {
    let before = CLIENT.load(Ordering::Acquire);
    // SAFETY: as in `known`.
    let is_current = unsafe { before.as_ref() }.filter(|known| ptr::eq(known.pool, client.pool));
    if let Some(faster) = is_current {
        return faster;
    }
    let client: &'static Client = Box::leak(Box::new(client));
    // Of two that come here at once both are used, and the later one is kept.
    CLIENT.store(ptr::from_ref(client).cast_mut(), Ordering::Release);
    client
}

fn build(pool: &'static Handle) -> Result<Client, AsyncError> {
    let tls = tls().map_err(|error| {
        Arc::from(format!("{error}; are the system's certificates (package ca-certificates) installed?"))
    });
    let mut trusted =
        tls.as_ref().map_or_else(|_| nothing_trusted(), |tls: &Arc<ClientConfig>| (**tls).clone());
    trusted.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let http = reqwest::Client::builder()
        .tls_backend_preconfigured(trusted)
        .redirect(Policy::limited(MOST_REDIRECTS))
        // Where one comes from is nobody's business.
        .referer(false)
        .user_agent(concat!("asyncferry/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| AsyncError::Runtime(format!("there is no HTTP client: {}", super::root(&error))))?;
    Ok(Client { pool, http, tls })
}

/// TLS that trusts what the system trusts.
fn tls() -> Result<Arc<ClientConfig>, rustls::Error> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// TLS for a machine without certificates, on which HTTP without TLS still works.
fn nothing_trusted() -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap_or_else(|error| unreachable!("ring can do each version of TLS: {error}"))
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}
