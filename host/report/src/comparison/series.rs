//! More than two results: the order of several under the same load, and the changes of level in a series. Forms and texts.

use serde::Serialize;

use crate::lines::{clean, cut, wrap};
use crate::numbers::{figure, percent};
use crate::tables::TABLE_WIDTH;
use crate::tables::grid::{Align, Column, TableStyle, escaped, heading, tables};

/// One result's place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RankPlace {
    /// What people call it.
    pub label: String,
    /// Its figure.
    pub centre: f64,
    /// Interval that holds for all results at once.
    pub interval: Option<(f64, f64)>,
    /// Best and worst rank that the data leave open.
    pub ranks: (u32, u32),
}

/// The order by one figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RankTable {
    /// Workload, load and figure.
    pub heading: String,
    /// Unit of the figure.
    pub unit: String,
    /// Direction.
    pub higher_is_better: bool,
    /// Best first.
    pub places: Vec<RankPlace>,
}

impl RankTable {
    /// All of them, one below the other.
    pub fn to_text(rankings: &[Self], style: TableStyle) -> String {
        let header = [
            Column::new("", "rank", Align::Left),
            Column::new("", "result", Align::Left),
            Column::new("", "figure", Align::Point),
            Column::new("", "95 % interval", Align::Left),
        ];
        let rows =
            |ranking: &Self| -> Vec<Vec<String>> { ranking.places.iter().map(|p| cells(p, style)).collect() };
        let grids = tables(style, &header, &rankings.iter().map(rows).collect::<Vec<_>>());
        let gap = if style == TableStyle::Markdown { "\n\n" } else { "\n" };
        let one = |(ranking, grid): (&Self, String)| {
            let unit = if ranking.unit.is_empty() { String::new() } else { format!(", {}", ranking.unit) };
            let way = if ranking.higher_is_better { "higher is better" } else { "lower is better" };
            let head = heading(style, &clean(&format!("{}{unit}, {way}", ranking.heading)), "");
            format!("{head}{gap}{grid}")
        };
        rankings.iter().zip(grids).map(one).collect::<Vec<_>>().join("\n\n")
    }
}

fn cells(place: &RankPlace, style: TableStyle) -> Vec<String> {
    let ranks = if place.ranks.0 == place.ranks.1 {
        place.ranks.0.to_string()
    } else {
        format!("{}–{}", place.ranks.0, place.ranks.1)
    };
    let label = clean(&place.label);
    let label = if style == TableStyle::Plain { cut(&label, 36) } else { escaped(&label) };
    let interval = place
        .interval
        .map_or("one run".to_owned(), |(low, high)| format!("[{}, {}]", figure(low), figure(high)));
    vec![ranks, label, figure(place.centre), interval]
}

/// A change of level.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShiftLine {
    /// Configuration, workload and load.
    pub heading: String,
    /// The figure.
    pub metric: String,
    /// Its unit.
    pub unit: String,
    /// The first result at the new level.
    pub result: String,
    /// Level before.
    pub before: f64,
    /// Level after.
    pub after: f64,
    /// Whether that is worse.
    pub worse: bool,
    /// p-value.
    pub p: f64,
}

/// A series of results and its changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HistoryTable {
    /// The finding in words.
    pub sentence: String,
    /// The results in the order of time.
    pub results: Vec<String>,
    /// Changes of level.
    pub shifts: Vec<ShiftLine>,
    /// Method and what was left out.
    pub notes: Vec<String>,
}

impl HistoryTable {
    /// For a terminal, or as Markdown.
    pub fn to_text(&self, style: TableStyle) -> String {
        let plain = style == TableStyle::Plain;
        let say = |text: &str, indent: usize| {
            let text = clean(text);
            if plain { wrap(&text, TABLE_WIDTH, indent).join("\n") } else { escaped(&text) }
        };
        let mut blocks = vec![say(&self.sentence, 0)];
        let lines: Vec<String> = self
            .shifts
            .iter()
            .map(|s| {
                let change = if s.before > 0.0 { percent(s.after / s.before - 1.0) } else { String::new() };
                let text = format!(
                    "{} since {}: {} {} → {} {} ({change}): {}",
                    s.metric,
                    s.result,
                    s.heading,
                    figure(s.before),
                    figure(s.after),
                    s.unit,
                    if s.worse { "worse" } else { "better" }
                );
                if plain { say(&text, 2) } else { format!("- {}", say(&text, 2)) }
            })
            .collect();
        blocks.push(lines.join("\n"));
        let notes: Vec<String> =
            self.notes.iter().map(|n| if plain { say(n, 2) } else { format!("- {}", say(n, 2)) }).collect();
        blocks.push(notes.join("\n"));
        blocks.retain(|b| !b.is_empty());
        blocks.join("\n\n")
    }
}
