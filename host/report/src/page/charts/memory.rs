//! What servers and GPUs held over each run: KV cache, running and waiting requests, GPU memory, load points shaded.

use super::{Chart, Kind, Line, Panel, Point, Source, View};
use crate::pictures::{Curve, Timeline, load_words, thinned};

/// Stretches of time that keep their lowest and highest value: below two points a pixel.
const STRETCHES: u32 = 160;
/// Readings farther apart than this are not joined, in seconds.
const BREAK_S: f64 = 1.5;

/// `dress` gives a label that is no configuration a place among the series.
pub(super) fn charts(
    source: &Source<'_>,
    left_out: &mut Vec<String>,
    dress: &mut dyn FnMut(&str) -> usize,
) -> Vec<Chart> {
    let mut known: Vec<(String, usize)> =
        source.series.iter().enumerate().map(|(i, s)| (s.label.clone(), i)).collect();
    let mut place = |label: &str| {
        if let Some((_, place)) = known.iter().find(|(l, _)| l == label) {
            return *place;
        }
        let new = dress(label);
        known.push((label.to_owned(), new));
        new
    };
    let mut charts = Vec::new();
    let (mut gpu, mut cache) = (false, false);
    for (run, timeline) in &source.page.timelines {
        gpu |= timeline.gpu_memory.iter().any(|c| !c.points.is_empty());
        cache |= timeline.kv_cache.iter().any(|c| !c.points.is_empty());
        let panels = panels(timeline, &mut place);
        if !panels.is_empty() {
            let of = if source.page.timelines.len() > 1 { format!(": {run}") } else { String::new() };
            charts.push(Chart {
                id: String::new(),
                title: format!("What the servers held over the run{of}"),
                note: "Shaded: windows of the load points; warm-up and drain lie between.".to_owned(),
                sim: timeline.simulated,
                folded: false,
                panels,
            });
        }
    }
    for (missing, why) in [
        (!cache, "KV cache over time: no engine told of it"),
        (!gpu, "GPU memory over time: no GPU samples were taken"),
    ] {
        if missing {
            left_out.push(why.to_owned());
        }
    }
    charts
}

fn panels(timeline: &Timeline, place: &mut dyn FnMut(&str) -> usize) -> Vec<Panel> {
    let all = [&timeline.kv_cache, &timeline.running, &timeline.waiting, &timeline.gpu_memory];
    let last = all.iter().flat_map(|c| c.iter()).filter_map(|c| c.points.last()).map(|p| p.0);
    let end =
        last.chain(timeline.spans.iter().map(|s| s.until_s)).filter(|s| s.is_finite()).fold(0.0, f64::max);
    let spans: Vec<(f64, f64, String)> = timeline
        .spans
        .iter()
        .filter(|s| s.from_s.is_finite() && s.until_s > s.from_s)
        .map(|s| (s.from_s, s.until_s, load_words(s.load)))
        .collect();
    let mut panel = |title: &str, factor: f64, unit: &str, curves: &[Curve]| {
        let lines: Vec<Line> = curves
            .iter()
            .filter(|c| !c.points.is_empty())
            .map(|c| Line {
                series: Some(place(&c.label)),
                points: thinned(&c.points, end, STRETCHES)
                    .into_iter()
                    .filter(|(t, v)| t.is_finite() && v.is_finite())
                    .map(|(t, v)| Point::at(t, v * factor))
                    .collect(),
                gap: Some(BREAK_S.max(3.0 * end / f64::from(STRETCHES))),
                ..Line::default()
            })
            .filter(|l| !l.points.is_empty())
            .collect();
        (!lines.is_empty() && end > 0.0).then(|| Panel {
            title: title.to_owned(),
            views: vec![View {
                kind: Kind::Line,
                unit: unit.to_owned(),
                x_name: "Seconds from the start of the run".to_owned(),
                x_unit: "s".to_owned(),
                x_range: Some([0.0, end]),
                free: true,
                spans: spans.clone(),
                lines,
                ..View::default()
            }],
        })
    };
    [
        panel("KV cache in use (%)", 100.0, "%", &timeline.kv_cache),
        panel("Requests running", 1.0, "", &timeline.running),
        panel("Requests waiting", 1.0, "", &timeline.waiting),
        panel("GPU memory in use (GiB)", 1.0, "GiB", &timeline.gpu_memory),
    ]
    .into_iter()
    .flatten()
    .collect()
}
