//! The engines' own interfaces.

use benchhost_simulator::{Dialect, tokens};
use serde_json::{Value, json};

use crate::client::{post, start};

#[test]
fn tgi_streams_one_event_for_each_token_without_space_and_marker() {
    let server = start(Dialect::Tgi, |config| config.tokens_per_event = 3);
    let body = json!({"inputs": "The sea", "parameters": {"max_new_tokens": 10, "details": true}});
    let answer = post(&server, "/generate_stream", &body);
    assert!(answer.text().starts_with("data:{"), "{}", answer.text());
    let (events, done) = answer.events();
    assert!(!done && events.len() == 10, "{}", events.len());
    let text: String = events.iter().map(|event| event["token"]["text"].as_str().unwrap()).collect();
    for (at, event) in events.iter().enumerate() {
        assert_eq!(event["index"], at + 1);
        assert_eq!(event["token"]["id"], tokens::ids(event["token"]["text"].as_str().unwrap())[0]);
        assert_eq!(event["generated_text"].is_null(), at < 9);
    }
    assert_eq!(events[9]["generated_text"], text);
    let details = &events[9]["details"];
    assert_eq!((&details["finish_reason"], &details["generated_tokens"]), (&json!("length"), &json!(10)));
}

#[test]
fn tgi_answers_in_one_piece_with_its_headers() {
    let server = start(Dialect::Tgi, |_| ());
    let body = json!({"inputs": "The sea", "parameters": {"max_new_tokens": 7, "details": true}});
    let answer = post(&server, "/generate", &body);
    let whole = answer.json();
    assert_eq!(answer.header("x-generated-tokens"), Some("7"));
    assert_eq!(tokens::count(whole["generated_text"].as_str().unwrap()), 7);
    assert_eq!(whole["details"]["tokens"].as_array().unwrap().len(), 7);
    assert_eq!(post(&server, "/", &body).json()[0]["generated_text"], whole["generated_text"]);
}

#[test]
fn llamacpp_streams_tokens_then_one_object_with_timings() {
    let server = start(Dialect::Llamacpp, |_| ());
    for path in ["/completion", "/completions"] {
        let body = json!({"prompt": "The sea", "n_predict": 9, "ignore_eos": true, "stream": true, "cache_prompt": false});
        let (events, done) = post(&server, path, &body).events();
        assert!(!done && events.len() == 10);
        let (last, first) = events.split_last().unwrap();
        for (at, event) in first.iter().enumerate() {
            assert_eq!((&event["stop"], &event["tokens_predicted"]), (&json!(false), &json!(at + 1)));
            assert_eq!(event["tokens"].as_array().unwrap().len(), 1);
            assert!(event.get("timings").is_none());
        }
        assert_eq!(
            (&last["stop"], &last["stop_type"], &last["content"]),
            (&json!(true), &json!("limit"), &json!(""))
        );
        assert_eq!((&last["timings"]["predicted_n"], &last["timings"]["cache_n"]), (&json!(9), &json!(0)));
    }
}

#[test]
fn llamacpp_with_nothing_to_predict_only_fills_the_cache() {
    let server = start(Dialect::Llamacpp, |_| ());
    let prompt = "word ".repeat(50);
    let filled = post(&server, "/completion", &json!({"prompt": prompt, "n_predict": 0})).json();
    assert_eq!((&filled["content"], &filled["tokens_predicted"]), (&json!(""), &json!(0)));
    let again = post(&server, "/completion", &json!({"prompt": prompt, "n_predict": 1})).json();
    assert!(again["timings"]["cache_n"].as_u64().unwrap() > 0);
    let uncached =
        post(&server, "/completion", &json!({"prompt": prompt, "n_predict": 1, "cache_prompt": false}))
            .json();
    assert_eq!(uncached["timings"]["cache_n"], 0);
}

#[test]
fn sglang_repeats_the_whole_text_in_every_event() {
    let server = start(Dialect::Sglang, |_| ());
    let body = json!({"text": "The sea", "sampling_params": {"max_new_tokens": 6, "ignore_eos": true}, "stream": true});
    let (events, done) = post(&server, "/generate", &body).events();
    assert!(done && events.len() == 6);
    let texts: Vec<&str> = events.iter().map(|event| event["text"].as_str().unwrap()).collect();
    assert!(texts.is_sorted_by(|a, b| b.starts_with(a) && b.len() > a.len()));
    for (at, event) in events.iter().enumerate() {
        assert_eq!(event["meta_info"]["completion_tokens"], at + 1);
        assert_eq!(event["output_ids"].as_array().unwrap().len(), at + 1);
        assert_eq!(
            event["meta_info"]["finish_reason"],
            if at == 5 { json!({"type": "length", "length": 6}) } else { Value::Null }
        );
    }
}

#[test]
fn token_id_prompts_are_counted_exactly() {
    let ids: Vec<u32> = (100..137).collect();
    let cases = [
        (Dialect::Vllm, "/v1/completions", json!({"prompt": ids}), "/usage/prompt_tokens"),
        (Dialect::Sglang, "/generate", json!({"input_ids": ids}), "/meta_info/prompt_tokens"),
        (Dialect::Llamacpp, "/completion", json!({"prompt": ids, "n_predict": 4}), "/tokens_evaluated"),
        (Dialect::Friendli, "/v1/completions", json!({"tokens": ids}), "/usage/prompt_tokens"),
    ];
    for (dialect, path, body, pointer) in cases {
        let whole = post(&start(dialect, |_| ()), path, &body).json();
        assert_eq!(whole.pointer(pointer), Some(&json!(37)), "{dialect} {whole}");
    }
}
