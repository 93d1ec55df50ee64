//! The small fetch of probes.

use std::time::Duration;

use benchhost_http::{Outgoing, SecretHeader, fetch};
use benchhost_model::Failure;

use crate::server::{answer, hung_up, ok, request, run, script, serve, target};

#[test]
fn an_answer_comes_back_whole_whatever_its_status() {
    let address = serve(vec![
        script(|mut socket| answer(&mut socket, &ok("{\"version\":1}"))),
        script(|mut socket| {
            answer(&mut socket, b"HTTP/1.1 404 Not Found\r\nX-Why: gone\r\ncontent-length: 2\r\n\r\nno");
        }),
    ]);
    let question = Outgoing::get("/version").unwrap();
    let found = run(fetch(&target(address), &question)).unwrap();
    assert_eq!((found.status, &found.body[..]), (200, &b"{\"version\":1}"[..]));
    let missing = run(fetch(&target(address), &question)).unwrap();
    assert_eq!((missing.status, &missing.body[..]), (404, &b"no"[..]));
    assert!(missing.headers.contains(&("x-why".into(), "gone".into())));
}

#[test]
fn an_error_names_what_was_asked_and_never_the_key() {
    let mut target = target(serve(vec![script(|mut socket| {
        request(&mut socket).unwrap();
        hung_up(&mut socket);
    })]));
    target.headers = vec![SecretHeader::bearer("sk-hidden").unwrap()];
    target.limits.timeout = Duration::from_millis(20);
    let error = run(fetch(&target, &Outgoing::get("/health").unwrap())).unwrap_err();
    assert_eq!(error.cause.failure, Failure::Timeout);
    let words = error.to_string();
    assert!(words.starts_with(&format!("`GET {}/health` failed (timeout): ", target.base)), "{words}");
    assert!(!words.contains("sk-hidden") && !format!("{error:?}").contains("sk-hidden"));
}
