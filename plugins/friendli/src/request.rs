//! Friendli's request body, and the path prefix of the three ways it is deployed.

use benchhost_sdk::openai::{self, CHAT, COMPLETIONS, Rules};
use benchhost_sdk::{BuildInput, EndRule, OptionSpec, Refusal, Request, Route, Settings};

const RULES: Rules = Rules {
    max_tokens_field: "max_tokens",
    stream_options: true,
    running_counts: false,
    token_field: Some("tokens"),
    top_p_one: true,
    largest_seed: i64::MAX as u64,
    most_stops: usize::MAX,
};

pub(crate) fn options() -> Vec<OptionSpec> {
    vec![
        OptionSpec::choice(
            "deployment",
            &["container", "serverless", "dedicated"],
            "Where the engine runs; `serverless` and `dedicated` change the paths and go with --url https://api.friendli.ai.",
        ),
        OptionSpec::text("team", "", "The team to bill, sent as the header X-Friendli-Team."),
        openai::extra_body_option(),
    ]
}

/// What stands before `/v1`.
pub(crate) fn prefix(settings: &Settings) -> &'static str {
    match settings.text("deployment") {
        "serverless" => "/serverless",
        "dedicated" => "/dedicated",
        _ => "",
    }
}

/// The header that names the team, if one is set.
pub(crate) fn team(settings: &Settings) -> Option<(String, String)> {
    let team = settings.text("team");
    (!team.is_empty()).then(|| ("x-friendli-team".to_owned(), team.to_owned()))
}

pub(crate) fn build(input: &BuildInput) -> Result<Request, Refusal> {
    let settings = input.settings();
    let mut draft = openai::draft(input, &RULES)?;
    draft.set("top_k", 0);
    draft.set("min_p", 0);
    draft.set("repetition_penalty", 1);
    if input.sampling.exact {
        // There is no `ignore_eos`; this is what the maker's own evaluator sends.
        draft.set("min_tokens", input.sampling.max_tokens);
    }
    if input.sampling.cache_salt.is_some() {
        draft.note("prefix cache not avoided: the API documents no field for it");
    }
    let path = if input.route == Route::Chat { CHAT } else { COMPLETIONS };
    let path = format!("{}{path}", prefix(&settings));
    let ctx = openai::ctx(input.route, false);
    let mut request = draft.post(&path, EndRule::DoneData("[DONE]".into()), ctx, &settings)?;
    request.headers.extend(team(&settings));
    Ok(request)
}
