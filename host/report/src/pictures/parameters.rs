//! Throughput against the workload, for studies whose workloads differ in one parameter: sequence length, number of
//! requests, batch. Labels that share a beginning are shown by what differs.

use std::cmp::Ordering;

use benchhost_model::{LoadPoint, SummaryRow};

use super::frame::{Grid, figure};
use super::letters::{Face, fit};
use super::look::{TICK, looks};
use super::panel::{Line, Places, Point, Words, lines};
use super::{Caption, Picture, Scene, file_name, load_words};
use crate::lines::clean;
use crate::metric::{Metric, OUT_TOK_S, REQ_S, TOTAL_TOK_S};
use crate::series::{Spread, by_load, distinct, headline, loads, series_of};

/// The parameter study a label belongs to: `length` of `length-128x128`. `None` for a label without a hyphen.
pub(super) fn family(workload: &str) -> Option<&str> {
    workload.rsplit_once('-').map(|(family, _)| family).filter(|family| !family.is_empty())
}

/// The families of `rows` with at least two members, in order of appearance.
pub(super) fn families<'a>(rows: &[&'a SummaryRow]) -> Vec<&'a str> {
    let labels = distinct(rows, |r| r.workload.as_str());
    let mut found: Vec<&str> = Vec::new();
    for (index, label) in labels.iter().enumerate() {
        let Some(family) = self::family(label) else { continue };
        if !found.contains(&family) && labels[index + 1..].iter().any(|l| self::family(l) == Some(family)) {
            found.push(family);
        }
    }
    found
}

/// One figure for each family of workload labels (`length-32`, `length-64`, …), named `parameters-FAMILY`; of several
/// loads the one with the most members, of equals the highest. Workloads without a family have no parameter to draw over.
pub fn parameter_sweep(rows: &[SummaryRow], caption: &Caption) -> Vec<Picture> {
    let all = headline(rows);
    let mut made = Vec::new();
    for family in families(&all) {
        let members: Vec<&SummaryRow> =
            all.iter().copied().filter(|r| self::family(&r.workload) == Some(family)).collect();
        let labels_at = |load: LoadPoint| {
            let at: Vec<&SummaryRow> = members.iter().copied().filter(|r| r.load == load).collect();
            distinct(&at, |r| r.workload.as_str())
        };
        let busiest = loads(&members)
            .into_iter()
            .max_by(|a, b| labels_at(*a).len().cmp(&labels_at(*b).len()).then(by_load(*a, *b)));
        let Some(load) = busiest else { continue };
        let mut workloads = labels_at(load);
        if workloads.len() < 2 {
            continue;
        }
        workloads.sort_by(|a, b| natural(a, b));
        let rows: Vec<&SummaryRow> = members.iter().copied().filter(|r| r.load == load).collect();
        let name = file_name(&format!("parameters {family}"), &made);
        made.push(Picture { name, svg: one(&rows, &workloads, (family, load), caption) });
    }
    made
}

fn one(
    rows: &[&SummaryRow],
    workloads: &[&str],
    (family, load): (&str, LoadPoint),
    caption: &Caption,
) -> super::Svg {
    let series = series_of(rows);
    let looks = looks(&series, &caption.colours);
    let scene = Scene { rows, series: &series, looks: &looks };
    let places = label_places(family, workloads);
    let any = |m: &Metric| rows.iter().any(|r| (m.pick)(r).is_some_and(f64::is_finite));
    let mut metrics: Vec<Metric> = [OUT_TOK_S, TOTAL_TOK_S].into_iter().filter(any).collect();
    if metrics.is_empty() {
        metrics.push(REQ_S);
    }
    let title = format!("Throughput over {}", clean(family));
    let head = scene.head(caption, &title, &[load_words(load)], false);
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
            higher_is_better: Some(metric.higher_is_better),
            note: String::new(),
            simulated: scene.any_simulated(),
        };
        lines(canvas, cell, &words, &places, &drawn);
    })
}

/// Evenly spaced, each under what tells it from the others of its family.
fn label_places(family: &str, workloads: &[&str]) -> Places {
    let last = workloads.len().saturating_sub(1).max(1) as f64;
    let room = 520.0 / workloads.len().max(1) as f64;
    let label = |w: &&str| {
        let rest = w.strip_prefix(family).map_or(*w, |rest| rest.trim_start_matches('-'));
        fit(&clean(rest), TICK, Face::Regular, room.max(30.0))
    };
    Places {
        shares: (0..workloads.len()).map(|i| i as f64 / last).collect(),
        labels: workloads.iter().map(label).collect(),
        title: clean(family),
    }
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
    fn a_family_is_what_stands_before_the_last_hyphen() {
        assert_eq!(family("length-32x32"), Some("length"));
        assert_eq!(family("synthetic-len-32"), Some("synthetic-len"));
        assert_eq!(family("empathetic"), None);
        assert_eq!(family("-32"), None);
    }
}
