//! The side endpoints of `transformers serve`: health and the model list. It has no version, no metrics, no tokenizer.

use benchhost_sdk::openai::{models, ready};
use benchhost_sdk::{HttpAnswer, ProbeAnswer, ProbeKind, ProbeRequest, Refusal};

pub(crate) const KINDS: [ProbeKind; 2] = [ProbeKind::Ready, ProbeKind::Models];

pub(crate) fn ask(kind: ProbeKind) -> Option<ProbeRequest> {
    match kind {
        ProbeKind::Ready => Some(ProbeRequest::get("/health")),
        // 500 when the server is pinned to a local folder.
        ProbeKind::Models => Some(ProbeRequest::get("/v1/models")),
        _ => None,
    }
}

pub(crate) fn read(kind: ProbeKind, answer: &HttpAnswer) -> Result<ProbeAnswer, Refusal> {
    match kind {
        ProbeKind::Ready => Ok(ready(answer)),
        ProbeKind::Models => models(answer),
        other => Err(Refusal::Internal(format!("{other:?} was never asked"))),
    }
}
