//! The exact bodies SGLang is sent.

use benchhost_sdk::testkit::engine::{body, build};
use benchhost_sdk::{BuildInput, Prompt, Route, Sampling};
use engine_sglang::Sglang;

fn asked(prompt: Prompt, route: Route) -> BuildInput {
    let sampling = Sampling { max_tokens: 128, ..Sampling::default() };
    BuildInput { prompt, route, sampling, model: "m".into(), ..BuildInput::default() }
}

#[test]
fn a_chat_request_asks_for_running_counts_and_never_for_token_ids() {
    let mut input = asked(Prompt::Text("Hi".into()), Route::Chat);
    input.sampling.exact = true;
    input.sampling.cache_salt = Some("s-1".into());
    assert_eq!(
        body::<Sglang>(&[], input.clone()),
        concat!(
            r#"{"model":"m","messages":[{"role":"user","content":"Hi"}],"max_tokens":128,"temperature":0.0,"top_p":1.0,"#,
            r#""stream":true,"stream_options":{"include_usage":true,"continuous_usage_stats":true},"#,
            r#""top_k":-1,"min_p":0,"repetition_penalty":1,"ignore_eos":true,"cache_salt":"s-1"}"#
        )
    );
    assert_eq!(build::<Sglang>(&[], input).unwrap().ctx, r#"{"route":"chat","running_counts":true}"#);
}

#[test]
fn token_prompts_go_to_completions() {
    let input = asked(Prompt::Tokens(vec![1, 2]), Route::Completions);
    assert_eq!(
        body::<Sglang>(&[("running-counts", "false")], input),
        concat!(
            r#"{"model":"m","prompt":[1,2],"max_tokens":128,"temperature":0.0,"top_p":1.0,"stream":true,"#,
            r#""stream_options":{"include_usage":true},"top_k":-1,"min_p":0,"repetition_penalty":1}"#
        )
    );
    assert!(build::<Sglang>(&[], asked(Prompt::Tokens(vec![1]), Route::Chat)).is_err());
}
