//! The latency figures of one record, by the definitions of the reference docs. Numbers in, numbers out.

use benchhost_model::Nanos;

use super::decode::OutputTimes;

/// Milliseconds; a figure that does not exist is `None`, never 0.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(crate) struct Figures {
    pub(crate) first: Option<Nanos>,
    pub(crate) last: Option<Nanos>,
    /// First event of the answer proper: text, tool call or refusal.
    pub(crate) answer: Option<Nanos>,
    pub(crate) n_first_tokens: Option<u32>,
    pub(crate) ttft_ms: Option<f64>,
    pub(crate) ttft_sched_ms: Option<f64>,
    pub(crate) ttfat_ms: Option<f64>,
    pub(crate) tpot_ms: Option<f64>,
    /// As several other tools define it: over all tokens but one.
    pub(crate) tpot_n1_ms: Option<f64>,
    pub(crate) itl_mean_ms: Option<f64>,
    pub(crate) icl_max_ms: Option<f64>,
    pub(crate) e2e_ms: Option<f64>,
    pub(crate) e2e_sched_ms: Option<f64>,
}

/// `tokens`: generated tokens, if known.
pub(crate) fn figures(scheduled: Nanos, sent: Nanos, output: &OutputTimes, tokens: Option<u32>) -> Figures {
    let (Some(first), Some(last)) = (output.at.first().copied(), output.at.last().copied()) else {
        return Figures::default();
    };
    let n_first = output.tokens.first().copied().filter(|n| *n > 0).unwrap_or(1);
    let after_first = tokens.map(|n| n.saturating_sub(n_first)).filter(|n| *n > 0 && output.at.len() > 1);
    let gaps = || output.at.windows(2).map(|w| w[1].ms_since(w[0]));
    let answer = output.kinds.bytes().position(|k| !matches!(k, b'r' | b'n'));
    let answer = answer.and_then(|at| output.at.get(at).copied());
    let but_one = tokens.and_then(|n| n.checked_sub(1)).filter(|n| *n > 0);
    Figures {
        answer,
        first: Some(first),
        last: Some(last),
        n_first_tokens: Some(n_first),
        ttft_ms: Some(first.ms_since(sent)),
        ttft_sched_ms: Some(first.ms_since(scheduled)),
        tpot_ms: after_first.map(|n| last.ms_since(first) / f64::from(n)),
        ttfat_ms: answer.map(|at| at.ms_since(sent)),
        tpot_n1_ms: but_one.map(|n| last.ms_since(first) / f64::from(n)),
        itl_mean_ms: itl_mean(output, tokens),
        icl_max_ms: gaps().reduce(f64::max),
        e2e_ms: Some(last.ms_since(sent)),
        e2e_sched_ms: Some(last.ms_since(scheduled)),
    }
}

/// Gap per token, token-weighted: exists where each event's tokens are known, or where there is one token an event.
fn itl_mean(output: &OutputTimes, tokens: Option<u32>) -> Option<f64> {
    let (first, last) = (output.at.first()?, output.at.last()?);
    let carried: u32 = if output.tokens.len() == output.at.len() {
        output.tokens.iter().skip(1).sum()
    } else if tokens.is_some_and(|n| usize::try_from(n).is_ok_and(|n| n == output.at.len())) {
        u32::try_from(output.at.len() - 1).ok()?
    } else {
        return None;
    };
    (carried > 0).then(|| last.ms_since(*first) / f64::from(carried))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(at_ms: &[u64], tokens: &[u32]) -> OutputTimes {
        OutputTimes {
            at: at_ms.iter().map(|ms| Nanos::new(ms * 1_000_000)).collect(),
            tokens: tokens.to_vec(),
            kinds: "a".repeat(at_ms.len()),
            ..OutputTimes::default()
        }
    }

    #[test]
    fn tpot_divides_by_the_tokens_after_the_first_event() {
        let out = output(&[100, 130, 160], &[2, 3, 3]);
        let f = figures(Nanos::new(0), Nanos::new(10_000_000), &out, Some(8));
        assert_eq!(f.ttft_ms, Some(90.0));
        assert_eq!(f.ttft_sched_ms, Some(100.0));
        assert_eq!(f.tpot_ms, Some(10.0));
        assert_eq!(f.itl_mean_ms, Some(10.0));
        assert_eq!(f.icl_max_ms, Some(30.0));
        assert_eq!((f.e2e_ms, f.e2e_sched_ms), (Some(150.0), Some(160.0)));
        assert_eq!(f.tpot_n1_ms, Some(60.0 / 7.0));
    }

    #[test]
    fn the_answer_begins_after_the_reasoning() {
        let mut out = output(&[100, 130, 160], &[]);
        out.kinds = "rra".into();
        let f = figures(Nanos::new(0), Nanos::new(0), &out, None);
        assert_eq!(
            (f.ttft_ms, f.ttfat_ms, f.answer),
            (Some(100.0), Some(160.0), Some(Nanos::new(160_000_000)))
        );
        out.kinds = "rrn".into();
        assert_eq!(figures(Nanos::new(0), Nanos::new(0), &out, None).ttfat_ms, None, "cut while reasoning");
    }

    #[test]
    fn a_single_event_has_no_tpot_and_no_gap() {
        let f = figures(Nanos::ZERO, Nanos::ZERO, &output(&[50], &[]), Some(7));
        assert_eq!((f.tpot_ms, f.itl_mean_ms, f.icl_max_ms), (None, None, None));
        assert_eq!(f.e2e_ms, Some(50.0));
    }

    #[test]
    fn no_output_gives_no_figures() {
        assert_eq!(figures(Nanos::ZERO, Nanos::ZERO, &OutputTimes::default(), Some(3)), Figures::default());
    }

    #[test]
    fn itl_needs_tokens_per_event_or_one_token_an_event() {
        assert_eq!(figures(Nanos::ZERO, Nanos::ZERO, &output(&[10, 20, 30], &[]), Some(9)).itl_mean_ms, None);
        assert_eq!(
            figures(Nanos::ZERO, Nanos::ZERO, &output(&[10, 20, 30], &[]), Some(3)).itl_mean_ms,
            Some(10.0)
        );
    }
}
