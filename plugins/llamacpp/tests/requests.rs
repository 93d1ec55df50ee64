//! The exact bodies llama-server is sent.

use benchhost_sdk::testkit::engine::{body, build};
use benchhost_sdk::{BuildInput, EndRule, Prompt, Route, Sampling};
use engine_llamacpp::LlamaCpp;

fn asked(prompt: Prompt, route: Route, sampling: Sampling) -> BuildInput {
    let sampling = Sampling { max_tokens: 24, ..sampling };
    BuildInput { prompt, route, sampling, model: "m".into(), ..BuildInput::default() }
}

#[test]
fn every_sampler_of_the_server_is_switched_off_or_set() {
    let input =
        asked(Prompt::Text("Hi".into()), Route::Chat, Sampling { temperature: 1.0, ..Sampling::default() });
    assert_eq!(
        body::<LlamaCpp>(&[], input.clone()),
        concat!(
            r#"{"model":"m","messages":[{"role":"user","content":"Hi"}],"max_tokens":24,"temperature":1.0,"top_p":1.0,"#,
            r#""stream":true,"stream_options":{"include_usage":true},"top_k":0,"min_p":0,"typical_p":1,"#,
            r#""repeat_penalty":1,"cache_prompt":true,"timings_per_token":true}"#
        )
    );
    let request = build::<LlamaCpp>(&[], input).unwrap();
    assert_eq!(request.end, EndRule::DoneData("[DONE]".into()));
    assert_eq!(request.ctx, r#"{"route":"chat","running_counts":true}"#);
}

#[test]
fn the_native_route_takes_token_ids_and_asks_for_them() {
    let sampling =
        Sampling { exact: true, cache_salt: Some("s".into()), seed: Some(7), ..Sampling::default() };
    let input = asked(Prompt::Tokens(vec![2, 818]), Route::Native, sampling);
    assert_eq!(
        body::<LlamaCpp>(&[], input.clone()),
        concat!(
            r#"{"prompt":[2,818],"n_predict":24,"temperature":0.0,"top_p":1.0,"seed":7,"return_tokens":true,"stream":true,"#,
            r#""top_k":0,"min_p":0,"typical_p":1,"repeat_penalty":1,"cache_prompt":false,"ignore_eos":true}"#
        )
    );
    let request = build::<LlamaCpp>(&[], input).unwrap();
    // Bare `/completions` would be native too; `/v1/completions` is the OpenAI route.
    assert_eq!((request.path.as_str(), request.end), ("/completion", EndRule::FinishReason));
}

#[test]
fn the_seed_that_means_a_random_one_is_never_sent() {
    let seed = |seed| {
        let sampling = Sampling { seed: Some(seed), ..Sampling::default() };
        build::<LlamaCpp>(&[], asked(Prompt::Text("x".into()), Route::Completions, sampling)).unwrap()
    };
    let random = seed(u64::from(u32::MAX));
    assert!(String::from_utf8(random.body).unwrap().contains(r#""seed":0,"#));
    assert_eq!(random.notes.len(), 1);
    assert!(seed(u64::from(u32::MAX) - 1).notes.is_empty());
}
