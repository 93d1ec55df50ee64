//! The exact bodies Friendli's engine is sent, and where.

use benchhost_sdk::testkit::engine::{body, build};
use benchhost_sdk::{BuildInput, Prompt, Route, Sampling};
use engine_friendli::Friendli;

fn asked(prompt: Prompt, route: Route, sampling: Sampling) -> BuildInput {
    let sampling = Sampling { max_tokens: 64, ..sampling };
    BuildInput { prompt, route, sampling, model: "m".into(), ..BuildInput::default() }
}

#[test]
fn an_exact_length_is_a_minimum_equal_to_the_maximum() {
    let sampling = Sampling { exact: true, ..Sampling::default() };
    assert_eq!(
        body::<Friendli>(&[], asked(Prompt::Text("Hi".into()), Route::Chat, sampling)),
        concat!(
            r#"{"model":"m","messages":[{"role":"user","content":"Hi"}],"max_tokens":64,"temperature":0.0,"top_p":1.0,"#,
            r#""stream":true,"stream_options":{"include_usage":true},"top_k":0,"min_p":0,"repetition_penalty":1,"#,
            r#""min_tokens":64}"#
        )
    );
}

#[test]
fn token_ids_have_a_field_of_their_own() {
    let sent =
        body::<Friendli>(&[], asked(Prompt::Tokens(vec![5, 6]), Route::Completions, Sampling::default()));
    assert!(sent.starts_with(r#"{"model":"m","tokens":[5,6],"max_tokens":64,"#), "{sent}");
}

#[test]
fn the_deployment_changes_the_path_and_the_team_is_a_header() {
    let to = |deployment: &str, route| {
        let input = asked(Prompt::Text("Hi".into()), route, Sampling::default());
        build::<Friendli>(&[("deployment", deployment), ("team", "t1")], input).unwrap()
    };
    assert_eq!(to("container", Route::Chat).path, "/v1/chat/completions");
    assert_eq!(to("serverless", Route::Chat).path, "/serverless/v1/chat/completions");
    assert_eq!(to("dedicated", Route::Completions).path, "/dedicated/v1/completions");
    let team = ("x-friendli-team".to_owned(), "t1".to_owned());
    assert!(to("serverless", Route::Chat).headers.contains(&team));
    let none =
        build::<Friendli>(&[], asked(Prompt::Text("Hi".into()), Route::Chat, Sampling::default())).unwrap();
    assert!(!none.headers.iter().any(|(name, _)| name == "x-friendli-team"));
}

#[test]
fn a_salt_is_noted_because_there_is_no_field_for_it() {
    let sampling = Sampling { cache_salt: Some("s".into()), ..Sampling::default() };
    let request = build::<Friendli>(&[], asked(Prompt::Text("Hi".into()), Route::Chat, sampling)).unwrap();
    assert_eq!(request.notes, ["prefix cache not avoided: the API documents no field for it"]);
}
