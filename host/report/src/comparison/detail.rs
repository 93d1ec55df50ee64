//! What stands behind the figures of a comparison: differences at many percentiles, distribution functions, prompts. Forms,
//! and their text for a terminal or as Markdown. Every number arrives computed.

use serde::Serialize;

use crate::lines::{clean, wrap};
use crate::numbers::{NOTHING, count, figure, percent};
use crate::tables::TABLE_WIDTH;
use crate::tables::grid::{Align, Column, TableStyle, escaped, tables};

/// Percentiles that a terminal gets; Markdown and JSON have all.
const IN_A_TERMINAL: [f64; 8] = [0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99];

/// An estimate with its band: estimate, low, high.
pub type Banded = (f64, f64, f64);

/// A distribution function: values, each with the share of all values up to it.
pub type Distributed = Vec<(f64, f64)>;

/// Both sides at one percentile.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShiftRow {
    /// 0.05 to 0.99.
    pub quantile: f64,
    /// Base.
    pub base: f64,
    /// New side.
    pub new: f64,
    /// New minus base with its band.
    pub difference: Banded,
    /// New over base minus 1 with its band.
    pub relative: Option<Banded>,
}

/// One prompt of both sides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PromptRow {
    /// Its item; may be empty.
    pub item: String,
    /// Turn, from 0.
    pub turn: u32,
    /// Base.
    pub base: f64,
    /// New side.
    pub new: f64,
    /// New over base minus 1.
    pub change: f64,
}

/// What the same prompts took on both sides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PromptChanges {
    /// Prompts that both sides answered.
    pub pairs: u64,
    /// Slower by at least the margin.
    pub slower: u64,
    /// Faster by at least the margin.
    pub faster: u64,
    /// Smallest relative change that counts.
    pub margin: f64,
    /// Middle change, a share of the base.
    pub change: f64,
    /// Its interval.
    pub interval: Option<(f64, f64)>,
    /// p-value of the signed-rank test.
    pub p: f64,
    /// Those that got slowest.
    pub worst: Vec<PromptRow>,
    /// Distribution of the changes; for pictures.
    #[serde(skip)]
    pub changes: Distributed,
}

/// One latency.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DetailLatency {
    /// Its name: `ttft`.
    pub metric: String,
    /// Its unit.
    pub unit: String,
    /// By rising percentile.
    pub shift: Vec<ShiftRow>,
    /// Why percentiles are missing; empty: none are.
    pub shift_note: String,
    /// What prompts show; `None`: nothing.
    pub prompts: Option<PromptChanges>,
    /// Why they show nothing; empty: they do.
    pub prompts_note: String,
    /// Distribution functions of base and new; for pictures.
    #[serde(skip)]
    pub curves: (Distributed, Distributed),
}

/// What stands behind the figures of a group.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Detail {
    /// In the order to print.
    pub latencies: Vec<DetailLatency>,
    /// Gaps between output events of base and new in ms; empty: not both sides have events.
    #[serde(skip)]
    pub gaps: (Distributed, Distributed),
}

/// `p5`.
pub(crate) fn percentile(quantile: f64) -> String {
    format!("p{}", figure_of(quantile * 100.0))
}

fn figure_of(value: f64) -> String {
    let text = format!("{value:.1}");
    text.trim_end_matches(".0").to_owned()
}

/// `+3.9% [+2.8, +5.1]`, or in the unit.
pub(crate) fn shifted(row: &ShiftRow, unit: &str) -> String {
    let bare = |v: f64| percent(v).trim_end_matches('%').to_owned();
    if let Some((estimate, low, high)) = row.relative {
        return format!("{} [{}, {}]", percent(estimate), bare(low), bare(high));
    }
    let (estimate, low, high) = row.difference;
    format!("{} {unit} [{}, {}]", figure(estimate), figure(low), figure(high))
}

impl Detail {
    /// Both tables. Empty if there is nothing to say.
    pub(super) fn to_text(&self, style: TableStyle) -> String {
        let mut blocks = vec![self.shift_text(style), self.prompts_text(style)];
        blocks.retain(|b| !b.is_empty());
        let text = blocks.join("\n\n");
        match style {
            TableStyle::Plain => text,
            TableStyle::Markdown if text.is_empty() => text,
            TableStyle::Markdown => {
                format!("<details><summary>Percentiles and prompts</summary>\n\n{text}\n\n</details>")
            }
        }
    }

