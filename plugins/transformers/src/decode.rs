//! What `transformers serve` does differently: no `[DONE]`, usage beside the finish reason, and an error in the stream
//! whose message may not be valid JSON (the shared decoder takes it as it is). The role event comes at once, before any
//! compute: it is not output.

use benchhost_sdk::chunks::Ends;
use benchhost_sdk::openai::{Dialect, Speaks};

use crate::Transformers;

impl Speaks for Transformers {
    const DIALECT: Dialect = Dialect { ends: Ends::FinishReason, ..Dialect::STRICT };
}
