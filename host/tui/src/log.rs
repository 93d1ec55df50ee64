//! What was said: the latest lines, the newest at the bottom, long ones broken.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Text};

use crate::palette::Palette;
use crate::snapshot::Said;
use crate::view::rule;
use crate::words::wrapped;

/// A rule and as many of the latest lines as there is room for.
pub(crate) fn pane(frame: &mut Frame<'_>, area: Rect, said: &[Said], palette: Palette) {
    let room = usize::from(area.height).saturating_sub(1);
    let width = usize::from(area.width).saturating_sub(1);
    let mut latest: Vec<Line<'static>> = Vec::new();
    for line in said.iter().rev() {
        if latest.len() >= room {
            break;
        }
        let parts = wrapped(&line.text, width);
        let style = palette.said(line.kind);
        latest.extend(parts.into_iter().rev().map(|part| Line::styled(format!(" {part}"), style)));
    }
    latest.truncate(room);
    latest.push(rule("log", area.width, palette));
    latest.reverse();
    frame.render_widget(Text::from(latest), area);
}
