//! How many tokens come: forced lengths, defaults, and each engine's own fields.

use benchhost_simulator::Dialect;
use serde_json::{Value, json};

use crate::client::{chat, completion, post, start, usage_of};

fn chat_length(dialect: Dialect, fields: &Value) -> (u64, String) {
    let server = start(dialect, |_| ());
    let (events, _) = chat(&server, fields).events();
    let finish = events.iter().find_map(|event| event["choices"][0]["finish_reason"].as_str()).unwrap();
    (usage_of(&events)["completion_tokens"].as_u64().unwrap(), finish.to_owned())
}

#[test]
fn every_engines_way_to_force_a_length_is_exact() {
    let config = "{\"max_new_tokens\":700,\"min_new_tokens\":700,\"do_sample\":false}";
    let cases = [
        (Dialect::Vllm, json!({"max_tokens": 700, "ignore_eos": true})),
        (Dialect::Vllm, json!({"max_completion_tokens": 700, "max_tokens": 3, "ignore_eos": true})),
        (Dialect::Vllm, json!({"max_tokens": 700, "min_tokens": 700})),
        (Dialect::Sglang, json!({"max_tokens": 700, "ignore_eos": true})),
        (Dialect::Llamacpp, json!({"max_tokens": null, "n_predict": 700, "ignore_eos": true})),
        (Dialect::Friendli, json!({"max_tokens": 700, "min_tokens": 700})),
        (Dialect::Transformers, json!({"max_tokens": null, "generation_config": config})),
    ];
    for (dialect, fields) in cases {
        assert_eq!(chat_length(dialect, &fields), (700, "length".to_owned()), "{dialect} {fields}");
    }
}

#[test]
fn engines_that_cannot_be_forced_end_by_themselves() {
    for dialect in [Dialect::Openai, Dialect::Tgi, Dialect::Friendli] {
        let (length, finish) = chat_length(dialect, &json!({"max_tokens": 3000, "ignore_eos": true}));
        assert!((1..3000).contains(&length) && finish == "stop", "{dialect} {length} {finish}");
    }
}

#[test]
fn answers_never_exceed_the_limit() {
    for dialect in Dialect::ALL {
        assert_eq!(chat_length(dialect, &json!({"max_tokens": 1})), (1, "length".to_owned()), "{dialect}");
    }
}

#[test]
fn completions_default_to_sixteen_where_the_engine_does() {
    for dialect in [Dialect::Vllm, Dialect::Sglang, Dialect::Openai] {
        let server = start(dialect, |_| ());
        let (events, _) = completion(&server, &json!({"max_tokens": null})).events();
        assert_eq!(usage_of(&events)["completion_tokens"], 16, "{dialect}");
    }
}

#[test]
fn the_context_bounds_an_unlimited_answer() {
    let server = start(Dialect::Vllm, |config| config.context_tokens = 100);
    let (events, _) = chat(&server, &json!({"max_tokens": null, "ignore_eos": true})).events();
    assert_eq!(usage_of(&events)["total_tokens"], 100);
}

#[test]
fn stop_texts_end_answers_with_the_engines_reason() {
    let fields = json!({"max_tokens": 400, "stop": ["."]});
    for (dialect, want) in
        [(Dialect::Vllm, "stop"), (Dialect::Llamacpp, "stop"), (Dialect::Tgi, "stop_sequence")]
    {
        let (length, finish) = chat_length(dialect, &fields);
        assert!(length < 400 && finish == want, "{dialect} {length} {finish}");
    }
    let server = start(Dialect::Tgi, |_| ());
    let body = json!({"inputs": "x", "parameters": {"max_new_tokens": 400, "stop": ["."], "details": true}});
    assert_eq!(post(&server, "/generate", &body).json()["details"]["finish_reason"], "stop_sequence");
}
