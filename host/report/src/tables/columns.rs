//! The columns of `summary.csv`, each with its cell: one list, so that a name and its value cannot part. `COLUMNS.md`
//! describes them.

use benchhost_model::{Adjusted, Distribution, HarnessBound, Steadiness, SummaryRow, Target};

/// Names and cells of one row; `scores` are those of all rows.
pub(super) fn columns(row: &SummaryRow, scores: &[&str]) -> Vec<(String, String)> {
    let mut all = Cells::default();
    identity(&mut all, row);
    rates(&mut all, row);
    for (name, figure) in full(row) {
        all.distribution(name, figure);
        all.tail(name, figure);
    }
    for (name, figure) in short(row) {
        all.figures(
            name,
            &[
                ("mean", figure.mean),
                ("p50", figure.p50),
                ("p90", figure.p90),
                ("p99", figure.p99),
                ("max", figure.max),
            ],
        );
    }
    all.distribution("icl", &row.icl);
    all.count("gaps_censored", row.icl.censored);
    harness(&mut all, row);
    rest(&mut all, row);
    for score in scores {
        all.number(&format!("score_{score}"), row.scores.get(*score).copied());
    }
    all.0
}

/// Latencies with everything that is known of them.
const fn full(row: &SummaryRow) -> [(&'static str, &Distribution); 6] {
    [
        ("ttft", &row.ttft),
        ("ttft_sched", &row.ttft_sched),
        ("tpot", &row.tpot),
        ("itl", &row.itl),
        ("e2e", &row.e2e),
        ("e2e_sched", &row.e2e_sched),
    ]
}

/// Latencies with their main figures.
const fn short(row: &SummaryRow) -> [(&'static str, &Distribution); 7] {
    [
        ("ttfat", &row.ttfat),
        ("tpot_n1", &row.tpot_n1),
        ("e2e_body", &row.e2e_body),
        ("norm_latency", &row.norm_latency),
        ("slip", &row.slip),
        ("wait_slot", &row.wait_slot),
        ("wait_conn", &row.wait_conn),
    ]
}

#[derive(Default)]
struct Cells(Vec<(String, String)>);

impl Cells {
    fn text(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_owned(), value.into()));
    }

    fn number(&mut self, name: &str, value: Option<f64>) {
        self.text(name, value.filter(|v| v.is_finite()).map_or(String::new(), |v| v.to_string()));
    }

    fn count(&mut self, name: &str, value: Option<u64>) {
        self.text(name, value.map_or(String::new(), |n| n.to_string()));
    }

    /// Columns `<metric>_<statistic>_ms`.
    fn figures(&mut self, metric: &str, figures: &[(&str, Option<f64>)]) {
        for (statistic, value) in figures {
            self.number(&format!("{metric}_{statistic}_ms"), *value);
        }
    }

    fn distribution(&mut self, metric: &str, d: &Distribution) {
        self.count(&format!("{metric}_n"), Some(d.n));
        self.figures(
            metric,
            &[
                ("mean", d.mean),
                ("sd", d.sd),
                ("min", d.min),
                ("p1", d.p1),
                ("p5", d.p5),
                ("p25", d.p25),
                ("p50", d.p50),
                ("p75", d.p75),
                ("p90", d.p90),
                ("p95", d.p95),
                ("p99", d.p99),
                ("p999", d.p999),
                ("max", d.max),
            ],
        );
    }

    /// Intervals, bounds, what is lacking, and percentiles with failures at infinity.
    fn tail(&mut self, metric: &str, d: &Distribution) {
        self.count(&format!("{metric}_n_eff"), d.n_eff);
        let end = |interval: Option<[f64; 2]>, at: usize| interval.map(|ends| ends[at]);
        self.figures(
            metric,
            &[
                ("p50_lo", end(d.p50_ci, 0)),
                ("p50_hi", end(d.p50_ci, 1)),
                ("p90_lo", end(d.p90_ci, 0)),
                ("p90_hi", end(d.p90_ci, 1)),
                ("p99_lo", end(d.p99_ci, 0)),
                ("p99_hi", end(d.p99_ci, 1)),
                ("p99_bound", d.p99_bound),
            ],
        );
        self.count(&format!("{metric}_p99_lacks"), d.p99_lacks);
        for (name, value) in [("adj_p50", d.adj_p50), ("adj_p90", d.adj_p90), ("adj_p99", d.adj_p99)] {
            self.text(&format!("{metric}_{name}_ms"), value.map_or(String::new(), adjusted));
        }
    }
}

fn adjusted(value: Adjusted) -> String {
    if value.get().is_finite() { value.get().to_string() } else { "inf".to_owned() }
}

