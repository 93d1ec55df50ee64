//! Lists, versions, health, metrics, tokenizers and cache resets.

use benchhost_simulator::{Dialect, tokens};
use serde_json::json;

use crate::client::{chat, get, post, start, usage_of};

#[test]
fn model_lists_name_owner_and_context() {
    for (dialect, owner, context) in [
        (Dialect::Vllm, "vllm", "/data/0/max_model_len"),
        (Dialect::Sglang, "sglang", "/data/0/max_model_len"),
        (Dialect::Llamacpp, "llamacpp", "/data/0/meta/n_ctx"),
    ] {
        let list = get(&start(dialect, |config| config.context_tokens = 777), "/v1/models").json();
        assert_eq!((&list["data"][0]["id"], &list["data"][0]["owned_by"]), (&json!("m"), &json!(owner)));
        assert_eq!(list.pointer(context), Some(&json!(777)), "{dialect}");
    }
    let list = get(&start(Dialect::Tgi, |_| ()), "/v1/models").json();
    assert_eq!((&list["data"][0]["owned_by"], &list["data"][0]["created"]), (&json!("m"), &json!(0)));
    for dialect in Dialect::ALL {
        assert_eq!(get(&start(dialect, |_| ()), "/v1/models").json()["data"][0]["id"], "m", "{dialect}");
    }
}

#[test]
fn each_engine_can_be_told_by_its_probe() {
    assert_eq!(get(&start(Dialect::Vllm, |_| ()), "/version").json()["version"], "0.33.0");
    let info = get(&start(Dialect::Sglang, |_| ()), "/server_info").json();
    assert!(info["version"].is_string() && info["internal_states"].is_array());
    let info = get(&start(Dialect::Tgi, |_| ()), "/info").json();
    assert_eq!(
        (&info["router"], &info["max_total_tokens"]),
        (&json!("text-generation-router"), &json!(8192))
    );
    let answer = get(&start(Dialect::Llamacpp, |_| ()), "/props");
    assert_eq!(answer.header("server"), Some("llama.cpp"));
    assert_eq!(answer.json()["default_generation_settings"]["n_ctx"], 8192);
    for dialect in [Dialect::Llamacpp, Dialect::Transformers] {
        assert_eq!(get(&start(dialect, |_| ()), "/health").json(), json!({"status": "ok"}));
    }
    for dialect in [Dialect::Vllm, Dialect::Sglang, Dialect::Tgi, Dialect::Friendli] {
        let answer = get(&start(dialect, |_| ()), "/health");
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{dialect}");
    }
}

#[test]
fn metrics_carry_the_real_names_and_count_what_was_streamed() {
    let cases = [
        (
            Dialect::Vllm,
            "vllm:generation_tokens_total{model_name=\"m\",engine=\"0\"}",
            "vllm:num_requests_running",
        ),
        (
            Dialect::Sglang,
            "sglang:generation_tokens_total{model_name=\"m\",engine_type=\"unified\"}",
            "sglang:token_usage",
        ),
        (Dialect::Tgi, "tgi_request_generated_tokens_sum", "tgi_batch_current_size"),
        (Dialect::Llamacpp, "llamacpp:tokens_predicted_total", "llamacpp:requests_deferred"),
        (Dialect::Friendli, "friendli_output_lengths_sum", "friendli_current_assigned_items"),
    ];
    for (dialect, generated, also) in cases {
        let server = start(dialect, |_| ());
        let mut want = 0;
        for _ in 0..3 {
            want += usage_of(&chat(&server, &json!({})).events().0)["completion_tokens"].as_u64().unwrap();
        }
        let page = get(&server, "/metrics");
        assert!(page.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
        assert!(page.text().contains(&format!("\n{generated} {want}\n")), "{dialect}\n{}", page.text());
        assert!(
            page.text().contains(&format!("\n# TYPE {also} gauge\n")) || page.text().contains(also),
            "{dialect}"
        );
        for line in page.text().lines().filter(|line| !line.starts_with('#')) {
            assert!(line.rsplit_once(' ').unwrap().1.parse::<f64>().is_ok(), "{line}");
        }
    }
    for dialect in [Dialect::Openai, Dialect::Transformers] {
        assert_eq!(get(&start(dialect, |_| ()), "/metrics").status, 404, "{dialect}");
    }
}

#[test]
fn tokenizers_agree_with_the_library() {
    let text = "The sea, 漢字 🎉";
    let ids = json!(tokens::ids(text));
    for (dialect, path, field) in [
        (Dialect::Vllm, "/tokenize", "prompt"),
        (Dialect::Sglang, "/v1/tokenize", "prompt"),
        (Dialect::Llamacpp, "/tokenize", "content"),
        (Dialect::Friendli, "/v1/tokenize", "prompt"),
    ] {
        let answer = post(&start(dialect, |_| ()), path, &json!({"model": "m", field: text})).json();
        assert_eq!(answer["tokens"], ids, "{dialect}");
    }
    let list = post(&start(Dialect::Tgi, |_| ()), "/tokenize", &json!({"inputs": text})).json();
    let found: Vec<_> = list.as_array().unwrap().iter().map(|token| token["id"].clone()).collect();
    assert_eq!(json!(found), ids);
    assert_eq!(list.as_array().unwrap().last().unwrap()["stop"], text.chars().count());
}

#[test]
fn a_chat_costs_as_many_tokens_as_the_tokenizer_says() {
    let server = start(Dialect::Vllm, |_| ());
    let messages =
        json!([{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello there!"}]);
    let counted = post(&server, "/tokenize", &json!({"messages": messages})).json()["count"].clone();
    let (events, _) = chat(&server, &json!({"messages": messages})).events();
    assert_eq!(usage_of(&events)["prompt_tokens"], counted);
}

#[test]
fn a_reset_empties_the_prefix_cache() {
    let messages = json!({"messages": [{"role": "user", "content": "word ".repeat(40)}]});
    for (dialect, path) in [
        (Dialect::Vllm, "/reset_prefix_cache"),
        (Dialect::Sglang, "/flush_cache"),
        (Dialect::Llamacpp, "/slots/0"),
    ] {
        let server = start(dialect, |_| ());
        let cached = || {
            let (events, _) = chat(&server, &messages).events();
            usage_of(&events)["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap()
        };
        assert_eq!(cached(), 0, "{dialect}");
        assert!(cached() > 0, "{dialect}");
        assert_eq!(post(&server, path, &json!({})).status, 200, "{dialect}");
        assert_eq!(cached(), 0, "{dialect}");
    }
    let server = start(Dialect::Vllm, |_| ());
    let salted = |salt: &str| {
        let mut body = messages.clone();
        body["cache_salt"] = salt.into();
        usage_of(&chat(&server, &body).events().0)["prompt_tokens_details"]["cached_tokens"].clone()
    };
    assert_eq!((salted("a"), salted("b")), (json!(0), json!(0)), "another salt is another prompt");
}
