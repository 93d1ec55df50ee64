//! A whole run over TLS: trusted through `--ca-file`, refused without it.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use support::Bench;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// An HTTPS server that serves models and one short stream; returns its URL and its certificate as PEM.
fn server() -> (String, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("a server configuration");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("https://localhost:{}", listener.local_addr().expect("its address").port());
    std::thread::spawn(move || {
        for stream in listener.incoming().filter_map(Result::ok) {
            let config = Arc::clone(&config);
            std::thread::spawn(move || {
                let connection = ServerConnection::new(config).expect("a TLS connection");
                // A client that does not trust the certificate hangs up; that is its test's business.
                drop(answer(BufReader::new(StreamOwned::new(connection, stream))));
            });
        }
    });
    (url, cert.pem())
}

fn answer(mut stream: BufReader<StreamOwned<ServerConnection, std::net::TcpStream>>) -> std::io::Result<()> {
    loop {
        let (mut head, mut length) = (String::new(), 0);
        if stream.read_line(&mut head)? == 0 {
            return Ok(());
        }
        loop {
            let mut line = String::new();
            stream.read_line(&mut line)?;
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if line.trim().is_empty() {
                break;
            }
        }
        std::io::copy(&mut stream.by_ref().take(length), &mut std::io::sink())?;
        let (kind, body) = if head.starts_with("POST") {
            let event = r#"data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}"#;
            ("text/event-stream", format!("{event}\n\ndata: [DONE]\n\n"))
        } else {
            ("application/json", r#"{"object":"list","data":[{"id":"m"}]}"#.to_owned())
        };
        let text = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.get_mut().write_all(text.as_bytes())?;
        stream.get_mut().flush()?;
    }
}

#[test]
fn a_run_over_https() {
    let bench = Bench::new();
    let (url, pem) = server();
    bench.write("ca.pem", &pem);
    let engine = format!("openai={url}");
    let quick = ["--concurrency", "2", "--requests", "6", "--no-plots", "--ready-timeout", "200ms"];
    let run = |extra: &[&str]| {
        let mut args = vec!["run", "--engine", &engine];
        args.extend(quick);
        args.extend(extra);
        bench.run(&args)
    };
    let trusted = run(&["--ca-file", "ca.pem", "--out", "r"]);
    assert_eq!(trusted.code, 0, "{}", trusted.err);
    assert!(bench.measured("r").iter().all(|r| r["outcome"] == "completed"));
    let untrusted = run(&["--out", "u"]);
    assert_eq!(untrusted.code, 6, "{}", untrusted.err);
    assert!(untrusted.err.contains("certificate"), "{}", untrusted.err);
    let missing = run(&["--ca-file", "nowhere.pem", "--out", "m"]);
    assert_ne!(missing.code, 0);
    assert!(missing.err.contains("nowhere.pem"), "{}", missing.err);
}
