//! Single requests of one load point as lanes: waiting, prefill, decode.

use super::Place;
use super::charts::{Chart, Kind, Line, Panel, Point, Source, View};
use crate::lines::clean;
use crate::pictures::load_words;
use crate::series::by_load;

/// Load points to choose from, in one panel.
const VIEWS: usize = 8;

/// One request; seconds from when the first of its point was due.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lane {
    /// When it was due.
    pub due_s: f64,
    /// When it was sent.
    pub sent_s: Option<f64>,
    /// When its first output event came.
    pub first_s: Option<f64>,
    /// When its last output event came.
    pub last_s: Option<f64>,
    /// How it went wrong; empty: it did not.
    pub wrong: String,
}

/// The first requests of one point.
#[derive(Debug, Clone, PartialEq)]
pub struct Lanes {
    /// The point.
    pub place: Place,
    /// In the order they were due.
    pub lanes: Vec<Lane>,
}

impl Lanes {
    /// Requests shown of a point.
    pub const MOST: usize = 60;
}

impl Place {
    /// Its place among the series; `None`: no row is of this configuration.
    pub(super) fn series(&self, source: &Source<'_>) -> Option<usize> {
        source.series.iter().position(|s| {
            s.simulated == self.simulated
                && s.rows().first().is_some_and(|r| {
                    (&r.engine, &r.variant, &r.model) == (&self.engine, &self.variant, &self.model)
                })
        })
    }
}

pub(super) fn charts(source: &Source<'_>, left_out: &mut Vec<String>) -> Vec<Chart> {
    let panels: Vec<Panel> =
        (0..source.series.len().min(3)).filter_map(|place| panel(source, place)).collect();
    if panels.is_empty() {
        left_out.push("swim-lanes of requests: no request was sent".to_owned());
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
        .filter(|l| l.place.series(source) == Some(place) && l.lanes.iter().any(|lane| lane.sent_s.is_some()))
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
