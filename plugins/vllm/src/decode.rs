//! What vLLM's stream does differently from plain OpenAI: nothing that needs state of its own.
//!
//! It ends with `[DONE]`, after an error too. A step whose text is empty (special token, held-back bytes) still sends a
//! chunk; `token_ids` or a running count tells that a token is in it. Thinking comes as `reasoning`, before 0.11 as
//! `reasoning_content`.

use benchhost_sdk::openai::{Dialect, Speaks};

use crate::Vllm;

impl Speaks for Vllm {
    const DIALECT: Dialect = Dialect::STRICT;
}
