//! That the pictures show what was found, say what was simulated, and take hostile and extreme input.

use benchhost_model::LoadPoint;

use super::*;
use crate::comparison::{
    ChangeFigure, ChangeScale, ComparedRow, Detail, DetailLatency, PromptChanges, ShiftRow, Side,
};

fn row(metric: &str, estimate: f64, half: f64, tone: Tone, word: &str) -> ComparedRow {
    ComparedRow {
        metric: metric.into(),
        unit: "ms".into(),
        higher_is_better: metric.contains("tok_s"),
        gates: metric.starts_with("tpot"),
        base: Some(10.0),
        new: Some(10.0 * (1.0 + estimate)),
        scale: ChangeScale::Relative,
        change: Some(ChangeFigure { estimate, interval: Some((estimate - half, estimate + half)) }),
        margin: 0.02,
        runs: (5, 5),
        basis: String::new(),
        p: Some(0.008),
        adjusted: Some(0.03),
        verdict: word.into(),
        tone,
        note: String::new(),
    }
}

fn latency(metric: &str, move_of: impl Fn(f64) -> f64) -> DetailLatency {
    let quantiles = (1..20).map(|i| f64::from(i) / 20.0).chain([0.99]);
    let shift = quantiles.map(|quantile| {
        let (base, moved) = (10.0 * (1.0 + quantile), move_of(quantile));
        let band = 0.005 + 0.02 * quantile;
        ShiftRow {
            quantile,
            base,
            new: base * (1.0 + moved),
            difference: (base * moved, base * (moved - band), base * (moved + band)),
            relative: Some((moved, moved - band, moved + band)),
        }
    });
    let curve =
        |factor: f64| (1..=100).map(|i| (factor * (5.0 + f64::from(i)), f64::from(i) / 100.0)).collect();
    DetailLatency {
        metric: metric.into(),
        unit: "ms".into(),
        shift: shift.collect(),
        shift_note: String::new(),
        prompts: Some(PromptChanges {
            pairs: 400,
            slower: 212,
            faster: 30,
            margin: 0.05,
            change: 0.031,
            interval: Some((0.02, 0.04)),
            p: 0.001,
            worst: Vec::new(),
            changes: (0..=100).map(|i| (f64::from(i - 40) / 300.0, f64::from(i) / 100.0)).collect(),
        }),
        prompts_note: String::new(),
        curves: (curve(1.0), curve(1.07)),
    }
}

pub(crate) fn example() -> ComparisonTable {
    let group = |n: u32, estimate: f64| ComparedGroup {
        heading: format!("empathetic · concurrency={n}"),
        place: Some(("empathetic".into(), LoadPoint::Concurrency(n))),
        rows: vec![
            row(
                "tpot_p50",
                estimate,
                0.008,
                if estimate > 0.02 { Tone::Bad } else { Tone::Calm },
                "regressed",
            ),
            row("out_tok_s", -estimate, 0.01, Tone::Open, "inconclusive"),
            row("ttft_p99", -0.2, 4.0, Tone::Open, "inconclusive"),
            row("e2e_p50", -0.09, 0.02, Tone::Good, "improved"),
        ],
        detail: Some(Detail {
            latencies: vec![latency("ttft", |q| 0.05 - 0.12 * q), latency("tpot", |_| 0.03)],
            gaps: (vec![(5.0, 0.5), (9.0, 1.0)], vec![(5.0, 0.4), (9.5, 1.0)]),
        }),
    };
    ComparisonTable {
        sentence: "Regression.".into(),
        exit_code: 1,
        work: Vec::new(),
        base: Side { label: "vllm · fp16".into(), simulated: false, runs: 5 },
        new: Side { label: "vllm · fp8".into(), simulated: true, runs: 5 },
        groups: vec![group(1, 0.01), group(8, 0.03), group(64, 0.09)],
        differences: Vec::new(),
        unchecked: Vec::new(),
        health: Vec::new(),
        notes: Vec::new(),
    }
}

