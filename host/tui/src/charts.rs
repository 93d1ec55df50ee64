//! Bars over the last minutes, one chart beside the other. Every chart begins at zero and says its highest value, so that a
//! bar can be read; a gap is a time in which the figure was not known.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::widgets::Sparkline;

use crate::history::{History, Series};
use crate::palette::Palette;
use crate::view::rule;
use crate::words::{self, clock};

/// At least so much time is shown, in seconds.
const LEAST_SHOWN: usize = 120;
/// Columns that a chart needs for its title.
const LEAST_WIDTH: u16 = 36;
/// Charts beside one another: each figure once.
const MOST: u16 = 6;
const _: () = assert!(MOST as usize == Series::ALL.len());
/// Steps of the highest bar.
const FINE: u32 = 100_000;

/// As many charts as there is room for, beginning with the `from`th.
pub(crate) fn pane(frame: &mut Frame<'_>, area: Rect, history: &History, from: usize, palette: Palette) {
    let fit = (area.width / LEAST_WIDTH).clamp(1, MOST);
    // A column of space between two.
    let width = (area.width + 1) / fit - 1;
    for at in 0..fit {
        let series = Series::ALL[(from + usize::from(at)) % Series::ALL.len()];
        let x = area.x + at * (width + 1);
        let last = at + 1 == fit;
        let own = Rect { x, width: if last { area.right() - x } else { width }, ..area };
        chart(frame, own, history, series, palette);
    }
}

fn chart(frame: &mut Frame<'_>, area: Rect, history: &History, series: Series, palette: Palette) {
    let columns = usize::from(area.width.max(1));
    let each = LEAST_SHOWN.div_ceil(columns);
    let values = history.columns(series, columns, each);
    let highest = values.iter().flatten().copied().fold(0.0, f64::max);
    let title = match values.last().copied().flatten() {
        Some(last) => format!("{} {} · max {}", series.name(), series.words(last), series.words(highest)),
        None if highest > 0.0 => format!("{} – · max {}", series.name(), series.words(highest)),
        None => format!("{} –", series.name()),
    };
    let shown = std::time::Duration::from_secs((columns * each) as u64);
    let longer = format!("{title} · last {}", clock(shown));
    let title = if words::columns(&longer) + 4 <= columns { longer } else { title };
    let [top, below] = split(area);
    frame.render_widget(rule(&title, area.width, palette), top);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of the highest, at most that many steps"
    )]
    let steps = |value: f64| if highest > 0.0 { (value / highest * f64::from(FINE)) as u64 } else { 0 };
    let missing = columns - values.len().min(columns);
    let bars = std::iter::repeat_n(None, missing).chain(values.iter().map(|value| value.map(steps)));
    let sparkline = Sparkline::default()
        .data(bars.collect::<Vec<Option<u64>>>())
        .max(u64::from(FINE))
        .absent_value_symbol(" ")
        .style(palette.bars());
    frame.render_widget(sparkline, below);
}

/// The line of the title, and the rest.
fn split(area: Rect) -> [Rect; 2] {
    let top = Rect { height: area.height.min(1), ..area };
    let below = Rect { y: area.y + top.height, height: area.height - top.height, ..area };
    [top, below]
}
