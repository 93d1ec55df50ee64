//! Raw requests over a socket: what an HTTP library of a client would not send.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use benchhost_serve::{Server, Site};

/// Serves one run while `ask` runs.
fn served(ask: impl FnOnce(SocketAddr)) {
    served_with(None, ask);
}

fn served_with(patience: Option<Duration>, ask: impl FnOnce(SocketAddr)) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("results");
    std::fs::create_dir_all(root.join("one")).unwrap();
    std::fs::write(folder.path().join("secret"), "SECRET").unwrap();
    std::fs::write(root.join("one/manifest.json"), "{}").unwrap();
    let site = Site::open(&root, Box::new(|_, _, _| Ok("same".into()))).unwrap();
    assert_eq!(site.runs(), 1);
    let server = Server::bind(site, "127.0.0.1:0".parse().unwrap()).unwrap();
    let server = match patience {
        Some(patience) => server.with_patience(patience),
        None => server,
    };
    let address = server.address();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = std::thread::spawn(move || server.run(async { drop(stopped.await) }));
    ask(address);
    drop(stop);
    serving.join().unwrap().unwrap();
}

/// The whole answer to `request`, sent as it is.
fn raw(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    // A refused connection may end with a reset after its answer.
    let _ended = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(address: SocketAddr, method: &str, target: &str) -> String {
    raw(
        address,
        format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes(),
    )
}

#[test]
fn pages_come_and_heads_come_alone() {
    served(|address| {
        let page = get(address, "GET", "/runs/one/");
        assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("<h1>one</h1>"), "{page}");
        let head = get(address, "HEAD", "/runs/one/");
        assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
        let compared = get(address, "GET", "/compare?base=one&new=one");
        assert!(compared.contains("<p>same</p>"), "{compared}");
    });
}

#[test]
fn raw_targets_do_not_lead_out() {
    served(|address| {
        for target in [
            "/../secret",
            "/runs/../secret",
            "/runs/one/../../../secret",
            "/runs/one/..\\..\\..\\secret",
            "/runs/one/%2e%2e/%2e%2e/secret",
            "/runs/one/\0",
            "//etc/passwd",
            "/runs//etc/passwd",
            "http://evil.example/",
            "file:///etc/passwd",
            "*",
            "secret",
        ] {
            let answer = get(address, "GET", target);
            let refused =
                ["400 ", "404 ", "421 "].iter().any(|s| answer.starts_with(&format!("HTTP/1.1 {s}")));
            assert!(refused && !answer.contains("SECRET"), "{target:?}: {answer}");
        }
    });
}

#[test]
fn rebinding_and_writing_are_refused_on_the_wire() {
    served(|address| {
        let evil = raw(address, b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
        assert!(evil.starts_with("HTTP/1.1 421 "), "{evil}");
        let nameless = raw(address, b"GET / HTTP/1.0\r\n\r\n");
        assert!(nameless.starts_with("HTTP/1.0 400 "), "{nameless}");
        let written = raw(
            address,
            b"PUT /runs/one/report.html HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi",
        );
        assert!(
            written.starts_with("HTTP/1.1 405 ") && written.to_lowercase().contains("allow: get, head"),
            "{written}"
        );
    });
}

#[test]
fn garbage_ends_its_own_connection_only() {
    served(|address| {
        for garbage in [&b"\0\0\0\0\r\n\r\n"[..], b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00", b""] {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(garbage).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let mut answer = Vec::new();
            let _ended = stream.read_to_end(&mut answer);
        }
        assert!(get(address, "GET", "/").starts_with("HTTP/1.1 200 "));
    });
}

#[test]
fn peers_that_dawdle_are_given_up_and_make_room() {
    served_with(Some(Duration::from_millis(100)), |address| {
        let open = |start: &[u8]| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(start).unwrap();
            stream
        };
        // More than are served at a time; each begins a request and never ends it.
        let dawdlers: Vec<TcpStream> = (0..100).map(|_| open(b"GET / HTTP/1.1\r\nHost: local")).collect();
        for mut stream in dawdlers {
            let mut answer = Vec::new();
            // Ends, or this test hangs; those beyond the number are refused with a reset.
            let _ended = stream.read_to_end(&mut answer);
            assert!(!String::from_utf8_lossy(&answer).contains(" 200 "));
        }
        assert!(get(address, "GET", "/").starts_with("HTTP/1.1 200 "));
        // A request in pieces is not given more time for each piece.
        let mut slow = TcpStream::connect(address).unwrap();
        let mut sent = 0;
        while slow.write_all(b"G").is_ok() {
            sent += 1;
            std::thread::sleep(Duration::from_millis(20));
            assert!(sent < 10_000, "it is read for ever");
        }
        // One that asks and then waits for more is closed after its answer.
        let mut idle = open(b"GET /style.css HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let mut answer = Vec::new();
        idle.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200 "));
    });
}

#[test]
fn the_end_closes_what_is_open() {
    let mut idle = None;
    served(|address| idle = Some(TcpStream::connect(address).unwrap()));
    // The server is gone, so the idle connection has ended or been reset; it does not hang.
    let ended = idle.unwrap().read(&mut [0]);
    assert!(matches!(ended, Ok(0) | Err(_)));
}
