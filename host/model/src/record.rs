//! One row of `requests.csv`: everything that is kept about one request. Column names are those of the design and are
//! read by name, so fields may be added but not renamed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Failure, LoadPoint, Nanos, Outcome};

/// Whether a row counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Sent before measuring began; never part of a figure.
    Warmup,
    /// Part of the figures.
    Measured,
    /// Sent after the measured window, so that the last measured requests see the same load; never part of a figure.
    Drain,
}

/// Who answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A server outside this program.
    Real,
    /// The built-in simulator.
    Simulated,
}

/// Where `output_tokens` comes from, in order of trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokensSource {
    /// The server's usage statement.
    Usage,
    /// Token ids or counts inside the events.
    Events,
    /// The user's tokenizer, applied to the answer.
    Tokenizer,
    /// Unknown: the token columns are empty.
    None,
}

/// One request, as recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Number of the row within the run, from 1.
    pub row: u64,
    /// The run.
    pub run_id: String,
    /// Name of the adapter.
    pub engine: String,
    /// The user's label for this configuration.
    pub variant: String,
    /// The model asked for.
    pub model: String,
    /// Real or simulated.
    pub target: Target,
    /// Name of the workload.
    pub workload: String,
    /// Category of the item; may be empty.
    pub category: String,
    /// The item's id.
    pub item: String,
    /// The turn, from 0.
    pub turn: u32,
    /// The load point.
    pub load: LoadPoint,
    /// How requests arrive, in words: `closed`, `poisson`, `gamma cv=2`, `batch`, …; empty in files of older versions.
    #[serde(default)]
    pub arrivals: String,
    /// The dialogue it belongs to, unique within the run; empty in files of older versions.
    #[serde(default)]
    pub session: Option<u64>,
    /// The repeat, from 1.
    pub repeat: u32,
    /// What its load point was measured for: empty (a point of the plan), `anchor` (the middle point again, against drift;
    /// its repeats are numbered above the plan's), `probe` or `confirm` (of a search).
    #[serde(default)]
    pub role: String,
    /// Warm-up, measured or drain.
    pub phase: Phase,
    /// Digest of the resolved plan.
    pub plan_digest: String,
    /// What became of it.
    pub outcome: Outcome,
    /// How it failed.
    pub failure: Option<Failure>,
    /// The failure in words, first 200 characters.
    pub failure_detail: String,
    /// HTTP status.
    pub status: Option<u16>,
    /// Why generation ended.
    pub finish: String,
    /// Connections tried.
    pub attempts: u32,
    /// The connection had been used before.
    pub conn_reused: bool,
    /// When it was due.
    pub t_sched_ns: Nanos,
    /// When a cap let it go; empty: no cap held it.
    #[serde(default)]
    pub t_slot_ns: Option<Nanos>,
    /// When the connection of the first attempt was usable.
    #[serde(default)]
    pub t_conn_ns: Option<Nanos>,
    /// First attempt, first byte out.
    pub t_send_ns: Option<Nanos>,
    /// Response head read.
    pub t_headers_ns: Option<Nanos>,
    /// First output event.
    pub t_first_ns: Option<Nanos>,
    /// Last output event.
    pub t_last_ns: Option<Nanos>,
    /// Body end.
    pub t_end_ns: Option<Nanos>,
    /// Output events.
    pub events: u32,
    /// First output event that is answer or tool call rather than reasoning.
    #[serde(default)]
    pub t_answer_ns: Option<Nanos>,
    /// Source of the output events' stamps: `kernel`, `user`, `mixed`; empty: no event.
    #[serde(default)]
    pub stamps: String,
    /// How much later than the kernel the program saw the first output event.
    #[serde(default)]
    pub lag_first_ns: Option<u64>,
    /// The largest such lag over the output events.
    #[serde(default)]
    pub lag_max_ns: Option<u64>,
    /// Output events that shared a read with a later one because this program was late: their own time is not known.
    #[serde(default)]
    pub censored: u32,
    /// Output events that shared a read with a later one because the server or the network sent them together.
    #[serde(default)]
    pub together: u32,
    /// Prompt tokens by the server's count.
    pub input_tokens: Option<u32>,
    /// Generated tokens.
    pub output_tokens: Option<u32>,
    /// Of those, reasoning.
    pub reasoning_tokens: Option<u32>,
    /// Prompt tokens found in a cache.
    pub cached_tokens: Option<u32>,
    /// Tokens in the first output event (1 where unknown).
    pub n_first_tokens: Option<u32>,
    /// Where `output_tokens` comes from.
    pub tokens_source: TokensSource,
    /// Prompt tokens the workload made, template excluded.
    pub input_tokens_asked: Option<u32>,
    /// Tokens that the server's template adds to each prompt, by one calibration request.
    pub template_tokens: Option<u32>,
    /// The limit sent as `max_tokens`.
    pub output_tokens_asked: Option<u32>,
    /// Exactly `output_tokens_asked` tokens were asked for.
    pub output_exact: bool,
    /// How the workload counted tokens: `file`, `server`, `approximate`; empty: it did not.
    pub tokens_by: String,
    /// `t_first − t_send`.
    pub ttft_ms: Option<f64>,
    /// `t_first − t_sched`.
    pub ttft_sched_ms: Option<f64>,
    /// `(t_last − t_first)` / (tokens after the first output event).
    pub tpot_ms: Option<f64>,
    /// First answer or tool event − `t_send`; empty when the answer was cut off while reasoning.
    #[serde(default)]
    pub ttfat_ms: Option<f64>,
    /// `(t_last − t_first)` / (tokens − 1), as several other tools define TPOT.
    #[serde(default)]
    pub tpot_n1_ms: Option<f64>,
    /// Mean gap per token, token-weighted.
    pub itl_mean_ms: Option<f64>,
    /// Longest gap between output events.
    pub icl_max_ms: Option<f64>,
    /// `t_last − t_send`.
    pub e2e_ms: Option<f64>,
    /// `t_last − t_sched`.
    #[serde(default)]
    pub e2e_sched_ms: Option<f64>,
    /// Scores by name; columns `score_<name>`.
    #[serde(skip)]
    pub scores: BTreeMap<String, f64>,
}

