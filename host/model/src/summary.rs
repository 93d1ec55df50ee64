//! One row of `summary.csv`: the figures of one engine, variant, workload, load point and repeat. A figure the data
//! cannot support is `None`, never 0.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Distribution, HarnessError, LoadPoint, Reason, SteadyState, Target, Verdict};

/// How many scheduled requests came to which end. Warm-up and drain are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OutcomeCounts {
    /// All of them.
    pub scheduled: u64,
    /// Whole answers.
    pub completed: u64,
    /// Went wrong.
    pub failed: u64,
    /// Left by the plan's impatient users.
    pub hung_up: u64,
    /// Cut off when the run stopped.
    pub cut: u64,
    /// Never sent.
    pub shed: u64,
    /// Could not be built.
    pub unbuildable: u64,
}

/// The stretch of time that rates are taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowKind {
    /// The window that was declared before measuring, in which whatever happens counts, whoever sent it.
    Declared,
    /// From the first send to the last output event of the measured requests: no window was declared, or it was too short
    /// for one request.
    #[default]
    Makespan,
}

impl WindowKind {
    /// The word used in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Makespan => "makespan",
        }
    }
}

/// Rates over one stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Rates {
    /// Its length in seconds.
    pub duration_s: Option<f64>,
    /// Completed requests a second.
    pub req_s: Option<f64>,
    /// Output tokens of completed requests a second.
    pub out_tok_s: Option<f64>,
    /// Prompt tokens of completed requests a second.
    pub in_tok_s: Option<f64>,
    /// Prompt and output tokens a second.
    pub total_tok_s: Option<f64>,
}

/// What became of the requests by one objective.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ObjectiveCounts {
    /// The objective as given: `ttft=500ms`.
    pub objective: String,
    /// The latency it was held against: `ttft_sched` in an open loop.
    pub by: String,
    /// Met it.
    pub met: u64,
    /// Did not.
    pub missed: u64,
    /// Cannot have the latency by nature (one token has no TPOT); counts as met.
    pub vacuous: u64,
    /// Should have it and do not: failed, never sent, or without the data; counts as missed.
    pub lost: u64,
}

/// Two numbers that a law says are equal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LawCheck {
    /// What was observed.
    pub observed: f64,
    /// What the law makes of other figures.
    pub by_law: f64,
    /// Difference as a share of the larger.
    pub gap: f64,
    /// Share allowed: 2 % and what the edges of the window can do.
    pub allowed: f64,
}

impl LawCheck {
    /// Whether the two differ by more than is allowed.
    pub fn broken(&self) -> bool {
        self.gap > self.allowed
    }
}

/// Arrivals asked for and made.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Arrivals {
    /// Requests or sessions a second asked for; missing in a closed loop.
    pub asked_rate: Option<f64>,
    /// Coefficient of variation of the gaps asked for.
    pub asked_cv: Option<f64>,
    /// Of the scheduled times of first turns in the window.
    pub rate: Option<f64>,
    /// Coefficient of variation of their gaps.
    pub cv: Option<f64>,
    /// How many gaps those are of.
    pub gaps: Option<u64>,
    /// Share of measured requests that waited more than 1 ms for a slot.
    pub waited_for_slot: Option<f64>,
}

/// Times to first token of one turn of the dialogues.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TurnFigures {
    /// The turn, from 0.
    pub turn: u32,
    /// Measured requests of this turn.
    pub requests: u64,
    /// Time to first token.
    pub ttft: Distribution,
    /// End-to-end latency.
    pub e2e: Distribution,
    /// Mean prompt tokens of completed requests.
    pub input_tokens_mean: Option<f64>,
    /// Mean cached prompt tokens of completed requests.
    pub cached_tokens_mean: Option<f64>,
}

