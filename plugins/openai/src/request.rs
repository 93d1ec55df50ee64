//! The request body: only fields of the published API, because hosted proxies reject others. Extensions are opted in.

use benchhost_sdk::openai::{self, CHAT, COMPLETIONS, Rules};
use benchhost_sdk::{BuildInput, EndRule, OptionSpec, Refusal, Request, Route};

pub(crate) fn options() -> Vec<OptionSpec> {
    vec![
        OptionSpec::choice(
            "max-tokens-field",
            &["max_tokens", "max_completion_tokens"],
            "The field that limits a chat answer: api.openai.com wants `max_completion_tokens` for reasoning models.",
        ),
        OptionSpec::toggle(
            "ignore-eos",
            false,
            "The server knows `ignore_eos`; send it when an exact length is asked.",
        ),
        OptionSpec::toggle(
            "include-usage",
            true,
            "Ask for token counts at the end of the stream (`stream_options`).",
        ),
        openai::extra_body_option(),
    ]
}

pub(crate) fn build(input: &BuildInput) -> Result<Request, Refusal> {
    let settings = input.settings();
    let newer = input.route == Route::Chat && settings.text("max-tokens-field") == "max_completion_tokens";
    let rules = Rules {
        max_tokens_field: if newer { "max_completion_tokens" } else { "max_tokens" },
        stream_options: settings.toggle("include-usage")?,
        token_field: Some("prompt"),
        ..Rules::default()
    };
    let mut draft = openai::draft(input, &rules)?;
    if input.sampling.exact {
        if settings.toggle("ignore-eos")? {
            draft.set("ignore_eos", true);
        } else {
            draft.note("exact length not asked for: the API has no such field (option `ignore-eos` sends one); answers may be shorter");
        }
    }
    if input.sampling.cache_salt.is_some() {
        draft.note("prefix cache not avoided: the API has no field for it");
    }
    let path = if input.route == Route::Chat { CHAT } else { COMPLETIONS };
    draft.post(path, EndRule::FinishReason, openai::ctx(input.route, false), &settings)
}
