//! Throughput against the workload, for studies whose workloads differ in one parameter: sequence length, number of
//! requests, batch. Labels that share a beginning are shown by what differs.

use std::cmp::Ordering;

use benchhost_model::{LoadPoint, SummaryRow};

use super::frame::{Grid, figure};
use super::letters::{Face, fit};
use super::look::{TICK, looks};
use super::panel::{Line, Places, Point, Words, lines};
use super::{Caption, Picture, Scene, load_words};
use crate::lines::clean;
use crate::metric::{Metric, OUT_TOK_S, REQ_S, TOTAL_TOK_S};
use crate::series::{Spread, by_load, distinct, loads, series_of};

/// One figure named `parameters` when two or more workloads share a load; of several loads the one with the most
/// workloads, of equals the highest.
pub fn parameter_sweep(rows: &[SummaryRow], caption: &Caption) -> Vec<Picture> {
    let all: Vec<&SummaryRow> = rows.iter().collect();
    let labels_at = |load: LoadPoint| {
        let at: Vec<&SummaryRow> = all.iter().copied().filter(|r| r.load == load).collect();
        distinct(&at, |r| r.workload.as_str())
    };
    let busiest = loads(&all)
        .into_iter()
        .max_by(|a, b| labels_at(*a).len().cmp(&labels_at(*b).len()).then(by_load(*a, *b)));
    let Some(load) = busiest else { return Vec::new() };
    let mut workloads = labels_at(load);
    if workloads.len() < 2 {
        return Vec::new();
    }
    workloads.sort_by(|a, b| natural(a, b));
    let rows: Vec<&SummaryRow> = all.iter().copied().filter(|r| r.load == load).collect();
    vec![Picture { name: "parameters".to_owned(), svg: one(&rows, &workloads, load, caption) }]
}

fn one(rows: &[&SummaryRow], workloads: &[&str], load: LoadPoint, caption: &Caption) -> super::Svg {
    let series = series_of(rows);
    let looks = looks(&series);
    let scene = Scene { rows, series: &series, looks: &looks };
    let places = label_places(workloads);
    let any = |m: &Metric| rows.iter().any(|r| (m.pick)(r).is_some_and(f64::is_finite));
    let mut metrics: Vec<Metric> = [OUT_TOK_S, TOTAL_TOK_S].into_iter().filter(any).collect();
    if metrics.is_empty() {
        metrics.push(REQ_S);
    }
    let head = scene.head(caption, "Throughput by workload", &[load_words(load)], false);
    figure(&head, Grid { columns: 2, width: 640, height: 408 }, &metrics, |canvas, metric, cell| {
        let drawn: Vec<Line> = series
            .iter()
            .zip(&looks)
            .map(|(series, look)| Line {
                look: *look,
                points: workloads
                    .iter()
                    .map(|w| {
                        let repeats = series.at(load).filter(|r| r.workload == *w);
                        Spread::of(repeats.map(metric.pick)).map(|spread| Point { spread, upper: None })
                    })
                    .collect(),
            })
            .collect();
        let words = Words {
            title: metric.title(),
            higher_is_better: metric.higher_is_better,
            note: String::new(),
            simulated: scene.any_simulated(),
        };
        lines(canvas, cell, &words, &places, &drawn);
    })
}

/// Evenly spaced, each under what tells it from the others.
fn label_places(workloads: &[&str]) -> Places {
    let shared = shared_start(workloads);
    let last = workloads.len().saturating_sub(1).max(1) as f64;
    let room = 520.0 / workloads.len().max(1) as f64;
    Places {
        shares: (0..workloads.len()).map(|i| i as f64 / last).collect(),
        labels: workloads
            .iter()
            .map(|w| fit(&clean(&w[shared.len()..]), TICK, Face::Regular, room.max(30.0)))
            .collect(),
        title: if shared.is_empty() {
            "Workload".to_owned()
        } else {
            format!("Workload {}…", clean(shared))
        },
    }
}

/// What all labels begin with, up to the last character that is no letter or digit; never a whole label.
fn shared_start<'a>(labels: &[&'a str]) -> &'a str {
    let Some(first) = labels.first() else { return "" };
    let ends = first.char_indices().filter(|(_, c)| !c.is_alphanumeric()).map(|(i, c)| i + c.len_utf8());
    let shared = |end: &usize| labels.iter().all(|l| l.len() > *end && l.starts_with(&first[..*end]));
    ends.rev().find(shared).map_or("", |end| &first[..end])
}

/// Order in which `len9` stands before `len10`.
fn natural(a: &str, b: &str) -> Ordering {
    let digits = |s: &str| s.len() - s.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (mut x, mut y) = (a, b);
    loop {
        let (dx, dy) = (digits(x), digits(y));
        if dx > 0 && dy > 0 {
            let (nx, ny) = (x[..dx].trim_start_matches('0'), y[..dy].trim_start_matches('0'));
            match nx.len().cmp(&ny.len()).then_with(|| nx.cmp(ny)) {
                Ordering::Equal => (x, y) = (&x[dx..], &y[dy..]),
                unequal => return unequal,
            }
            continue;
        }
        match (x.chars().next(), y.chars().next()) {
            (Some(cx), Some(cy)) if cx == cy => (x, y) = (&x[cx.len_utf8()..], &y[cy.len_utf8()..]),
            (cx, cy) => return cx.cmp(&cy).then_with(|| a.cmp(b)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_labels_order_by_size() {
        let mut labels = ["len512", "len32", "len064", "b-2", "len128", "b-10", "b"];
        labels.sort_by(|a, b| natural(a, b));
        assert_eq!(labels, ["b", "b-2", "b-10", "len32", "len064", "len128", "len512"]);
    }

    #[test]
    fn the_shared_start_ends_at_a_boundary() {
        assert_eq!(shared_start(&["synthetic-len-32", "synthetic-len-64"]), "synthetic-len-");
        assert_eq!(shared_start(&["len32", "len64"]), "");
        assert_eq!(shared_start(&["a-", "a-b"]), "");
        assert_eq!(shared_start(&[]), "");
    }
}
