//! Families of workloads that differ in one number: figures over that number, and heat maps of number by load.

use benchhost_model::{LoadPoint, SummaryRow, study_member};

use super::{Chart, Kind, Line, Panel, Point, Source, View};
use crate::lines::clean;
use crate::metric::{E2E_P50, Metric, OUT_TOK_S, REQ_S, TOTAL_TOK_S, TTFT_P50};
use crate::numbers;
use crate::pictures::load_words;
use crate::series::{Spread, by_load, distinct, loads};

/// Rows of a family, with their number.
struct Family<'a> {
    name: &'a str,
    rows: Vec<(f64, &'a SummaryRow)>,
}

impl Family<'_> {
    fn numbers(&self) -> Vec<f64> {
        let mut numbers: Vec<f64> = self.rows.iter().map(|(n, _)| *n).collect();
        numbers.sort_by(f64::total_cmp);
        numbers.dedup();
        numbers
    }

    fn loads(&self) -> Vec<LoadPoint> {
        loads(&self.rows.iter().map(|(_, r)| *r).collect::<Vec<_>>())
    }

    /// Labels such as `128x64` where they differ in more than the number.
    fn label(&self, number: f64) -> String {
        let row = self.rows.iter().find(|(n, _)| n.total_cmp(&number).is_eq());
        let rest = row.and_then(|(_, r)| r.workload.rsplit_once('-')).map(|(_, rest)| rest);
        rest.map_or_else(|| numbers::exact(number), clean)
    }
}

fn families<'a>(source: &Source<'a>) -> Vec<Family<'a>> {
    let member = |r: &'a SummaryRow| study_member(&r.workload);
    let names: Vec<&str> = {
        let all = distinct(&source.rows, |r| member(r).map(|(name, _)| name));
        all.into_iter().flatten().collect()
    };
    let of = |name: &'a str| Family {
        name,
        rows: source
            .rows
            .iter()
            .filter_map(|r| member(r).filter(|(n, _)| *n == name).map(|(_, number)| (number, *r)))
            .collect(),
    };
    names.into_iter().map(of).filter(|f| f.numbers().len() > 1).collect()
}

pub(super) fn ablations(source: &Source<'_>, left_out: &mut Vec<String>) -> Vec<Chart> {
    let families = families(source);
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
                    x_name: clean(family.name),
                    x_log: log,
                    places: numbers.clone(),
                    lines,
                    ..View::default()
                })
            })
            .collect();
        (!views.is_empty()).then(|| Panel { title: title.to_owned(), views })
    };
    let rate = if family.rows.iter().any(|(_, r)| r.out_tok_s.is_some()) { OUT_TOK_S } else { REQ_S };
    Chart {
        id: String::new(),
        title: format!("Over {}", family.name),
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
                let own = || {
                    let at = series.at(load);
                    at.filter(|r| study_member(&r.workload) == Some((family.name, number)))
                };
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
    let grids: Vec<Family<'_>> = families(source).into_iter().filter(|f| f.loads().len() > 1).collect();
    if grids.is_empty() {
        left_out.push("heat map of length by load: the runs do not cross the two".to_owned());
    }
    grids
        .iter()
        .map(|family| Chart {
            id: String::new(),
            title: format!("{} by load", family.name),
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
        let mut points = Vec::new();
        for (y, number) in numbers.iter().enumerate() {
            for (x, load) in loads.iter().enumerate() {
                let mut own = series
                    .at(*load)
                    .filter(|r| study_member(&r.workload) == Some((family.name, *number)))
                    .peekable();
                if own.peek().is_some() {
                    let value = Spread::of(own.map(metric.pick)).map(|s| s.mean);
                    points.push(Point {
                        numbers: vec![Some(x as f64), Some(y as f64), value],
                        ..Point::default()
                    });
                }
            }
        }
        View {
            kind: Kind::Heat,
            name: metric.title(),
            unit: metric.unit.to_owned(),
            higher: Some(metric.higher_is_better),
            x_name: "Load".to_owned(),
            y_name: family.name.to_owned(),
            columns: loads.iter().map(|l| load_words(*l)).collect(),
            labels: numbers.iter().map(|n| family.label(*n)).collect(),
            lines: vec![Line { series: Some(place), points, ..Line::default() }],
            ..View::default()
        }
    };
    let views: Vec<View> = [OUT_TOK_S, TTFT_P50, E2E_P50].into_iter().map(of).collect();
    let any = views.iter().any(|v| v.lines[0].points.iter().any(|p| p.numbers[2].is_some()));
    any.then(|| Panel { title: series.label.clone(), views })
}
