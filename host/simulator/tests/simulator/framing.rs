//! The facts of each dialect's streams: role, finish, usage, end marker, and what repeats in every chunk.

use benchhost_simulator::{Dialect, tokens};
use serde_json::{Value, json};

use crate::client::{chat, chat_body, completion, post, start, text_of, usage_of};

/// Chat text from 12 tokens: a role, finish and usage pattern written as a line for each event.
fn pattern(events: &[Value]) -> Vec<String> {
    let mut lines: Vec<String> = events
        .iter()
        .map(|event| {
            let mut line = String::new();
            match event["choices"].get(0) {
                None => line.push_str("none"),
                Some(choice) => {
                    let delta = &choice["delta"];
                    for (mark, there) in [
                        ("role ", delta.get("role").is_some()),
                        ("text ", delta["content"].as_str().is_some_and(|text| !text.is_empty())),
                        ("finish ", choice["finish_reason"].is_string()),
                    ] {
                        line.push_str(if there { mark } else { "" });
                    }
                }
            }
            line.push_str(if event["usage"].is_object() { "usage" } else { "" });
            line.trim().to_owned()
        })
        .collect();
    lines.dedup();
    lines
}

#[test]
fn chat_streams_have_each_engines_order() {
    let cases: [(Dialect, &[&str], bool); 7] = [
        (Dialect::Openai, &["role", "text", "finish", "noneusage"], true),
        (Dialect::Vllm, &["role", "text", "text finish", "noneusage"], true),
        (Dialect::Sglang, &["role", "text", "finish", "noneusage"], true),
        (Dialect::Tgi, &["role text", "role text finish", "noneusage"], true),
        (Dialect::Llamacpp, &["role", "text", "finish", "noneusage"], true),
        (Dialect::Friendli, &["role text", "text", "finish", "noneusage"], true),
        (Dialect::Transformers, &["role", "text", "finish usage"], false),
    ];
    for (dialect, want, want_done) in cases {
        let server = start(dialect, |_| ());
        let answer = chat(&server, &json!({}));
        assert_eq!((answer.status, answer.complete), (200, true), "{dialect}");
        assert!(answer.header("content-type").unwrap().starts_with("text/event-stream"), "{dialect}");
        let (events, done) = answer.events();
        assert_eq!(pattern(&events), want, "{dialect}");
        assert_eq!(done, want_done, "{dialect}");
        assert!(events.iter().all(|event| event["object"] == "chat.completion.chunk"), "{dialect}");
    }
}

#[test]
fn usage_comes_only_when_asked_where_that_is_so() {
    for dialect in Dialect::ALL {
        let server = start(dialect, |_| ());
        let (events, _) = chat(&server, &json!({"stream_options": null})).events();
        let told = events.iter().filter(|event| event["usage"].is_object()).count();
        assert_eq!(told, usize::from(dialect == Dialect::Transformers), "{dialect} chat");
        let (events, _) = completion(&server, &json!({"stream_options": null})).events();
        let told = events.iter().filter(|event| event["usage"].is_object()).count();
        let always = [Dialect::Transformers, Dialect::Tgi, Dialect::Llamacpp].contains(&dialect);
        assert_eq!(told, usize::from(always), "{dialect} completions");
    }
}

#[test]
fn usage_equals_the_tokens_that_were_streamed() {
    for dialect in Dialect::ALL {
        for (width, unicode) in [(1, false), (3, true)] {
            let server = start(dialect, |config| {
                config.tokens_per_event = width;
                config.unicode = unicode;
            });
            for answer in
                [chat(&server, &json!({"max_tokens": 200})), completion(&server, &json!({"max_tokens": 200}))]
            {
                let (events, _) = answer.events();
                let counted = tokens::count(&text_of(&events));
                assert!(counted > 0, "{dialect}");
                let usage = usage_of(&events);
                assert_eq!(usage["completion_tokens"], counted, "{dialect}");
                let total = usage["prompt_tokens"].as_u64().unwrap() + u64::from(counted);
                assert_eq!(usage["total_tokens"], total, "{dialect}");
            }
        }
    }
}

#[test]
fn whole_answers_say_the_same_as_streams() {
    for dialect in Dialect::ALL {
        let server = start(dialect, |_| ());
        let (events, _) = chat(&server, &json!({"max_tokens": 60})).events();
        let whole = post(
            &server,
            "/v1/chat/completions",
            &chat_body(&json!({"stream": false, "stream_options": null, "max_tokens": 60})),
        )
        .json();
        let choice = &whole["choices"][0];
        assert_eq!(choice["message"]["content"], text_of(&events), "{dialect}");
        assert_eq!(whole["usage"]["completion_tokens"], usage_of(&events)["completion_tokens"], "{dialect}");
        assert_eq!(whole["object"], "chat.completion", "{dialect}");
        let streamed = events.iter().rev().find_map(|event| event["choices"][0]["finish_reason"].as_str());
        assert_eq!(choice["finish_reason"].as_str(), streamed, "{dialect}");
    }
}

#[test]
fn tokens_that_are_ready_together_share_a_chunk_only_where_engines_merge() {
    for dialect in Dialect::ALL {
        let server = start(dialect, |config| config.tokens_per_event = 4);
        let (events, _) = completion(&server, &json!({"max_tokens": 12})).events();
        let with_text =
            events.iter().filter(|event| !event["choices"][0]["text"].as_str().unwrap_or("").is_empty());
        let merges = [Dialect::Openai, Dialect::Vllm, Dialect::Sglang].contains(&dialect);
        let total = tokens::count(&text_of(&events)) as usize;
        let want = if merges { total.div_ceil(4) } else { total };
        assert_eq!(with_text.count(), want, "{dialect}");
    }
}

