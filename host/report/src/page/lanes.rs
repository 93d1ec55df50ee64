//! Single requests of one load point as lanes: waiting, prefill, decode.

use super::charts::{Chart, Kind, Line, Panel, Point, Source, View};
use crate::lines::clean;
use crate::pictures::load_words;
use crate::series::{Lanes, NO_LANES, by_load};

/// Load points to choose from, in one panel.
const VIEWS: usize = 8;

pub(super) fn charts(source: &Source<'_>, left_out: &mut Vec<String>) -> Vec<Chart> {
    let panels: Vec<Panel> =
        (0..source.series.len().min(3)).filter_map(|place| panel(source, place)).collect();
    if panels.is_empty() {
        left_out.push(NO_LANES.to_owned());
        return Vec::new();
    }
    vec![Chart {
        id: String::new(),
        title: "Requests of one load point".to_owned(),
        note: format!(
            "The first {} measured requests: grey waiting, light prefill (to the first token), full decode; × went wrong.",
            Lanes::MOST
        ),
        sim: source.simulated(),
        folded: false,
        panels,
    }]
}

fn panel(source: &Source<'_>, place: usize) -> Option<Panel> {
    let mut own: Vec<&Lanes> = source
        .page
        .lanes
        .iter()
        .filter(|l| l.place.among(&source.series) == Some(place) && l.any_sent())
        .collect();
    own.sort_by(|a, b| by_load(b.place.load, a.place.load));
    let several = own.iter().any(|l| l.place.workload != own[0].place.workload);
    let views: Vec<View> = own.iter().take(VIEWS).map(|lanes| view(lanes, place, several)).collect();
    (!views.is_empty()).then(|| Panel { title: source.series[place].label.clone(), views })
}

fn view(lanes: &Lanes, place: usize, several: bool) -> View {
    let words = load_words(lanes.place.load);
    let name = if several { format!("{}, {words}", lanes.place.workload) } else { words };
    let points = lanes.lanes.iter().take(Lanes::MOST).map(|lane| Point {
        numbers: vec![Some(lane.due_s), lane.sent_s, lane.first_s, lane.last_s],
        note: clean(&lane.wrong).chars().take(80).collect(),
        verdict: 0,
    });
    View {
        kind: Kind::Lanes,
        words: name.clone(),
        name,
        x_name: "Seconds".to_owned(),
        lines: vec![Line { series: Some(place), points: points.collect(), ..Line::default() }],
        ..View::default()
    }
}
