//! Answers to probes: the kind of answer belongs to the kind of question.

use benchhost_model::{ProbeAnswer, ProbeKind};

use crate::check::{Checked, ensure};

/// Checks what `read-probe` answered to a question of `kind`.
pub(crate) fn answer(kind: ProbeKind, answer: &ProbeAnswer) -> Checked {
    let fits = match answer {
        ProbeAnswer::Ready | ProbeAnswer::NotReady(_) => kind == ProbeKind::Ready,
        ProbeAnswer::Version(_) => kind == ProbeKind::Version,
        ProbeAnswer::Models(_) => kind == ProbeKind::Models,
        ProbeAnswer::TokenIds(_) | ProbeAnswer::TokenCount(_) => kind == ProbeKind::Tokenize,
        ProbeAnswer::Done => kind == ProbeKind::CacheReset,
    };
    ensure(fits, || format!("the answer does not belong to the question `{kind}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_no_readiness() {
        assert_eq!(answer(ProbeKind::Ready, &ProbeAnswer::NotReady("loading".into())), Ok(()));
        assert!(answer(ProbeKind::Ready, &ProbeAnswer::Version("1".into())).is_err());
        assert!(answer(ProbeKind::Metrics, &ProbeAnswer::Done).is_err());
    }
}
