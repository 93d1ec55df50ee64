//! Pictures of a comparison: changes with their margins, changes over loads, differences by percentile with bands,
//! distribution functions, and changes of single prompts. `across` is their axis along the bottom.

mod across;
mod changes;
mod curves;
mod loads;
mod shift;

#[cfg(test)]
mod tests;

use super::canvas::Anchor;
use super::canvas::{Canvas, Colour};
use super::frame::{Cell, EDGE, Entry, Head, Sign};
use super::letters::{Face, fit};
use super::look::{CAPTION, INK, Look, MUTED, Mark, PANEL_TITLE, bold, in_order, plain};
use super::panel::Words;
use super::{Picture, file_name};
use crate::comparison::{ComparedGroup, ComparisonTable, Tone};
use crate::lines::clean;

/// Every picture that a comparison allows.
pub fn difference_pictures(table: &ComparisonTable) -> Vec<Picture> {
    let mut made: Vec<Picture> = Vec::new();
    let mut add = |name: &str, svg: Option<super::Svg>| {
        if let Some(svg) = svg {
            let name = file_name(name, &made);
            made.push(Picture { name, svg });
        }
    };
    add("changes", changes::changes(table));
    for (workload, svg) in loads::by_load(table) {
        add(&format!("changes by load {workload}"), Some(svg));
    }
    for group in &table.groups {
        add(&format!("percentiles {}", group.heading), shift::shift(table, group));
        add(&format!("distributions {}", group.heading), curves::distributions(table, group));
        add(&format!("prompts {}", group.heading), curves::prompts(table, group));
    }
    made
}

/// Where the margin lies: lighter than the grid's neighbours, so that marks stand out on it.
const MARGIN: Colour = Colour(238, 241, 244);

/// What a verdict looks like. Colour and mark both tell it, and the word stands beside it.
const fn look_of(tone: Tone) -> Look {
    match tone {
        Tone::Bad => Look { mark: Mark::Up, ..in_order(1) },
        Tone::Good => Look { mark: Mark::Down, ..in_order(2) },
        Tone::Calm => Look { mark: Mark::Circle, ..in_order(0) },
        Tone::Open => Look { colour: MUTED, mark: Mark::Diamond },
    }
}

/// The verdicts in a legend.
fn tones() -> Vec<Entry> {
    [
        (Tone::Bad, "worse"),
        (Tone::Good, "better"),
        (Tone::Calm, "no change that matters"),
        (Tone::Open, "not decided"),
    ]
    .into_iter()
    .map(|(tone, label)| Entry { label: label.to_owned(), look: look_of(tone), sign: Sign::Line })
    .collect()
}

/// Base and new in a legend.
fn sides(table: &ComparisonTable) -> Vec<Entry> {
    [("base", &table.base, 0), ("new", &table.new, 1)]
        .into_iter()
        .map(|(word, side, place)| Entry {
            label: format!("{word}: {}", clean(&side.label)),
            look: in_order(place),
            sign: Sign::Line,
        })
        .collect()
}

fn head(table: &ComparisonTable, title: &str, more: &[&str], legend: Vec<Entry>) -> Head {
    let runs = |n: u32| if n == 1 { "1 run".to_owned() } else { format!("{n} runs") };
    let side = |word: &str, side: &crate::comparison::Side| {
        format!("{word}: {}, {}", clean(&side.label), runs(side.runs))
    };
    let mut subtitle = vec![side("base", &table.base), side("new", &table.new)];
    subtitle.extend(more.iter().map(|text| clean(text)));
    let simulated = match (table.base.simulated, table.new.simulated) {
        (true, true) => Some("the built-in simulator answered, no real server was measured".to_owned()),
        (true, false) => Some("the base side; no real server was measured there".to_owned()),
        (false, true) => Some("the new side; no real server was measured there".to_owned()),
        (false, false) => None,
    };
    Head { title: title.to_owned(), subtitle, simulated, legend, ..Head::default() }
}

/// For the word across a panel.
fn watermarked(table: &ComparisonTable) -> Words {
    Words { simulated: table.base.simulated || table.new.simulated, ..Words::default() }
}

/// `comparison: base against new`, of a group.
fn titled(what: &str, group: &ComparedGroup) -> String {
    format!("{what} · {}", clean(&group.heading))
}

/// Title and caption of a panel that has an axis along its bottom alone.
fn words(canvas: &mut Canvas<'_>, cell: Cell, title: &str, caption: &str) {
    let (left, room) = (cell.left + EDGE, cell.width - EDGE - 18.0);
    let title = fit(title, PANEL_TITLE, Face::Bold, room);
    canvas.text(&title, left, cell.top + 20.0, bold(PANEL_TITLE, INK, Anchor::Start));
    let caption = fit(caption, CAPTION, Face::Regular, room);
    canvas.text(&caption, left, cell.top + 39.0, plain(CAPTION, MUTED, Anchor::Start));
}

/// `TTFT (ms)` for a latency's name.
fn latency_title(metric: &str, unit: &str) -> String {
    let name = match metric {
        "ttft" => "Time to first token",
        "ttft_sched" => "Time to first token since the scheduled time",
        "tpot" => "Time per output token",
        "e2e" => "Latency of the whole answer",
        other => other,
    };
    if unit.is_empty() { name.to_owned() } else { format!("{name} ({unit})") }
}
