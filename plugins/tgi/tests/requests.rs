//! The exact bodies TGI is sent, and the traps of its validation.

use benchhost_sdk::testkit::engine::{body, build};
use benchhost_sdk::{BuildInput, EndRule, Prompt, Refusal, Route, Sampling};
use engine_tgi::Tgi;

fn asked(route: Route, sampling: Sampling) -> BuildInput {
    let sampling = Sampling { max_tokens: 20, ..sampling };
    BuildInput {
        prompt: Prompt::Text("Hi".into()),
        route,
        sampling,
        model: "org/m".into(),
        ..BuildInput::default()
    }
}

#[test]
fn the_model_name_is_never_sent_because_it_would_name_an_adapter() {
    assert_eq!(
        body::<Tgi>(&[], asked(Route::Chat, Sampling::default())),
        concat!(
            r#"{"model":"tgi","messages":[{"role":"user","content":"Hi"}],"max_tokens":20,"temperature":0.0,"#,
            r#""stream":true,"stream_options":{"include_usage":true}}"#
        )
    );
    assert_eq!(
        body::<Tgi>(&[("adapter", "a1")], asked(Route::Completions, Sampling::default())),
        r#"{"model":"a1","prompt":"Hi","max_tokens":20,"temperature":0.0,"stream":true}"#
    );
}

#[test]
fn greedy_native_requests_carry_neither_temperature_nor_top_p() {
    let input = asked(Route::Native, Sampling { top_p: Some(0.9), seed: Some(1), ..Sampling::default() });
    assert_eq!(
        body::<Tgi>(&[], input.clone()),
        concat!(
            r#"{"inputs":"Hi","parameters":{"max_new_tokens":20,"do_sample":false,"seed":1,"#,
            r#""details":true,"return_full_text":false}}"#
        )
    );
    let request = build::<Tgi>(&[], input).unwrap();
    assert_eq!((request.path.as_str(), request.end), ("/generate_stream", EndRule::FinishReason));
}

#[test]
fn sampled_native_requests_say_so() {
    let sampling =
        Sampling { temperature: 0.7, top_p: Some(0.9), stop: vec!["\n".into()], ..Sampling::default() };
    assert_eq!(
        body::<Tgi>(&[("adapter", "a1")], asked(Route::Native, sampling)),
        concat!(
            r#"{"inputs":"Hi","parameters":{"max_new_tokens":20,"do_sample":true,"temperature":0.7,"top_p":0.9,"#,
            r#""stop":["\n"],"details":true,"return_full_text":false,"adapter_id":"a1"}}"#
        )
    );
}

#[test]
fn top_p_one_is_left_out_with_a_note_on_every_route() {
    for route in [Route::Chat, Route::Completions, Route::Native] {
        let sampling = Sampling { temperature: 1.0, top_p: Some(1.0), ..Sampling::default() };
        let request = build::<Tgi>(&[], asked(route, sampling)).unwrap();
        assert!(!String::from_utf8(request.body).unwrap().contains("top_p"));
        assert_eq!(
            request.notes,
            ["top_p 1 left out: this server rejects it, and takes its absence for the same"]
        );
    }
}

#[test]
fn what_tgi_cannot_do_is_noted_or_refused() {
    let sampling = Sampling { exact: true, cache_salt: Some("s".into()), ..Sampling::default() };
    assert_eq!(build::<Tgi>(&[], asked(Route::Native, sampling)).unwrap().notes.len(), 2);
    let stops = Sampling { stop: vec!["a".into(); 5], ..Sampling::default() };
    for route in [Route::Chat, Route::Native] {
        let tokens = BuildInput { prompt: Prompt::Tokens(vec![1]), ..asked(route, Sampling::default()) };
        assert!(matches!(build::<Tgi>(&[], tokens), Err(Refusal::Unsupported(_))));
        assert!(matches!(build::<Tgi>(&[], asked(route, stops.clone())), Err(Refusal::Unsupported(_))));
    }
}

#[test]
fn a_raw_native_body_goes_out_as_it_is() {
    let raw = r#"{"inputs":"x","parameters":{"top_k":5}}"#;
    let input = BuildInput { prompt: Prompt::Raw(raw.into()), ..asked(Route::Native, Sampling::default()) };
    assert_eq!(body::<Tgi>(&[], input), raw);
}
