//! What can be relied on from a server that is only known to be OpenAI-like: a finish reason for every choice. Many send
//! `[DONE]`, some do not, so its absence proves nothing.

use benchhost_sdk::chunks::Ends;
use benchhost_sdk::openai::{Dialect, Speaks};

use crate::OpenAi;

impl Speaks for OpenAi {
    const DIALECT: Dialect = Dialect { ends: Ends::FinishReason, ..Dialect::STRICT };
}