    fn shift_text(&self, style: TableStyle) -> String {
        let latencies: Vec<&DetailLatency> = self.latencies.iter().filter(|l| !l.shift.is_empty()).collect();
        let mut blocks = Vec::new();
        if !latencies.is_empty() {
            let mut header = vec![Column::new("", "", Align::Left)];
            header.extend(
                latencies.iter().map(|l| Column::new("", &format!("{} ↓", clean(&l.metric)), Align::Left)),
            );
            let mut quantiles: Vec<f64> =
                latencies.iter().flat_map(|l| l.shift.iter().map(|r| r.quantile)).collect();
            quantiles.sort_by(f64::total_cmp);
            quantiles.dedup();
            if style == TableStyle::Plain {
                quantiles.retain(|q| IN_A_TERMINAL.iter().any(|shown| (shown - q).abs() < 1e-9));
            }
            let cell = |latency: &DetailLatency, quantile: f64| {
                let found = latency.shift.iter().find(|r| (r.quantile - quantile).abs() < 1e-9);
                found.map_or(NOTHING.to_owned(), |row| shifted(row, &latency.unit))
            };
            let rows = quantiles.iter().map(|q| {
                let cells = latencies.iter().map(|l| cell(l, *q));
                std::iter::once(percentile(*q)).chain(cells).collect()
            });
            let grid = tables(style, &header, &[rows.collect()]).join("\n");
            let head = say("change by percentile, 90 % bands that hold for a whole column at once", 0, style);
            blocks.push(format!("{head}{}{grid}", gap(style)));
        }
        for latency in self.latencies.iter().filter(|l| !l.shift_note.is_empty()) {
            blocks.push(say(&format!("{}: {}", latency.metric, latency.shift_note), 2, style));
        }
        blocks.join(gap(style))
    }

    fn prompts_text(&self, style: TableStyle) -> String {
        let told: Vec<(&DetailLatency, &PromptChanges)> =
            self.latencies.iter().filter_map(|l| Some((l, l.prompts.as_ref()?))).collect();
        let mut lines = Vec::new();
        if told.is_empty() {
            let why = self.latencies.iter().map(|l| l.prompts_note.as_str()).find(|why| !why.is_empty());
            return why.map_or(String::new(), |why| say(&format!("prompts: {why}"), 2, style));
        }
        let head = "the same prompts on both sides: neighbours disturb one another, so this describes and does not decide";
        lines.push(say(head, 0, style));
        if style == TableStyle::Markdown {
            lines.push(String::new());
        }
        for (latency, prompts) in told {
            lines.push(item(&sentence(latency, prompts), style));
            for row in prompts.worst.iter().take(if style == TableStyle::Plain { 3 } else { usize::MAX }) {
                lines.push(below(&worst(row, &latency.unit), style));
            }
        }
        lines.join("\n")
    }
}

/// `ttft of 400 prompts: 212 slower and 150 faster by 5% or more, the middle one by +1.2% [−0.1, +2.4], p .08`.
pub(crate) fn sentence(latency: &DetailLatency, prompts: &PromptChanges) -> String {
    let bare = |v: f64| percent(v).trim_end_matches('%').to_owned();
    let interval =
        prompts.interval.map_or(String::new(), |(low, high)| format!(" [{}, {}]", bare(low), bare(high)));
    format!(
        "{} of {} prompts: {} slower and {} faster by {}% or more, middle change {}{interval}",
        latency.metric,
        count(prompts.pairs),
        count(prompts.slower),
        count(prompts.faster),
        figure_of(prompts.margin * 100.0),
        percent(prompts.change),
    )
}

/// `item-17: +80.1%, 50.1 → 90.2 ms`.
pub(crate) fn worst(row: &PromptRow, unit: &str) -> String {
    let name = if row.item.is_empty() { "a prompt without a name" } else { &row.item };
    let turn = if row.turn > 0 { format!(", turn {}", row.turn + 1) } else { String::new() };
    format!("{name}{turn}: {}, {} → {} {unit}", percent(row.change), figure(row.base), figure(row.new))
}

fn gap(style: TableStyle) -> &'static str {
    if style == TableStyle::Markdown { "\n\n" } else { "\n" }
}

fn say(text: &str, indent: usize, style: TableStyle) -> String {
    let text = clean(text);
    match style {
        TableStyle::Plain => wrap(&text, TABLE_WIDTH, indent).join("\n"),
        TableStyle::Markdown => escaped(&text),
    }
}

fn item(text: &str, style: TableStyle) -> String {
    match style {
        TableStyle::Plain => {
            let lines = wrap(&clean(text), TABLE_WIDTH - 2, 2);
            lines.iter().map(|l| format!("  {l}")).collect::<Vec<_>>().join("\n")
        }
        TableStyle::Markdown => format!("- {}", escaped(&clean(text))),
    }
}

fn below(text: &str, style: TableStyle) -> String {
    match style {
        TableStyle::Plain => {
            let lines = wrap(&clean(text), TABLE_WIDTH - 6, 2);
            lines.iter().map(|l| format!("      {l}")).collect::<Vec<_>>().join("\n")
        }
        TableStyle::Markdown => format!("  - {}", escaped(&clean(text))),
    }
}
