//! What a comparison keeps of one request: its times, its item and its latencies. Knows one row.

use std::hash::{DefaultHasher, Hash, Hasher};

use benchhost_model::{Nanos, Outcome, Record};

/// Numbers of one measured request, about a hundred bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    pub(crate) sent: u64,
    /// Last output event; `u64::MAX`: none.
    pub(crate) last: u64,
    /// Hash of the item's id.
    pub(crate) item: u64,
    pub(crate) turn: u32,
    pub(crate) asked_input: Option<u32>,
    pub(crate) asked_output: Option<u32>,
    pub(crate) output: Option<u32>,
    /// Latencies in ms in the order of [`Column`]; NaN: none.
    pub(crate) latencies: [f64; Column::COUNT],
    pub(crate) completed: bool,
}

/// A latency of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Ttft,
    TtftSched,
    Tpot,
    ItlMean,
    E2e,
    IclMax,
}

impl Column {
    pub(crate) const COUNT: usize = 6;
    pub(crate) const ALL: [Self; Self::COUNT] =
        [Self::Ttft, Self::TtftSched, Self::Tpot, Self::ItlMean, Self::E2e, Self::IclMax];

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

impl Request {
    pub(crate) fn of(r: &Record) -> Self {
        let number = |value: Option<f64>| value.filter(|v| v.is_finite()).unwrap_or(f64::NAN);
        Self {
            sent: r.t_send_ns.unwrap_or(r.t_sched_ns).get(),
            last: r.t_last_ns.map_or(u64::MAX, Nanos::get),
            item: digest(&r.item),
            turn: r.turn,
            asked_input: r.input_tokens_asked,
            asked_output: r.output_tokens_asked,
            output: r.output_tokens,
            latencies: [
                number(r.ttft_ms),
                number(r.ttft_sched_ms),
                number(r.tpot_ms),
                number(r.itl_mean_ms),
                number(r.e2e_ms),
                number(r.icl_max_ms),
            ],
            completed: r.outcome == Outcome::Completed,
        }
    }

    /// A latency of a whole answer.
    pub(crate) fn latency(&self, column: Column) -> Option<f64> {
        Some(self.latencies[column.index()]).filter(|ms| self.completed && !ms.is_nan())
    }
}

/// 64 bits for an item: of a million items two share one once in 10⁷ comparisons.
fn digest(item: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    item.hash(&mut hasher);
    hasher.finish()
}
