//! What a million output tokens cost over the load, where a price was given.

use benchhost_model::{LoadPoint, SummaryRow};

use super::each::each_kind_of_load;
use super::frame::{Grid, Sign, figure};
use super::look::looks;
use super::panel::{Words, lines};
use super::sweep::{drawn, load_places};
use super::{Caption, Picture, Scene, fitting, load_words};
use crate::metric::{COST, COST_GOODPUT, Metric};
use crate::numbers;
use crate::series::{Series, loads, series_of};

/// One figure for each workload and kind of load that has a cost.
pub(super) fn costs(rows: &[&SummaryRow], caption: &Caption) -> Vec<Picture> {
    each_kind_of_load(rows, "cost", |rows| one(rows, caption))
}

fn one(rows: &[&SummaryRow], caption: &Caption) -> Option<super::Svg> {
    let any = |m: &Metric| rows.iter().any(|r| (m.pick)(r).is_some_and(f64::is_finite));
    let metrics: Vec<Metric> = [COST, COST_GOODPUT].into_iter().filter(any).collect();
    metrics.first()?;
    let series = series_of(rows);
    let looks = looks(&series, &caption.colours);
    let scene = Scene { rows, series: &series, looks: &looks };
    let points = loads(rows);
    let places = load_places(&points);
    let more = ["at the GPU price given".to_owned(), scene.repeats("band"), scene.doubts()];
    let head = scene.head(caption, &title(&series), &more, Sign::Line);
    let grid = Grid { columns: 2, width: 510, height: 370 };
    Some(figure(&head, grid, &metrics, |canvas, metric, cell| {
        let words = Words {
            title: metric.title(),
            higher_is_better: Some(false),
            simulated: scene.any_simulated(),
            ..Words::default()
        };
        lines(canvas, cell, &words, &places, &drawn(&series, &looks, &points, *metric, None));
    }))
}

/// The lowest cost of the one or two configurations; of more, whose is the lowest.
fn title(series: &[Series<'_>]) -> String {
    let lowest = |s: &Series<'_>| {
        let all = loads(s.rows()).into_iter().filter_map(|l| Some((s.spread(l, COST.pick)?.mean, l)));
        all.min_by(|a, b| a.0.total_cmp(&b.0))
    };
    let mut found: Vec<(&str, f64, LoadPoint)> =
        series.iter().filter_map(|s| lowest(s).map(|(usd, load)| (s.label.as_str(), usd, load))).collect();
    let usd = |value: f64| format!("US$ {}", numbers::figure(value));
    if let [(_, x, load)] = found.as_slice() {
        return format!("From {} a million output tokens, at {}", usd(*x), load_words(*load));
    }
    let both = match found.as_slice() {
        [(a, x, _), (b, y, _)] => {
            format!("A million output tokens: from {} with {a}, {} with {b}", usd(*x), usd(*y))
        }
        _ => String::new(),
    };
    found.sort_by(|a, b| a.1.total_cmp(&b.1));
    let lowest = found.first().map_or_else(
        || "What does a million output tokens cost?".to_owned(),
        |(label, x, load)| {
            format!("From {} a million output tokens, with {label} at {}", usd(*x), load_words(*load))
        },
    );
    if both.is_empty() { lowest } else { fitting([both, lowest]) }
}
