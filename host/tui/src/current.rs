//! The load point that is being measured: its phase, how far it is, and its figures.

use benchhost_model::Phase;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span, Text};

use crate::line::{eta, figures, reached, share};
use crate::palette::Palette;
use crate::snapshot::{Current, Snapshot};
use crate::view::rule;
use crate::words::bar;

/// Columns of the bar.
const BAR: usize = 20;
/// Columns below which the bar, which only repeats the numbers, is left out.
const ROOM_FOR_BAR: u16 = 72;
/// Columns below which the other phases are left out.
const ROOM_FOR_PHASES: u16 = 56;

/// Lines that it takes.
pub(crate) const HEIGHT: u16 = 3;

/// Title, phase, progress and figures.
pub(crate) fn pane(frame: &mut Frame<'_>, area: Rect, snapshot: &Snapshot, palette: Palette) {
    let Some(current) = &snapshot.current else {
        let word = if snapshot.points.begun == 0 { "preparing" } else { "between load points" };
        frame.render_widget(Text::from(vec![rule(word, area.width, palette)]), area);
        return;
    };
    let width = usize::from(area.width);
    // The row of figures begins with two columns of space.
    let row = figures(current, width);
    let style = if current.failed > 0 { palette.bad() } else { palette.strong() };
    let lines = vec![
        rule(&current.title, area.width, palette),
        progress(current, area.width, palette),
        Line::styled(row, style),
    ];
    frame.render_widget(Text::from(lines), area);
}

/// The phases with the present one in brackets, then how far it is; with less room, less of it.
fn progress(current: &Current, width: u16, palette: Palette) -> Line<'static> {
    let mut spans = vec![Span::raw("  ")];
    let phases = [(Phase::Warmup, "warm-up"), (Phase::Measured, "measured"), (Phase::Drain, "drain")];
    let shown = phases.into_iter().filter(|(phase, _)| width >= ROOM_FOR_PHASES || *phase == current.phase);
    for (at, (phase, word)) in shown.enumerate() {
        if at > 0 {
            spans.push(Span::styled(" › ", palette.faint()));
        }
        spans.push(if phase == current.phase {
            Span::styled(format!("[{word}]"), palette.strong())
        } else {
            Span::styled(word, palette.faint())
        });
    }
    if current.phase == Phase::Warmup {
        return Line::from(spans);
    }
    spans.push(Span::raw("  "));
    if let Some(share) = share(current).filter(|_| width >= ROOM_FOR_BAR) {
        spans.push(Span::styled(bar(share, BAR), palette.bars()));
        spans.push(Span::raw("  "));
    }
    spans.push(Span::raw(reached(current)));
    if let Some(eta) = eta(current) {
        spans.push(Span::raw(format!("  ETA {eta}")));
    }
    Line::from(spans)
}
