//! Every fault as a client sees it, and connections that live on or end.

use benchhost_simulator::{Dialect, FaultPlan, SimulatorHandle};
use serde_json::json;

use crate::client::{Client, chat, chat_body, get, post, start};

fn failing(dialect: Dialect, plan: &str) -> SimulatorHandle {
    start(dialect, |config| config.fault = plan.parse::<FaultPlan>().unwrap())
}

fn send_chat(server: &SimulatorHandle) -> Client {
    let mut client = Client::connect(server.addr());
    client.send("POST", "/v1/chat/completions", "", &chat_body(&json!({})).to_string());
    client
}

#[test]
fn http_errors_have_the_dialects_shape() {
    for dialect in Dialect::ALL {
        for status in [429, 500, 503] {
            let answer = chat(&failing(dialect, &format!("http-error:status={status}")), &json!({}));
            assert_eq!(answer.status, status, "{dialect}");
            let body = answer.json();
            assert!(
                ["error", "detail", "object"].iter().any(|key| body.get(key).is_some()),
                "{dialect} {body}"
            );
        }
    }
    let answer = chat(&failing(Dialect::Tgi, "http-error:status=429"), &json!({}));
    assert_eq!(answer.json()["error_type"], "overloaded");
}

#[test]
fn only_every_third_request_fails_and_pages_never_do() {
    let server = failing(Dialect::Vllm, "http-error:every=3");
    let mut statuses = Vec::new();
    for _ in 0..6 {
        assert_eq!(get(&server, "/health").status, 200);
        statuses.push(chat(&server, &json!({})).status);
    }
    assert_eq!(statuses, [200, 200, 500, 200, 200, 500]);
}

#[test]
fn in_band_errors_follow_tokens_inside_a_stream_with_status_200() {
    for dialect in Dialect::ALL {
        let answer = chat(&failing(dialect, "in-band-error"), &json!({}));
        assert_eq!((answer.status, answer.complete), (200, true), "{dialect}");
        let data = answer.data();
        let at = data.iter().position(|event| event.contains("\"error\"")).unwrap();
        assert!(at >= 6, "{dialect}: some tokens come first");
        assert!(data[..at].iter().all(|event| !event.contains("\"finish_reason\":\"")), "{dialect}");
        let markers = [Dialect::Vllm, Dialect::Sglang, Dialect::Tgi].contains(&dialect);
        assert_eq!(data.len() - at - 1, usize::from(markers), "{dialect}");
        let error = serde_json::from_str::<serde_json::Value>(&data[at]);
        assert_eq!(
            error.is_err(),
            dialect == Dialect::Transformers,
            "only transformers leaves quotes unescaped"
        );
    }
}

#[test]
fn a_truncated_stream_ends_cleanly_without_its_end() {
    for dialect in Dialect::ALL {
        let answer = chat(&failing(dialect, "truncated"), &json!({}));
        assert!(answer.complete && answer.status == 200, "{dialect}");
        let (events, done) = answer.events();
        assert!(!done && events.len() > 4, "{dialect}");
        for event in &events {
            let finish = &event["choices"][0]["finish_reason"];
            assert!(finish.is_null() || finish == "", "{dialect}");
            assert!(event["usage"].is_null(), "{dialect}");
        }
    }
}

#[test]
fn an_empty_answer_is_well_formed() {
    for dialect in Dialect::ALL {
        let (events, done) = chat(&failing(dialect, "empty"), &json!({})).events();
        assert_eq!(done, dialect != Dialect::Transformers, "{dialect}");
        assert_eq!(crate::client::text_of(&events), "", "{dialect}");
        assert_eq!(crate::client::usage_of(&events)["completion_tokens"], 0, "{dialect}");
        let reasons = events.iter().filter(|event| event["choices"][0]["finish_reason"].as_str().is_some());
        assert_eq!(reasons.count(), 1, "{dialect}");
    }
}

#[test]
fn connections_close_before_or_inside_the_response() {
    for dialect in Dialect::ALL {
        assert!(send_chat(&failing(dialect, "close-before-response")).rest().is_empty(), "{dialect}");
        let answer = send_chat(&failing(dialect, "close-mid-stream")).receive().unwrap();
        assert!(!answer.complete && answer.status == 200 && !answer.body.is_empty(), "{dialect}");
    }
}

