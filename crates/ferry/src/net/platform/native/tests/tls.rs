//! TLS, with a certificate that nobody trusts but who is told to.

use super::{Server, ok, read_request};
use crate::{
    AsyncRuntime,
    net::{FetchErrorKind, WebSocket, WebSocketErrorKind, fetch},
};
use rcgen::generate_simple_self_signed;
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring, pki_types::PrivateKeyDer};
use std::{env, fs, io::Write, net::TcpStream, process::Command, sync::Arc};

type Secure = StreamOwned<ServerConnection, TcpStream>;

/// A server with a certificate of its own, and that certificate.
fn secure<T: Send + 'static>(serve: impl FnOnce(Secure) -> T + Send + 'static) -> (Server<T>, String) {
    let pair = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(pair.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![pair.cert.der().clone()], key)
        .unwrap();
    let server = Server::start(move |listener| {
        let connection = ServerConnection::new(Arc::new(config)).unwrap();
        serve(StreamOwned::new(connection, listener.accept()))
    });
    (server, pair.cert.pem())
}

fn url(server: &Server<impl Send + 'static>, scheme: &str) -> String {
    format!("{scheme}://localhost:{}/", server.address.rsplit(':').next().unwrap())
}

#[test]
fn a_certificate_that_is_not_trusted_is_told() {
    let (server, _) = secure(|mut stream| stream.conn.complete_io(&mut stream.sock).map(drop));
    let error = AsyncRuntime::block_on(fetch(&url(&server, "https"))).unwrap_err();
    assert_eq!(error.kind(), &FetchErrorKind::Tls, "{error}");
    assert!(server.join().is_err());

    let (server, _) = secure(|mut stream| stream.conn.complete_io(&mut stream.sock).map(drop));
    let error = AsyncRuntime::block_on(WebSocket::connect(&url(&server, "wss"), &[])).unwrap_err();
    assert_eq!(error.kind(), &WebSocketErrorKind::Tls, "{error}");
    assert!(server.join().is_err());
}

#[test]
fn a_server_without_tls_is_told() {
    let server = Server::start(|listener| listener.accept().write_all(b"HTTP/1.1 400 Speak plainly\r\n\r\n"));
    let error = AsyncRuntime::block_on(fetch(&url(&server, "https"))).unwrap_err();
    assert_eq!(error.kind(), &FetchErrorKind::Tls, "{error}");
    server.join().unwrap();
}

/// What is trusted is read once in a process, so this runs itself in another one, which is told to trust.
#[test]
fn a_certificate_that_is_trusted_is_fine() {
    const TOLD: &str = "FERRY_TEST_URL";
    if let Ok(url) = env::var(TOLD) {
        let body = AsyncRuntime::block_on(async { fetch(&url).await?.text().await });
        return assert_eq!(body.unwrap(), "in secret");
    }
    let (server, certificate) = secure(|mut stream| {
        read_request(&mut stream);
        stream.write_all(&ok("in secret")).unwrap();
    });
    let file = env::temp_dir().join(format!("ferry-trusted-{}.pem", std::process::id()));
    fs::write(&file, certificate).unwrap();
    let run = Command::new(env::current_exe().unwrap())
        .args(["--exact", concat!(module_path!(), "::a_certificate_that_is_trusted_is_fine")[12..].as_ref()])
        .env("SSL_CERT_FILE", &file)
        .env(TOLD, url(&server, "https"))
        .output()
        .unwrap();
    fs::remove_file(&file).unwrap();
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && told.contains("1 passed"), "{told}");
    server.join();
}
