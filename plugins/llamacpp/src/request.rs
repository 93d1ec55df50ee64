//! llama-server's request bodies. All three routes share one schema, so the same sampling fields go to each: the server's
//! own defaults (temperature 0.8, `top_k` 40, `top_p` 0.95, `min_p` 0.05) would bend every distribution.

use benchhost_sdk::openai::{self, CHAT, COMPLETIONS, Draft, Rules};
use benchhost_sdk::{BuildInput, EndRule, OptionSpec, Prompt, Refusal, Request, Route};

/// The native path. Bare `/completions` is native as well; `/v1/completions` is not.
pub(crate) const COMPLETION: &str = "/completion";

const RULES: Rules = Rules {
    max_tokens_field: "max_tokens",
    stream_options: true,
    running_counts: false,
    token_field: Some("prompt"),
    top_p_one: true,
    // 32 bits, and 4294967295 means a random one.
    largest_seed: u32::MAX as u64 - 1,
    most_stops: usize::MAX,
};

pub(crate) fn options() -> Vec<OptionSpec> {
    vec![
        OptionSpec::toggle(
            "timings-per-token",
            true,
            "Ask for running counts in every event of the OpenAI routes, so that tokens per event are known; `native` always has them.",
        ),
        openai::extra_body_option(),
    ]
}

pub(crate) fn build(input: &BuildInput) -> Result<Request, Refusal> {
    let settings = input.settings();
    let (mut draft, path, end) = match input.route {
        Route::Native => (native(input)?, COMPLETION, EndRule::FinishReason),
        Route::Chat => (openai::draft(input, &RULES)?, CHAT, EndRule::DoneData("[DONE]".into())),
        Route::Completions => {
            (openai::draft(input, &RULES)?, COMPLETIONS, EndRule::DoneData("[DONE]".into()))
        }
    };
    draft.set("top_k", 0);
    draft.set("min_p", 0);
    draft.set("typical_p", 1);
    draft.set("repeat_penalty", 1);
    draft.set("cache_prompt", input.sampling.cache_salt.is_none());
    if input.sampling.exact {
        draft.set("ignore_eos", true);
    }
    let timed = input.route != Route::Native && settings.toggle("timings-per-token")?;
    if timed {
        draft.set("timings_per_token", true);
    }
    draft.post(path, end, openai::ctx(input.route, timed), &settings)
}

fn native(input: &BuildInput) -> Result<Draft, Refusal> {
    let mut draft = Draft::new();
    match &input.prompt {
        Prompt::Text(text) => draft.set("prompt", text.as_str()),
        Prompt::Tokens(ids) => draft.set("prompt", ids.as_slice()),
        Prompt::Raw(body) => draft = Draft::raw(body)?,
        Prompt::Chat(_) => {
            let why = "messages on route `native`, which applies no chat template; use route `chat`";
            return Err(Refusal::Unsupported(why.into()));
        }
    }
    draft.set("n_predict", input.sampling.max_tokens);
    draft.sample(&input.sampling, &RULES)?;
    draft.set("return_tokens", true);
    draft.force("stream", true);
    Ok(draft)
}
