//! How far a load point's figures can be relied on: whether the program itself bent them, and whether the load had
//! settled. Words and numbers only; the limits stand in `benchhost-analysis`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What the program's own conduct allows to say of a load point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing that was watched passed its limit.
    Valid,
    /// Something passed its limit: the figures may be bent by the program or the machine it ran on.
    Suspect,
    /// The figures show the program rather than the server.
    Invalid,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Valid => "VALID",
            Self::Suspect => "SUSPECT",
            Self::Invalid => "INVALID",
        })
    }
}

/// One limit that was passed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// Name of the rule, for programs: `censored_share`.
    pub rule: String,
    /// What it makes of the load point.
    pub verdict: Verdict,
    /// What was found, in the rule's unit; missing where the rule is yes or no.
    pub found: Option<f64>,
    /// What is allowed.
    pub limit: Option<f64>,
    /// In words: the figure, its limit, what to do.
    pub text: String,
}

/// One part of a bound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoundTerm {
    /// What it is: `selfcheck_p99`, `lag_p99`, `slip_gen_p99`.
    pub term: String,
    /// Milliseconds.
    pub ms: f64,
}

/// How far the program may have bent a latency: an upper bound at the 99th percentile of its own error.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HarnessBound {
    /// The sum of the terms, in milliseconds.
    pub ms: f64,
    /// What it is the sum of.
    pub terms: Vec<BoundTerm>,
    /// Statistics of the latency (`p50`, `p99`) of which the bound is more than the limit: too small for this program.
    pub below_resolution: Vec<String>,
}

/// The bounds of a load point; missing where nothing is known of the error.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HarnessError {
    /// Of the time to first token; also of the first answer token.
    pub ttft: Option<HarnessBound>,
    /// Of the time to first token from the scheduled time.
    pub ttft_sched: Option<HarnessBound>,
    /// Of the time per output token.
    pub tpot: Option<HarnessBound>,
    /// Of gaps between events, and of inter-token latency.
    pub itl: Option<HarnessBound>,
    /// Of the end-to-end latency.
    pub e2e: Option<HarnessBound>,
    /// Of the end-to-end latency from the scheduled time.
    pub e2e_sched: Option<HarnessBound>,
    /// Quantiles over requests of how much later than the kernel the program saw the first output event.
    pub lag_first_p50_ms: Option<f64>,
    /// 99th percentile of that.
    pub lag_first_p99_ms: Option<f64>,
    /// 99th percentile over requests of the largest lag of a request's events.
    pub lag_max_p99_ms: Option<f64>,
    /// The largest lag of all.
    pub lag_max_ms: Option<f64>,
    /// Output events whose own time is not known because the program was late, as a share of all.
    pub censored_share: Option<f64>,
    /// Output events that the server or the network sent together with a later one, as a share of all.
    pub together_share: Option<f64>,
    /// Share of requests all of whose stamps are the kernel's.
    pub kernel_stamps_share: Option<f64>,
    /// 99th percentile of the program's own part of the slip.
    pub slip_gen_p99_ms: Option<f64>,
    /// The busiest I/O thread's 99th percentile of 100 ms bins, as a share of a CPU.
    pub io_busy_p99: Option<f64>,
}

/// Whether the load had settled within the measured window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Steadiness {
    /// No test found a change.
    Steady,
    /// Too few values or turnovers to tell.
    #[default]
    NotShown,
    /// The window changes throughout: its figures are of no state.
    NotStationary,
    /// Open loop whose backlog grows: no steady state exists at this rate.
    Saturated,
}

/// The tests behind a [`Steadiness`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SteadyState {
    /// What they say together.
    pub verdict: Steadiness,
    /// Why, in words; empty when steady.
    pub why: String,
    /// Requests that ended in the window over the mean number in flight.
    pub turnovers: Option<f64>,
    /// Share of the window before MSER-5's cut of the time to first token, by send order; missing where it found none in
    /// the first half.
    pub cut_ttft: Option<f64>,
    /// The same of output tokens a second.
    pub cut_out_tok_s: Option<f64>,
    /// The same of requests in flight.
    pub cut_in_flight: Option<f64>,
    /// Growth of the backlog in a tenth of the window, as a share of its mean; open loops.
    pub backlog_growth: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_verdict_is_the_largest() {
        let worst = [Verdict::Suspect, Verdict::Invalid, Verdict::Valid].into_iter().max();
        assert_eq!(worst, Some(Verdict::Invalid));
        assert_eq!(serde_json::to_string(&Verdict::Suspect).unwrap(), r#""suspect""#);
        assert_eq!(Verdict::Invalid.to_string(), "INVALID");
    }
}
