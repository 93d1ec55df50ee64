//! Throughput against the workload, for studies whose workloads differ in one number: sequence length, number of requests.

use benchhost_model::{LoadPoint, SummaryRow};

use super::frame::{Grid, Sign, figure};
use super::letters::{Face, fit};
use super::look::{TICK, looks};
use super::panel::{Line, Places, Point, Words, lines};
use super::{Caption, Picture, Scene, Throughput, doubted, file_name, load_words};
use crate::lines::clean;
use crate::metric::{Metric, OUT_TOK_S, REQ_S, TOTAL_TOK_S};
use crate::series::{Family, Spread, by_load, families, headline, series_of};

/// One figure for each family of workload labels (`length-32`, `length-64`, …), named `parameters-FAMILY`; of several
/// loads the one with the most members, of equals the highest. Workloads without a family have no parameter to draw over.
pub fn parameter_sweep(rows: &[SummaryRow], caption: &Caption) -> Vec<Picture> {
    let all = headline(rows);
    let mut made = Vec::new();
    for family in families(&all) {
        let busiest = family.loads().into_iter().max_by(|a, b| {
            numbers_at(&family, *a).len().cmp(&numbers_at(&family, *b).len()).then(by_load(*a, *b))
        });
        let Some(load) = busiest else { continue };
        let numbers = numbers_at(&family, load);
        if numbers.len() > 1 {
            let name = file_name(&format!("parameters {}", family.of.name), &made);
            made.push(Picture { name, svg: one(&family, &numbers, load, caption) });
        }
    }
    made
}

/// The numbers that were measured at `load`, rising.
fn numbers_at(family: &Family<'_>, load: LoadPoint) -> Vec<f64> {
    let at = |n: &f64| family.rows.iter().any(|(number, r)| r.load == load && number.total_cmp(n).is_eq());
    family.numbers().into_iter().filter(at).collect()
}

fn one(family: &Family<'_>, numbers: &[f64], load: LoadPoint, caption: &Caption) -> super::Svg {
    let rows: Vec<&SummaryRow> = family.rows.iter().map(|(_, r)| *r).filter(|r| r.load == load).collect();
    let series = series_of(&rows);
    let looks = looks(&series, &caption.colours);
    let scene = Scene { rows: &rows, series: &series, looks: &looks };
    let places = places(family, numbers);
    let any = |m: &Metric| rows.iter().any(|r| (m.pick)(r).is_some_and(f64::is_finite));
    let wanted: &[Metric] =
        if caption.throughput == Throughput::Requests { &[REQ_S] } else { &[OUT_TOK_S, TOTAL_TOK_S] };
    let mut metrics: Vec<Metric> = wanted.iter().copied().filter(any).collect();
    if metrics.is_empty() {
        metrics.push(REQ_S);
    }
    let title = format!("How does throughput depend on {}?", family.axis());
    let more = [clean(&family.of.name), load_words(load), scene.repeats("band"), scene.doubts()];
    let head = scene.head(caption, &title, &more, Sign::Line);
    figure(&head, Grid { columns: 2, width: 510, height: 370 }, &metrics, |canvas, metric, cell| {
        let drawn: Vec<Line> = series
            .iter()
            .zip(&looks)
            .map(|(series, look)| {
                let point = |number: &f64| {
                    let repeats = || family.at(series, load, *number);
                    let spread = Spread::of(repeats().map(metric.pick))?;
                    Some(Point { spread, upper: None, doubted: doubted(repeats()) })
                };
                Line { look: *look, points: numbers.iter().map(point).collect() }
            })
            .collect();
        let words = Words {
            title: metric.title(),
            higher_is_better: Some(metric.higher_is_better),
            simulated: scene.any_simulated(),
            ..Words::default()
        };
        lines(canvas, cell, &words, &places, &drawn);
    })
}

/// Evenly spaced, each under what tells it from the others of its family.
fn places(family: &Family<'_>, numbers: &[f64]) -> Places {
    let last = numbers.len().saturating_sub(1).max(1) as f64;
    let room = 410.0 / numbers.len().max(1) as f64;
    Places {
        shares: (0..numbers.len()).map(|i| i as f64 / last).collect(),
        labels: numbers.iter().map(|n| fit(&family.label(*n), TICK, Face::Regular, room.max(30.0))).collect(),
        title: family.axis(),
    }
}
