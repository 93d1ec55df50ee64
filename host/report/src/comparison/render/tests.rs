//! What a comparison looks like, and that nothing makes it wider or breaks its syntax.

use super::*;
use benchhost_model::LoadPoint;

use crate::comparison::{ChangeFigure, ChangeScale};

fn compared(
    metric: &str,
    unit: &str,
    up: bool,
    pair: (f64, f64),
    half: f64,
    verdict: (&str, Tone),
) -> ComparedRow {
    let estimate = pair.1 / pair.0 - 1.0;
    ComparedRow {
        metric: metric.into(),
        unit: unit.into(),
        higher_is_better: up,
        gates: true,
        base: Some(pair.0),
        new: Some(pair.1),
        scale: ChangeScale::Relative,
        change: Some(ChangeFigure { estimate, interval: Some((estimate - half, estimate + half)) }),
        margin: 0.02,
        runs: (5, 5),
        basis: String::new(),
        p: Some(0.0079),
        adjusted: Some(0.0238),
        verdict: verdict.0.into(),
        tone: verdict.1,
        note: String::new(),
    }
}

pub(crate) fn example() -> ComparisonTable {
    let errors = ComparedRow {
        scale: ChangeScale::Points,
        base: Some(0.0),
        new: Some(1.2),
        change: Some(ChangeFigure { estimate: 1.2, interval: Some((0.4, 2.0)) }),
        margin: 0.5,
        p: Some(0.071),
        adjusted: Some(0.142),
        note: "about 9 runs a side would decide".into(),
        ..compared("error_rate", "%", false, (1.0, 1.0), 0.0, ("inconclusive", Tone::Open))
    };
    let tail = ComparedRow {
        gates: false,
        base: None,
        change: None,
        p: None,
        adjusted: None,
        ..compared("e2e_p99", "ms", false, (1.0, 310.0), 0.0, ("missing", Tone::Open))
    };
    let rows = vec![
        compared("out_tok_s", "tok/s", true, (2414.3, 2711.0), 0.02, ("improved", Tone::Good)),
        compared("tpot_p50", "ms", false, (12.41, 12.90), 0.012, ("regressed", Tone::Bad)),
        errors,
        tail,
    ];
    ComparisonTable {
        sentence: "Regression: the new side is worse in 1 of 3 gating figures: tpot_p50 +3.9 %.".into(),
        exit_code: 1,
        work: vec!["DIFFERENT WORK: concurrency=8: answers of the new side are 12.0 % shorter".into()],
        base: Side { label: "vllm · fp16".into(), simulated: false, runs: 5 },
        new: Side { label: "vllm · fp8".into(), simulated: true, runs: 5 },
        groups: vec![ComparedGroup {
            heading: "empathetic · concurrency=8".into(),
            place: Some(("empathetic".into(), LoadPoint::Concurrency(8))),
            rows,
            detail: None,
        }],
        differences: vec!["variant differs: base `fp16`, new `fp8`".into()],
        unchecked: vec!["new: rows alone".into()],
        health: vec!["base, concurrency=8: 1 of 5 runs SUSPECT: lag".into()],
        notes: vec!["90 % intervals between runs".into()],
    }
}

#[test]
fn text_for_a_terminal() {
    insta::assert_snapshot!(example().to_text(TableStyle::Plain));
}

#[test]
fn markdown_for_a_pull_request() {
    insta::assert_snapshot!(example().to_text(TableStyle::Markdown));
}

#[test]
fn annotations_for_github_name_what_to_look_at_and_stay_on_their_lines() {
    let text = example().to_github();
    insta::assert_snapshot!(text.split("\n\n").next().unwrap_or_default());
    let mut odd = example();
    odd.sentence = "100 %\n::error::injected".into();
    let first = odd.to_github().lines().next().unwrap_or_default().to_owned();
    assert_eq!(first, "::error title=benchhost compare::100 %25 ::error::injected");
}

#[test]
fn no_line_is_wider_than_80_columns_whatever_the_names() {
    let mut table = example();
    let long = "a-very-long-name-".repeat(12);
    table.base.label = long.clone();
    table.groups[0].heading = long.clone();
    table.groups[0].rows[0].metric = long.clone();
    table.groups[0].rows[0].base = Some(-1.234e10);
    table.groups[0].rows[1].note = long.clone();
    table.health.push(long.clone());
    table.sentence = format!("\u{1b}[31m{long}\n{long}");
    let text = table.to_text(TableStyle::Plain);
    assert!(text.lines().all(|l| columns(l) <= TABLE_WIDTH), "{text}");
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn json_has_a_version_and_every_row() {
    let json: serde_json::Value = serde_json::from_str(&example().to_json()).unwrap();
    assert_eq!((&json["schema_version"], &json["exit_code"]), (&2.into(), &1.into()));
    let row = &json["groups"][0]["rows"][1];
    assert_eq!(
        (&row["metric"], &row["verdict"], &row["tone"]),
        (&"tpot_p50".into(), &"regressed".into(), &"bad".into())
    );
    assert_eq!(row["change"]["interval"].as_array().map(Vec::len), Some(2));
    assert_eq!(json["work"].as_array().map(Vec::len), Some(1));
}
