//! The exact bodies vLLM is sent.

use benchhost_sdk::testkit::engine::{body, build};
use benchhost_sdk::{BuildInput, EndRule, Framing, Message, Prompt, Route, Sampling};
use engine_vllm::Vllm;

fn asked(prompt: Prompt, route: Route) -> BuildInput {
    let sampling = Sampling { max_tokens: 128, ..Sampling::default() };
    BuildInput { prompt, route, sampling, model: "m".into(), ..BuildInput::default() }
}

#[test]
fn a_chat_request_says_everything_explicitly() {
    let input =
        asked(Prompt::Chat(vec![Message::new("system", "Be brief."), Message::user("Hi")]), Route::Chat);
    assert_eq!(
        body::<Vllm>(&[], input.clone()),
        concat!(
            r#"{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}],"#,
            r#""max_tokens":128,"temperature":0.0,"top_p":1.0,"stream":true,"stream_options":{"include_usage":true},"#,
            r#""top_k":-1,"min_p":0,"repetition_penalty":1,"return_token_ids":true}"#
        )
    );
    let request = build::<Vllm>(&[], input).unwrap();
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/v1/chat/completions"));
    assert_eq!(request.headers, [("content-type".to_owned(), "application/json".to_owned())]);
    assert_eq!((request.framing, request.end), (Framing::Sse, EndRule::DoneData("[DONE]".into())));
    assert_eq!(request.ctx, r#"{"route":"chat"}"#);
    assert!(request.notes.is_empty());
}

#[test]
fn exact_length_salt_and_seed_have_their_fields_and_stop_texts_give_way() {
    let mut input = asked(Prompt::Tokens(vec![1, 2, 3]), Route::Completions);
    input.sampling = Sampling {
        max_tokens: 7,
        exact: true,
        temperature: 0.7,
        top_p: Some(0.9),
        seed: Some(42),
        stop: vec!["\n".into()],
        cache_salt: Some("s-1".into()),
        ..Sampling::default()
    };
    assert_eq!(
        body::<Vllm>(&[("return-token-ids", "false"), ("running-counts", "true")], input.clone()),
        concat!(
            r#"{"model":"m","prompt":[1,2,3],"max_tokens":7,"temperature":0.7,"top_p":0.9,"seed":42,"#,
            r#""stream":true,"stream_options":{"include_usage":true,"continuous_usage_stats":true},"#,
            r#""top_k":-1,"min_p":0,"repetition_penalty":1,"ignore_eos":true,"cache_salt":"s-1"}"#
        )
    );
    let request = build::<Vllm>(&[("running-counts", "true")], input).unwrap();
    assert_eq!(request.path, "/v1/completions");
    assert_eq!(request.ctx, r#"{"route":"completions","running_counts":true}"#);
    assert_eq!(request.notes.len(), 1, "{:?}", request.notes);
}

#[test]
fn the_same_input_gives_the_same_bytes_and_no_model_names_none() {
    let input = BuildInput { model: String::new(), ..asked(Prompt::Text("Hi".into()), Route::Completions) };
    let once = body::<Vllm>(&[], input.clone());
    assert_eq!(once, body::<Vllm>(&[], input));
    assert!(!once.contains("\"model\""));
}