/// The figures of one point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SummaryRow {
    /// The run.
    pub run_id: String,
    /// Adapter.
    pub engine: String,
    /// Label.
    pub variant: String,
    /// Model.
    pub model: String,
    /// Real or simulated.
    pub target: Target,
    /// Workload.
    pub workload: String,
    /// Load point.
    pub load: LoadPoint,
    /// How requests arrive, in words; empty in files of older versions.
    #[serde(default)]
    pub arrivals: String,
    /// Repeat, from 1.
    pub repeat: u32,
    /// What the point was measured for; empty: a point of the plan.
    #[serde(default)]
    pub role: String,
    /// Outcomes.
    pub counts: OutcomeCounts,
    /// Failures by kind (`http_503`: 3).
    pub failures: BTreeMap<String, u64>,
    /// First message of each kind of failure.
    pub failure_examples: BTreeMap<String, String>,
    /// What the program's own conduct allows to say; `None`: nothing of it was recorded.
    #[serde(default)]
    pub verdict: Option<Verdict>,
    /// The limits that were passed, the worst first.
    #[serde(default)]
    pub reasons: Vec<Reason>,
    /// How far the program may have bent each latency.
    #[serde(default)]
    pub harness: HarnessError,
    /// Whether the load had settled.
    #[serde(default)]
    pub steady: SteadyState,
    /// What a reader must know beside the verdict, a sentence each.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// What the rates are over.
    #[serde(default)]
    pub window: WindowKind,
    /// Start of the declared window on the run's clock.
    #[serde(default)]
    pub window_from_ns: Option<u64>,
    /// End of the declared window on the run's clock.
    #[serde(default)]
    pub window_until_ns: Option<u64>,
    /// Length of what the rates are over, in seconds.
    pub duration_s: Option<f64>,
    /// Completed requests a second, by their last output event.
    pub req_s: Option<f64>,
    /// Output tokens of completed requests a second, by their arrival.
    pub out_tok_s: Option<f64>,
    /// Prompt tokens of completed requests a second, by their first output event.
    #[serde(default)]
    pub in_tok_s: Option<f64>,
    /// Prompt and output tokens a second; mixes prefill and decode.
    pub total_tok_s: Option<f64>,
    /// Requests due in the window a second.
    #[serde(default)]
    pub offered_req_s: Option<f64>,
    /// Requests sent in the window a second.
    #[serde(default)]
    pub sent_req_s: Option<f64>,
    /// Output tokens a second of answers that failed or were left; not in `out_tok_s`.
    #[serde(default)]
    pub wasted_tok_s: Option<f64>,
    /// Completed requests whose tokens were spread evenly over their gaps because the tokens of their events are not known.
    #[serde(default)]
    pub tokens_spread: u64,
    /// The same rates from the first send to the last output event of the measured requests.
    #[serde(default)]
    pub makespan: Rates,
    /// Sum over completed requests; `None` if any is unknown.
    pub input_tokens: Option<u64>,
    /// Sum over completed requests; `None` if any is unknown.
    pub output_tokens: Option<u64>,
    /// Time to first token.
    pub ttft: Distribution,
    /// Time to first token from the scheduled time.
    pub ttft_sched: Distribution,
    /// Time to the first answer or tool token.
    #[serde(default)]
    pub ttfat: Distribution,
    /// Time per output token after the first event.
    pub tpot: Distribution,
    /// Time per output token by tokens − 1.
    #[serde(default)]
    pub tpot_n1: Distribution,
    /// Inter-token latency over tokens.
    pub itl: Distribution,
    /// Gaps between output events.
    #[serde(default)]
    pub icl: Distribution,
    /// End-to-end latency.
    pub e2e: Distribution,
    /// End-to-end latency from the scheduled time.
    #[serde(default)]
    pub e2e_sched: Distribution,
    /// From sending to the end of the body.
    #[serde(default)]
    pub e2e_body: Distribution,
    /// End-to-end latency per output token, in ms a token.
    #[serde(default)]
    pub norm_latency: Distribution,
    /// Sent minus due, over requests that were sent.
    #[serde(default)]
    pub slip: Distribution,
    /// Of that, waiting for a slot under a cap.
    #[serde(default)]
    pub wait_slot: Distribution,
    /// Of that, waiting for a connection.
    #[serde(default)]
    pub wait_conn: Distribution,
    /// Latencies of a saturated load by name. No steady state exists, so they stand here and not in their own fields.
    #[serde(default)]
    pub saturated_latencies: BTreeMap<String, Distribution>,
    /// Tokens an output event, mean.
    #[serde(default)]
    pub tokens_per_chunk_mean: Option<f64>,
    /// Tokens an output event, 99th percentile.
    #[serde(default)]
    pub tokens_per_chunk_p99: Option<f64>,
    /// Tokens a second that the median user sees: 1000 / TPOT p50.
    #[serde(default)]
    pub tps_user_p50: Option<f64>,
    /// Tokens a second that the slowest tenth of users stay below: 1000 / TPOT p90.
    #[serde(default)]
    pub tps_user_slow10: Option<f64>,
    /// Median of tokens / (e2e − ttft), in tokens a second.
    pub decode_tok_s_p50: Option<f64>,
    /// Figures by turn of dialogues; empty where every session has one turn.
    #[serde(default)]
    pub turns: Vec<TurnFigures>,
    /// The objectives, one by one; empty: none were given.
    #[serde(default)]
    pub objectives: Vec<ObjectiveCounts>,
    /// Share of the measured requests that met all objectives, failures included, users who left excluded.
    #[serde(default)]
    pub slo_attainment: Option<f64>,
    /// Requests a second that met all objectives.
    #[serde(default)]
    pub goodput_req_s: Option<f64>,
    /// Their output tokens a second.
    #[serde(default)]
    pub goodput_tok_s: Option<f64>,
    /// Mean number of requests in flight over the window.
    #[serde(default)]
    pub in_flight_mean: Option<f64>,
    /// Mean in flight against requests a second × mean time in the system (Little).
    #[serde(default)]
    pub little: Option<LawCheck>,
    /// Users against throughput × (response + think time), of a closed loop.
    #[serde(default)]
    pub response_law: Option<LawCheck>,
    /// Arrivals asked for and made.
    #[serde(default)]
    pub arrivals_made: Arrivals,
    /// Requests whose answer arrived on a second connection.
    pub retried: u64,
    /// Completed requests whose exact length was asked for and not met.
    pub length_mismatches: u64,
    /// Completed requests of several tokens that came in one event though streaming was asked for.
    #[serde(default)]
    pub unstreamed: u64,
    /// Peak GPU memory, summed over GPUs, in MiB.
    pub gpu_mem_peak_mib: Option<f64>,
    /// Mean GPU power, summed over GPUs, in watts.
    pub gpu_power_mean_w: Option<f64>,
    /// GPU energy of the point in joules.
    pub gpu_energy_j: Option<f64>,
    /// GPU energy of the window for each output token in it, in joules.
    #[serde(default)]
    pub j_per_out_tok: Option<f64>,
    /// Largest share of the KV cache in use within the window, 0 to 1, as the engine told it.
    #[serde(default)]
    pub kv_cache_peak: Option<f64>,
    /// Mean share of the KV cache in use over the window.
    #[serde(default)]
    pub kv_cache_mean: Option<f64>,
    /// Mean number of requests the engine said it was running.
    #[serde(default)]
    pub running_mean: Option<f64>,
    /// Mean number of requests the engine said were waiting.
    #[serde(default)]
    pub waiting_mean: Option<f64>,
    /// Requests the engine evicted and started again within the window.
    #[serde(default)]
    pub preemptions: Option<f64>,
    /// Share of prompt tokens that the engine found in its prefix cache, 0 to 1.
    #[serde(default)]
    pub prefix_hit_share: Option<f64>,
    /// US dollars per million output tokens at the price given.
    pub usd_per_mtok_out: Option<f64>,
    /// The same, per million output tokens of requests that met all objectives.
    #[serde(default)]
    pub usd_per_mtok_goodput: Option<f64>,
    /// Mean of each score over scored requests.
    pub scores: BTreeMap<String, f64>,
}

