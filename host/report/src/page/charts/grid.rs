//! Families of workloads that differ in one number: figures over that number, and heat maps of number by load.

use benchhost_model::LoadPoint;

use super::{Chart, Kind, Line, Panel, Point, Source, View};
use crate::metric::{E2E_P50, Metric, OUT_TOK_S, REQ_S, TOTAL_TOK_S, TTFT_P50};
use crate::pictures::load_words;
use crate::series::{Family, NO_GRID, Spread, by_load, families};

pub(super) fn ablations(source: &Source<'_>, left_out: &mut Vec<String>) -> Vec<Chart> {
    let families = families(&source.rows);
    let batches = source.rows.iter().any(|r| matches!(r.load, LoadPoint::Batch(_)));
    if families.is_empty() {
        let batch = if batches { "" } else { " or batch size" };
        left_out.push(format!("ablation over sequence length{batch}: the runs sweep none"));
    }
    families.iter().map(|family| ablation(source, family)).collect()
}

/// One view a load, the load with the most members first.
fn ablation(source: &Source<'_>, family: &Family<'_>) -> Chart {
    let members = |load: LoadPoint| family.rows.iter().filter(|(_, r)| r.load == load).count();
    let mut loads = family.loads();
    loads.sort_by(|a, b| members(*b).cmp(&members(*a)).then(by_load(*b, *a)));
    let numbers = family.numbers();
    let log = numbers[numbers.len() - 1] / numbers[0] > 4.0;
    let panel = |title: &str, metrics: &[Metric]| {
        let pairs = metrics.iter().flat_map(|m| loads.iter().map(move |l| (*m, *l)));
        let views: Vec<View> = pairs
            .filter_map(|(metric, load)| {
                let lines = ablation_lines(source, family, load, metric);
                (!lines.is_empty()).then(|| View {
                    kind: Kind::Line,
                    name: format!("{}, {}", metric.title(), load_words(load)),
                    unit: metric.unit.to_owned(),
                    higher: Some(metric.higher_is_better),
                    words: load_words(load),
                    x_name: family.axis(),
                    x_log: log,
                    places: numbers.clone(),
                    lines,
                    ..View::default()
                })
            })
            .collect();
        Panel::choosing(title, views)
    };
    let rate = if family.rows.iter().any(|(_, r)| r.out_tok_s.is_some()) { OUT_TOK_S } else { REQ_S };
    Chart {
        id: String::new(),
        title: family.title(),
        note: "Workloads whose labels differ in a number, at the same load.".to_owned(),
        sim: source.simulated(),
        folded: false,
        panels: [
            panel("Throughput", &[rate, TOTAL_TOK_S]),
            panel("Latency", &[E2E_P50]),
            panel("Time to first token", &[TTFT_P50]),
        ]
        .into_iter()
        .flatten()
        .collect(),
    }
}

fn ablation_lines(source: &Source<'_>, family: &Family<'_>, load: LoadPoint, metric: Metric) -> Vec<Line> {
    let mut lines = Vec::new();
    for (place, series) in source.series.iter().enumerate() {
        let points: Vec<Point> = family
            .numbers()
            .into_iter()
            .filter_map(|number| {
                let own = || family.at(series, load, number);
                let spread = Spread::of(own().map(metric.pick))?;
                Some(Point::within(number, spread).judged(own()))
            })
            .collect();
        if !points.is_empty() {
            lines.push(Line { series: Some(place), points, ..Line::default() });
        }
    }
    lines
}

pub(super) fn heats(source: &Source<'_>, left_out: &mut Vec<String>) -> Vec<Chart> {
    let grids: Vec<Family<'_>> = families(&source.rows).into_iter().filter(|f| f.loads().len() > 1).collect();
    if grids.is_empty() {
        left_out.push(NO_GRID.to_owned());
    }
    grids
        .iter()
        .map(|family| Chart {
            id: String::new(),
            title: format!("{} by load", family.name()),
            note: "Logarithmic colours; × where nothing was completed.".to_owned(),
            sim: source.simulated(),
            folded: false,
            panels: (0..source.series.len()).filter_map(|place| heat(source, family, place)).collect(),
        })
        .collect()
}

fn heat(source: &Source<'_>, family: &Family<'_>, place: usize) -> Option<Panel> {
    let (numbers, loads) = (family.numbers(), family.loads());
    let series = &source.series[place];
    let of = |metric: Metric| {
        let cells = family.cells(series, metric).into_iter();
        let points = cells.map(|cell| Point {
            numbers: vec![Some(cell.column as f64), Some(cell.row as f64), cell.value],
            ..Point::default()
        });
        View {
            kind: Kind::Heat,
            name: metric.title(),
            unit: metric.unit.to_owned(),
            higher: Some(metric.higher_is_better),
            x_name: "Load".to_owned(),
            y_name: family.axis(),
            columns: loads.iter().map(|l| load_words(*l)).collect(),
            labels: numbers.iter().map(|n| family.label(*n)).collect(),
            lines: vec![Line { series: Some(place), points: points.collect(), ..Line::default() }],
            ..View::default()
        }
    };
    let views: Vec<View> = [OUT_TOK_S, TTFT_P50, E2E_P50].into_iter().map(of).collect();
    let any = views.iter().any(|v| v.lines[0].points.iter().any(|p| p.numbers[2].is_some()));
    any.then(|| Panel { title: series.label.clone(), views })
}
