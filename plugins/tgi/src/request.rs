//! TGI's request bodies and the traps of its validation: `top_p` strictly below 1, no temperature 0 on the native route,
//! at most four stop texts, and a model name that means a `LoRA` adapter.

use benchhost_sdk::openai::{self, CHAT, COMPLETIONS, Draft, Rules};
use benchhost_sdk::{BuildInput, EndRule, OptionSpec, Prompt, Refusal, Request, Route};

/// The native streaming path.
pub(crate) const GENERATE_STREAM: &str = "/generate_stream";

const RULES: Rules = Rules {
    max_tokens_field: "max_tokens",
    stream_options: false,
    running_counts: false,
    token_field: None,
    top_p_one: false,
    largest_seed: u64::MAX,
    most_stops: 4,
};

pub(crate) fn options() -> Vec<OptionSpec> {
    vec![
        OptionSpec::text(
            "adapter",
            "",
            "A LoRA adapter to use; the model's name is never sent, because TGI would take it for one.",
        ),
        openai::extra_body_option(),
    ]
}

pub(crate) fn build(input: &BuildInput) -> Result<Request, Refusal> {
    let settings = input.settings();
    let adapter = settings.text("adapter");
    let mut input = input.clone();
    if input.sampling.temperature == 0.0 {
        // Greedy decoding does not depend on it, and TGI samples as soon as it is there.
        input.sampling.top_p = None;
    }
    let (mut draft, path, end) = if input.route == Route::Native {
        (native(&input, adapter)?, GENERATE_STREAM, EndRule::FinishReason)
    } else {
        let rules = Rules { stream_options: input.route == Route::Chat, ..RULES };
        input.model = if adapter.is_empty() { "tgi".into() } else { adapter.to_owned() };
        let path = if input.route == Route::Chat { CHAT } else { COMPLETIONS };
        (openai::draft(&input, &rules)?, path, EndRule::DoneData("[DONE]".into()))
    };
    if input.sampling.exact {
        draft.note("exact length not asked for: TGI has no field for it over HTTP; answers may be shorter");
    }
    if input.sampling.cache_salt.is_some() {
        draft.note(
            "prefix cache not avoided: TGI has no field for it; start the server with PREFIX_CACHING=0",
        );
    }
    draft.post(path, end, openai::ctx(input.route, false), &settings)
}

fn native(input: &BuildInput, adapter: &str) -> Result<Draft, Refusal> {
    let text = match &input.prompt {
        Prompt::Text(text) => text.as_str(),
        // The path makes it a stream; the body stays as it is.
        Prompt::Raw(body) => return Draft::raw(body),
        Prompt::Tokens(_) => {
            return Err(Refusal::Unsupported("token ids: TGI takes only text; use text prompts".into()));
        }
        Prompt::Chat(_) => {
            let why = "messages on route `native`, which applies no chat template; use route `chat`";
            return Err(Refusal::Unsupported(why.into()));
        }
    };
    let mut parameters = Draft::new();
    parameters.set("max_new_tokens", input.sampling.max_tokens);
    let greedy = input.sampling.temperature == 0.0;
    parameters.set("do_sample", !greedy);
    parameters.sample(&input.sampling, &RULES)?;
    if greedy {
        parameters.unset("temperature");
    }
    parameters.set("details", true);
    parameters.set("return_full_text", false);
    if !adapter.is_empty() {
        parameters.set("adapter_id", adapter);
    }
    let mut draft = Draft::new();
    draft.set("inputs", text);
    draft.nest("parameters", parameters);
    Ok(draft)
}
