//! What SGLang's stream does differently from plain OpenAI: nothing that needs state of its own.
//!
//! It ends with `[DONE]`, after an error too. A step without text sends no chat chunk, and the chunk with the finish
//! reason carries none, so only the running count tells how many tokens an event stands for. Chunks without a choice may
//! hold `sglext` instead of usage; they mean nothing here.

use benchhost_sdk::openai::{Dialect, Speaks};

use crate::Sglang;

impl Speaks for Sglang {
    const DIALECT: Dialect = Dialect::STRICT;
}
