//! The load points that were measured, the latest last. Columns that have no room are left out, the least telling first.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span, Text};

use crate::palette::Palette;
use crate::snapshot::Finished;
use crate::view::rule;
use crate::words::{end_of, plural, rate, span, thousands};

/// A column of figures.
struct Column {
    head: &'static str,
    width: usize,
    /// Which goes first when there is no room: the highest.
    spare: u8,
    cell: fn(&Finished) -> String,
}

/// What stands where nothing is known.
const NOTHING: &str = "–";
/// Columns that a title keeps, if figures can be left out for it.
const TITLE: usize = 28;

fn or_nothing<T>(value: Option<T>, words: impl Fn(T) -> String) -> String {
    value.map_or_else(|| NOTHING.to_owned(), words)
}

const COLUMNS: [Column; 7] = [
    Column { head: "req/s", width: 8, spare: 3, cell: |p| or_nothing(p.requests_s, rate) },
    Column { head: "tok/s", width: 8, spare: 0, cell: |p| or_nothing(p.tokens_s, |v| thousands(v.round())) },
    Column { head: "TTFT p50", width: 8, spare: 1, cell: |p| or_nothing(p.ttft_p50_ns, span) },
    Column { head: "TTFT p90", width: 8, spare: 5, cell: |p| or_nothing(p.ttft_p90_ns, span) },
    Column { head: "TPOT p50", width: 8, spare: 4, cell: |p| or_nothing(p.tpot_p50_ns, span) },
    Column { head: "failed", width: 6, spare: 2, cell: failed },
    Column { head: "lag p99", width: 8, spare: 6, cell: |p| or_nothing(p.lag, |lag| span(lag.ns())) },
];

/// Colours are not the only sign of a failure: the number has a mark.
fn failed(point: &Finished) -> String {
    if point.failed > 0 { format!("! {}", point.failed) } else { "0".to_owned() }
}

/// A rule, a head and as many load points as there is room for.
pub(crate) fn pane(frame: &mut Frame<'_>, area: Rect, points: &[Finished], palette: Palette) {
    let width = usize::from(area.width);
    let shown = fitting(width);
    let room = usize::from(area.height).saturating_sub(2);
    let from = points.len().saturating_sub(room);
    let title = match from {
        0 => "measured".to_owned(),
        earlier => format!("measured · {} above", plural(earlier as u64, "load point")),
    };
    let taken: usize = shown.iter().map(|column| column.width + 2).sum();
    let title_room = width.saturating_sub(taken + 1);
    let head = shown.iter().fold(format!(" {:<title_room$}", ""), |row, column| {
        format!("{row}  {:>width$}", column.head, width = column.width)
    });
    let mut lines = vec![rule(&title, area.width, palette), Line::styled(head, palette.faint())];
    lines.extend(points[from..].iter().map(|point| row(point, &shown, title_room, palette)));
    frame.render_widget(Text::from(lines), area);
}

fn row(point: &Finished, shown: &[&Column], title_room: usize, palette: Palette) -> Line<'static> {
    let stopped = if point.stopped { " (stopped)" } else { "" };
    let title = end_of(&format!("{}{stopped}", point.title), title_room);
    let mut spans = vec![Span::raw(format!(" {title:<title_room$}"))];
    for column in shown {
        let cell = format!("  {:>width$}", (column.cell)(point), width = column.width);
        let bad = column.head == "failed" && point.failed > 0;
        spans.push(if bad { Span::styled(cell, palette.bad()) } else { Span::raw(cell) });
    }
    Line::from(spans)
}

/// The columns that leave a title its room; two figures stay in any case.
fn fitting(width: usize) -> Vec<&'static Column> {
    let mut kept: Vec<&Column> = COLUMNS.iter().collect();
    while kept.len() > 2 && kept.iter().map(|c| c.width + 2).sum::<usize>() + TITLE > width {
        let most = kept.iter().map(|column| column.spare).max().unwrap_or(0);
        kept.retain(|column| column.spare < most);
    }
    kept
}
