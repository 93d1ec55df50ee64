//! The exact bodies `transformers serve` is sent: no field it does not know.

use benchhost_sdk::testkit::engine::{body, build};
use benchhost_sdk::{BuildInput, EndRule, Prompt, Refusal, Route, Sampling};
use engine_transformers::Transformers;

fn asked(route: Route, sampling: Sampling) -> BuildInput {
    let sampling = Sampling { max_tokens: 32, ..sampling };
    BuildInput {
        prompt: Prompt::Text("Hi".into()),
        route,
        sampling,
        model: "m".into(),
        ..BuildInput::default()
    }
}

#[test]
fn a_greedy_request_has_only_plain_fields() {
    let input = asked(Route::Chat, Sampling::default());
    assert_eq!(
        body::<Transformers>(&[], input.clone()),
        concat!(
            r#"{"model":"m","messages":[{"role":"user","content":"Hi"}],"max_tokens":32,"temperature":0.0,"#,
            r#""top_p":1.0,"stream":true}"#
        )
    );
    let request = build::<Transformers>(&[], input).unwrap();
    assert_eq!(request.end, EndRule::FinishReason);
    assert!(request.notes.is_empty());
}

#[test]
fn an_exact_length_goes_into_the_json_string() {
    let sampling = Sampling { exact: true, ..Sampling::default() };
    assert_eq!(
        body::<Transformers>(&[], asked(Route::Completions, sampling)),
        concat!(
            r#"{"model":"m","prompt":"Hi","max_tokens":32,"temperature":0.0,"top_p":1.0,"stream":true,"#,
            r#""generation_config":"{\"max_new_tokens\":32,\"repetition_penalty\":1.0,\"min_new_tokens\":32,\"do_sample\":false}"}"#
        )
    );
}

#[test]
fn sampling_needs_the_json_string_too_and_says_so() {
    let sampling = Sampling { temperature: 0.7, top_p: Some(0.9), seed: Some(3), ..Sampling::default() };
    let request = build::<Transformers>(&[], asked(Route::Chat, sampling)).unwrap();
    let sent = String::from_utf8(request.body).unwrap();
    let config = concat!(
        r#""generation_config":"{\"max_new_tokens\":32,\"repetition_penalty\":1.0,\"do_sample\":true,"#,
        r#"\"temperature\":0.7,\"top_p\":0.9,\"top_k\":0}""#
    );
    assert!(sent.contains(config), "{sent}");
    assert_eq!(request.notes.len(), 2);
}

#[test]
fn only_text_prompts_go_to_completions() {
    let tokens =
        BuildInput { prompt: Prompt::Tokens(vec![1]), ..asked(Route::Completions, Sampling::default()) };
    assert!(matches!(build::<Transformers>(&[], tokens), Err(Refusal::Unsupported(_))));
}
