//! The first and the last line: how far the run is, and what the keys do.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::palette::Palette;
use crate::snapshot::Snapshot;
use crate::words::{bar, clock, columns, shortened};

/// Cells of the bar over all load points.
const BAR: usize = 12;

/// How far the whole run is.
pub(crate) fn head(frame: &mut Frame<'_>, area: Rect, snapshot: &Snapshot, palette: Palette) {
    let right = format!("{}{} ", if snapshot.simulated { "SIMULATED · " } else { "" }, clock(snapshot.at));
    let width = usize::from(area.width);
    let room = width.saturating_sub(columns(&right) + 1);
    let points = points(snapshot);
    let long = format!(" benchhost · {points}{}", behind(snapshot));
    let left = if columns(&long) <= room { long } else { shortened(&format!(" {points}"), room) };
    let gap = width.saturating_sub(columns(&left) + columns(&right));
    let line = Line::from(vec![
        Span::styled(left, palette.strong()),
        Span::raw(" ".repeat(gap)),
        Span::styled(right, palette.strong()),
    ]);
    frame.render_widget(line, area);
}

fn points(snapshot: &Snapshot) -> String {
    let begun = snapshot.points.begun;
    match snapshot.points.total {
        _ if begun == 0 => "preparing".to_owned(),
        None => format!("load point {begun}"),
        Some(total) => format!("load point {begun} of {total}"),
    }
}

/// A bar of the load points behind us, without the one under way, whose own bar is below.
fn behind(snapshot: &Snapshot) -> String {
    let behind = snapshot.points.begun.saturating_sub(u32::from(snapshot.current.is_some()));
    let share = |total: u32| f64::from(behind) / f64::from(total.max(1));
    snapshot.points.total.map_or_else(String::new, |total| format!("  {}", bar(share(total), BAR)))
}

/// What the keys do now.
pub(crate) fn foot(frame: &mut Frame<'_>, area: Rect, snapshot: &Snapshot, palette: Palette) {
    let text = if snapshot.stopping {
        " stopping: requests in flight may end   q  end at once   ?  help"
    } else {
        " q  stop   p  other charts   ?  help"
    };
    let text = shortened(text, usize::from(area.width));
    frame.render_widget(Line::styled(text, palette.faint()), area);
}