impl Record {
    /// A row that says nothing yet: scheduled, not sent. What is known is filled in over it, so that only this place lists
    /// the cells that may stay empty.
    pub fn blank() -> Self {
        Self {
            row: 0,
            run_id: String::new(),
            engine: String::new(),
            variant: String::new(),
            model: String::new(),
            target: Target::Simulated,
            workload: String::new(),
            category: String::new(),
            item: String::new(),
            turn: 0,
            load: LoadPoint::Concurrency(1),
            arrivals: String::new(),
            session: None,
            repeat: 1,
            role: String::new(),
            phase: Phase::Measured,
            plan_digest: String::new(),
            outcome: Outcome::Shed,
            failure: None,
            failure_detail: String::new(),
            status: None,
            finish: String::new(),
            attempts: 0,
            conn_reused: false,
            t_sched_ns: Nanos::ZERO,
            t_slot_ns: None,
            t_conn_ns: None,
            t_send_ns: None,
            t_headers_ns: None,
            t_first_ns: None,
            t_last_ns: None,
            t_end_ns: None,
            events: 0,
            t_answer_ns: None,
            stamps: String::new(),
            lag_first_ns: None,
            lag_max_ns: None,
            censored: 0,
            together: 0,
            input_tokens: None,
            output_tokens: None,
            reasoning_tokens: None,
            cached_tokens: None,
            n_first_tokens: None,
            tokens_source: TokensSource::None,
            input_tokens_asked: None,
            template_tokens: None,
            output_tokens_asked: None,
            output_exact: false,
            tokens_by: String::new(),
            ttft_ms: None,
            ttft_sched_ms: None,
            tpot_ms: None,
            ttfat_ms: None,
            tpot_n1_ms: None,
            itl_mean_ms: None,
            icl_max_ms: None,
            e2e_ms: None,
            e2e_sched_ms: None,
            scores: BTreeMap::new(),
        }
    }
}
