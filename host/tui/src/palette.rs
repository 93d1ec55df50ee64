//! Colours, or their absence. A colour only repeats what a word, a sign or a place says already.

use ratatui::style::{Color, Modifier, Style};

use crate::snapshot::Kind;

/// How things are set off from one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Palette {
    /// False under `NO_COLOR`: bold, dim and reversed are left, which are no colours.
    pub(crate) colour: bool,
}

impl Palette {
    fn tinted(self, colour: Color) -> Style {
        if self.colour { Style::new().fg(colour) } else { Style::new() }
    }

    /// Titles of panes.
    pub(crate) fn title(self) -> Style {
        self.tinted(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    /// What is there for orientation only.
    #[expect(clippy::unused_self, reason = "every style is asked of the palette")]
    pub(crate) fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// What holds now.
    #[expect(clippy::unused_self, reason = "every style is asked of the palette")]
    pub(crate) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Bars of charts.
    pub(crate) fn bars(self) -> Style {
        self.tinted(Color::Green)
    }

    /// Failures, which are also words or numbers.
    pub(crate) fn bad(self) -> Style {
        self.tinted(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// A line of the log.
    pub(crate) fn said(self, kind: Kind) -> Style {
        match kind {
            Kind::Status => Style::new(),
            Kind::Warning => self.tinted(Color::Yellow),
            Kind::Error => self.bad(),
        }
    }
}