fn identity(all: &mut Cells, row: &SummaryRow) {
    all.text("run_id", &row.run_id);
    all.text("engine", &row.engine);
    all.text("variant", &row.variant);
    all.text("model", &row.model);
    all.text(
        "target",
        match row.target {
            Target::Real => "real",
            Target::Simulated => "simulated",
        },
    );
    all.text("workload", &row.workload);
    all.text("load", row.load.to_string());
    all.text("arrivals", &row.arrivals);
    all.text("repeat", row.repeat.to_string());
    all.text("role", &row.role);
    let c = row.counts;
    let counts = [
        ("scheduled", c.scheduled),
        ("completed", c.completed),
        ("failed", c.failed),
        ("hung_up", c.hung_up),
        ("cut", c.cut),
        ("shed", c.shed),
        ("unbuildable", c.unbuildable),
    ];
    for (name, n) in counts {
        all.count(name, Some(n));
    }
    all.text("verdict", row.verdict.map_or(String::new(), |v| v.to_string().to_lowercase()));
    all.text(
        "steady",
        match row.steady.verdict {
            Steadiness::Steady => "steady",
            Steadiness::NotShown => "not_shown",
            Steadiness::NotStationary => "not_stationary",
            Steadiness::Saturated => "saturated",
        },
    );
}

fn rates(all: &mut Cells, row: &SummaryRow) {
    all.text("window", row.window.as_str());
    all.number("duration_s", row.duration_s);
    all.number("req_s", row.req_s);
    all.number("out_tok_s", row.out_tok_s);
    all.number("in_tok_s", row.in_tok_s);
    all.number("total_tok_s", row.total_tok_s);
    all.number("offered_req_s", row.offered_req_s);
    all.number("sent_req_s", row.sent_req_s);
    all.number("wasted_tok_s", row.wasted_tok_s);
    all.count("tokens_spread", Some(row.tokens_spread));
    let m = &row.makespan;
    all.number("duration_s_makespan", m.duration_s);
    all.number("req_s_makespan", m.req_s);
    all.number("out_tok_s_makespan", m.out_tok_s);
    all.number("in_tok_s_makespan", m.in_tok_s);
    all.number("total_tok_s_makespan", m.total_tok_s);
    all.count("input_tokens", row.input_tokens);
    all.count("output_tokens", row.output_tokens);
}

fn harness(all: &mut Cells, row: &SummaryRow) {
    let h = &row.harness;
    let bounds = [
        ("ttft", &h.ttft),
        ("ttft_sched", &h.ttft_sched),
        ("tpot", &h.tpot),
        ("itl", &h.itl),
        ("e2e", &h.e2e),
        ("e2e_sched", &h.e2e_sched),
    ];
    for (metric, bound) in bounds {
        all.number(&format!("{metric}_harness_ms"), bound.as_ref().map(|b| b.ms));
    }
    let below = |(metric, bound): &(&str, &Option<HarnessBound>)| -> Vec<String> {
        bound.iter().flat_map(|b| &b.below_resolution).map(|s| format!("{metric}_{s}")).collect()
    };
    all.text("below_resolution", bounds.iter().flat_map(below).collect::<Vec<_>>().join(" "));
    all.number("lag_first_p50_ms", h.lag_first_p50_ms);
    all.number("lag_first_p99_ms", h.lag_first_p99_ms);
    all.number("lag_max_p99_ms", h.lag_max_p99_ms);
    all.number("lag_max_ms", h.lag_max_ms);
    all.number("censored_share", h.censored_share);
    all.number("together_share", h.together_share);
    all.number("kernel_stamps_share", h.kernel_stamps_share);
    all.number("slip_gen_p99_ms", h.slip_gen_p99_ms);
    all.number("io_busy_p99", h.io_busy_p99);
}

fn rest(all: &mut Cells, row: &SummaryRow) {
    all.number("tokens_per_chunk_mean", row.tokens_per_chunk_mean);
    all.number("tokens_per_chunk_p99", row.tokens_per_chunk_p99);
    all.number("tps_user_p50", row.tps_user_p50);
    all.number("tps_user_slow10", row.tps_user_slow10);
    all.number("decode_tok_s_p50", row.decode_tok_s_p50);
    all.number("slo_attainment", row.slo_attainment);
    all.number("goodput_req_s", row.goodput_req_s);
    all.number("goodput_tok_s", row.goodput_tok_s);
    all.number("in_flight_mean", row.in_flight_mean);
    all.number("turnovers", row.steady.turnovers);
    all.number("backlog_growth", row.steady.backlog_growth);
    all.number("asked_rate", row.arrivals_made.asked_rate);
    all.number("made_rate", row.arrivals_made.rate);
    all.number("asked_cv", row.arrivals_made.asked_cv);
    all.number("made_cv", row.arrivals_made.cv);
    all.number("waited_for_slot_share", row.arrivals_made.waited_for_slot);
    all.count("retried", Some(row.retried));
    all.count("length_mismatches", Some(row.length_mismatches));
    all.count("unstreamed", Some(row.unstreamed));
    all.number("gpu_mem_peak_mib", row.gpu_mem_peak_mib);
    all.number("gpu_power_mean_w", row.gpu_power_mean_w);
    all.number("gpu_energy_j", row.gpu_energy_j);
    all.number("j_per_out_tok", row.j_per_out_tok);
    all.number("kv_cache_peak", row.kv_cache_peak);
    all.number("kv_cache_mean", row.kv_cache_mean);
    all.number("running_mean", row.running_mean);
    all.number("waiting_mean", row.waiting_mean);
    all.number("preemptions", row.preemptions);
    all.number("prefix_hit_share", row.prefix_hit_share);
    all.number("usd_per_mtok_out", row.usd_per_mtok_out);
    all.number("usd_per_mtok_goodput", row.usd_per_mtok_goodput);
}
