//! Findings on curves whose shape is known.

use benchhost_model::{CurveShape, Goal, LoadPoint, SummaryRow, Verdict};

use super::findings;

const LOADS: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];

fn at(engine: &str, load: u32, repeat: u32, tokens: f64) -> SummaryRow {
    let mut row = SummaryRow {
        engine: engine.into(),
        workload: "w".into(),
        repeat,
        out_tok_s: Some(tokens),
        ..SummaryRow::blank(LoadPoint::Concurrency(load))
    };
    row.counts.completed = 10;
    row.ttft.p50 = Some(10.0 + f64::from(load));
    row
}

/// Three repeats a point, one of each `wobble` below, at and above `curve`.
fn rows(engine: &str, wobble: f64, curve: impl Fn(f64) -> f64) -> Vec<SummaryRow> {
    let mut all = Vec::new();
    for load in LOADS {
        for (repeat, offset) in [(1, -wobble), (2, 0.0), (3, wobble)] {
            all.push(at(engine, load, repeat, curve(f64::from(load)) + offset));
        }
    }
    all
}

#[test]
fn shapes_are_told_with_their_bend() {
    let shape = |curve: fn(f64) -> f64| findings(&rows("e", 0.1, curve)).studies.remove(0);
    let linear = shape(|x| 100.0 * x);
    assert_eq!((linear.shape, linear.bend), (CurveShape::Linear, None));
    let plateau = shape(|x| 1000.0 * x.min(8.0));
    assert_eq!(plateau.shape, CurveShape::Plateau);
    let bend = plateau.bend.unwrap();
    assert_eq!((bend.from, bend.to), (8.0, 16.0));
    assert_eq!((plateau.optimal.at, plateau.highest.value), (8.0, 8000.0), "more load brings nothing");
    assert_eq!(shape(|x| x.min(512.0 / (x * x))).shape, CurveShape::Falling);
    assert_eq!(shape(f64::sqrt).shape, CurveShape::Bending);
}

#[test]
fn a_study_says_its_range_repeats_and_extremes() {
    let found = findings(&rows("e", 0.1, |x| 100.0 * x / (x + 8.0)));
    let study = &found.studies[0];
    assert_eq!((study.points, study.repeats, study.range), (7, 3, [1.0, 64.0]));
    assert!((study.lowest.value - 100.0 / 9.0).abs() < 1e-9 && (study.lowest.at - 1.0).abs() < 1e-9);
    assert_eq!((study.axis.as_str(), study.unit.as_str()), ("concurrency", "tokens/s"));
}

#[test]
fn a_dent_beyond_the_intervals_is_told_and_one_within_is_not() {
    let dented = |x: f64| if (x - 8.0).abs() < 0.1 { 200.0 } else { 100.0 * x };
    let dents = |wobble| findings(&rows("e", wobble, dented)).studies[0].dents.clone().unwrap();
    let found: Vec<f64> = dents(1.0).iter().map(|d| d.at).collect();
    assert_eq!(found, [4.0, 8.0]);
    assert!(dents(400.0).is_empty());
}

#[test]
fn one_run_a_point_resolves_neither_dents_nor_partings() {
    let once = |engine, factor: f64| LOADS.map(|l| at(engine, l, 1, factor * f64::from(l)));
    let all: Vec<SummaryRow> = once("a", 100.0).into_iter().chain(once("b", 300.0)).collect();
    let found = findings(&all);
    assert!(found.studies.iter().all(|s| s.dents.is_none()));
    assert_eq!(found.partings.len(), 2);
    assert!(found.partings.iter().all(|p| !p.resolved && p.first.is_none()));
    let best = found.advice.iter().find(|a| a.goal == Goal::HighestThroughput).unwrap();
    assert_eq!(best.best.as_ref().unwrap().subject, "b");
    assert_eq!(best.rival.as_ref().unwrap().subject, "a", "single runs tell nothing apart");
}

#[test]
fn engines_part_where_their_intervals_do() {
    let mut all = rows("slow", 1.0, |x| 100.0 * x.min(16.0));
    all.extend(rows("fast", 1.0, |x| 100.0 * x));
    let found = findings(&all);
    let parting = found.partings.iter().find(|p| p.figure.starts_with("throughput")).unwrap();
    let first = parting.first.as_ref().unwrap();
    assert_eq!((first.at, first.better.as_str(), parting.shared), (32.0, "fast", 7));
    let latency = found.partings.iter().find(|p| p.figure.starts_with("time to")).unwrap();
    assert!(latency.resolved && latency.first.is_none(), "the same times to first token");
    let best = found.advice.iter().find(|a| a.goal == Goal::HighestThroughput).unwrap();
    assert_eq!((best.best.as_ref().unwrap().load.as_str(), &best.rival), ("concurrency=64", &None));
}

#[test]
fn the_optimum_is_that_of_goodput_where_objectives_were_given() {
    let mut all = rows("e", 0.1, |x| 100.0 * x);
    for row in &mut all {
        row.goodput_req_s = Some(if row.load.value() > 8.0 { 0.5 } else { row.load.value() });
    }
    let study = findings(&all).studies.remove(0);
    assert!(study.by_goodput && (study.optimal.at - 8.0).abs() < 1e-9);
}

#[test]
fn invalid_rows_prove_nothing_and_are_counted() {
    let mut all = rows("e", 0.1, |x| 100.0 * x);
    for row in all.iter_mut().filter(|r| r.load.value() > 32.0) {
        row.verdict = Some(Verdict::Invalid);
    }
    let found = findings(&all);
    assert_eq!((found.invalid_rows, found.studies[0].points), (3, 6));
}

#[test]
fn families_of_workloads_are_an_axis_of_their_own() {
    let all: Vec<SummaryRow> = [128, 512, 2048]
        .map(|n| SummaryRow { workload: format!("length-{n}x64"), ..at("e", 8, 1, 10_000.0 / f64::from(n)) })
        .to_vec();
    let found = findings(&all);
    let study = &found.studies[0];
    assert_eq!((study.axis.as_str(), study.range, study.points), ("length", [128.0, 2048.0], 3));
    assert_eq!(study.shape, CurveShape::Falling);
}

#[test]
fn crossed_lengths_are_not_repeats_of_one_another() {
    let of = |input: u32, output: u32| SummaryRow {
        workload: format!("s-{input}x{output}"),
        ..at("e", 8, 1, f64::from(input * output))
    };
    let found = findings(&[of(128, 8), of(128, 32), of(512, 8), of(512, 32)]);
    let told: Vec<(&str, &str, usize)> =
        found.studies.iter().map(|s| (s.workload.as_str(), s.axis.as_str(), s.repeats)).collect();
    assert_eq!(
        told,
        [
            ("s, 8 output tokens at concurrency=8", "input tokens", 1),
            ("s, 32 output tokens at concurrency=8", "input tokens", 1),
            ("s, 128 input tokens at concurrency=8", "output tokens", 1),
            ("s, 512 input tokens at concurrency=8", "output tokens", 1),
        ]
    );
}

#[test]
fn nothing_is_advised_where_no_row_has_the_figure() {
    let found = findings(&rows("e", 0.1, |x| x));
    let resources = found.advice.iter().find(|a| a.goal == Goal::BestResourceUse).unwrap();
    assert!(resources.best.is_none() && resources.rival.is_none());
    assert_eq!(findings(&[]).advice, []);
}
