//! The one side endpoint of the published API: the model list.

use benchhost_sdk::openai::{models, ready};
use benchhost_sdk::{HttpAnswer, ProbeAnswer, ProbeKind, ProbeRequest, Refusal};

pub(crate) const KINDS: [ProbeKind; 2] = [ProbeKind::Ready, ProbeKind::Models];

pub(crate) fn ask(kind: ProbeKind) -> Option<ProbeRequest> {
    KINDS.contains(&kind).then(|| ProbeRequest::get("/v1/models"))
}

pub(crate) fn read(kind: ProbeKind, answer: &HttpAnswer) -> Result<ProbeAnswer, Refusal> {
    match kind {
        ProbeKind::Ready => Ok(ready(answer)),
        ProbeKind::Models => models(answer),
        other => Err(Refusal::Internal(format!("{other:?} was never asked"))),
    }
}
