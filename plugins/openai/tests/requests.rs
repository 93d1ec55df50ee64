//! The exact bodies any OpenAI-like server is sent: only published fields, unless an option opts in.

use benchhost_sdk::testkit::engine::{body, build, probe, read_probe};
use benchhost_sdk::{BuildInput, EndRule, ProbeAnswer, ProbeKind, Prompt, Route, Sampling};
use engine_openai::OpenAi;

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
fn a_chat_request_has_only_published_fields() {
    let sampling =
        Sampling { temperature: 0.5, seed: Some(7), stop: vec!["END".into()], ..Sampling::default() };
    let input = asked(Route::Chat, sampling);
    assert_eq!(
        body::<OpenAi>(&[], input.clone()),
        concat!(
            r#"{"model":"m","messages":[{"role":"user","content":"Hi"}],"max_tokens":32,"temperature":0.5,"top_p":1.0,"#,
            r#""seed":7,"stop":["END"],"stream":true,"stream_options":{"include_usage":true}}"#
        )
    );
    assert_eq!(build::<OpenAi>(&[], input).unwrap().end, EndRule::FinishReason);
}

#[test]
fn the_newer_length_field_is_an_option_of_the_chat_route() {
    let options = [("max-tokens-field", "max_completion_tokens"), ("include-usage", "false")];
    assert_eq!(
        body::<OpenAi>(&options, asked(Route::Chat, Sampling::default())),
        concat!(
            r#"{"model":"m","messages":[{"role":"user","content":"Hi"}],"max_completion_tokens":32,"temperature":0.0,"#,
            r#""top_p":1.0,"stream":true}"#
        )
    );
    assert_eq!(
        body::<OpenAi>(&options, asked(Route::Completions, Sampling::default())),
        r#"{"model":"m","prompt":"Hi","max_tokens":32,"temperature":0.0,"top_p":1.0,"stream":true}"#
    );
}

#[test]
fn what_the_api_lacks_is_noted_unless_the_server_is_said_to_have_it() {
    let sampling = Sampling { exact: true, cache_salt: Some("s".into()), ..Sampling::default() };
    let plain = build::<OpenAi>(&[], asked(Route::Chat, sampling.clone())).unwrap();
    assert_eq!(plain.notes.len(), 2);
    assert!(!String::from_utf8(plain.body).unwrap().contains("ignore_eos"));
    let opted = build::<OpenAi>(&[("ignore-eos", "true")], asked(Route::Chat, sampling)).unwrap();
    assert_eq!(opted.notes.len(), 1);
    assert!(String::from_utf8(opted.body).unwrap().contains(r#""ignore_eos":true"#));
}

#[test]
fn the_model_list_answers_ready_and_models() {
    for kind in [ProbeKind::Ready, ProbeKind::Models] {
        assert_eq!(probe::<OpenAi>(&[], kind).unwrap().path, "/v1/models");
    }
    assert_eq!(probe::<OpenAi>(&[], ProbeKind::Metrics), None);
    let unauthorised = read_probe::<OpenAi>(ProbeKind::Ready, 401, r#"{"error":{"message":"no key"}}"#);
    assert_eq!(unauthorised, Ok(ProbeAnswer::NotReady("401: no key; it wants an API key".into())));
}
