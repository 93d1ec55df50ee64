//! vLLM's request body: the shared fields, then those that make length and sampling certain.

use benchhost_sdk::openai::{self, CHAT, COMPLETIONS, Rules};
use benchhost_sdk::{BuildInput, EndRule, OptionSpec, Refusal, Request, Route};

pub(crate) fn options() -> Vec<OptionSpec> {
    vec![
        OptionSpec::toggle(
            "return-token-ids",
            true,
            "Ask for the ids of each chunk's tokens, so that tokens per event are known (vLLM 0.11 and later; ignored before).",
        ),
        OptionSpec::toggle(
            "running-counts",
            false,
            "Ask for a running token count in every chunk: for versions before 0.11, at some cost in bytes.",
        ),
        openai::extra_body_option(),
    ]
}

pub(crate) fn build(input: &BuildInput) -> Result<Request, Refusal> {
    let settings = input.settings();
    let running_counts = settings.toggle("running-counts")?;
    let rules = Rules { running_counts, token_field: Some("prompt"), ..Rules::default() };
    let mut draft = openai::draft(input, &rules)?;
    // Unset fields would come from the model's generation_config.json.
    draft.set("top_k", -1);
    draft.set("min_p", 0);
    draft.set("repetition_penalty", 1);
    if input.sampling.exact {
        // `min_tokens` would mask the end token in the sampler and change the distribution; this just goes on.
        draft.set("ignore_eos", true);
    }
    if let Some(salt) = &input.sampling.cache_salt {
        draft.set("cache_salt", salt.as_str());
    }
    if settings.toggle("return-token-ids")? {
        draft.set("return_token_ids", true);
    }
    let path = if input.route == Route::Chat { CHAT } else { COMPLETIONS };
    let ctx = openai::ctx(input.route, running_counts);
    draft.post(path, EndRule::DoneData("[DONE]".into()), ctx, &settings)
}
