//! The figures that tables and pictures choose from: name, unit, direction, and where each stands in a summary row.
//! Nothing here computes more than a change of unit.

use benchhost_model::SummaryRow;

use crate::numbers;

/// One figure of a summary row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Metric {
    /// Name for people, without the unit.
    pub(crate) name: &'static str,
    /// Unit as printed.
    pub(crate) unit: &'static str,
    /// Direction.
    pub(crate) higher_is_better: bool,
    /// Where it stands.
    pub(crate) pick: fn(&SummaryRow) -> Option<f64>,
    /// The latency it is a statistic of, as objectives name it; empty: of none.
    pub(crate) latency: &'static str,
}

impl Metric {
    /// `Output throughput (tokens/s)`.
    pub(crate) fn title(&self) -> String {
        format!("{} ({})", self.name, self.unit)
    }

    /// How far the program itself may have bent the latency, in ms.
    pub(crate) fn harness(&self, row: &SummaryRow) -> Option<f64> {
        let bound = match self.latency {
            "ttft" => &row.harness.ttft,
            "tpot" => &row.harness.tpot,
            "itl" => &row.harness.itl,
            "e2e" => &row.harness.e2e,
            _ => &None,
        };
        bound.as_ref().map(|b| b.ms)
    }

    /// The objectives of the latency that this is a figure of, in words and in ms; `all` are pairs of a latency's name and ms.
    pub(crate) fn objectives(&self, all: &[(String, f64)]) -> impl Iterator<Item = (String, f64)> {
        let of = all.iter().filter(|(name, _)| self.latency == name.as_str());
        of.map(|(name, ms)| (format!("objective {name} ≤ {} ms", numbers::exact(*ms)), *ms))
    }
}

/// `higher is better ↑` or its opposite.
pub(crate) const fn direction(higher_is_better: bool) -> &'static str {
    if higher_is_better { "(higher is better ↑)" } else { "(lower is better ↓)" }
}

const fn higher(name: &'static str, unit: &'static str, pick: fn(&SummaryRow) -> Option<f64>) -> Metric {
    Metric { name, unit, higher_is_better: true, pick, latency: "" }
}

const fn lower(name: &'static str, unit: &'static str, pick: fn(&SummaryRow) -> Option<f64>) -> Metric {
    Metric { name, unit, higher_is_better: false, pick, latency: "" }
}

const fn of(latency: &'static str, metric: Metric) -> Metric {
    Metric { latency, ..metric }
}

pub(crate) const REQ_S: Metric = higher("Request throughput", "requests/s", |r| r.req_s);
pub(crate) const OUT_TOK_S: Metric = higher("Output throughput", "tokens/s", |r| r.out_tok_s);
pub(crate) const TOTAL_TOK_S: Metric =
    higher("Total throughput, input and output", "tokens/s", |r| r.total_tok_s);
pub(crate) const TTFT_P50: Metric = of("ttft", lower("Time to first token, p50", "ms", |r| r.ttft.p50));
pub(crate) const TTFT_P90: Metric = of("ttft", lower("Time to first token, p90", "ms", |r| r.ttft.p90));
pub(crate) const TTFT_P99: Metric = of("ttft", lower("Time to first token, p99", "ms", |r| r.ttft.p99));
pub(crate) const TTFT_HARNESS: Metric =
    lower("Harness error of TTFT, at most", "ms", |r| r.harness.ttft.as_ref().map(|b| b.ms));
pub(crate) const TPOT_P50: Metric = of("tpot", lower("Time per output token, p50", "ms", |r| r.tpot.p50));
pub(crate) const ITL_P50: Metric = of("itl", lower("Inter-token latency, p50", "ms", |r| r.itl.p50));
pub(crate) const E2E_P50: Metric = of("e2e", lower("End-to-end latency, p50", "ms", |r| r.e2e.p50));
pub(crate) const E2E_P90: Metric = of("e2e", lower("End-to-end latency, p90", "ms", |r| r.e2e.p90));
pub(crate) const E2E_P99: Metric = of("e2e", lower("End-to-end latency, p99", "ms", |r| r.e2e.p99));
pub(crate) const GPU_MEMORY: Metric =
    lower("Peak GPU memory", "GiB", |r| r.gpu_mem_peak_mib.map(|mib| mib / 1024.0));
pub(crate) const GPU_POWER: Metric = lower("Mean GPU power", "W", |r| r.gpu_power_mean_w);
pub(crate) const GPU_ENERGY: Metric = lower("GPU energy", "kJ", |r| r.gpu_energy_j.map(|j| j / 1000.0));
pub(crate) const COST: Metric = lower("Cost of a million output tokens", "US$", |r| r.usd_per_mtok_out);
pub(crate) const COST_GOODPUT: Metric =
    lower("Cost of a million good output tokens", "US$", |r| r.usd_per_mtok_goodput);