impl SummaryRow {
    /// A row that says nothing yet of `load`. What is known is filled in over it, so that only this place lists the
    /// figures that may stay empty.
    pub fn blank(load: LoadPoint) -> Self {
        Self {
            run_id: String::new(),
            engine: String::new(),
            variant: String::new(),
            model: String::new(),
            target: Target::Simulated,
            workload: String::new(),
            load,
            arrivals: String::new(),
            repeat: 1,
            role: String::new(),
            counts: OutcomeCounts::default(),
            failures: BTreeMap::new(),
            failure_examples: BTreeMap::new(),
            verdict: None,
            reasons: Vec::new(),
            harness: HarnessError::default(),
            steady: SteadyState::default(),
            warnings: Vec::new(),
            window: WindowKind::Makespan,
            window_from_ns: None,
            window_until_ns: None,
            duration_s: None,
            req_s: None,
            out_tok_s: None,
            in_tok_s: None,
            total_tok_s: None,
            offered_req_s: None,
            sent_req_s: None,
            wasted_tok_s: None,
            tokens_spread: 0,
            makespan: Rates::default(),
            input_tokens: None,
            output_tokens: None,
            ttft: Distribution::default(),
            ttft_sched: Distribution::default(),
            ttfat: Distribution::default(),
            tpot: Distribution::default(),
            tpot_n1: Distribution::default(),
            itl: Distribution::default(),
            icl: Distribution::default(),
            e2e: Distribution::default(),
            e2e_sched: Distribution::default(),
            e2e_body: Distribution::default(),
            norm_latency: Distribution::default(),
            slip: Distribution::default(),
            wait_slot: Distribution::default(),
            wait_conn: Distribution::default(),
            saturated_latencies: BTreeMap::new(),
            tokens_per_chunk_mean: None,
            tokens_per_chunk_p99: None,
            tps_user_p50: None,
            tps_user_slow10: None,
            decode_tok_s_p50: None,
            turns: Vec::new(),
            objectives: Vec::new(),
            slo_attainment: None,
            goodput_req_s: None,
            goodput_tok_s: None,
            in_flight_mean: None,
            little: None,
            response_law: None,
            arrivals_made: Arrivals::default(),
            retried: 0,
            length_mismatches: 0,
            unstreamed: 0,
            gpu_mem_peak_mib: None,
            gpu_power_mean_w: None,
            gpu_energy_j: None,
            j_per_out_tok: None,
            kv_cache_peak: None,
            kv_cache_mean: None,
            running_mean: None,
            waiting_mean: None,
            preemptions: None,
            prefix_hit_share: None,
            usd_per_mtok_out: None,
            usd_per_mtok_goodput: None,
            scores: BTreeMap::new(),
        }
    }
}
