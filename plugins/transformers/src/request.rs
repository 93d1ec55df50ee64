//! The request body of `transformers serve`, which answers 422 to every field it does not know: `top_k`, lengths and
//! `do_sample` can only be said in `generation_config`, a JSON document inside a JSON string.

use benchhost_sdk::openai::{self, CHAT, COMPLETIONS, Rules};
use benchhost_sdk::{BuildInput, EndRule, OptionSpec, Refusal, Request, Route, Sampling};
use serde_json::{Value, json};

const RULES: Rules = Rules {
    max_tokens_field: "max_tokens",
    // Ignored with a warning; usage comes without being asked for.
    stream_options: false,
    running_counts: false,
    // `prompt` must be a text.
    token_field: None,
    top_p_one: true,
    largest_seed: i64::MAX as u64,
    most_stops: usize::MAX,
};

pub(crate) fn options() -> Vec<OptionSpec> {
    vec![openai::extra_body_option()]
}

pub(crate) fn build(input: &BuildInput) -> Result<Request, Refusal> {
    let sampling = &input.sampling;
    let mut draft = openai::draft(input, &RULES)?;
    if sampling.exact || sampling.temperature > 0.0 {
        draft.set("generation_config", generation_config(sampling).to_string());
    }
    if sampling.temperature > 0.0 {
        draft.note("`generation_config` is sent, which replaces the model's own: without it the model's top_k, or greedy decoding, would apply");
    }
    if sampling.seed.is_some() && sampling.temperature > 0.0 {
        draft.note("the seed is set for the whole server process: concurrent requests disturb one another's randomness");
    }
    if sampling.cache_salt.is_some() {
        draft.note(
            "prefix cache not avoided: there is no field for it, and no cache without --continuous-batching",
        );
    }
    let path = if input.route == Route::Chat { CHAT } else { COMPLETIONS };
    draft.post(path, EndRule::FinishReason, openai::ctx(input.route, false), &input.settings())
}

/// Lengths and the whole distribution. What it leaves out (end tokens, for one) the server takes from the model.
fn generation_config(sampling: &Sampling) -> Value {
    // 1 is no penalty; left out, the model's own would apply.
    let mut config = json!({"max_new_tokens": sampling.max_tokens, "repetition_penalty": 1.0});
    if sampling.exact {
        config["min_new_tokens"] = sampling.max_tokens.into();
    }
    config["do_sample"] = (sampling.temperature > 0.0).into();
    if sampling.temperature > 0.0 {
        config["temperature"] = sampling.temperature.into();
        config["top_p"] = sampling.top_p.unwrap_or(1.0).into();
        config["top_k"] = 0.into();
    }
    config
}
