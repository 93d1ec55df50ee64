//! The OpenAI dialect that most servers speak, with the points in which they differ as values: request bodies
//! ([`draft`]), stream chunks ([`StreamDecoder`]), the model list. An adapter states its differences and adds its own
//! fields; this module must not know which engine it serves.

mod chunk;
mod draft;
mod probe;

pub use chunk::{Dialect, OpenAiChunks, Speaks, StreamDecoder};
pub use draft::{Draft, Rules, draft};
pub use probe::{answered, models, ready, token_ids, version};

use crate::Route;
use serde_json::{Map, Value, json};

/// Path of the chat route below a prefix that is mostly empty.
pub const CHAT: &str = "/v1/chat/completions";
/// Path of the completions route.
pub const COMPLETIONS: &str = "/v1/completions";

/// What decoding must know of a request: the route, and whether each chunk states a running token count.
pub fn ctx(route: Route, running_counts: bool) -> String {
    let mut ctx = Map::new();
    ctx.insert("route".into(), route.as_str().into());
    if running_counts {
        ctx.insert("running_counts".into(), true.into());
    }
    Value::Object(ctx).to_string()
}

/// The route in a `ctx` that [`ctx`] wrote; chat when it says none.
pub fn route_of(ctx: &str) -> Route {
    match crate::json::parse::<Value>(ctx).unwrap_or_default()["route"].as_str() {
        Some("completions") => Route::Completions,
        Some("native") => Route::Native,
        _ => Route::Chat,
    }
}

/// The description of an option that every dialect here has: fields for the request body that the plan cannot name.
pub fn extra_body_option() -> crate::OptionSpec {
    crate::OptionSpec::text(
        "extra-body",
        "",
        "A JSON object whose fields are added to every request body, over those of the adapter.",
    )
}

/// `stream_options` that ask for usage, and for a running count in every chunk.
fn stream_options(running_counts: bool) -> Value {
    if running_counts {
        json!({"include_usage": true, "continuous_usage_stats": true})
    } else {
        json!({"include_usage": true})
    }
}
