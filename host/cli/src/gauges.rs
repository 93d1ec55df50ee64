//! What engines told of themselves, from and to the rows of `telemetry.csv`: figures of each load point, and the curves of
//! the timeline. Knows files' rows, not servers: `run/gauges.rs` asks those.

use std::collections::BTreeMap;

use benchhost_model::{SummaryRow, Target};
use benchhost_report::{Curve, Span, Timeline};
use benchhost_telemetry::gauges::{GaugeSample, figures};

use crate::store::TelemetryRow;

const GIB: f64 = 1_073_741_824.0;

/// For people: `vllm · fp8`.
pub(crate) fn title(engine: &str, variant: &str) -> String {
    if variant.is_empty() { engine.to_owned() } else { format!("{engine} · {variant}") }
}

/// What the cell `source` holds for the engine of this title.
pub(crate) fn source(title: &str) -> String {
    format!("{PREFIX}{title}")
}

const PREFIX: &str = "engine:";

/// A reading as a row of telemetry.
pub(crate) fn row(source: &str, s: &GaugeSample) -> TelemetryRow {
    TelemetryRow {
        t_ns: s.t_ns,
        source: source.to_owned(),
        took_ns: Some(s.took_ns),
        running: s.running,
        waiting: s.waiting,
        kv_cache_use: s.kv_cache_use,
        kv_cache_tokens: s.kv_cache_tokens,
        prefix_cache_hits: s.prefix_cache_hits,
        prefix_cache_queries: s.prefix_cache_queries,
        prefix_hit_share: s.prefix_hit_share,
        prompt_tokens: s.prompt_tokens,
        generated_tokens: s.generated_tokens,
        preemptions: s.preemptions,
        requests_finished: s.requests_finished,
        draft_tokens: s.draft_tokens,
        draft_tokens_accepted: s.draft_tokens_accepted,
        ..TelemetryRow::default()
    }
}

fn sample(row: &TelemetryRow) -> GaugeSample {
    GaugeSample {
        t_ns: row.t_ns,
        took_ns: row.took_ns.unwrap_or(0),
        running: row.running,
        waiting: row.waiting,
        kv_cache_use: row.kv_cache_use,
        kv_cache_tokens: row.kv_cache_tokens,
        prefix_cache_hits: row.prefix_cache_hits,
        prefix_cache_queries: row.prefix_cache_queries,
        prefix_hit_share: row.prefix_hit_share,
        prompt_tokens: row.prompt_tokens,
        generated_tokens: row.generated_tokens,
        preemptions: row.preemptions,
        requests_finished: row.requests_finished,
        draft_tokens: row.draft_tokens,
        draft_tokens_accepted: row.draft_tokens_accepted,
    }
}

/// Puts what each engine told of itself within the window of each row into the row. A row without a window stays as it is.
pub(crate) fn fill(rows: &mut [SummaryRow], telemetry: &[TelemetryRow]) {
    for row in rows {
        let (Some(from), Some(until)) = (row.window_from_ns, row.window_until_ns) else { continue };
        let source = source(&title(&row.engine, &row.variant));
        let own: Vec<GaugeSample> = telemetry.iter().filter(|t| t.source == source).map(sample).collect();
        let told = figures(&own, from, until);
        row.kv_cache_peak = told.kv_cache_peak;
        row.kv_cache_mean = told.kv_cache_mean;
        row.running_mean = told.running_mean;
        row.waiting_mean = told.waiting_mean;
        row.preemptions = told.preemptions;
        row.prefix_hit_share = told.prefix_hit_share;
    }
}

