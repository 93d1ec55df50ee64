//! What the screen shows and what the keys do, instead of the screen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Text};

use crate::palette::Palette;
use crate::view::rule;
use crate::words::wrapped;

const LINES: [&str; 10] = [
    "q, Ctrl-C  nothing more is sent, requests in flight may end; again: they are cut; a third time: end at once. \
     What was measured is kept.",
    "p  other charts",
    "?, Esc  this help and back",
    "",
    "Figures here are for watching. Charts and tok/s are of the answers that ended in the last ten seconds, TTFT p50 \
     and lag of the whole load point. The table after the run is computed from the recorded rows.",
    "",
    "harness lag: from the kernel's stamp of an event to this program's own. sent late: from the time a request was due \
     to its sending.",
    "ITL p50: median of the answers' mean inter-token latencies.",
    "",
    "Lines of the log are printed again when the screen is left.",
];

/// Fills `area`.
pub(crate) fn pane(frame: &mut Frame<'_>, area: Rect, palette: Palette) {
    let width = usize::from(area.width).saturating_sub(2);
    let mut lines = vec![rule("help", area.width, palette)];
    for text in LINES {
        if text.is_empty() {
            lines.push(Line::default());
        }
        lines.extend(wrapped(text, width).into_iter().map(|line| Line::raw(format!(" {line}"))));
    }
    frame.render_widget(Text::from(lines), area);
}
