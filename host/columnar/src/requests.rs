//! The columns of `requests.csv` as those of a Parquet file: times and counts as 64-bit integers, figures as doubles, words
//! as text with dictionaries. Names and order are those of the CSV, without its end-of-row mark.

use std::borrow::Cow;
use std::io::Write;

use benchhost_model::{Nanos, Phase, Record, Target, TokensSource};

use crate::column::{AnyColumn, flag, maybe_real, maybe_whole, text, whole, word};
use crate::table::{About, ColumnarError, Ending, Table};

/// `requests.parquet` in the making.
pub struct RequestsFile<W: Write + Send>(Table<Record, W>);

impl<W: Write + Send> std::fmt::Debug for RequestsFile<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestsFile").finish_non_exhaustive()
    }
}

impl<W: Write + Send> RequestsFile<W> {
    /// Begins a file. `scores` are the names of the scores that rows may have: columns are fixed before the first row.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn create(out: W, about: &About, scores: &[String]) -> Result<Self, ColumnarError> {
        let mut columns = columns();
        columns.extend(scores.iter().map(|name| score(name.clone())));
        Table::create("requests", columns, out, about).map(Self)
    }

    /// Takes a row.
    ///
    /// # Errors
    /// When `out` cannot be written, or a number does not fit.
    pub fn push(&mut self, record: &Record) -> Result<(), ColumnarError> {
        self.0.note(record);
        self.0.push(record)
    }

    /// Ends the file. Without this there is none.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn finish(self, ending: Ending) -> Result<(), ColumnarError> {
        self.0.finish(ending)
    }
}

fn score(name: String) -> AnyColumn<Record> {
    let column = format!("score_{name}");
    // What is not finite is an empty cell in the CSV too.
    maybe_real(column, move |r: &Record| r.scores.get(&name).copied().filter(|v| v.is_finite()))
}

fn ns(at: Option<Nanos>) -> Option<u64> {
    at.map(Nanos::get)
}

fn columns() -> Vec<AnyColumn<Record>> {
    let mut columns = identity();
    columns.extend(ending());
    columns.extend(times());
    columns.extend(tokens());
    columns.extend(figures());
    columns
}

/// Which request.
fn identity() -> Vec<AnyColumn<Record>> {
    vec![
        whole("row", |r: &Record| r.row),
        text("run_id", |r: &Record| Cow::Borrowed(&r.run_id)),
        text("engine", |r: &Record| Cow::Borrowed(&r.engine)),
        text("variant", |r: &Record| Cow::Borrowed(&r.variant)),
        text("model", |r: &Record| Cow::Borrowed(&r.model)),
        word("target", |r: &Record| target(r.target).into()),
        text("workload", |r: &Record| Cow::Borrowed(&r.workload)),
        text("category", |r: &Record| Cow::Borrowed(&r.category)),
        text("item", |r: &Record| Cow::Borrowed(&r.item)),
        whole("turn", |r: &Record| r.turn.into()),
        word("load", |r: &Record| r.load.to_string().into()),
        text("arrivals", |r: &Record| Cow::Borrowed(&r.arrivals)),
        maybe_whole("session", |r: &Record| r.session),
        whole("repeat", |r: &Record| r.repeat.into()),
        text("role", |r: &Record| Cow::Borrowed(&r.role)),
        word("phase", |r: &Record| phase(r.phase).into()),
        text("plan_digest", |r: &Record| Cow::Borrowed(&r.plan_digest)),
    ]
}

/// What became of it.
fn ending() -> Vec<AnyColumn<Record>> {
    vec![
        word("outcome", |r: &Record| r.outcome.as_str().into()),
        text("failure", |r: &Record| r.failure.map_or(Cow::Borrowed(""), |f| f.to_string().into())),
        text("failure_detail", |r: &Record| Cow::Borrowed(&r.failure_detail)),
        maybe_whole("status", |r: &Record| r.status.map(u64::from)),
        text("finish", |r: &Record| Cow::Borrowed(&r.finish)),
        whole("attempts", |r: &Record| r.attempts.into()),
        flag("conn_reused", |r: &Record| r.conn_reused),
    ]
}

