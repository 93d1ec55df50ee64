//! What each engine refuses, and in which shape.

use benchhost_simulator::{Dialect, SimulatorHandle};
use serde_json::{Value, json};

use crate::client::{Answer, Client, call, chat, chat_body, get, post, start};

/// Whether an answer looks as the dialect writes it.
type Shape = fn(&Answer) -> bool;

fn refused(server: &SimulatorHandle, fields: &Value) -> (u16, Value) {
    let answer = chat(server, fields);
    (answer.status, answer.json())
}

#[test]
fn a_body_that_is_no_json() {
    for (dialect, status) in [
        (Dialect::Openai, 400),
        (Dialect::Vllm, 400),
        (Dialect::Sglang, 400),
        (Dialect::Tgi, 400),
        (Dialect::Llamacpp, 400),
        (Dialect::Friendli, 422),
        (Dialect::Transformers, 422),
    ] {
        let server = start(dialect, |_| ());
        for body in ["{\"model\":\"m\",\"messages\":[", "", "\u{0}", "[]", "{\"messages\": 7}"] {
            let answer = call(&server, "POST", "/v1/chat/completions", body);
            assert!((400..600).contains(&answer.status), "{dialect} {body:?}");
        }
        assert_eq!(call(&server, "POST", "/v1/chat/completions", "{\"model\":").status, status, "{dialect}");
    }
}

#[test]
fn messages_are_missing() {
    let body = json!({"model": "m"});
    let ask = |dialect| post(&start(dialect, |_| ()), "/v1/chat/completions", &body);
    assert_eq!(ask(Dialect::Vllm).json()["error"]["type"], "BadRequestError");
    assert_eq!(ask(Dialect::Sglang).json()["object"], "error");
    assert_eq!(ask(Dialect::Tgi).status, 422);
    assert_eq!(ask(Dialect::Llamacpp).json()["error"]["message"], "'messages' is required");
    assert_eq!(ask(Dialect::Friendli).json()["detail"][0]["loc"], json!(["body", "messages"]));
    let answer = ask(Dialect::Transformers);
    assert_eq!((answer.status, answer.text()), (500, "Internal Server Error"));
}

#[test]
fn another_model() {
    let other = json!({"model": "other"});
    let (status, body) = refused(&start(Dialect::Vllm, |_| ()), &other);
    assert_eq!(
        (status, &body["error"]["type"], &body["error"]["param"]),
        (404, &json!("NotFoundError"), &json!("model"))
    );
    assert_eq!(chat(&start(Dialect::Sglang, |_| ()), &other).status, 200);
    assert_eq!(chat(&start(Dialect::Llamacpp, |_| ()), &other).status, 200);
    assert_eq!(refused(&start(Dialect::Transformers, |_| ()), &other).0, 400);
    assert!(chat(&start(Dialect::Tgi, |_| ()), &json!({"model": "tgi"})).events().1);
    let (events, _) = chat(&start(Dialect::Tgi, |_| ()), &other).events();
    assert_eq!(events[0]["error"]["http_status_code"], 422, "an unknown adapter fails inside the stream");
}

#[test]
fn too_long_for_the_context() {
    let long = json!({"messages": [{"role": "user", "content": "word ".repeat(300)}]});
    let small = |dialect| start(dialect, |config| config.context_tokens = 256);

    let (status, body) = refused(&small(Dialect::Vllm), &long);
    assert_eq!((status, &body["error"]["code"]), (400, &json!(400)));
    assert!(body["error"]["message"].as_str().unwrap().contains("maximum context length is 256"));
    assert_eq!(
        refused(&small(Dialect::Vllm), &json!({"max_tokens": 250})).0,
        400,
        "prompt and answer count together"
    );

    assert_eq!(refused(&small(Dialect::Sglang), &long).1["object"], "error");

    let (status, body) = refused(&small(Dialect::Llamacpp), &long);
    assert_eq!(
        (status, &body["error"]["type"], &body["error"]["n_ctx"]),
        (400, &json!("exceed_context_size_error"), &json!(256))
    );
    assert_eq!(
        chat(&small(Dialect::Llamacpp), &json!({"max_tokens": 250})).status,
        200,
        "the answer is cut instead"
    );

    let answer = chat(&small(Dialect::Tgi), &long);
    assert_eq!(answer.status, 200);
    assert!(answer.events().0[0]["error"]["message"].as_str().unwrap().starts_with("Input validation error"));
    let whole = post(&small(Dialect::Tgi), "/generate", &json!({"inputs": "word ".repeat(300)}));
    assert_eq!((whole.status, &whole.json()["error_type"]), (422, &json!("validation")));

    assert_eq!(refused(&small(Dialect::Friendli), &long).0, 400);
    assert_eq!(chat(&small(Dialect::Transformers), &long).status, 200, "nothing is checked");
    assert_eq!(refused(&small(Dialect::Openai), &long).1["error"]["code"], "context_length_exceeded");
}