#[test]
fn vllm_gives_ids_and_continuous_usage_on_demand() {
    let server = start(Dialect::Vllm, |config| config.tokens_per_event = 2);
    let options = json!({"return_token_ids": true, "max_tokens": 9, "ignore_eos": true,
        "stream_options": {"include_usage": true, "continuous_usage_stats": true}});
    let (events, _) = chat(&server, &options).events();
    let usage = usage_of(&events).clone();
    let prompt_ids = events[0]["prompt_token_ids"].as_array().unwrap();
    assert_eq!(prompt_ids.len() as u64, usage["prompt_tokens"].as_u64().unwrap());
    let ids: Vec<u64> = events
        .iter()
        .filter_map(|event| event["choices"][0]["token_ids"].as_array())
        .flatten()
        .map(|id| id.as_u64().unwrap())
        .collect();
    let want: Vec<u64> = tokens::ids(&text_of(&events)).into_iter().map(u64::from).collect();
    assert_eq!(ids, want);
    let counts: Vec<u64> =
        events.iter().map(|event| event["usage"]["completion_tokens"].as_u64().unwrap()).collect();
    assert_eq!(counts, [0, 2, 4, 6, 8, 9, 9], "the role chunk counts 0, the last is the usage chunk");
}

#[test]
fn small_marks_of_each_dialect() {
    let (events, _) = chat(&start(Dialect::Sglang, |_| ()), &json!({})).events();
    assert!(events[0]["choices"][0]["delta"].as_object().unwrap().contains_key("reasoning_content"));

    let (events, _) = chat(&start(Dialect::Tgi, |_| ()), &json!({})).events();
    assert!(events.iter().all(|event| event["id"] == ""));
    let (events, _) = completion(&start(Dialect::Tgi, |_| ()), &json!({})).events();
    assert_eq!(events[0]["choices"][0]["finish_reason"], "", "unfinished is an empty string");

    let (events, _) = chat(&start(Dialect::Llamacpp, |_| ()), &json!({})).events();
    assert!(events[0]["choices"][0]["delta"]["content"].is_null());
    let last = events.last().unwrap();
    assert_eq!(last["timings"]["predicted_n"], last["usage"]["completion_tokens"]);
    assert!(events[..events.len() - 1].iter().all(|event| event.get("timings").is_none()));
    let (events, _) = chat(&start(Dialect::Llamacpp, |_| ()), &json!({"stream_options": null})).events();
    assert!(events.last().unwrap()["timings"].is_object(), "without usage the finish chunk has the timings");

    let (events, _) = chat(&start(Dialect::Friendli, |_| ()), &json!({})).events();
    assert!(events[0].as_object().unwrap().contains_key("usage") && events[0]["usage"].is_null());
    let (events, _) = completion(&start(Dialect::Friendli, |_| ()), &json!({})).events();
    let piece = events[0]["choices"][0]["text"].as_str().unwrap();
    assert_eq!(events[0]["choices"][0]["token"], tokens::ids(piece)[0]);

    let (events, _) = chat(&start(Dialect::Transformers, |_| ()), &json!({})).events();
    assert!(events[0]["choices"][0].get("finish_reason").is_none());
    assert_eq!(events[0]["model"], "m@main");
}

#[test]
fn reasoning_goes_first_on_each_dialects_channel() {
    for dialect in Dialect::ALL {
        let server = start(dialect, |config| config.reasoning_tokens = 5);
        let (events, _) = chat(&server, &json!({"max_tokens": 20})).events();
        let key = if dialect == Dialect::Vllm { "reasoning" } else { "reasoning_content" };
        let spoken: Vec<bool> = events
            .iter()
            .map(|event| &event["choices"][0]["delta"])
            .filter(|delta| {
                delta[key].is_string() || delta["content"].as_str().is_some_and(|text| !text.is_empty())
            })
            .map(|delta| delta[key].is_string())
            .collect();
        assert_eq!(spoken[..5], [true; 5], "{dialect}");
        assert!(spoken.len() > 5 && spoken[5..].iter().all(|reasoning| !reasoning), "{dialect}");
        assert_eq!(usage_of(&events)["completion_tokens"], spoken.len(), "{dialect}");
    }
}

#[test]
fn every_json_event_is_stamped_in_order_when_asked() {
    for dialect in Dialect::ALL {
        let server = start(dialect, |config| config.stamp_writes = true);
        let before = benchhost_simulator::monotonic_ns();
        let (events, _) = chat(&server, &json!({})).events();
        let after = benchhost_simulator::monotonic_ns();
        let stamps: Vec<u64> = events.iter().map(|event| event["sim_write_ns"].as_u64().unwrap()).collect();
        assert!(stamps.is_sorted() && stamps[0] >= before && *stamps.last().unwrap() <= after, "{dialect}");
        let server = start(dialect, |_| ());
        assert!(chat(&server, &json!({})).events().0.iter().all(|event| event.get("sim_write_ns").is_none()));
    }
}

#[test]
fn the_same_seed_says_the_same_and_another_seed_does_not() {
    let said = |seed| {
        let server = start(Dialect::Vllm, |config| config.seed = seed);
        text_of(&chat(&server, &json!({"max_tokens": 100})).events().0)
    };
    assert_eq!(said(1), said(1));
    assert_ne!(said(1), said(2));
}