/// When what happened, and who says so.
fn times() -> Vec<AnyColumn<Record>> {
    vec![
        whole("t_sched_ns", |r: &Record| r.t_sched_ns.get()),
        maybe_whole("t_slot_ns", |r: &Record| ns(r.t_slot_ns)),
        maybe_whole("t_conn_ns", |r: &Record| ns(r.t_conn_ns)),
        maybe_whole("t_send_ns", |r: &Record| ns(r.t_send_ns)),
        maybe_whole("t_headers_ns", |r: &Record| ns(r.t_headers_ns)),
        maybe_whole("t_first_ns", |r: &Record| ns(r.t_first_ns)),
        maybe_whole("t_last_ns", |r: &Record| ns(r.t_last_ns)),
        maybe_whole("t_end_ns", |r: &Record| ns(r.t_end_ns)),
        whole("events", |r: &Record| r.events.into()),
        maybe_whole("t_answer_ns", |r: &Record| ns(r.t_answer_ns)),
        text("stamps", |r: &Record| Cow::Borrowed(&r.stamps)),
        maybe_whole("lag_first_ns", |r: &Record| r.lag_first_ns),
        maybe_whole("lag_max_ns", |r: &Record| r.lag_max_ns),
        whole("censored", |r: &Record| r.censored.into()),
        whole("together", |r: &Record| r.together.into()),
    ]
}

/// How much was read and written.
fn tokens() -> Vec<AnyColumn<Record>> {
    vec![
        maybe_whole("input_tokens", |r: &Record| r.input_tokens.map(u64::from)),
        maybe_whole("output_tokens", |r: &Record| r.output_tokens.map(u64::from)),
        maybe_whole("reasoning_tokens", |r: &Record| r.reasoning_tokens.map(u64::from)),
        maybe_whole("cached_tokens", |r: &Record| r.cached_tokens.map(u64::from)),
        maybe_whole("n_first_tokens", |r: &Record| r.n_first_tokens.map(u64::from)),
        word("tokens_source", |r: &Record| tokens_source(r.tokens_source).into()),
        maybe_whole("input_tokens_asked", |r: &Record| r.input_tokens_asked.map(u64::from)),
        maybe_whole("template_tokens", |r: &Record| r.template_tokens.map(u64::from)),
        maybe_whole("output_tokens_asked", |r: &Record| r.output_tokens_asked.map(u64::from)),
        flag("output_exact", |r: &Record| r.output_exact),
        text("tokens_by", |r: &Record| Cow::Borrowed(&r.tokens_by)),
    ]
}

/// Latencies.
fn figures() -> Vec<AnyColumn<Record>> {
    vec![
        maybe_real("ttft_ms", |r: &Record| r.ttft_ms),
        maybe_real("ttft_sched_ms", |r: &Record| r.ttft_sched_ms),
        maybe_real("tpot_ms", |r: &Record| r.tpot_ms),
        maybe_real("ttfat_ms", |r: &Record| r.ttfat_ms),
        maybe_real("tpot_n1_ms", |r: &Record| r.tpot_n1_ms),
        maybe_real("itl_mean_ms", |r: &Record| r.itl_mean_ms),
        maybe_real("icl_max_ms", |r: &Record| r.icl_max_ms),
        maybe_real("e2e_ms", |r: &Record| r.e2e_ms),
        maybe_real("e2e_sched_ms", |r: &Record| r.e2e_sched_ms),
    ]
}

const fn target(target: Target) -> &'static str {
    match target {
        Target::Real => "real",
        Target::Simulated => "simulated",
    }
}

const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Warmup => "warmup",
        Phase::Measured => "measured",
        Phase::Drain => "drain",
    }
}

const fn tokens_source(source: TokensSource) -> &'static str {
    match source {
        TokensSource::Usage => "usage",
        TokensSource::Events => "events",
        TokensSource::Tokenizer => "tokenizer",
        TokensSource::None => "none",
    }
}
