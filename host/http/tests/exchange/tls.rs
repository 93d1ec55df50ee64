//! Encrypted connections: whom one trusts, and that a stream reads the same.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use benchhost_http::{Connector, TlsOptions};
use benchhost_model::{Ending, Failure};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::server::{
    STREAM, Script, answer, assert_sound, chunk, exchange, exchanges, ok, request, script, serve, target,
};

type Secure = StreamOwned<ServerConnection, TcpStream>;

/// A certificate for `localhost`: the server's settings, and the PEM file that makes a client trust it.
fn certificate() -> (Arc<ServerConfig>, tempfile::NamedTempFile) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(cert.pem().as_bytes()).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    (Arc::new(config), file)
}

fn secure(config: &Arc<ServerConfig>, play: impl FnOnce(Secure) + Send + 'static) -> Script {
    let config = Arc::clone(config);
    script(move |socket| {
        play(StreamOwned::new(ServerConnection::new(config).unwrap(), socket));
    })
}

fn trusting(address: std::net::SocketAddr, host: &str, ca: Option<PathBuf>) -> benchhost_http::Target {
    let mut target = target(address);
    target.base = format!("https://{host}:{}", address.port()).parse().unwrap();
    target.connector = Connector::new(&TlsOptions { extra_ca: ca }).unwrap();
    target
}

#[test]
fn a_trusted_server_streams_and_its_connection_is_reused() {
    let (config, file) = certificate();
    let address = serve(vec![secure(&config, |mut socket| {
        for _ in 0..2 {
            request(&mut socket).unwrap();
            for part in
                [STREAM.to_owned(), chunk("data: a\n\n"), chunk("data: b\n\n"), "0\r\n\r\n".to_owned()]
            {
                socket.write_all(part.as_bytes()).unwrap();
                socket.flush().unwrap();
            }
        }
        socket.conn.send_close_notify();
        let _ = socket.flush();
    })]);
    let all = exchanges(trusting(address, "localhost", Some(file.path().to_owned())), 2);
    for timeline in &all {
        assert_sound(timeline);
        assert_eq!((&timeline.body[..], timeline.ending), (&b"data: a\n\ndata: b\n\n"[..], Ending::Complete));
        assert_eq!(timeline.failure, None);
        let stamped = timeline.marks.iter().all(|mark| mark.kernel.is_some());
        assert!(stamped || !cfg!(target_os = "linux"), "the stamps are taken below TLS");
    }
    assert_eq!((all[0].connection_reused, all[1].connection_reused), (false, true));
}

#[test]
fn a_reused_encrypted_connection_that_dies_unanswered_is_replaced_once() {
    let (config, file) = certificate();
    let address = serve(vec![
        secure(&config, |mut socket| {
            answer(&mut socket, &ok("a"));
            request(&mut socket).unwrap();
            // A farewell alert is bytes on the socket, but not of a response.
            socket.conn.send_close_notify();
            socket.flush().unwrap();
        }),
        secure(&config, |mut socket| {
            answer(&mut socket, &ok("b"));
        }),
    ]);
    let all = exchanges(trusting(address, "localhost", Some(file.path().to_owned())), 2);
    assert_eq!((all[1].attempts, &all[1].failure, &all[1].body[..]), (2, &None, &b"b"[..]));
}

#[test]
fn an_unknown_authority_is_refused_before_anything_is_sent() {
    let (config, _file) = certificate();
    let address = serve(vec![secure(&config, |mut socket| {
        request(&mut socket);
    })]);
    let timeline = exchange(trusting(address, "localhost", None));
    let failure = timeline.failure.unwrap();
    assert_eq!((failure.failure, timeline.sent, timeline.ending), (Failure::Tls, None, Ending::Cut));
    assert!(
        failure.detail.contains("certificate") && failure.detail.contains("SSL_CERT_FILE"),
        "{}",
        failure.detail
    );
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let (config, file) = certificate();
    let address = serve(vec![secure(&config, |mut socket| {
        request(&mut socket);
    })]);
    let timeline = exchange(trusting(address, "127.0.0.1", Some(file.path().to_owned())));
    assert_eq!(timeline.failure.unwrap().failure, Failure::Tls);
}

#[test]
fn a_server_without_tls_is_a_tls_failure() {
    let address = serve(vec![script(|mut socket| {
        let _ = socket.read(&mut [0; 16]);
        let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    })]);
    let failure = exchange(trusting(address, "localhost", None)).failure.unwrap();
    assert_eq!(failure.failure, Failure::Tls);
}

#[test]
fn an_encrypted_stream_cut_without_farewell_is_truncated() {
    let (config, file) = certificate();
    let address = serve(vec![secure(&config, |mut socket| {
        // Without a length only the farewell tells an end from a cut.
        answer(&mut socket, b"HTTP/1.1 200 OK\r\n\r\npart");
    })]);
    let timeline = exchange(trusting(address, "localhost", Some(file.path().to_owned())));
    assert_sound(&timeline);
    assert_eq!((&timeline.body[..], timeline.ending), (&b"part"[..], Ending::Cut));
    assert_eq!(timeline.failure.unwrap().failure, Failure::Truncated);
}