/// The curves of a run and its load points.
pub(crate) fn timeline(rows: &[SummaryRow], telemetry: &[TelemetryRow]) -> Timeline {
    let engine = |t: &TelemetryRow| t.source.strip_prefix(PREFIX).map(str::to_owned);
    let gpu = |t: &TelemetryRow| t.source.strip_prefix("gpu").map(|index| format!("GPU {index}"));
    let curves = |label: &dyn Fn(&TelemetryRow) -> Option<String>,
                  value: fn(&TelemetryRow) -> Option<f64>| {
        let mut curves: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
        for told in telemetry {
            if let Some((label, value)) = label(told).zip(value(told)) {
                let t_ns = told.t_ns + told.took_ns.unwrap_or(0) / 2;
                curves.entry(label).or_default().push((seconds(t_ns), value));
            }
        }
        let curve = |(label, mut points): (String, Vec<(f64, f64)>)| {
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            Curve { label, points }
        };
        curves.into_iter().map(curve).collect::<Vec<_>>()
    };
    let span = |row: &SummaryRow| {
        let (from, until) = row.window_from_ns.zip(row.window_until_ns)?;
        Some(Span { load: row.load, from_s: seconds(from), until_s: seconds(until) })
    };
    Timeline {
        kv_cache: curves(&engine, |t| t.kv_cache_use),
        running: curves(&engine, |t| t.running),
        waiting: curves(&engine, |t| t.waiting),
        gpu_memory: curves(&gpu, |t| t.memory_used_bytes.map(|bytes| bytes as f64 / GIB)),
        spans: rows.iter().filter_map(span).collect(),
        simulated: rows.iter().any(|r| r.target == Target::Simulated),
        run: String::new(),
    }
}

fn seconds(t_ns: u64) -> f64 {
    t_ns as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use benchhost_model::LoadPoint;

    use super::*;

    const S: u64 = 1_000_000_000;

    fn told(t_ns: u64, kv: f64) -> TelemetryRow {
        let sample =
            GaugeSample { t_ns, kv_cache_use: Some(kv), running: Some(4.0), ..GaugeSample::default() };
        row("engine:vllm · fp8", &sample)
    }

    fn of(engine: &str, variant: &str) -> SummaryRow {
        let blank = SummaryRow::blank(LoadPoint::Concurrency(8));
        SummaryRow {
            engine: engine.into(),
            variant: variant.into(),
            window_from_ns: Some(S),
            window_until_ns: Some(2 * S),
            ..blank
        }
    }

    #[test]
    fn a_row_keeps_every_figure() {
        let names = include_str!("../../../wit/gauges.md").lines();
        let names = names.filter_map(|l| l.strip_prefix("| `")?.split_once('`')).map(|(name, _)| name);
        let told: Vec<(String, f64)> =
            (1..).zip(names).map(|(n, name)| (name.to_owned(), f64::from(n))).collect();
        let read = GaugeSample::of(5, 3, &told);
        assert_eq!(sample(&row("engine:vllm", &read)), read);
    }

    #[test]
    fn figures_go_to_the_rows_of_their_engine_and_window() {
        let telemetry = [told(0, 0.9), told(S, 0.25), told(2 * S, 0.75), told(3 * S, 0.9)];
        let mut rows =
            [of("vllm", "fp8"), of("vllm", ""), SummaryRow { window_from_ns: None, ..of("vllm", "fp8") }];
        fill(&mut rows, &telemetry);
        assert_eq!((rows[0].kv_cache_peak, rows[0].kv_cache_mean), (Some(0.75), Some(0.5)));
        assert_eq!((rows[0].running_mean, rows[0].waiting_mean), (Some(4.0), None));
        assert!(rows[1..].iter().all(|r| r.kv_cache_peak.is_none() && r.running_mean.is_none()));
    }

    #[test]
    fn curves_are_told_apart_by_source() {
        let gpu = TelemetryRow {
            t_ns: 7 * S,
            source: "gpu0".into(),
            memory_used_bytes: Some(3 << 30),
            ..TelemetryRow::default()
        };
        let drawn = timeline(&[of("vllm", "fp8")], &[told(2 * S, 0.5), gpu, told(S, 0.25)]);
        assert_eq!(drawn.kv_cache.len(), 1);
        assert_eq!(
            drawn.kv_cache[0],
            Curve { label: "vllm · fp8".into(), points: vec![(1.0, 0.25), (2.0, 0.5)] }
        );
        assert_eq!(drawn.gpu_memory, [Curve { label: "GPU 0".into(), points: vec![(7.0, 3.0)] }]);
        assert!(drawn.waiting.is_empty() && drawn.simulated);
        assert_eq!((drawn.spans[0].from_s, drawn.spans[0].until_s), (1.0, 2.0));
    }
}
