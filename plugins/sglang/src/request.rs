//! SGLang's request body: the shared fields, then those that make length and sampling certain.

use benchhost_sdk::openai::{self, CHAT, COMPLETIONS, Rules};
use benchhost_sdk::{BuildInput, EndRule, OptionSpec, Refusal, Request, Route};

pub(crate) fn options() -> Vec<OptionSpec> {
    vec![
        OptionSpec::toggle(
            "running-counts",
            true,
            "Ask for a running token count in every chunk: the only way to know tokens per event on route `chat`.",
        ),
        openai::extra_body_option(),
    ]
}

pub(crate) fn build(input: &BuildInput) -> Result<Request, Refusal> {
    let settings = input.settings();
    let running_counts = settings.toggle("running-counts")?;
    let rules = Rules { running_counts, token_field: Some("prompt"), ..Rules::default() };
    let mut draft = openai::draft(input, &rules)?;
    // Unset fields would come from the model's generation_config.json. `return_token_ids` is never sent: with a chat
    // stream it is answered with 400.
    draft.set("top_k", -1);
    draft.set("min_p", 0);
    draft.set("repetition_penalty", 1);
    if input.sampling.exact {
        draft.set("ignore_eos", true);
    }
    if let Some(salt) = &input.sampling.cache_salt {
        draft.set("cache_salt", salt.as_str());
    }
    let path = if input.route == Route::Chat { CHAT } else { COMPLETIONS };
    let ctx = openai::ctx(input.route, running_counts);
    draft.post(path, EndRule::DoneData("[DONE]".into()), ctx, &settings)
}
