//! The page that the browser is given: two engines over a ladder and over lengths, with everything a run can have.

use benchhost_model::{
    Advice, Choice, CurveShape, Distribution, Findings, GainStep, Goal, HarnessBound, HarnessError,
    LoadPoint, OutcomeCounts, Reached, Reason, Study, SummaryRow, Target, Verdict,
};
use benchhost_report::{
    Caption, Curve, Lane, Lanes, Latencies, LatencyKind, Page, Place, RunNote, Span, Timeline, page, pictures,
};

const LOADS: [u32; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

fn spread(p50: f64) -> Distribution {
    Distribution {
        n: 400,
        p50: Some(p50),
        p50_ci: Some([p50 * 0.97, p50 * 1.03]),
        p90: Some(p50 * 1.5),
        p99: Some(p50 * 2.4),
        ..Distribution::default()
    }
}

fn row(engine: &str, workload: &str, load: u32, repeat: u32) -> SummaryRow {
    let at = f64::from(load);
    let speed = if engine == "vllm" { 1.0 } else { 0.86 };
    let wobble = 1.0 + 0.02 * (f64::from(repeat) - 2.0) + 0.004 * at.sqrt() * (f64::from(repeat) - 2.0);
    let shorter = if workload.ends_with("2048") { 0.5 } else { 1.0 };
    let tokens = 6000.0 * speed * shorter * wobble * at / (at + 38.0);
    let ttft = (18.0 + 1.6 * at + if at > 64.0 { 4.0 * at } else { 0.0 }) / speed / shorter * wobble;
    let tpot = 1000.0 * at / tokens;
    let bound = |ms: f64| Some(HarnessBound { ms, ..HarnessBound::default() });
    SummaryRow {
        run_id: "20260101-000000-0001".into(),
        engine: engine.into(),
        variant: "fp16".into(),
        model: "llama-3-8b".into(),
        target: Target::Simulated,
        workload: workload.into(),
        repeat,
        counts: OutcomeCounts { scheduled: 400, completed: 400, ..OutcomeCounts::default() },
        verdict: Some(if load == 128 { Verdict::Suspect } else { Verdict::Valid }),
        reasons: if load == 128 {
            vec![Reason {
                rule: "lag".into(),
                verdict: Verdict::Suspect,
                found: Some(2.0),
                limit: Some(1.0),
                text: "first output events were seen 2.0 ms late (p99), limit 1 ms".into(),
            }]
        } else {
            Vec::new()
        },
        harness: HarnessError {
            ttft: bound(0.06),
            tpot: bound(0.004),
            e2e: bound(0.11),
            ..HarnessError::default()
        },
        duration_s: Some(30.0),
        req_s: Some(tokens / 64.0),
        out_tok_s: Some(tokens),
        total_tok_s: Some(tokens * 3.0),
        ttft: spread(ttft),
        tpot: spread(tpot),
        itl: spread(tpot),
        e2e: spread(ttft + 63.0 * tpot),
        tps_user_p50: Some(1000.0 / tpot),
        usd_per_mtok_out: Some(2.5e6 / 3600.0 / tokens * 1.2),
        gpu_mem_peak_mib: Some(18_000.0 + 20.0 * at),
        scores: [("token_f1".to_owned(), 0.42 * wobble)].into(),
        ..SummaryRow::blank(LoadPoint::Concurrency(load))
    }
}

fn rows() -> Vec<SummaryRow> {
    let mut all = Vec::new();
    for engine in ["vllm", "sglang"] {
        for load in LOADS {
            all.extend((1..=3).map(|repeat| row(engine, "prompts", load, repeat)));
        }
        for length in ["length-128", "length-512", "length-2048"] {
            all.extend([1, 8, 64].map(|load| row(engine, length, load, 1)));
        }
    }
    all
}

fn details(rows: &[SummaryRow]) -> (Vec<Latencies>, Vec<Lanes>) {
    let (mut latencies, mut lanes) = (Vec::new(), Vec::new());
    for row in rows.iter().filter(|r| r.repeat == 1) {
        let place = Place {
            engine: row.engine.clone(),
            variant: row.variant.clone(),
            model: row.model.clone(),
            simulated: true,
            workload: row.workload.clone(),
            load: row.load,
        };
        for (kind, of) in
            [(LatencyKind::Ttft, &row.ttft), (LatencyKind::Tpot, &row.tpot), (LatencyKind::E2e, &row.e2e)]
        {
            let middle = of.p50.unwrap_or(1.0);
            // A logistic spread around the median.
            let value = |i: u32| middle * (0.16 * (f64::from(i) / f64::from(400 - i)).ln()).exp();
            latencies.push(Latencies::new(place.clone(), kind, (1..400).map(value).collect()));
        }
        let (slots, ttft, e2e) = (row.load.value(), row.ttft.p50.unwrap_or(1.0), row.e2e.p50.unwrap_or(1.0));
        let lane = |i: u32| {
            let due = (f64::from(i) / slots).floor() * e2e / 1000.0 + f64::from(i) * 0.002;
            let sent = due + 0.001 * f64::from(i % 7);
            Lane {
                due_s: due,
                sent_s: Some(sent),
                first_s: (i % 23 != 9).then_some(sent + ttft / 1000.0),
                last_s: Some(sent + e2e / 1000.0 * (0.8 + f64::from(i % 5) / 10.0)),
                wrong: if i % 23 == 9 { "http_503".into() } else { String::new() },
            }
        };
        lanes.push(Lanes { place, lanes: (0..60).map(lane).collect() });
    }
    (latencies, lanes)
}

fn timeline() -> Timeline {
    let curve = |label: &str, peak: f64| Curve {
        label: label.into(),
        points: (0..3000)
            .map(|i| (f64::from(i) / 10.0, peak * (0.5 + 0.5 * (f64::from(i) / 90.0).sin()).powi(2)))
            .collect(),
    };
    let span = |i: u32| Span {
        load: LoadPoint::Concurrency(1 << i),
        from_s: f64::from(i) * 36.0 + 5.0,
        until_s: f64::from(i) * 36.0 + 35.0,
    };
    Timeline {
        kv_cache: vec![curve("vllm · fp16", 0.8), curve("sglang · fp16", 0.7)],
        running: vec![curve("vllm · fp16", 64.0)],
        gpu_memory: vec![curve("GPU 0", 21.0)],
        spans: (0..8).map(span).collect(),
        simulated: true,
        ..Timeline::default()
    }
}

/// The page; `name` stands wherever a server or a plan can put a name of its own.
pub(crate) fn made(name: Option<&str>) -> String {
    let mut rows = rows();
    if let Some(name) = name {
        rename(&mut rows, name);
    }
    let (latencies, lanes) = details(&rows);
    let drawn = pictures(&rows, &Caption::default());
    page(&Page {
        rows: &rows,
        runs: vec![RunNote {
            run_id: name.unwrap_or("20260101-000000-0001").into(),
            started: "2026-01-01 00:00 UTC".into(),
            tool: "benchhost 0.1.0".into(),
            machine: "1× L40".into(),
            warnings: name.map(str::to_owned).into_iter().collect(),
            manifest: serde_json::json!({ "engines": [{ "name": name.unwrap_or("vllm") }] }),
        }],
        findings: findings(name.unwrap_or("vllm")),
        latencies,
        lanes,
        timelines: vec![("r".into(), timeline())],
        objectives: vec![("ttft".into(), 200.0), ("e2e".into(), 3000.0)],
        pictures: &drawn,
        ..Page::default()
    })
}

fn findings(name: &str) -> Findings {
    let reached = |at: f64, value: f64| Reached { at, value };
    Findings {
        studies: vec![Study {
            subject: name.into(),
            workload: name.into(),
            axis: "concurrency".into(),
            unit: "tokens/s".into(),
            points: 8,
            repeats: 3,
            range: [1.0, 128.0],
            lowest: reached(1.0, 154.0),
            highest: reached(128.0, 4627.0),
            optimal: reached(128.0, 4627.0),
            by_goodput: false,
            bend: Some(GainStep { from: 32.0, to: 64.0, per_doubling: 0.37 }),
            shape: CurveShape::Bending,
            dents: None,
        }],
        advice: vec![Advice {
            goal: Goal::HighestThroughput,
            workload: name.into(),
            best: Some(Choice {
                subject: name.into(),
                load: "concurrency=128".into(),
                value: 4627.0,
                unit: "tokens/s".into(),
            }),
            rival: None,
            alone: false,
        }],
        ..Findings::default()
    }
}

fn rename(rows: &mut [SummaryRow], name: &str) {
    for row in rows {
        row.engine = format!("{name}{}", row.engine);
        row.variant = name.into();
        row.model = name.into();
        row.workload = format!("{name}{}", row.workload);
        row.warnings = vec![name.into()];
        row.failures.insert(name.into(), 1);
        row.scores.insert(name.into(), 0.5);
        for reason in &mut row.reasons {
            reason.text = name.into();
        }
    }
}
