//! Rows for tests: figures of a made-up server whose throughput saturates.

use std::collections::BTreeMap;

use benchhost_model::{
    Distribution, HarnessBound, HarnessError, LoadPoint, OutcomeCounts, Rates, Steadiness, SteadyState,
    SummaryRow, Target, Verdict, WindowKind,
};

/// A distribution around `p50`.
pub(crate) fn around(n: u64, p50: f64) -> Distribution {
    Distribution {
        n,
        mean: Some(p50 * 1.05),
        p50: Some(p50),
        p90: Some(p50 * 1.4),
        p99: (n >= 100).then_some(p50 * 2.2),
        ..Distribution::default()
    }
}

/// A whole row of workload `empathetic` at `concurrency`, 100 requests, all completed.
pub(crate) fn row(engine: &str, variant: &str, concurrency: u32) -> SummaryRow {
    let load = f64::from(concurrency);
    let speed = if engine == "vllm" { 1.0 } else { 0.85 };
    let tokens = 6000.0 * speed * load / (load + 38.0);
    let e2e = 64.0 * load * 1000.0 / tokens;
    SummaryRow {
        run_id: "20260101-000000-0001".into(),
        engine: engine.into(),
        variant: variant.into(),
        model: "llama-3-8b".into(),
        target: Target::Real,
        workload: "empathetic".into(),
        counts: OutcomeCounts { scheduled: 100, completed: 100, ..OutcomeCounts::default() },
        verdict: Some(Verdict::Valid),
        harness: HarnessError {
            ttft: Some(HarnessBound { ms: 0.06, ..HarnessBound::default() }),
            tpot: Some(HarnessBound { ms: 0.004, ..HarnessBound::default() }),
            e2e: Some(HarnessBound { ms: 0.11, ..HarnessBound::default() }),
            ..HarnessError::default()
        },
        steady: SteadyState { verdict: Steadiness::Steady, ..SteadyState::default() },
        window: WindowKind::Declared,
        duration_s: Some(6400.0 / tokens),
        req_s: Some(tokens / 64.0),
        out_tok_s: Some(tokens),
        total_tok_s: Some(tokens * 3.0),
        makespan: Rates { duration_s: Some(7000.0 / tokens), ..Rates::default() },
        input_tokens: Some(12_800),
        output_tokens: Some(6_400),
        ttft: around(100, 20.0 + 2.0 * load),
        ttft_sched: around(100, 21.0 + 2.0 * load),
        tpot: around(100, (e2e - 20.0) / 63.0),
        itl: around(6_300, (e2e - 20.0) / 63.0),
        e2e: around(100, e2e),
        decode_tok_s_p50: Some(64_000.0 / e2e),
        ..SummaryRow::blank(LoadPoint::Concurrency(concurrency))
    }
}

/// `row` as answered by the simulator.
pub(crate) fn simulated(row: SummaryRow) -> SummaryRow {
    SummaryRow { target: Target::Simulated, ..row }
}

/// A row of which nothing is known but that its requests failed.
pub(crate) fn all_failed(engine: &str, variant: &str, concurrency: u32) -> SummaryRow {
    let nothing = Distribution::default();
    SummaryRow {
        counts: OutcomeCounts { scheduled: 4, failed: 3, cut: 1, ..OutcomeCounts::default() },
        failures: BTreeMap::from([("http_503".into(), 2), ("timeout".into(), 1)]),
        failure_examples: BTreeMap::from([("http_503".into(), "server\u{1b}[31m is | overloaded\n".into())]),
        harness: HarnessError::default(),
        makespan: Rates::default(),
        duration_s: None,
        req_s: None,
        out_tok_s: None,
        total_tok_s: None,
        input_tokens: None,
        output_tokens: None,
        ttft: nothing,
        ttft_sched: nothing,
        tpot: nothing,
        itl: nothing,
        e2e: nothing,
        decode_tok_s_p50: None,
        ..row(engine, variant, concurrency)
    }
}