fn names(made: &[Picture]) -> Vec<&str> {
    made.iter().map(|p| p.name.as_str()).collect()
}

#[test]
fn each_group_has_its_pictures_and_several_loads_one_together() {
    let made = difference_pictures(&example());
    let mut expected = vec!["changes".to_owned(), "changes-by-load-empathetic".to_owned()];
    for n in [1, 8, 64] {
        for what in ["percentiles", "distributions", "prompts"] {
            expected.push(format!("{what}-empathetic-concurrency-{n}"));
        }
    }
    assert_eq!(names(&made), expected);
    for picture in &made {
        let text = picture.svg.as_str();
        assert!(text.contains("SIMULATED: the new side"), "{}", picture.name);
        assert!(!text.contains("NaN") && !text.contains("inf"), "{}", picture.name);
        assert!(crate::render_png(&picture.svg, 1.0).is_ok(), "{}", picture.name);
    }
    assert!(made[0].svg.as_str().contains("+3.0% [+2.2, +3.8] · regressed"));
    assert!(made[2].svg.as_str().contains("p50"));
    assert!(made[3].svg.as_str().contains("Gaps between output events"));
    assert!(made[4].svg.as_str().contains("400 prompts: 212 slower, 30 faster by 5 % or more; middle +3.1%"));
}

#[test]
fn one_load_without_detail_has_one_picture_and_no_figure_none() {
    let mut table = example();
    table.groups.truncate(1);
    table.groups[0].detail = None;
    assert_eq!(names(&difference_pictures(&table)), ["changes"]);
    table.groups[0].rows.iter_mut().for_each(|r| r.change = None);
    assert!(difference_pictures(&table).is_empty());
}

#[test]
fn hostile_names_and_extreme_figures_are_drawn_as_text_inside_the_picture() {
    let mut table = example();
    table.new.label = "<script>alert(1)</script>\u{1b}[31m".repeat(20);
    table.groups[0].heading = "<b>".repeat(80);
    table.groups[0].rows[0].metric = "\u{202e}<x>".repeat(30);
    table.groups[0].rows[1].change =
        Some(ChangeFigure { estimate: 1e12, interval: Some((f64::NEG_INFINITY, f64::NAN)) });
    table.groups[0].rows[2].change = Some(ChangeFigure { estimate: f64::NAN, interval: None });
    let detail = table.groups[0].detail.as_mut().unwrap();
    detail.latencies[0].curves.0 = vec![(0.0, 0.5), (1e-9, 0.9), (1e9, 1.0)];
    detail.latencies[0].shift.truncate(1);
    for picture in difference_pictures(&table) {
        let text = picture.svg.as_str();
        assert!(
            !text.contains("<script") && !text.contains("<b>") && !text.contains("<x>"),
            "{}",
            picture.name
        );
        assert!(!text.contains("NaN") && !text.contains('\u{1b}'), "{}", picture.name);
        assert!(crate::render_png(&picture.svg, 1.0).is_ok(), "{}", picture.name);
    }
}

#[test]
fn the_page_has_all_of_it_and_allows_no_script() {
    let mut table = example();
    table.work = vec!["DIFFERENT WORK: <script>".into()];
    let made = difference_pictures(&table);
    let page = crate::comparison_page(&[(&table, &made)]);
    assert!(!page.contains("<script") && page.contains("DIFFERENT WORK: &lt;script&gt;"));
    assert!(page.contains("default-src 'none'; style-src 'sha256-"));
    assert_eq!(page.matches("<figure>").count(), made.len());
    for words in ["Every percentile, empathetic · concurrency=8", "ttft of 400 prompts", "SIMULATED", "p99"]
    {
        assert!(page.contains(words), "{words}");
    }
    assert!(
        !page.contains("http://")
            || page.matches("http://").count() == page.matches("http://www.w3.org/2000/svg").count()
    );
}