#[test]
fn tgi_validates_sampling_of_its_own_interface_only() {
    let server = start(Dialect::Tgi, |_| ());
    for parameters in [
        json!({"top_p": 1.0}),
        json!({"top_p": 0.0}),
        json!({"temperature": 0.0}),
        json!({"top_k": 0}),
        json!({"max_new_tokens": 0}),
        json!({"stop": ["a", "b", "c", "d", "e"]}),
    ] {
        let body = json!({"inputs": "x", "parameters": parameters});
        let answer = post(&server, "/generate", &body);
        assert_eq!(
            (answer.status, &answer.json()["error_type"]),
            (422, &json!("validation")),
            "{parameters}"
        );
        let (events, done) = post(&server, "/generate_stream", &body).events();
        assert_eq!(
            (events.len(), done, &events[0]["error_type"]),
            (1, false, &json!("validation")),
            "{parameters}"
        );
    }
    assert_eq!(chat(&server, &json!({"temperature": 0.0, "top_p": 1.0})).events().0[0]["error"], Value::Null);
}

#[test]
fn fields_that_one_engine_refuses() {
    let (status, body) =
        refused(&start(Dialect::Transformers, |_| ()), &json!({"ignore_eos": true, "top_k": 1}));
    assert_eq!(status, 422);
    assert!(
        body["detail"].as_str().unwrap().starts_with("Unexpected fields in the request: {'ignore_eos'"),
        "{body}"
    );
    let vllm = start(Dialect::Vllm, |_| ());
    assert_eq!(refused(&vllm, &json!({"stream": false})).0, 400, "stream options without stream");
    assert_eq!(refused(&vllm, &json!({"min_tokens": 99})).0, 400, "more at least than at most");
    assert_eq!(refused(&start(Dialect::Sglang, |_| ()), &json!({"return_token_ids": true})).0, 400);
}

#[test]
fn unknown_routes_and_methods() {
    let shapes: [(Dialect, Shape); 4] = [
        (Dialect::Vllm, |answer| answer.json()["error"]["message"] == "Not Found"),
        (Dialect::Llamacpp, |answer| answer.json()["error"]["type"] == "not_found_error"),
        (Dialect::Tgi, |answer| answer.body.is_empty()),
        (Dialect::Transformers, |answer| answer.json()["detail"] == "Not Found"),
    ];
    for (dialect, fits) in shapes {
        let answer = get(&start(dialect, |_| ()), "/nowhere");
        assert!(answer.status == 404 && fits(&answer), "{dialect} {answer:?}");
    }
    assert_eq!(get(&start(Dialect::Vllm, |_| ()), "/v1/chat/completions").status, 405);
    assert_eq!(get(&start(Dialect::Llamacpp, |_| ()), "/v1/chat/completions").status, 404);
    assert_eq!(call(&start(Dialect::Vllm, |_| ()), "DELETE", "/v1/models", "").status, 405);
}

#[test]
fn the_key_is_asked_for_where_the_engine_asks() {
    let body = chat_body(&json!({})).to_string();
    for dialect in Dialect::ALL {
        let server = start(dialect, |config| config.api_key = Some("secret".to_owned()));
        let ask = |headers: &str| {
            let mut client = Client::connect(server.addr());
            client.send("POST", "/v1/chat/completions", headers, &body);
            client.receive().unwrap()
        };
        assert_eq!(ask("authorization: Bearer secret\r\n").status, 200, "{dialect}");
        let want = if dialect == Dialect::Transformers { 200 } else { 401 };
        assert_eq!(ask("").status, want, "{dialect}");
        assert_eq!(ask("authorization: Bearer wrong\r\n").status, want, "{dialect}");
        if dialect != Dialect::Openai {
            assert_eq!(get(&server, "/health").status, 200, "{dialect}");
        }
    }
    let locked = |dialect| start(dialect, |config| config.api_key = Some("k".to_owned()));
    assert_eq!(chat(&locked(Dialect::Vllm), &json!({})).json(), json!({"error": "Unauthorized"}));
    assert!(chat(&locked(Dialect::Tgi), &json!({})).body.is_empty());
    assert_eq!(get(&locked(Dialect::Llamacpp), "/metrics").status, 401);
    assert_eq!(get(&locked(Dialect::Vllm), "/metrics").status, 200);
}
