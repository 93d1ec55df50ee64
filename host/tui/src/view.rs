//! The whole screen: who gets how much of it, and what the user chose to see.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span, Text};

use crate::history::{History, Series};
use crate::palette::Palette;
use crate::snapshot::Snapshot;
use crate::words::{columns, shortened, wrapped};
use crate::{charts, current, edges, help, log, table};

/// Columns and lines below which the screen only says that it is too small.
pub const LEAST: (u16, u16) = (36, 6);

/// Lines of charts with a title.
const CHARTS: u16 = 6;
/// Lines of charts on a tall screen.
const TALL_CHARTS: u16 = 10;

/// What drawing keeps from one snapshot to the next.
#[derive(Debug, Clone)]
pub struct View {
    palette: Palette,
    history: History,
    /// The first chart.
    from: usize,
    help: bool,
}

impl View {
    /// Nothing seen yet. Without `colour` only bold and dim set things off.
    pub fn new(colour: bool) -> Self {
        Self { palette: Palette { colour }, history: History::default(), from: 0, help: false }
    }

    /// Remembers what charts show of `snapshot`. To be called at least once a second; a second without a call is a gap.
    pub fn see(&mut self, snapshot: &Snapshot) {
        self.history.see(snapshot);
    }

    /// Begins the charts with the next figure.
    pub fn next_chart(&mut self) {
        self.from = (self.from + 1) % Series::ALL.len();
    }

    /// Shows the help, or no longer.
    pub fn toggle_help(&mut self) {
        self.help = !self.help;
    }

    /// Ends the help.
    pub fn close_help(&mut self) {
        self.help = false;
    }

    /// Draws `snapshot` on all of `frame`, whatever its size.
    pub fn draw(&self, frame: &mut Frame<'_>, snapshot: &Snapshot) {
        let area = frame.area();
        if area.width < LEAST.0 || area.height < LEAST.1 {
            too_small(frame, area);
            return;
        }
        let mut room = Room { left: area };
        edges::head(frame, room.top(1), snapshot, self.palette);
        edges::foot(frame, room.bottom(1), snapshot, self.palette);
        if self.help {
            help::pane(frame, room.left, self.palette);
            return;
        }
        current::pane(frame, room.top(current::HEIGHT), snapshot, self.palette);
        let Shares { charts, log } = shares(room.left.height, snapshot);
        if charts > 0 {
            charts::pane(frame, room.top(charts), &self.history, self.from, self.palette);
        }
        if log > 0 {
            log::pane(frame, room.bottom(log), &snapshot.said, self.palette);
        }
        if room.left.height > 2 {
            table::pane(frame, room.left, &snapshot.finished, self.palette);
        }
    }
}

/// Lines of the panes whose height depends on the screen's; the table has the rest.
struct Shares {
    charts: u16,
    log: u16,
}

/// The table comes first, since it holds results; then the log, which may hold a warning; then the charts.
fn shares(height: u16, snapshot: &Snapshot) -> Shares {
    match height {
        // Without a result there is nothing to set a log aside for.
        0..=5 if snapshot.finished.is_empty() => Shares { charts: 0, log: height },
        0..=5 => Shares { charts: 0, log: 0 },
        6..=12 => Shares { charts: 0, log: (height / 2).min(4) },
        13..=30 => Shares { charts: CHARTS, log: 4 + (height - 13) / 4 },
        _ => Shares { charts: TALL_CHARTS, log: (height / 4).min(12) },
    }
}

/// What is not yet given away.
struct Room {
    left: Rect,
}

impl Room {
    fn top(&mut self, height: u16) -> Rect {
        let height = height.min(self.left.height);
        let taken = Rect { height, ..self.left };
        self.left.y += height;
        self.left.height -= height;
        taken
    }

    fn bottom(&mut self, height: u16) -> Rect {
        let height = height.min(self.left.height);
        self.left.height -= height;
        Rect { y: self.left.bottom(), height, ..self.left }
    }
}

fn too_small(frame: &mut Frame<'_>, area: Rect) {
    let text = format!(
        "too small: {}×{}, at least {}×{} · q stops · the run goes on",
        area.width, area.height, LEAST.0, LEAST.1
    );
    let lines = wrapped(&text, usize::from(area.width).max(1));
    frame.render_widget(Text::from(lines.into_iter().map(Line::raw).collect::<Vec<_>>()), area);
}

/// `─ title ─────`, which divides panes.
pub(crate) fn rule(title: &str, width: u16, palette: Palette) -> Line<'static> {
    let width = usize::from(width);
    let title = format!(" {} ", shortened(title, width.saturating_sub(4)));
    let rest = width.saturating_sub(columns(&title) + 1);
    Line::from(vec![
        Span::styled("─", palette.faint()),
        Span::styled(title, palette.title()),
        Span::styled("─".repeat(rest), palette.faint()),
    ])
}
