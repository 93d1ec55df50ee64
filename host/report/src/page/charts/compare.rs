//! What one gives up for the other: throughput of the server against the speed that a user sees; and what tokens cost.

use benchhost_model::SummaryRow;

use super::sweep::{Axis, view};
use super::{Chart, Kind, Line, Panel, Point, Source, View};
use crate::metric::COST;
use crate::pictures::load_words;
use crate::series::{Spread, loads};

pub(super) fn pareto(source: &Source<'_>, left_out: &mut Vec<String>) -> Vec<Chart> {
    let mut views = Vec::new();
    for (workload, kind, rows) in source.swept() {
        let lines = curves(source, &rows);
        if lines.iter().map(|l| l.points.len()).sum::<usize>() > 1 {
            views.push(pareto_view(format!("{workload}, {kind}"), lines));
        }
    }
    if views.is_empty() {
        left_out.push("throughput against speed for a user: fewer than two points have both".to_owned());
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
        let points: Vec<Point> = loads(&own)
            .into_iter()
            .filter_map(|load| {
                let at = || own.iter().copied().filter(move |r| r.load == load);
                let speed = Spread::of(at().map(|r| r.tps_user_p50))?;
                let all = Spread::of(at().map(|r| r.out_tok_s))?;
                let mut point = Point::within(speed.mean, all).judged(at());
                point.note = load_words(load);
                Some(point)
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

/// The points that no other point beats in both, from the highest x on.
fn front(mut points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    points.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)));
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for point in points {
        if kept.last().is_none_or(|last| point.1 > last.1) {
            kept.push(point);
        }
    }
    kept
}

pub(super) fn cost(source: &Source<'_>, left_out: &mut Vec<String>) -> Vec<Chart> {
    let swept = source.swept();
    let views: Vec<View> = swept
        .iter()
        .filter_map(|(workload, kind, rows)| {
            let found = view(source, rows, &Axis::of(rows), COST, None)?;
            Some(View { name: format!("{workload}, {kind}"), ..found })
        })
        .collect();
    if views.is_empty() {
        left_out.push("cost of a million tokens: no price was given (--gpu-price)".to_owned());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_holds_what_nothing_beats() {
        let all = vec![(10.0, 1.0), (8.0, 5.0), (9.0, 2.0), (7.0, 4.0), (8.0, 3.0)];
        assert_eq!(front(all), [(10.0, 1.0), (9.0, 2.0), (8.0, 5.0)]);
        assert!(front(Vec::new()).is_empty());
    }
}
