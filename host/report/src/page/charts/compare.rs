//! What one gives up for the other: throughput of the server against the speed that a user sees; and what tokens cost.

use benchhost_model::SummaryRow;

use super::sweep::{axis, view};
use super::{Chart, Kind, Line, Panel, Point, Source, View};
use crate::metric::COST;
use crate::pictures::load_words;
use crate::series::{NO_PRICE, NO_TRADE, front, trades};

pub(super) fn pareto(source: &Source<'_>, left_out: &mut Vec<String>) -> Vec<Chart> {
    let mut views = Vec::new();
    for (workload, kind, rows) in source.swept() {
        let lines = curves(source, &rows);
        if lines.iter().map(|l| l.points.len()).sum::<usize>() > 1 {
            views.push(pareto_view(format!("{workload}, {kind}"), lines));
        }
    }
    if views.is_empty() {
        left_out.push(NO_TRADE.to_owned());
        return Vec::new();
    }
    vec![Chart {
        id: String::new(),
        title: "Throughput against the speed that a user sees".to_owned(),
        note: "Each mark is a load point; up and to the right is better. Dashed: points that no other point beats in both."
            .to_owned(),
        sim: source.simulated(),
        folded: false,
        panels: vec![Panel { title: "Output throughput (tokens/s)".to_owned(), views }],
    }]
}

fn curves(source: &Source<'_>, rows: &[&SummaryRow]) -> Vec<Line> {
    let mut lines = Vec::new();
    for (place, series) in source.series.iter().enumerate() {
        let own: Vec<&SummaryRow> =
            series.rows().iter().copied().filter(|r| rows.iter().any(|o| std::ptr::eq(*o, *r))).collect();
        let points: Vec<Point> = trades(&own)
            .into_iter()
            .map(|trade| {
                let at = own.iter().copied().filter(|r| r.load == trade.load);
                let point = Point::within(trade.speed, trade.tokens).judged(at);
                Point { note: load_words(trade.load), ..point }
            })
            .collect();
        if !points.is_empty() {
            lines.push(Line { series: Some(place), points, ..Line::default() });
        }
    }
    lines
}

fn pareto_view(name: String, mut lines: Vec<Line>) -> View {
    let all: Vec<(f64, f64)> = lines.iter().flat_map(|l| &l.points).filter_map(xy).collect();
    let front = front(all).into_iter().map(|(x, y)| Point::at(x, y)).collect();
    // Bands along a curve that turns back would cover each other.
    for point in lines.iter_mut().flat_map(|l| &mut l.points) {
        point.numbers.truncate(2);
    }
    lines.push(Line { points: front, form: "step", ..Line::default() });
    View {
        kind: Kind::Line,
        name,
        unit: "tokens/s".to_owned(),
        higher: Some(true),
        x_name: "Tokens a second that the median user sees".to_owned(),
        x_unit: "tokens/s for a user".to_owned(),
        lines,
        ..View::default()
    }
}

fn xy(point: &Point) -> Option<(f64, f64)> {
    Some((point.numbers.first().copied()??, point.numbers.get(1).copied()??))
}

pub(super) fn cost(source: &Source<'_>, left_out: &mut Vec<String>) -> Vec<Chart> {
    let swept = source.swept();
    let views: Vec<View> = swept
        .iter()
        .filter_map(|(workload, kind, rows)| {
            let found = view(source, rows, &axis(rows), COST, None)?;
            Some(View { name: format!("{workload}, {kind}"), ..found })
        })
        .collect();
    if views.is_empty() {
        left_out.push(NO_PRICE.to_owned());
        return Vec::new();
    }
    vec![Chart {
        id: String::new(),
        title: "Cost of a million output tokens".to_owned(),
        note: "At the GPU price given, over the window of each point.".to_owned(),
        sim: source.simulated(),
        folded: false,
        panels: vec![Panel { title: COST.title(), views }],
    }]
}