#[test]
fn garbage_is_no_text() {
    let answer = chat(&failing(Dialect::Vllm, "garbage"), &json!({}));
    assert!(answer.complete && answer.body.starts_with(b"data: {"));
    assert!(std::str::from_utf8(&answer.body).is_err());
}

#[test]
fn a_hanging_request_leaves_others_alone() {
    let server = failing(Dialect::Vllm, "hang:first=1");
    let _hanging = send_chat(&server);
    while server.load().arrived == 0 {
        std::thread::yield_now();
    }
    assert_eq!(get(&server, "/health").status, 200);
    assert!(chat(&server, &json!({})).events().1);
    assert_eq!((server.load().arrived, server.load().accepted), (2, 1));
}

#[test]
fn a_stall_delays_but_completes() {
    let answer = chat(&failing(Dialect::Vllm, "stall:for=5ms"), &json!({}));
    assert!(answer.events().1);
}

#[test]
fn an_endless_event_goes_on_for_as_long_as_it_is_read() {
    let server = failing(Dialect::Vllm, "endless:bytes=1099511627776");
    let mut client = send_chat(&server);
    let seen = client.peek(8 << 20);
    assert!(seen.ends_with(b"xxxx"));
    // The client goes away; the server serves on.
    drop(client);
    assert_eq!(get(&server, "/health").status, 200);

    let whole = chat(&failing(Dialect::Vllm, "endless:bytes=3000000"), &json!({}));
    assert!(whole.complete && whole.body.len() > 3_000_000 && !whole.body.ends_with(b"\n\n"));
}

#[test]
fn proxies_pages_and_redirects() {
    let answer = chat(&failing(Dialect::Vllm, "html"), &json!({}));
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(answer.text().contains("<html>"));
    let answer = chat(&failing(Dialect::Vllm, "redirect"), &json!({}));
    assert_eq!((answer.status, answer.header("location")), (302, Some("/moved/elsewhere")));
}

#[test]
fn whole_answers_fail_too() {
    let body = chat_body(&json!({"stream": false, "stream_options": null}));
    let ask = |plan: &str| post(&failing(Dialect::Vllm, plan), "/v1/chat/completions", &body);
    assert!(serde_json::from_slice::<serde_json::Value>(&ask("truncated").body).is_err());
    assert!(std::str::from_utf8(&ask("garbage").body).is_err());
    let error = ask("in-band-error");
    assert!(error.status == 200 && error.json()["error"].is_object());
    assert_eq!(ask("empty").json()["choices"][0]["message"]["content"], "");
    assert!(!ask("close-mid-stream").complete);
}

#[test]
fn connections_are_kept_and_used_again() {
    for dialect in Dialect::ALL {
        let server = start(dialect, |_| ());
        let mut client = Client::connect(server.addr());
        let whole = chat_body(&json!({"stream": false, "stream_options": null})).to_string();
        let streamed = chat_body(&json!({})).to_string();
        for _ in 0..3 {
            client.send("POST", "/v1/chat/completions", "", &whole);
            assert_eq!(client.receive().unwrap().status, 200, "{dialect}");
            client.send("GET", "/v1/models", "", "");
            assert_eq!(client.receive().unwrap().status, 200, "{dialect}");
            if dialect != Dialect::Llamacpp {
                client.send("POST", "/v1/chat/completions", "", &streamed);
                assert!(client.receive().unwrap().complete, "{dialect}");
            }
        }
    }
}

#[test]
fn llamacpp_promises_to_keep_the_socket_and_closes_it_after_a_stream() {
    for (server, from_the_dialect) in
        [(start(Dialect::Llamacpp, |_| ()), true), (failing(Dialect::Vllm, "close-after-stream"), false)]
    {
        let mut client = send_chat(&server);
        let answer = client.receive().unwrap();
        assert!(answer.complete && answer.events().1);
        assert_eq!(answer.header("keep-alive"), Some("timeout=5, max=100"));
        assert_eq!(answer.header("connection"), None);
        assert!(client.rest().is_empty(), "the socket ends without a further byte");
        if from_the_dialect {
            assert!(
                answer.headers.iter().any(|(name, _)| name == "Keep-Alive"),
                "llama.cpp writes large letters"
            );
        }
    }
}
